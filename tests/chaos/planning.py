"""From a seed to a plan: a scenario by its name, or all of them mixed."""

from dataclasses import replace
from random import Random

from tests.chaos.plan import SLOTS, Fault, Plan
from tests.chaos.scenarios import (
    Faults,
    Scenario,
    ambiguous,
    clock,
    full_disk,
    half_open,
    kill,
    maintainers,
    pinned_xmin,
    poison,
    redis,
    remote,
    restart,
    roll,
    slow,
    stop_long,
    stop_short,
    terminate,
    times,
)

# How many seconds lie between two faults of a kind, when all are mixed.
_MIXED: dict[Scenario, float] = {
    kill: 4.0,
    stop_long: 14.0,
    stop_short: 10.0,
    terminate: 12.0,
    ambiguous: 3.0,
    half_open: 20.0,
    slow: 15.0,
    clock: 15.0,
    redis: 15.0,
    poison: 20.0,
}


def mixed(random: Random, seconds: float) -> Faults:
    """Everything, with the outages of the database far enough apart to be told from each other."""
    for scenario, every in _MIXED.items():
        yield from scenario(random, seconds, every)  # type: ignore[call-arg]
    yield from roll(random, seconds)
    yield Fault("pinned", at=2.0, seconds=round(seconds * 0.5, 1))
    for at in times(random, seconds, 15.0):
        kind = random.choice(("restart", "restart", "crash", "full_disk"))
        if kind == "full_disk":
            yield Fault(kind, at=at, seconds=2.0, how=random.choice(("", "log")))
        else:
            yield Fault(kind, at=at)


# A job costs a remote worker several requests, so they are fewer and last longer. One that does not
# listen costs it its process; and what an output holds is looked at, so a file must be a film.
_REMOTE_RATE = 6.0
_REMOTE_MIX = {
    "quick": 450,
    "short": 150,
    "medium": 250,
    "scheduled": 40,
    "flaky": 60,
    "broken": 20,
    "raising": 10,
    "long": 20,
}
_REMOTE_ENVIRONMENT = {"LEASE_WAITERS": str(len(SLOTS)), "WEB_THREADS": str(4 * len(SLOTS))}

SCENARIOS: dict[str, Scenario] = {
    made.__name__: made
    for made in (
        kill,
        stop_long,
        stop_short,
        restart,
        terminate,
        ambiguous,
        half_open,
        slow,
        full_disk,
        clock,
        redis,
        poison,
        roll,
        maintainers,
        pinned_xmin,
        remote,
        mixed,
    )
}


def make_plan(scenario: str, seed: int, seconds: float) -> Plan:
    """The plan of a scenario: the same for the same seed and length."""
    random = Random(f"{scenario} {seed}")
    faults = sorted(SCENARIOS[scenario](random, seconds), key=lambda fault: (fault.at, fault.name))
    kinds = {fault.kind for fault in faults}
    plan = Plan(
        seed,
        scenario,
        seconds,
        tuple(faults),
        redis=any(kind.startswith("redis") for kind in kinds),
        tmpfs="full_disk" in kinds,
    )
    if scenario == "redis":
        # Redis alone brings signals: when it is gone, jobs are found by polling.
        return replace(plan, environment={"WAKEUP_NOTIFY": "False"})
    if scenario == "maintainers":
        return replace(plan, environment={"JOB_RETRY_SCAN_SECONDS": "0.02"})
    if scenario == "remote":
        return replace(
            plan,
            workers="remote",
            rate=_REMOTE_RATE,
            mix=_REMOTE_MIX,
            environment=_REMOTE_ENVIRONMENT,
        )
    return plan
