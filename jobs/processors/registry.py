"""Which job types there are: those of the PROCESSORS setting, and those of installed packages.

A package offers a type by an entry point of the group `mediaproc.processors` that leads to what
the decorator `processor` made.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from jobs.processors.declaration import Processor

GROUP = "mediaproc.processors"


class BadRegistry(Exception):
    """Job types that cannot be had. problems: one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@cache
def processors() -> Mapping[str, Processor]:
    """Every processor by its job type. Raises BadRegistry."""
    found: dict[str, Processor] = {}
    origins: dict[str, str] = {}
    problems: list[str] = []
    for origin, load in _offered():
        try:
            processor = _load(load)
        except BadProcessor as error:
            problems.append(f"{origin}: {error}")
            continue
        if processor.job_type in found:
            problems.append(
                f"{origin}: the job type {processor.job_type!r} is there already, by"
                f" {origins[processor.job_type]}"
            )
        else:
            found[processor.job_type] = processor
            origins[processor.job_type] = origin
    if problems:
        raise BadRegistry(problems)
    return MappingProxyType(found)


@receiver(setting_changed)
def _look_again(*, setting: str, **kwargs: Any) -> None:
    """A test has changed the setting."""
    if setting == "PROCESSORS":
        processors.cache_clear()


class BadProcessor(Exception):
    """What was offered cannot be imported, or is no job type."""


def _offered() -> Iterator[tuple[str, Callable[[], object]]]:
    """Where each comes from, for people, and how to get it."""
    for path in settings.PROCESSORS:
        yield f"PROCESSORS: {path}", partial(import_string, path)
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        yield f"entry point {point.name} of {_package(point)}: {point.value}", point.load


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "a package"


def _load(load: Callable[[], object]) -> Processor:
    try:
        offered = load()
    except Exception as error:  # whatever the code of others raises when it is imported
        raise BadProcessor(f"{type(error).__name__}: {error}") from error
    if not isinstance(offered, Processor):
        raise BadProcessor(f"{offered!r} is not made by the decorator `processor`")
    return offered
