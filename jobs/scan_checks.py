"""Checks of the scanner's settings."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from jobs.checks import TAG
from jobs.connection_checks import is_here
from jobs.media.limits import MEBIBYTE
from jobs.scan.address import parse_address
from jobs.scan.clamd import LARGEST


@checks.register(TAG)
def check_address(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """SCANNER can be read."""
    if settings.SCANNER:
        try:
            parse_address(settings.SCANNER)
        except ValueError as error:
            return [checks.Error(str(error), id="jobs.E011")]
    return []


@checks.register(TAG, deploy=True)
def check_scanner(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """What is served was scanned, by a scanner that nobody else can answer for."""
    if not settings.SCANNER:
        return [
            checks.Warning(
                "SCANNER is not set: what users bring is processed and served unscanned.",
                hint="SCANNER=clamd+unix:///run/clamav/clamd.sock, see docs/scanning.md.",
                id="jobs.W012",
            )
        ]
    try:
        host = parse_address(settings.SCANNER).host
    except ValueError:
        return []  # check_address says so
    if is_here(host):
        return []
    return [
        checks.Warning(
            "SCANNER leads to another machine, and clamd encrypts nothing: files can be read on"
            " their way, and another may answer for it.",
            hint="A clamd on this machine, or a tunnel that encrypts and verifies.",
            id="jobs.W013",
        )
    ]


@checks.register(TAG, deploy=True)
def check_largest_output(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """No output is made that cannot be scanned."""
    most = LARGEST // MEBIBYTE
    if not settings.SCANNER or most >= settings.MEDIA_MAX_OUTPUT_MB:
        return []
    return [
        checks.Warning(
            f"ClamAV scans no file above {most} MiB, and MEDIA_MAX_OUTPUT_MB is"
            f" {settings.MEDIA_MAX_OUTPUT_MB}: jobs with a larger output fail after their work.",
            hint=f"MEDIA_MAX_OUTPUT_MB={most}",
            id="jobs.W014",
        )
    ]
