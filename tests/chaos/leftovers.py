"""What must not be there once all jobs are done and all workers have ended."""

from collections.abc import Iterator

import psutil

from tests.chaos.history import Row
from tests.chaos.stage import Stage
from tests.waiting import wait_until

_CHILD_SECONDS = 3.0


def leftovers(stage: Stage, rows: list[Row]) -> Iterator[str]:
    """Children of workers; files beside the output that won."""
    try:
        wait_until(lambda: not _children(stage), "no child is left", seconds=_CHILD_SECONDS)
    except AssertionError:
        for process in _children(stage):
            yield f"process {process.pid} {' '.join(process.cmdline())}"
    outputs = stage.folder / "media" / "outputs"
    there = {str(path.relative_to(outputs)) for path in outputs.rglob("*") if path.is_file()}
    completed = [row for row in rows if row.status == "COMPLETED" and row.type == "file"]
    won = {str((row.result or {}).get("output")) for row in completed}
    # A job that was given up may have left a file in its folder: nobody has won.
    of_completed = {row.job for row in completed}
    for name in sorted(there - won):
        if name.partition("/")[0] in of_completed:
            yield f"file {name}"
    for name in sorted(won - there):
        yield f"a result without its file {name}"


def _children(stage: Stage) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        ours = any(part.endswith(stage.mark) for part in command) or (
            "tests.chaos.worker" in command and process.environ().get("CHAOS_MARK") == stage.mark
        )
        if ours:
            found.append(process)
    return found
