"""Asks an advisory service about every locked package.

pip-audit ends with success when it could ask about none; that is no answer. Exit code: 0 nothing is
known or SKIPPED, which is printed; 1 something is known, or a package was not asked about.
"""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
AUDIT = [str(Path(sys.executable).parent / "pip-audit"), "--strict", "--progress-spinner", "off"]
OPTIONS = ["--disable-pip", "--require-hashes", "--vulnerability-service", "osv", "--timeout", "10"]
LOCKS = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
UNREACHABLE = ("ConnectionError", "Could not connect", "Connection refused", "Max retries")


def main() -> int:
    """Audit each lock file."""
    worst = 0
    for lock in LOCKS:
        worst = max(worst, judge(lock, *_asked(lock)))
    return worst


def judge(lock: str, code: int, said: str) -> int:
    """Say what came out. Only an answer about all packages is a pass."""
    if code == 0 and "could not be audited" not in said:
        print(f"{lock}: nothing is known")
        return 0
    if any(sign in said for sign in UNREACHABLE) and "Found" not in said:
        print(f"{lock}: SKIPPED, no advisory service can be reached")
        return 0
    print(f"{lock}: FAILED\n{said}", file=sys.stderr)
    return 1


def _asked(lock: str) -> tuple[int, str]:
    finished = subprocess.run(
        [*AUDIT, *OPTIONS, "-r", lock],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return finished.returncode, finished.stdout + finished.stderr


if __name__ == "__main__":
    sys.exit(main())
