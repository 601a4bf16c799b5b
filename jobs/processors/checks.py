"""Check a submission against what its job type declares. Raises Invalid, naming all fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs import storage
from jobs.processors.contract import Invalid, together
from jobs.processors.declaration import Processor, Source
from jobs.processors.parameters import read


def validate(
    processor: Processor, source_file: str, target_format: str, parameters: Mapping[str, Any]
) -> None:
    """Raise Invalid when a job of this type cannot be made from these values; "" is: not given."""
    given = {"source_file": source_file, "target_format": target_format}
    wrong = [
        Invalid(field, "not_taken", f"This job type takes no {field}.")
        for field in processor.not_taken
        if given[field]
    ]
    if processor.formats:
        wrong.extend(_of_target(processor, target_format))
    if processor.source is not Source.NONE:
        wrong.extend(_of_source(processor, source_file))
    model = None
    try:
        model = read(processor.parameters, parameters)
    except Invalid as error:
        wrong.append(error)
    if wrong:
        raise together(wrong)
    if processor.check is not None:
        processor.check(source_file, target_format, model)


def _of_target(processor: Processor, target_format: str) -> Iterator[Invalid]:
    if not target_format:
        yield Invalid("target_format", "required", "This job type needs a target format.")
    elif target_format.lower() not in processor.formats:
        known = ", ".join(sorted(processor.formats))
        detail = f"Cannot make {target_format!r}. Known targets: {known}."
        yield Invalid("target_format", "unknown_format", detail)


def _of_source(processor: Processor, source_file: str) -> Iterator[Invalid]:
    if not source_file:
        yield Invalid("source_file", "required", "This job type needs a source.")
        return
    try:
        if processor.source is Source.STORED:
            storage.resolve_source(source_file)
        else:
            storage.check_name(source_file)
    except storage.OutsideStore as error:
        yield Invalid("source_file", "outside_store", str(error))
    except storage.SourceNotFound as error:  # no matter of form, hence 422
        yield Invalid("source_file", "source_not_found", str(error), status=422)
