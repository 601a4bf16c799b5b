"""Checks of a submission that several job types share. Each raises Invalid, naming the field."""

from collections.abc import Collection, Mapping
from typing import Any

from jobs import storage
from jobs.media.errors import MediaError
from jobs.media.presets import Preset, find_preset
from jobs.processors.contract import Invalid


def check_source_name(source_file: str) -> None:
    """The name stays inside the media store, whether or not the file is there."""
    try:
        storage.check_name(source_file)
    except storage.OutsideStore as error:
        raise Invalid("source_file", "outside_store", str(error)) from None


def check_source_exists(source_file: str) -> None:
    """The file is in the media store. Not there is no matter of form, hence status 422."""
    try:
        storage.resolve_source(source_file)
    except storage.OutsideStore as error:
        raise Invalid("source_file", "outside_store", str(error)) from None
    except storage.SourceNotFound as error:
        raise Invalid("source_file", "source_not_found", str(error), status=422) from None


def check_target(target_format: str) -> Preset:
    """The format is one that the service can make."""
    try:
        return find_preset(target_format)
    except MediaError as error:
        raise Invalid("target_format", "unknown_format", error.message) from None


def check_parameters(parameters: Mapping[str, Any], known: Collection[str]) -> None:
    """No parameter is given that the job type does not know."""
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        allowed = f"Known: {', '.join(sorted(known))}." if known else "This job type takes none."
        raise Invalid("parameters", "unknown_parameter", f"No parameter {unknown[0]!r}. {allowed}")
