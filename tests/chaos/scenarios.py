"""What happens in a scenario: one function each, from chance and a length to faults."""

from collections.abc import Callable, Iterator
from random import Random

from tests.chaos.plan import DOORS, EVERYONE, LEASE_SECONDS, SLOTS, Fault
from tests.chaos.processors import HOWS

Faults = Iterator[Fault]
Scenario = Callable[[Random, float], Faults]

ROLL_SECONDS = 20.0
# About how often a worker slot passes a point, a second.
PASSES = {
    "claim.before": 4.0,
    "claim.after_commit": 3.0,
    "processor.start": 6.0,
    "processor.effect": 5.0,
    "processor.end": 6.0,
    "finish.before": 3.0,
    "finish.after_commit": 3.0,
    "heartbeat.before": 0.7,
    "heartbeat.after_commit": 0.7,
    "rescue.before": 4.0,
    "rescue.after_commit": 0.05,
    "promote.before": 4.0,
    "promote.after_commit": 0.3,
}
# A remote worker does one job at a time, and looks after no others.
REMOTE_PASSES = {
    "claim.before": 1.5,
    "claim.after_commit": 1.2,
    "processor.start": 1.2,
    "processor.effect": 1.0,
    "processor.end": 1.2,
    "finish.before": 1.2,
    "finish.after_commit": 1.2,
    "heartbeat.before": 0.2,
    "heartbeat.after_commit": 0.2,
}
_WITH_A_JOB = ("claim.after_commit", "processor.effect", "processor.end", "finish.before")


def times(random: Random, seconds: float, every: float) -> Iterator[float]:
    """Moments about `every` seconds apart, the first after a second, none in the last two."""
    at = 1.0 + random.uniform(0, every)
    while at < max(seconds - 2.0, 2.0):
        yield round(at, 2)
        at += every * random.uniform(0.5, 1.5)


def _somebody(random: Random) -> str:
    return random.choice(list(SLOTS))


def _at_point(
    random: Random, seconds: float, kind: str, passes: dict[str, float], length: float = 0.0
) -> Fault:
    point = random.choice(list(passes))
    number = random.randint(1, max(2, int(passes[point] * seconds * 0.8)))
    return Fault(kind, _somebody(random), point=point, number=number, seconds=length)


def kill(
    random: Random, seconds: float, every: float = 2.5, passes: dict[str, float] = PASSES
) -> Faults:
    """SIGKILL, half of them at named points."""
    for at in times(random, seconds, every):
        if random.random() < 0.5:
            yield Fault("kill", _somebody(random), at=at)
        else:
            kind = random.choice(("kill", "kill", "segfault", "exit"))
            yield _at_point(random, seconds, kind, passes)


def stop_long(
    random: Random, seconds: float, every: float = 4.0, passes: dict[str, float] = PASSES
) -> Faults:
    """SIGSTOP past the lease, then SIGCONT."""
    for at in times(random, seconds, every):
        length = round(LEASE_SECONDS + random.uniform(0.5, 2.5), 1)
        if random.random() < 0.5:
            yield Fault("stop", _somebody(random), at=at, seconds=length)
        else:
            yield _at_point(random, seconds, "stop", passes, length)


def stop_short(random: Random, seconds: float, every: float = 2.5) -> Faults:
    """SIGSTOP short of the lease: nobody may notice."""
    for at in times(random, seconds, every):
        length = round(random.uniform(0.3, 1.2), 1)
        if random.random() < 0.5:
            yield Fault("stop", _somebody(random), at=at, seconds=length)
        else:
            yield _at_point(random, seconds, "stop", PASSES, length)


def restart(random: Random, seconds: float, every: float = 9.0) -> Faults:
    """The database ends at once, or all its processes are killed, and it comes back."""
    for at in times(random, seconds, every):
        yield Fault(random.choice(("restart", "restart", "crash")), at=at)


def terminate(random: Random, seconds: float, every: float = 1.5) -> Faults:
    """Storms of pg_terminate_backend()."""
    for at in times(random, seconds, every):
        yield Fault("terminate", at=at, seconds=round(random.uniform(0, 0.5), 2))


