"""What the checks say of the scanner."""

import pytest
from django.core import checks
from pytest_django.fixtures import Settings

from jobs.scan.clamd import LARGEST
from tests.production import manage


def told() -> set[str]:
    found = checks.run_checks(tags=["jobs"], include_deployment_checks=True)
    return {str(one.id) for one in found} & {"jobs.E011", "jobs.W012", "jobs.W013", "jobs.W014"}


@pytest.mark.parametrize(
    ("scanner", "most", "ids"),
    [
        ("", 8192, {"jobs.W012"}),
        ("scanner:3310", 2047, {"jobs.E011"}),
        ("clamd://scanner:3310", 2047, {"jobs.W013"}),
        ("clamd://10.0.0.2:3310", 2047, {"jobs.W013"}),
        ("clamd://127.0.0.1:3310", 2048, {"jobs.W014"}),
        ("clamd://[::1]:3310", 2047, set()),
        ("clamd+unix:///run/clamav/clamd.sock", 2047, set()),
    ],
)
def test_scanners(settings: Settings, scanner: str, most: int, ids: set[str]) -> None:
    settings.SCANNER, settings.MEDIA_MAX_OUTPUT_MB = scanner, most
    assert told() == ids


def test_the_largest_output_is_one_that_is_scanned() -> None:
    assert 2047 * 2**20 < LARGEST < 2048 * 2**20


def test_a_deployment_is_told() -> None:
    said = manage("check", "--deploy").stderr
    assert "SCANNER is not set: what users bring is processed and served unscanned." in said
    assert "clamd+unix:///run/clamav/clamd.sock" in said
    said = manage("check", "--deploy", SCANNER="clamd://scanner").stderr
    assert "SCANNER leads to another machine" in said
    assert "MEDIA_MAX_OUTPUT_MB=2047" in said
    assert manage("check").stdout.startswith("System check identified no issues")
