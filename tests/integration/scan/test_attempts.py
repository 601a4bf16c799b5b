"""Attempts whose source or output is malware, or whose scanner is away."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs import storage
from jobs.outcomes import Cancel, Completed, Failed, Interrupted, Outcome, Retry
from jobs.processors.contract import Context
from jobs.processors.declaration import Source, processor
from jobs.processors.parameters import NoParameters
from jobs.processors.simulate import simulate
from jobs.processors.transcode import transcode
from jobs.testing import RecordingContext, run
from jobs.worker.scanned import AGAIN_SECONDS, OUTPUT_WAIT_SECONDS, OUTPUT_WAITS
from tests.clamd_server import MARKER, SIGNATURE, ClamdServer, needs_clamd
from tests.integration.scan.conftest import silent
from tests.processors import NOTHING

called: list[str] = []


@processor("copy", source=Source.STORED)
def copy(context: Context, parameters: NoParameters) -> Outcome:
    """Write the source backwards."""
    return _backwards(context)


@processor("write", source=Source.NAMED)
def write(context: Context, parameters: NoParameters) -> Outcome:
    """The same, of a source that need not be there."""
    return _backwards(context)


def _backwards(context: Context) -> Outcome:
    called.append(context.attempt.source_file)
    made = storage.output_path(context.attempt.job_id, context.attempt.lease, "txt")
    content = storage.resolve_source(context.attempt.source_file).read_bytes()
    made.write_bytes(content[::-1])
    return Completed(NOTHING, {"output": storage.output_name(made)}, made)


@pytest.fixture(autouse=True)
def sources(media_root: Path) -> Iterator[Path]:
    """A clean one, one that is malware, and one whose output is."""
    folder = media_root / "sources"
    (folder / "clean.txt").write_bytes(b"clean")
    (folder / "bad.txt").write_bytes(b"bad " + MARKER)
    (folder / "turns.txt").write_bytes(MARKER[::-1])
    called.clear()
    yield folder
    called.clear()


def files(sources: Path) -> list[str]:
    return [path.name for path in (sources.parent / "outputs").rglob("*") if path.is_file()]


@needs_clamd
def test_malware_is_not_processed_and_not_served(
    clamd: ClamdServer, settings: Settings, sources: Path
) -> None:
    settings.SCANNER = clamd.unix
    for name, what, is_called in (("bad.txt", "source", False), ("turns.txt", "output", True)):
        called.clear()
        outcome = run(copy, source=name)
        assert isinstance(outcome, Failed)
        assert outcome.code == "malware_found"
        assert outcome.error == f"The {what} is refused. It holds known malware: {SIGNATURE}."
        assert (bool(called), files(sources)) == (is_called, [])
    context = RecordingContext()
    assert isinstance(run(copy, source="clean.txt", context=context), Completed)
    assert context.reports == [(None, "scanning the source"), (1.0, "scanning the output")]
    assert len(files(sources)) == 1


@needs_clamd
def test_a_real_output(
    settings: Settings, sources: Path, house_wav: Path, clamd_of_flac: ClamdServer
) -> None:
    shutil.copy(house_wav, sources / "house.wav")
    settings.SCANNER = clamd_of_flac.tcp
    assert isinstance(run(transcode, source="house.wav", target="wav"), Completed)
    [name] = files(sources)
    outcome = run(transcode, source="house.wav", target="flac")
    assert isinstance(outcome, Failed)
    assert (outcome.code, files(sources)) == ("malware_found", [name])


def test_without_a_scanner_nothing_is_scanned(settings: Settings, sources: Path) -> None:
    settings.SCANNER = ""
    context = RecordingContext()
    assert isinstance(run(copy, source="bad.txt", context=context), Completed)
    assert context.reports == []


def test_what_has_no_files_asks_no_scanner(settings: Settings) -> None:
    settings.SCANNER = "clamd+unix:///nowhere"
    for source in ("clean.txt", "gone.txt"):
        assert isinstance(run(simulate, source=source, target="mp4"), Completed)


@needs_clamd
def test_a_scanner_that_is_away(clamd: ClamdServer, settings: Settings, sources: Path) -> None:
    settings.SCANNER = clamd.tcp
    clamd.stop()
    context = RecordingContext()
    outcome = run(copy, source="clean.txt", context=context)
    assert isinstance(outcome, Retry)
    assert (outcome.code, outcome.after) == ("scan_unavailable", AGAIN_SECONDS)
    assert outcome.error.startswith("The source could not be scanned for malware. The scanner does")
    assert (called, context.waits) == ([], [])

    clamd.start()
    assert isinstance(run(copy, source="clean.txt", context=context), Completed)
    # That source is known; its output is waited for, because the work is done.
    clamd.stop()
    context = RecordingContext()
    outcome = run(copy, source="clean.txt", context=context)
    assert isinstance(outcome, Retry)
    assert outcome.code == "scan_unavailable"
    assert context.waits == [OUTPUT_WAIT_SECONDS] * OUTPUT_WAITS
    assert (1.0, "waiting for the scanner") in context.reports
    assert len(files(sources)) == 1  # of the job that completed

    class Back(RecordingContext):
        __slots__ = ()

        def wait(self, seconds: float) -> bool:
            clamd.start()
            return super().wait(seconds)

    back = Back()
    assert isinstance(run(copy, source="clean.txt", context=back), Completed)
    assert back.waits == [OUTPUT_WAIT_SECONDS]


@needs_clamd
def test_a_source_is_scanned_once_until_it_is_another(
    clamd: ClamdServer, settings: Settings, sources: Path
) -> None:
    settings.SCANNER = clamd.unix
    assert isinstance(run(copy, source="clean.txt"), Completed)
    settings.SCANNER = "clamd+unix:///nowhere"
    called.clear()
    run(copy, source="clean.txt")
    assert called == ["clean.txt"]  # the output alone wants a scanner
    (sources / "clean.txt").write_bytes(b"other")
    run(copy, source="clean.txt")
    assert called == ["clean.txt"]
    settings.SCANNER = clamd.unix
    (sources / "clean.txt").write_bytes(MARKER)
    for _ in range(2):  # what is bad is not remembered
        outcome = run(copy, source="clean.txt")
        assert isinstance(outcome, Failed)
        assert outcome.code == "malware_found"


def test_a_source_that_is_not_there(settings: Settings, sources: Path) -> None:
    settings.SCANNER = "clamd+unix:///nowhere"

    class Gone(RecordingContext):
        __slots__ = ()

        def report(self, progress: float | None, message: str = "") -> None:
            (sources / "clean.txt").unlink(missing_ok=True)

    outcome = run(copy, source="clean.txt", context=Gone())
    assert isinstance(outcome, Failed)
    assert outcome.code == "source_not_found"


class Patient(RecordingContext):
    """Is cancelled, or its worker stopped, while the scanner is silent."""

    __slots__ = ("_asked", "_end", "_what")

    def __init__(self, what: str, end: str) -> None:
        super().__init__()
        self._what = what
        self._end = end
        self._asked = 0

    def stopped(self) -> bool:
        """Asked five times it is so."""
        if self.reports and self.reports[-1][1] == f"scanning the {self._what}":
            self._asked += 1
            if self._asked == 5:
                (self.cancel if self._end == "cancel" else self.stop)()
        return super().stopped()


@pytest.mark.parametrize("what", ["source", "output"])
def test_a_cancel_amid_a_scan(settings: Settings, sources: Path, what: str) -> None:
    with silent() as scanner:
        settings.SCANNER = scanner
        for end, outcome in (("cancel", Cancel()), ("stop", Interrupted())):
            kind = copy if what == "source" else write
            assert run(kind, source="clean.txt", context=Patient(what, end)) == outcome
            assert files(sources) == []
