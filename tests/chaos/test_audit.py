"""The judge is judged: evidence of one sound job, and then everything that may be wrong with it.

Each of these must be found, by its name; a check that cannot fail would pass every run.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from tests.chaos.audit import audit, forgiven
from tests.chaos.bounds import reruns
from tests.chaos.evidence import Evidence
from tests.chaos.history import Change, History, Row
from tests.chaos.ledger import Record
from tests.chaos.plan import EVERYONE, WORKFORCES, Workforce

JOB, OTHER, THIRD = "job-1", "job-2", "job-3"
LEASE, NEXT = 7, 8
PID, SURVIVOR = 100, 200


def change(old: str | None, new: str | None, t: float, **values: object) -> Change:
    found = Change(JOB, old, new, None, None, 0, 0, 5, "", "", 1.0, None, t)
    return replace(found, **values)  # type: ignore[arg-type]


def claimed(t: float, lease: int = LEASE, pid: int = PID, attempt: int = 1) -> Change:
    return change(
        "QUEUED", "IN_PROGRESS", t, new_lease=lease, attempt=attempt, worker=f"host:{pid}"
    )


def ended(new: str, t: float, lease: int = LEASE, **values: object) -> Change:
    return change("IN_PROGRESS", new, t, **{"old_lease": lease, "new_lease": lease, **values})


def record(what: str, t: float, **values: object) -> Record:
    return {"what": what, "t": t, **values}


def claim(t: float, lease: int = LEASE, pid: int = PID, job: str = JOB) -> Record:
    got = [(job, lease, 1)]
    return record("claim", t, began=t - 0.01, pid=pid, want=1, lowest=0, highest=6, got=got)


def start(t: float, lease: int = LEASE, pid: int = PID, **values: object) -> Record:
    usual = {"job": JOB, "attempt": 1, "priority": 5, "thread": "low-1"}
    return record("start", t, lease=lease, pid=pid, **{**usual, **values})


def settled(t: float, lease: int = LEASE, outcome: str = "Completed") -> Record:
    return record("settled", t, jobs=[(JOB, lease, outcome)], lost=[])


def fault(kind: str, t: float, slot: str = "low-1", **values: object) -> Record:
    return record("fault", t, **{"kind": kind, "slot": slot, "name": kind, "pid": PID, **values})


def row(job: str = JOB, **values: object) -> Row:
    sound = Row(
        job=job,
        status="COMPLETED",
        lease=LEASE,
        leased=False,
        attempt=1,
        max_attempts=3,
        lost_leases=0,
        code="",
        type="quick",
        parameters={"token": "python-0"},
        result={"lease": LEASE},
        metrics=1,
        attempts=[],
    )
    return replace(sound, **values)  # type: ignore[arg-type]


@dataclass
class Story:
    """A run of one job. It is sound until a test changes it."""

    records: list[Record] = field(
        default_factory=lambda: [
            record("spawned", 0.0, slot="low-1", pid=PID),
            record("spawned", 0.0, slot="low-2", pid=SURVIVOR),
            record("serving", 0.5, slot="low-1", pid=PID),
            record("serving", 0.5, slot="low-2", pid=SURVIVOR),
            record("intent", 1.0, tokens=["python-0"]),
            record("acknowledged", 1.1, jobs=[("python-0", JOB)]),
            claim(1.5),
            start(1.6),
            record("effect", 1.65, job=JOB, lease=LEASE),
            settled(1.8),
        ]
    )
    changes: list[Change] = field(
        default_factory=lambda: [
            change(None, "QUEUED", 1.0),
            claimed(1.49),
            ended("COMPLETED", 1.75),
        ]
    )
    rows: list[Row] = field(default_factory=lambda: [row()])
    drained: bool = True
    left: list[str] = field(default_factory=list)
    workforce: Workforce = WORKFORCES["local"]

    def without(self, what: str) -> None:
        """Drop the records of a kind."""
        self.records = [one for one in self.records if one["what"] != what]

    def rules(self) -> set[str]:
        """What the audit finds."""
        return {violation.rule for violation in audit(self.evidence())}

    def evidence(self) -> Evidence:
        """What the audit sees."""
        return Evidence(
            self.records,
            History(self.changes, self.rows),
            drained=self.drained,
            left=self.left,
            workforce=self.workforce,
        )


def rescued(story: Story, *, again_at: float = 6.0, how: str = "kill") -> None:
    """The first worker came to harm at 1.7; another ran the job again."""
    story.without("settled")
    story.records += [
        fault(how, 1.7, seconds=4.0),
        record("exited", 1.71, slot="low-1", pid=PID, code=-9),
        claim(again_at, NEXT, SURVIVOR),
        start(again_at + 0.1, NEXT, SURVIVOR),
        record("effect", again_at + 0.1, job=JOB, lease=NEXT),
        settled(again_at + 0.2, NEXT),
    ]
    story.changes[2:] = [
        ended("QUEUED", again_at - 0.5, new_lease=None),
        claimed(again_at, NEXT, SURVIVOR),
        ended("COMPLETED", again_at + 0.15, NEXT),
    ]
    history = [(1, "lost")]
    story.rows = [row(lease=NEXT, lost_leases=1, result={"lease": NEXT}, attempts=history)]


def test_a_sound_run_is_sound() -> None:
    assert Story().rules() == set()


def test_a_rescue_after_a_kill_is_sound() -> None:
    story = Story()
    rescued(story)
    assert story.rules() == set()


def test_what_hurts_all_workers_puts_off_a_rescue() -> None:
    story = Story()
    rescued(story, again_at=10.5)
    slow_for_all(story)
    assert story.rules() == set()


def test_what_ran_again_before_the_kill_was_not_taken_by_it() -> None:
    story = Story()
    rescued(story, again_at=6.0)
    assert len(list(reruns(story.evidence()))) == 1
    story.records = [{**one, "t": 7.0} if one["what"] == "exited" else one for one in story.records]
    assert not list(reruns(story.evidence()))


def test_a_worker_that_starts_up_is_not_the_one_to_be_quick() -> None:
    story = Story()
    rescued(story, again_at=9.0)
    all_start_anew(story, 7.5)
    assert story.rules() == set()


def came_late(story: Story, there: float) -> None:
    """The job came there after its place had been passed by a third."""
    passed_over(story)
    story.changes[0] = change(None, "QUEUED", 1.0, queued=1.1)
    story.changes[1] = replace(story.changes[1], queued=1.1)
    story.records[5] = {**story.records[5], "t": there}
    story.records += [
        record("intent", there - 0.1, tokens=["python-2"]),
        record("acknowledged", there - 0.05, jobs=[("python-2", THIRD)]),
        claim(there - 0.02, 5, job=THIRD),
        start(there - 0.015, 5, job=THIRD),
        record("effect", there - 0.01, job=THIRD, lease=5),
    ]
    story.changes += [
        change(None, "QUEUED", there - 0.1, job=THIRD, queued=1.15),
        replace(claimed(there - 0.025, 5), job=THIRD, queued=1.15),
        replace(ended("COMPLETED", there - 0.005, 5), job=THIRD),
    ]
    story.rows.append(row(THIRD, parameters={"token": "python-2"}, lease=5, result={"lease": 5}))


def test_a_job_that_was_committed_when_its_place_was_passed_may_wait_for_a_poll() -> None:
    story = Story()
    came_late(story, 1.1)
    assert story.rules() == set()


def test_a_job_that_was_promoted_passes_places_too() -> None:
    story = Story()
    passed_over(story)
    story.changes[0] = change(None, "QUEUED", 1.0, queued=1.1)
    story.changes[1] = replace(story.changes[1], queued=1.1)
    story.records += [
        record("intent", 0.9, tokens=["python-2"]),
        record("acknowledged", 0.95, jobs=[("python-2", THIRD)]),
        claim(1.08, 5, job=THIRD),
        start(1.085, 5, job=THIRD),
        record("effect", 1.09, job=THIRD, lease=5),
    ]
    story.changes += [
        change(None, "PENDING", 0.9, job=THIRD, queued=None),
        change("PENDING", "QUEUED", 1.05, job=THIRD, queued=1.15),
        replace(claimed(1.075, 5), job=THIRD, queued=1.15),
        replace(ended("COMPLETED", 1.095, 5), job=THIRD),
    ]
    story.rows.append(row(THIRD, parameters={"token": "python-2"}, lease=5, result={"lease": 5}))
    assert story.rules() == set()


def test_what_the_machine_stood_still_puts_off_a_rescue_and_is_told() -> None:
    story = Story()
    rescued(story, again_at=9.0)
    stood_still(story, 6.0)
    evidence = story.evidence()
    assert audit(evidence) == []
    assert [one.rule for one in forgiven(evidence, [])] == ["run again too late"]
    assert evidence.stalls


def test_what_the_machine_stood_still_puts_off_a_late_job_and_the_work_after_a_restart() -> None:
    story = Story()
    came_late(story, 0.5)
    assert "passed over" in story.rules()
    stood_still(story, 0.7, until=1.3)
    assert story.rules() == set()
    story = Story()
    resumed_late(story)
    stood_still(story, 3.0, until=3.4)
    assert "work resumes too late" in story.rules()
    stood_still(story, 4.0, until=4.2)
    assert "work resumes too late" not in story.rules()


Change_ = Callable[[Story], object]


def lost(story: Story) -> None:
    story.rows, story.changes = [], []
    story.records = story.records[:6]


def another_job(story: Story) -> None:
    story.rows = [row(parameters={"token": "python-9"})]


def twice_submitted(story: Story) -> None:
    story.rows.append(row(OTHER))


def strange_answer(story: Story) -> None:
    story.records.append(record("strange", 1.2, error="KeyError('job_id')"))


def half_a_copy(story: Story) -> None:
    story.without("acknowledged")
    story.records += [
        record("intent", 1.0, tokens=["python-1"]),
        record("maybe", 1.2, tokens=["python-0", "python-1"]),
    ]


def not_drained(story: Story) -> None:
    story.drained = False


def unfinished(story: Story) -> None:
    story.rows = [row(status="QUEUED", metrics=0)]


def lease_left(story: Story) -> None:
    story.rows = [row(leased=True)]


def history_elsewhere(story: Story) -> None:
    story.changes.pop()


def back_from_the_end(story: Story) -> None:
    story.changes += [change("COMPLETED", "QUEUED", 2.0), change("QUEUED", "COMPLETED", 2.1)]


def two_ends(story: Story) -> None:
    story.changes.append(change("COMPLETED", "COMPLETED", 2.0))


def no_metrics(story: Story) -> None:
    story.rows = [row(metrics=0)]


def wrong_end(story: Story) -> None:
    story.rows = [row(type="broken")]


def given_up_early(story: Story) -> None:
    story.rows = [row(status="FAILED", code="poison", lost_leases=2)]


def not_given_up(story: Story) -> None:
    story.rows = [row(lost_leases=3)]


def not_recorded(story: Story) -> None:
    rescued(story)
    story.rows = [replace(story.rows[0], attempts=[])]


def recorded_twice(story: Story) -> None:
    rescued(story)
    story.rows = [replace(story.rows[0], attempts=[(1, "lost")] * 2)]


def success_recorded(story: Story) -> None:
    story.rows = [row(attempts=[(1, "failed")])]


def stale_finish(story: Story) -> None:
    rescued(story)
    story.records.append(settled(5.0, LEASE))


def stale_result(story: Story) -> None:
    rescued(story)
    story.rows = [row(lease=NEXT, result={"lease": LEASE})]


def unclaimed_finish(story: Story) -> None:
    story.records.append(settled(1.9, 99))


def no_effect(story: Story) -> None:
    story.without("effect")


def too_many(story: Story) -> None:
    story.records.append({**claim(1.5), "want": 0})


def claim_lost(story: Story) -> None:
    story.records.append(claim(1.9, 99))


def ran_unleased(story: Story) -> None:
    story.records.append(start(1.9, 0))


def ran_anothers(story: Story) -> None:
    story.without("start")
    story.records.append(start(1.6, pid=SURVIVOR))


def ran_twice(story: Story) -> None:
    story.records.append(start(1.7))


def attempt_not_counted(story: Story) -> None:
    story.changes[1] = claimed(1.49, attempt=0)


def attempt_told_wrong(story: Story) -> None:
    story.without("start")
    story.records.append(start(1.6, attempt=2))


def never_serves(story: Story) -> None:
    story.records.append(record("spawned", 1.0, slot="high-1", pid=300))


def all_start_anew(story: Story, serving: float) -> None:
    """Both workers of the pool that were left end at 2.0, and one comes back."""
    for slot, pid in (("low-2", SURVIVOR), ("both", 400)):
        story.records += [
            fault("kill", 2.0, slot, pid=pid),
            record("exited", 2.0, slot=slot, pid=pid, code=-9),
        ]
    story.records += [
        record("spawned", 2.2, slot="low-2", pid=500),
        record("serving", serving, slot="low-2", pid=500),
    ]


def run_again_late_after_a_start(story: Story) -> None:
    rescued(story, again_at=9.0)
    all_start_anew(story, 6.5)


def rescued_for_nothing(story: Story) -> None:
    rescued(story)
    story.without("fault")
    story.without("exited")


def rescued_after_a_restart_alone(story: Story) -> None:
    rescued(story, how="restart")
    story.without("exited")


def rescued_after_a_short_stop(story: Story) -> None:
    rescued(story)
    story.without("fault")
    story.without("exited")
    story.records.append(fault("stop", 1.7, seconds=1.0))


def retried_for_nothing(story: Story) -> None:
    rescued(story)
    story.changes[2] = ended("PENDING", 3.0)
    story.changes.insert(3, change("PENDING", "QUEUED", 3.5))
    story.changes[4] = claimed(6.0, NEXT, SURVIVOR, attempt=2)
    story.records = [one for one in story.records if one.get("lease") != NEXT]


def handed_back_for_nothing(story: Story) -> None:
    rescued(story)
    story.changes[2] = ended("QUEUED", 3.0)


def died_by_itself(story: Story) -> None:
    story.records.append(record("exited", 3.0, slot="low-1", pid=PID, code=1))


def ended_without_being_told(story: Story) -> None:
    story.records.append(record("exited", 3.0, slot="low-1", pid=PID, code=0))


def does_not_end(story: Story) -> None:
    story.records.append(record("hung", 3.0, slot="low-1", pid=PID))


def in_the_wrong_pool(story: Story) -> None:
    story.without("start")
    story.records.append(start(1.6, thread="high-1"))


def passed_over(story: Story) -> None:
    """The other job came later, and was asked for and claimed before this one was asked for."""
    story.records[6] = claim(1.5)
    story.records += [
        record("intent", 1.2, tokens=["python-1"]),
        record("acknowledged", 1.25, jobs=[("python-1", OTHER)]),
        claim(1.4, 6, job=OTHER),
        start(1.41, 6, job=OTHER),
        record("effect", 1.42, job=OTHER, lease=6),
    ]
    story.changes += [
        change(None, "QUEUED", 1.2, job=OTHER, queued=1.2),
        replace(claimed(1.395, 6), job=OTHER, queued=1.2),
        replace(ended("COMPLETED", 1.45, 6), job=OTHER),
    ]
    story.rows.append(row(OTHER, parameters={"token": "python-1"}, lease=6, result={"lease": 6}))


def run_again_late(story: Story) -> None:
    rescued(story, again_at=9.0)


def run_again_late_although_the_machine_stood_still(story: Story) -> None:
    """3.7 s after the lease, of which it stood still for 1.5, and for long before."""
    run_again_late(story)
    stood_still(story, 1.8, until=4.7)
    stood_still(story, 7.0, until=7.4)


def stood_still(story: Story, began: float, until: float = 8.5) -> None:
    story.records.append(record("slow_beat", until, began=began))


def slow_for_all(story: Story) -> None:
    """From 3.0 to 8.0; nobody can be asked to be quick until 9.0."""
    story.records += [
        fault("slow", 3.0, EVERYONE, seconds=5.0),
        record("fault_over", 8.0, slot=EVERYONE, name="slow"),
    ]


def run_again_late_after_all_were_slow(story: Story) -> None:
    rescued(story, again_at=12.0)
    slow_for_all(story)


def resumed_late(story: Story) -> None:
    story.records += [record("database_up", 1.55), claim(12.0, 99)]


def leftover(story: Story) -> None:
    story.left.append("process 1")


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lost, "acknowledged job is lost"),
        (another_job, "job is not the one that was submitted"),
        (another_job, "job from nowhere"),
        (twice_submitted, "job submitted once is there several times"),
        (half_a_copy, "half of a COPY"),
        (strange_answer, "a submission failed strangely"),
        (not_drained, "the backlog does not drain"),
        (unfinished, "job has no final state"),
        (lease_left, "a lease is left"),
        (history_elsewhere, "the row is not where its history ends"),
        (back_from_the_end, "illegal change"),
        (two_ends, "several final states"),
        (no_metrics, "metrics"),
        (wrong_end, "wrong end"),
        (given_up_early, "given up too soon or too late"),
        (not_given_up, "not given up"),
        (not_recorded, "an attempt is missing in the history"),
        (recorded_twice, "an attempt too many in the history"),
        (success_recorded, "an attempt too many in the history"),
        (stale_finish, "finished by a lost lease, or an accepted result is lost"),
        (stale_result, "finished by a lost lease"),
        (unclaimed_finish, "settled without a claim"),
        (no_effect, "completed without an effect"),
        (too_many, "claimed too many"),
        (claim_lost, "an answered claim is lost"),
        (ran_unleased, "ran without a lease"),
        (ran_anothers, "ran under another's lease"),
        (ran_twice, "ran twice under one lease"),
        (attempt_not_counted, "attempt"),
        (attempt_told_wrong, "attempt"),
        (rescued_for_nothing, "unexplained"),
        (rescued_after_a_restart_alone, "unexplained"),
        (rescued_after_a_short_stop, "unexplained"),
        (retried_for_nothing, "unexplained"),
        (handed_back_for_nothing, "unexplained"),
        (never_serves, "a worker does not begin to serve"),
        (run_again_late_after_a_start, "run again too late"),
        (died_by_itself, "a worker died by itself"),
        (ended_without_being_told, "a worker died by itself"),
        (does_not_end, "a worker does not end"),
        (in_the_wrong_pool, "served by another pool"),
        (passed_over, "passed over"),
        (run_again_late, "run again too late"),
        (run_again_late_after_all_were_slow, "run again too late"),
        (run_again_late_although_the_machine_stood_still, "run again too late"),
        (resumed_late, "work resumes too late"),
        (leftover, "something is left"),
    ],
)
def test_what_is_wrong_is_found(spoil: Change_, rule: str) -> None:
    story = Story()
    spoil(story)
    assert rule in story.rules()
