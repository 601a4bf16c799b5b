"""Every job that was promised is there, came to one end by legal ways, and to the right one."""

from collections import Counter
from collections.abc import Callable, Iterator

from jobs.states import TRANSITIONS, Status
from tests.chaos.evidence import Evidence, is_final
from tests.chaos.history import Change, Row
from tests.chaos.plan import MOST_LOST_LEASES
from tests.chaos.violation import Violation


def acknowledged_are_kept(evidence: Evidence) -> Iterator[Violation]:
    """What a submitter was told is in the database is there, under the id that he was told."""
    rows = {row.job: row for row in evidence.rows}
    for record in evidence.by_what["acknowledged"]:
        for token, job in record["jobs"]:
            if job not in rows:
                yield Violation("acknowledged job is lost", f"{job} ({token})")
            elif rows[job].parameters.get("token") != token:
                yield Violation("job is not the one that was submitted", f"{job} ({token})")


def nothing_from_nowhere(evidence: Evidence) -> Iterator[Violation]:
    """Every job was submitted, once; of several submitted together there are all or none."""
    meant = {token for record in evidence.by_what["intent"] for token in record["tokens"]}
    found = Counter(str(row.parameters.get("token")) for row in evidence.rows)
    for token, times in found.items():
        if token not in meant:
            yield Violation("job from nowhere", token)
        if times > 1:
            yield Violation("job submitted once is there several times", f"{token}: {times}")
    for record in evidence.by_what["maybe"]:
        there = sum(token in found for token in record["tokens"])
        if there not in (0, len(record["tokens"])):
            yield Violation("half of a COPY", f"{there} of {len(record['tokens'])}")


def submitters_meet_no_surprise(evidence: Evidence) -> Iterator[Violation]:
    """A submission is answered, refused, or fails as one does without a database or a network."""
    for record in evidence.by_what["strange"]:
        yield Violation("a submission failed strangely", record["error"])


def all_are_final(evidence: Evidence) -> Iterator[Violation]:
    """No job is left on the way."""
    if not evidence.drained:
        left = Counter(row.status for row in evidence.rows if not is_final(row.status))
        yield Violation(
            "the backlog does not drain", ", ".join(f"{n} {s}" for s, n in left.items())
        )
    for row in evidence.rows:
        if not is_final(row.status) and evidence.drained:
            yield Violation("job has no final state", f"{row.job} {row.status}")
        if row.leased:
            yield Violation("a lease is left", f"{row.job} {row.status}")


def only_legal_changes(evidence: Evidence) -> Iterator[Violation]:
    """Each change begins where the one before ended, and is an edge of jobs/states.py."""
    for row in evidence.rows:
        changes = evidence.changes[row.job]
        if not changes or changes[-1].new != row.status:
            yield Violation("the row is not where its history ends", f"{row.job} {row.status}")
    for job, changes in evidence.changes.items():
        before: Change | None = None
        for change in changes:
            if not _legal(before, change):
                yield Violation("illegal change", f"{job} {change.old} -> {change.new}")
            before = change
        finals = [change for change in changes if is_final(change.new)]
        if len(finals) > 1:
            yield Violation("several final states", f"{job} {[one.new for one in finals]}")


def _legal(before: Change | None, change: Change) -> bool:
    if before is None:
        return change.old is None and change.new in (Status.QUEUED, Status.PENDING)
    if change.old is None or change.new is None or change.old != before.new:
        return False
    return Status(change.new) in TRANSITIONS[Status(change.old)]


def one_metrics_row_a_success(evidence: Evidence) -> Iterator[Violation]:
    """COMPLETED has one, nothing else has any."""
    for row in evidence.rows:
        if row.metrics != (row.status == Status.COMPLETED):
            yield Violation("metrics", f"{row.job} {row.status} has {row.metrics} rows")


def right_ends(evidence: Evidence) -> Iterator[Violation]:
    """A job comes to the end that its kind must come to."""
    for row in evidence.rows:
        if not is_final(row.status):
            continue
        if row.code == "poison":
            if row.lost_leases != MOST_LOST_LEASES:
                yield Violation("given up too soon or too late", f"{row.job} {row.lost_leases}")
            continue
        if row.lost_leases >= MOST_LOST_LEASES:
            yield Violation("not given up", f"{row.job} lost {row.lost_leases} leases")
        expected = _EXPECTED[row.type](row)
        if (row.status, row.code) not in expected:
            what = f"{row.job} ({row.type} {row.parameters}) is {row.status} {row.code!r}"
            yield Violation("wrong end", what)


_DONE = [("COMPLETED", "")]


def _flaky(row: Row) -> list[tuple[str, str]]:
    fails = row.parameters["succeeds_on"] > row.max_attempts
    return [("FAILED", "not_yet")] if fails else _DONE


_EXPECTED: dict[str, Callable[[Row], list[tuple[str, str]]]] = {
    "quick": lambda _: _DONE,
    "wait": lambda _: _DONE,
    "file": lambda _: _DONE,
    "flaky": _flaky,
    "broken": lambda _: [("FAILED", "hopeless")],
    "raising": lambda _: [("FAILED", "exception")],
    # Those that only raise; those that kill their worker are given up.
    "poison": lambda _: [("FAILED", "exception")],
}
