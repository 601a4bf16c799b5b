"""Deployment checks: secrets come from files, which others cannot read."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

from jobs.checks import TAG

# Those of nothing that is connected to: they sign, or are a token of ours.
_KEYS = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "REMOTE_WORKER_TOKEN"}


@checks.register(TAG, deploy=True)
def check_environment(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """No secret is in the environment, where a password also stays until a restart."""
    return [
        checks.Warning(
            f"{name} is in the environment, where crash reports, container tools and every process"
            " that inherits it show it"
            + ("." if name in _KEYS else "; its password cannot change without a restart."),
            hint=f"{name}_FILE=/path/of/a/file that a vault's agent writes (docs/security.md).",
            id="jobs.W010",
        )
        for name in settings.SECRETS_IN_ENVIRONMENT
    ]


@checks.register(TAG, deploy=True)
def check_files(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Whoever else has an account on this machine cannot read the files."""
    return [
        checks.Warning(
            f"{name}_FILE: every user of this machine may read {path}.",
            hint="chmod o= of it; in Kubernetes `defaultMode: 0440` and the pod's fsGroup.",
            id="jobs.W011",
        )
        for name, path in settings.SECRET_FILES.items()
        if Path(path).stat().st_mode & stat.S_IROTH
    ]
