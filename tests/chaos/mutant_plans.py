"""Short plans, each made to bring certain bugs to light."""

from tests.chaos.plan import SLOTS, Fault, Plan

_SECONDS = 9.0


def stops() -> Plan:
    """Workers stop past their lease while their jobs go on elsewhere, and do not listen."""
    return Plan(
        1,
        "stops",
        _SECONDS,
        tuple(
            Fault("stop", slot, at=at, seconds=4.2)
            for slot, at in (("high-1", 2.0), ("low-1", 2.2), ("high-2", 3.5), ("low-2", 3.7))
        ),
        rate=12.0,
        mix={"quick": 70, "deaf": 30},
        comment="stop past the lease while a job runs: exposes a missing or a weak fence",
    )


def kills() -> Plan:
    """Workers die right after a commit, and at work.

    Odd numbers: where metrics come afterwards, there is one more pass in between.
    """
    return Plan(
        1,
        "kills",
        _SECONDS,
        (
            Fault("kill", "high-1", point="finish.after_commit", number=9),
            Fault("kill", "low-1", point="finish.after_commit", number=13),
            Fault("kill", "both", point="finish.after_commit", number=15),
            Fault("kill", "high-2", point="processor.start", number=10),
            Fault("kill", "low-2", point="claim.after_commit", number=10),
            Fault("kill", "high-2", point="finish.after_commit", number=17),
        ),
        comment="kill after the commit of a finish, after that of a claim, and at work",
    )


def rescues() -> Plan:
    """Everybody looks for lost leases at the same time, and is slow between look and deed.

    The sound engine has no such between: there the waits never happen.
    """
    return Plan(
        1,
        "rescues",
        _SECONDS,
        (
            *(
                Fault(
                    "wait", slot, point="rescue.between", number=number, seconds=0.2 + 0.4 * place
                )
                for place, slot in enumerate(SLOTS)
                for number in range(1, 12)
            ),
            Fault("kill", "high-1", at=1.5),
            Fault("kill", "low-1", at=1.7),
            Fault("kill", "high-1", at=5.0),
        ),
        rate=20.0,
        mix={"quick": 50, "deaf": 20, "medium": 30},
        environment={"JOB_RETRY_SCAN_SECONDS": "0.02"},
        comment="many maintainers find the same lost leases",
    )


def crashes() -> Plan:
    """All processes of the database are killed, again and again."""
    return Plan(
        1,
        "crashes",
        _SECONDS,
        tuple(Fault("crash", at=at) for at in (2.0, 4.5, 7.0)),
        rate=60.0,
        comment="SIGKILL to the whole server: what was acknowledged must be on disk",
    )


def clocks() -> Plan:
    """The clocks of two workers go a day ahead."""
    return Plan(
        1,
        "clocks",
        _SECONDS,
        tuple(
            Fault("clock", slot, point="heartbeat.before", number=2, seconds=86_400.0)
            for slot in ("high-1", "low-1")
        ),
        mix={"quick": 80, "medium": 20},
        comment="a worker's clock decides nothing",
    )


def silence() -> Plan:
    """No signal at all: jobs are found by polling."""
    return Plan(
        1,
        "silence",
        5.0,
        environment={"WAKEUP_NOTIFY": "False"},
        drain_seconds=8.0,
        comment="polling alone is correct",
    )


def idleness() -> Plan:
    """Workers look into an empty queue many times, and keep a plan that suits it."""
    return Plan(
        1,
        "idleness",
        5.0,
        environment={"WORKER_POLL_SECONDS": "0.05"},
        idle_seconds=2.0,
        comment="statements are planned for an empty table, then jobs come",
    )
