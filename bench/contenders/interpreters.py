"""The environments of the other queues: .venv-bench, and bench/node/node_modules for Node."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bench.contenders.peer import Skipped
from bench.environment import PROJECT, say
from scripts.matrix import find_python

VENV = PROJECT / ".venv-bench"
NODE = PROJECT / "bench" / "node"
# Newest first: an interpreter that is faster is to be theirs.
PYTHONS = ("3.13", "3.12")


def python_script(name: str) -> Callable[[], list[str]]:
    """The command line of bench/peers/NAME.py in their environment."""
    return lambda: [_python(), "-m", f"bench.peers.{name}"]


def own_script(name: str) -> Callable[[], list[str]]:
    """The command line of bench/peers/NAME.py in the environment of this process."""
    return lambda: [sys.executable, "-m", f"bench.peers.{name}"]


def node_script(name: str) -> Callable[[], list[str]]:
    """The command line of bench/node/NAME.mjs."""
    return lambda: [_node(), str(NODE / f"{name}.mjs")]


def needs_python(major: int, minor: int) -> None:
    """Raises Skipped where their environment has an older Python."""
    test = f"import sys; sys.exit(sys.version_info < ({major}, {minor}))"
    if subprocess.run([_python(), "-c", test], check=False).returncode:
        raise Skipped(f"it takes Python {major}.{minor} or later, and none is here")


@cache
def _python() -> str:
    newest = next(filter(None, map(find_python, PYTHONS)), sys.executable)
    if not VENV.exists():
        say("Installing requirements-bench.txt ...")
    _run([newest, "scripts/environment.py", "requirements-bench.txt", "--venv", str(VENV)])
    return str(VENV / "bin" / "python")


@cache
def _node() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Skipped("there is no node with npm here")
    lock = NODE / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = NODE / "node_modules" / ".installed"
    if not stamp.exists() or stamp.read_text() != digest:
        say("Installing bench/node/package-lock.json ...")
        _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], NODE)
        stamp.write_text(digest)
    return node


def _run(command: list[str], folder: Path = PROJECT) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        said = done.stdout.strip().splitlines()[-3:]
        raise Skipped(f"it could not be installed: {'; '.join(said)}")
