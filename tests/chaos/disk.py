"""A small file system of its own for the database, which can be made full and empty again."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_SIZE = 1500 << 20  # of memory, as far as it is used
_PAGE = 4096


class NotPossible(Exception):
    """This machine does not let us mount; the text says why."""


class SmallDisk:
    """A tmpfs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    @contextmanager
    def mounted(cls, folder: Path) -> Iterator[Self]:
        """Mount it, and unmount it afterwards. Raises NotPossible."""
        folder.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={_SIZE},mode=755", "tmpfs", str(folder))
        try:
            yield cls(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S607

    @classmethod
    def check(cls) -> None:
        """Raises NotPossible where `mounted` would."""
        with (
            tempfile.TemporaryDirectory(prefix="mediaproc-chaos-") as folder,
            cls.mounted(Path(folder) / "disk"),
        ):
            pass

    def fill(self) -> None:
        """It gets no larger than what is in it: the next block does not fit.

        Raises NotPossible when something was written meanwhile: then it would be too small.
        """
        found = os.statvfs(self._folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        _mount("-o", f"remount,size={used + _PAGE}", str(self._folder))

    def empty(self) -> None:
        """There is room again."""
        _mount("-o", f"remount,size={_SIZE}", str(self._folder))


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(
            ["mount", *arguments],  # noqa: S607 - where it is differs
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise NotPossible(str(error)) from error
    if done.returncode != 0:
        raise NotPossible(" ".join(done.stderr.split()))
