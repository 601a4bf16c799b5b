"""A progress bar of a job, for people at a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from mediaproc.client.shapes import Job


@contextmanager
def progress_bar(job: Job, *, shown: bool = True) -> Iterator[Callable[[Job], None]]:
    """Gives what to call with the job as it goes on. On standard error, and only on a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[message]}", markup=False),
    )
    title = job.name or job.source_file or job.job_type
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(title, total=None, message=job.status)

        def show(now: Job) -> None:
            done = 1.0 if now.status == "COMPLETED" else now.progress
            bar.update(
                task,
                total=None if done is None else 1.0,
                completed=done or 0.0,
                message=now.progress_message or now.status,
            )

        yield show
