"""Packages of a test's own, installed for real where no package index is."""

import base64
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.production import PROJECT

UV = PROJECT / ".uv" / "bin" / "uv"


def install(folder: Path, name: str, modules: Mapping[str, str], entry_points: str) -> Path:
    """Make a wheel of these modules (text by file name) and install it; returns where.

    entry_points: the contents of entry_points.txt.
    """
    wheel = _wheel(folder, name, modules, entry_points)
    target = folder / "installed"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", "--no-config",
         "--no-cache", "--python", sys.executable, "--target", target, wheel],
        check=True,
        timeout=180,
    )  # fmt: skip
    return target


def _wheel(folder: Path, name: str, modules: Mapping[str, str], entry_points: str) -> Path:
    stem = f"{name.replace('-', '_')}-1.0"
    files = {
        **modules,
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": entry_points,
    }
    record = f"{stem}.dist-info/RECORD"
    lines = [f"{path},{_digest(text)},{len(text.encode())}" for path, text in files.items()]
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, record: "\n".join([*lines, f"{record},,"])}.items():
            archive.writestr(path, text)
    return wheel


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