def ambiguous(random: Random, seconds: float, every: float = 0.8) -> Faults:
    """The connection breaks between a COMMIT and its answer; or anywhere."""
    for at in times(random, seconds, every):
        slot = random.choice([*SLOTS, *SLOTS, *DOORS])
        yield Fault(random.choice(("ambiguous",) * 4 + ("cut",)), slot, at=at)


def half_open(random: Random, seconds: float, every: float = 6.0) -> Faults:
    """A connection that swallows everything, longer or shorter than a lease."""
    for at in times(random, seconds, every):
        slot = random.choice([*SLOTS, *DOORS])
        yield Fault("half_open", slot, at=at, seconds=round(random.uniform(1, 6), 1))


def slow(random: Random, seconds: float, every: float = 6.0) -> Faults:
    """Every message takes longer."""
    for at in times(random, seconds, every):
        slot = random.choice((EVERYONE, _somebody(random), *DOORS))
        how = str(random.choice((20, 60, 150)))
        yield Fault("slow", slot, at=at, seconds=round(random.uniform(1, 5), 1), how=how)


def full_disk(random: Random, seconds: float, every: float = 12.0) -> Faults:
    """The database's file system is full; sometimes its log cannot grow, and it goes down."""
    for at in times(random, seconds, every):
        how = random.choice(("", "log"))
        yield Fault("full_disk", at=at, seconds=round(random.uniform(1.5, 3.5), 1), how=how)


def clock(random: Random, seconds: float, every: float = 3.0) -> Faults:
    """A worker's clock jumps by a day, to and fro; some workers die meanwhile."""
    for _ in times(random, seconds, every):
        point, number = "heartbeat.before", random.randint(1, max(2, int(0.7 * seconds * 0.8)))
        day = random.choice((-86_400.0, 86_400.0))
        yield Fault("clock", _somebody(random), point=point, number=number, seconds=day)
    yield from kill(random, seconds, every=8.0)


def redis(random: Random, seconds: float, every: float = 4.0) -> Faults:
    """The Redis server is killed and started, stopped and continued, flushed. At the end killed."""
    for at in times(random, seconds * 0.7, every):
        kind = random.choice(("redis_kill", "redis_stop", "redis_flush"))
        yield Fault(kind, at=at, seconds=round(random.uniform(1, 3), 1))
    yield Fault("redis_kill", at=round(seconds * 0.8, 1), seconds=seconds)


def poison(random: Random, seconds: float, every: float = 2.5) -> Faults:
    """Jobs that ruin their workers."""
    hows = random.sample(HOWS, len(HOWS))
    for number, at in enumerate(times(random, seconds * 0.8, every)):
        yield Fault("poison", at=at, how=hows[number % len(hows)])


def roll(random: Random, seconds: float) -> Faults:
    """SIGTERM to one worker after the other, every 20 s: a deployment."""
    at = min(4.0, seconds / 5)
    while at < seconds - 2:
        for number, slot in enumerate(random.sample(list(SLOTS), len(SLOTS))):
            yield Fault("term", slot, at=round(at + number * 0.7, 1))
        at += min(ROLL_SECONDS, seconds / 3)


def maintainers(random: Random, seconds: float) -> Faults:
    """All workers look for lost leases all the time, and there are some."""
    yield from kill(random, seconds, every=4.0)
    yield from stop_long(random, seconds, every=6.0)


def pinned_xmin(random: Random, seconds: float) -> Faults:
    """A transaction that stays open keeps dead rows from being cleaned."""
    yield Fault("pinned", at=1.0, seconds=round(seconds * 0.9, 1))
    yield from kill(random, seconds, every=6.0)


def remote(random: Random, seconds: float) -> Faults:
    """Nobody works but remote workers, by HTTP: they are killed and stopped, the web server is
    killed and comes back later, it loses answers of the database, and that ends."""
    yield from kill(random, seconds, 3.0, REMOTE_PASSES)
    yield from stop_long(
        random, seconds, 4.0, {point: REMOTE_PASSES[point] for point in _WITH_A_JOB}
    )
    yield from roll(random, seconds)
    yield from restart(random, seconds, every=20.0)
    for at in times(random, seconds, 14.0):
        yield Fault("web_kill", at=at, seconds=round(random.uniform(0, 2 * LEASE_SECONDS), 1))
    for at in times(random, seconds, 3.0):
        yield Fault("ambiguous", "api", at=at)
