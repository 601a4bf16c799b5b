"""Which job types there are: the classes named by the PROCESSORS setting."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from jobs.processors.contract import Processor


@cache
def processors() -> dict[str, Processor]:
    """Every processor by its job type.

    Raises ImportError for a name that cannot be imported, ValueError for a type named twice.
    """
    found: dict[str, Processor] = {}
    for path in settings.PROCESSORS:
        processor: Processor = import_string(path)()
        if processor.job_type in found:
            raise ValueError(f"PROCESSORS: two classes have the job type {processor.job_type!r}")
        found[processor.job_type] = processor
    return found
