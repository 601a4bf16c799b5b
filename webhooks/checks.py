"""System checks of the settings of webhooks."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from jobs.priorities import HIGHEST, LOWEST


@checks.register("webhooks")
def check_priority(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """WEBHOOK_PRIORITY is one that jobs have."""
    if LOWEST <= settings.WEBHOOK_PRIORITY <= HIGHEST:
        return []
    text = f"WEBHOOK_PRIORITY must be from {LOWEST} to {HIGHEST}"
    return [checks.Error(text, id="webhooks.E001")]
