"""How long an attempt at a transcode may take."""

from pytest_django import Settings

from jobs.attempt import Attempt
from jobs.media.presets import TARGETS
from jobs.processors.limits import time_limits
from jobs.processors.transcode import transcode


def test_a_film_of_hours_has_hours(settings: Settings) -> None:
    """Whatever other types have; each target's own limit, which is for good, comes first."""
    settings.JOB_SOFT_LIMIT_SECONDS = settings.JOB_HARD_LIMIT_SECONDS = 1
    attempt = Attempt("", 1, 1, 1, "transcode", "film.mp4", "webm", 5, {}, None, None)
    soft, hard = time_limits(attempt, transcode.limits)
    assert all(preset.wall_seconds < soft for preset in TARGETS.values())
    assert soft < hard
