"""A contender: a job queue that a script of ours runs, in processes of its own."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.databases import Databases
from bench.environment import PROJECT

STOP_SECONDS = 15
SCRIPT_SECONDS = 300


class Skipped(Exception):
    """The contender cannot run here; the message is the reason."""


class Failed(Exception):
    """It ran and did not do what it should."""


@dataclass(frozen=True)
class Mode:
    """One way to run its worker process."""

    jobs: int
    """How many make a drain of some seconds."""
    settings: str


@dataclass
class Peer:
    """What is common to all; the modules of this folder fill it in."""

    name: str
    includes: str
    """What its drain figure includes, in half a line."""
    command: Callable[[], list[str]]
    """The command line of its script; may raise Skipped."""
    modes: Mapping[str, Mode]
    """"four": four jobs at a time in its ordinary settings; "best": its fastest; or others."""
    unfinished: str = ""
    """SQL: a boolean, whether any job is not finished."""
    done: str = ""
    """SQL: how many jobs were completed; where it deletes them, null."""
    drains: tuple[str, ...] = ("four", "best")
    """The modes that a round measures."""
    bulk: bool = True
    """Whether it has a call that submits many."""
    enqueues: int = 1_500
    pickups: int = 100
    pause: float = 0.02
    """The longest random pause before a pick-up: the poll interval of one that only polls."""
    environment: dict[str, str] = field(default_factory=dict)

    def prepare(self, databases: Databases, folder: Path) -> None:
        """Install it and make its empty tables. Raises Skipped, Failed."""
        self._databases = databases
        self._log = folder / f"{self.name}.log"
        self._command = self.command()
        databases.create(self.template)
        self.script("setup", database=self.template)

    def close(self) -> None:
        """The end of all its runs."""

    @property
    def database(self) -> str:
        """The database that a run uses."""
        return self.name

    @property
    def template(self) -> str:
        """The database with its empty tables."""
        return f"{self.name}-template"

    def fresh(self) -> None:
        """Empty tables, new files."""
        self._databases.create(self.database, self.template)

    def settle(self) -> None:
        """After a fill: what autovacuum would do in time, so that all plans are good ones."""
        self._databases.run(self.database, "VACUUM ANALYZE")

    @contextmanager
    def backlog(self) -> Iterator[Callable[[], bool]]:
        """A function that tells whether any job is unfinished."""
        with self._databases.connect(self.database) as connection:
            yield lambda: bool(self._ask(connection, self.unfinished))

    def completed(self) -> int | None:
        """How many jobs were completed; None where no trace is kept of them."""
        with self._databases.connect(self.database) as connection:
            found = self._ask(connection, self.done)
            return None if found is None else int(found)

    @staticmethod
    def _ask(connection: Any, statement: str) -> Any:
        return connection.execute(statement).fetchone()[0]

    def script(self, *arguments: str, database: str = "", **environment: str) -> Any:
        """Run the script to its end; what it printed. Raises Failed."""
        process = self.start(*arguments, database=database, **environment)
        try:
            printed, _ = process.communicate(timeout=SCRIPT_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill(process)
            raise Failed(f"{arguments[0]} took over {SCRIPT_SECONDS} s") from error
        if process.returncode:
            raise Failed(f"{arguments[0]} ended with {process.returncode}: {self.last_words()}")
        return json.loads(printed) if printed.strip() else None

    @contextmanager
    def worker(self, mode: str, **environment: str) -> Iterator[Callable[[], None]]:
        """One worker process. The function that it gives raises Failed when it has ended."""
        process = self.start("work", mode, **environment)

        def alive() -> None:
            if process.poll() is not None:
                raise Failed(f"the worker ended with {process.returncode}: {self.last_words()}")

        try:
            yield alive
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            self.kill(process)

    def start(
        self, *arguments: str, database: str = "", **environment: str
    ) -> "subprocess.Popen[bytes]":
        """Start the script, in a process group of its own."""
        url = self._databases.url(database or self.database)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*self._command, *arguments],
                cwd=PROJECT,
                env={
                    **os.environ,
                    **self.environment,
                    **environment,
                    **self.urls(url),
                    "BENCH_PAUSE": str(self.pause),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if arguments[0] != "work" else log,
                stderr=log,
                start_new_session=True,
            )

    def urls(self, url: str) -> dict[str, str]:
        """The addresses of its servers, as environment variables."""
        return {"BENCH_URL": url}

    @staticmethod
    def kill(process: "subprocess.Popen[bytes]") -> None:
        """End the process and its children for good."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace").strip()[-600:]
