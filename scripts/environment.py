"""Make the virtual environment that the Makefile runs things in; do nothing when it is there.

    python3 scripts/environment.py REQUIREMENTS.txt [--venv FOLDER]

It needs Python 3.11 or later and pip (or ensurepip). uv, which is fast, is fetched with pip; where
uv cannot reach a package index and pip can, pip installs. Only the standard library is used, and
old Pythons must be able to read this file to say that they are too old.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NEWER = ("python3.13", "python3.12", "python3.11")
UV_FOLDER = PROJECT / ".uv"
UV = UV_FOLDER / "bin" / "uv"
UV_REQUIREMENTS = PROJECT / "requirements-uv.txt"
FREE_BYTES = 1024 * 1024 * 1024


class Trouble(Exception):
    """Something is missing; the message says what and how to get it."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the virtual environment.")
    parser.add_argument("requirements", type=Path, help="a locked file: versions and hashes")
    parser.add_argument("--venv", type=Path, default=PROJECT / ".venv")
    chosen = parser.parse_args()
    try:
        if sys.version_info < OLDEST:
            continue_with_newer()
        with (PROJECT / ".environment.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make(chosen.venv, PROJECT / chosen.requirements)
    except (Trouble, OSError) as error:
        print(f"mediaproc: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def continue_with_newer() -> None:
    """Go on as the newest Python on PATH; raises Trouble when none is new enough."""
    for name in NEWER:
        found = shutil.which(name)
        if found and runs(found):
            os.execv(found, [found, *sys.argv])  # noqa: S606 - the same program, no shell wanted
    raise Trouble(
        "{} is Python {}.{}, and it takes 3.11 or later. Install one (apt-get install python3), or"
        " name it: make PYTHON=/path/to/python3.11 ...".format(sys.executable, *sys.version_info)
    )


def make(venv: Path, requirements: Path) -> None:
    """Bring `venv` to what `requirements` says, unless it is there already."""
    stamp = venv / f".installed-{requirements.stem}"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    unfinished = venv / ".unfinished"
    python = venv / "bin" / "python"
    broken = unfinished.exists() or not runs(str(python), exactly=True)
    if not broken and stamp.exists() and stamp.read_text() == digest:
        return
    check_disk()
    print(f"Installing {requirements.name} into {venv.name} ...", flush=True)
    get_uv()
    if broken:
        run("Making the virtual environment", [UV, "venv", "--clear", "--python", base(), venv])
    unfinished.touch()
    install(python, requirements)
    stamp.write_text(digest)
    unfinished.unlink()


def install(python: Path, requirements: Path) -> None:
    options: list[str | Path] = ["--no-deps", "--require-hashes", "--requirement", requirements]
    try:
        run(
            "Installing", [UV, "pip", "install", "--compile-bytecode", "--python", python, *options]
        )
    except Trouble as with_uv:
        print(f"{with_uv}\nTrying pip instead of uv ...", file=sys.stderr, flush=True)
        pip = find_pip()
        run("Installing", [*pip, "--python", python, "install", *options])


def get_uv() -> None:
    stamp = UV_FOLDER / ".installed"
    digest = hashlib.sha256(UV_REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    unfinished = PROJECT / ".uv.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    options: list[str | Path] = ["--no-deps", "--require-hashes", "--requirement", UV_REQUIREMENTS]
    run("Fetching uv", [*find_pip(), "install", "--target", unfinished, *options])
    (unfinished / stamp.name).write_text(digest)
    shutil.rmtree(UV_FOLDER, ignore_errors=True)
    unfinished.rename(UV_FOLDER)


def find_pip() -> list[str | Path]:
    """The command line of a pip; Debian has it in a package of its own."""
    if succeeds([base(), "-m", "pip", "--version"]):
        return [base(), "-m", "pip"]
    private = PROJECT / ".uv.pip"
    if succeeds([base(), "-m", "venv", "--clear", private]):
        return [private / "bin" / "python", "-m", "pip"]
    raise Trouble(f"{base()} has no pip. On Debian: apt-get install python3-pip")


def base() -> str:
    """This interpreter, or the one that it was made from where it is a virtual environment's."""
    name = "python{}.{}".format(*sys.version_info)
    original = Path(sys.base_prefix, "bin", name)
    return str(original) if original.exists() else sys.executable


def runs(python: str, *, exactly: bool = False) -> bool:
    """Whether `python` starts and is new enough, or exactly as new as this one."""
    test = f"sys.version_info[:2] == {sys.version_info[:2]}"
    if not exactly:
        test = f"sys.version_info >= {OLDEST}"
    return succeeds([python, "-c", f"import sys; sys.exit(not ({test}))"])


def check_disk() -> None:
    free = shutil.disk_usage(PROJECT).free
    if free < FREE_BYTES:
        raise Trouble(
            f"The disk of {PROJECT} is full: {free >> 20} MB are free, and the environment takes"
            f" up to {FREE_BYTES >> 20} MB."
        )


def succeeds(command: list[str | Path]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(doing: str, command: list[str | Path]) -> None:
    """Run quietly; raises Trouble with the last of what it said when it fails."""
    environment = {
        **os.environ,
        "UV_PYTHON_DOWNLOADS": "never",
        # A machine's configuration may set these, and neither goes with --target.
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
    }
    finished = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        env=environment,
    )
    if finished.returncode != 0:
        said = [line.strip() for line in finished.stdout.splitlines() if line.strip()]
        raise Trouble(f"{doing} failed: {'; '.join(said[-3:])}")


if __name__ == "__main__":
    sys.exit(main())
