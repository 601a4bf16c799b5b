"""What a report tells of its plan."""

from tests.chaos.evidence import Evidence
from tests.chaos.history import History
from tests.chaos.ledger import Record
from tests.chaos.plan import Fault, Plan
from tests.chaos.unfired import unfired

KILL = Fault("kill", "low-1", at=3.0)
POINT = Fault("stop", "low-1", point="claim.before", number=9, seconds=1.0)
LOST = Fault("ambiguous", "api", at=4.0)
POISON = Fault("poison", at=5.0, how="exit")
PLAN = Plan(1, "some", 9.0, (KILL, POINT, LOST, LOST, POISON))


def happened(kind: str, slot: str, name: str) -> Record:
    return {
        "what": "fault",
        "t": 1.0,
        "kind": kind,
        "slot": slot,
        "name": name,
        "pid": 1,
        "seconds": 1,
    }


def missing(*records: Record) -> list[str]:
    return unfired(PLAN, Evidence(list(records), History([], []), drained=True))


def test_what_never_happened_is_named() -> None:
    assert missing() == [
        "kill@3.0s of low-1",
        "stop@claim.before#9 of low-1",
        "ambiguous@4.0s of api",
        "ambiguous@4.0s of api",
        "poison-exit@5.0s",
    ]


def test_what_happened_elsewhere_or_less_often_is_missing() -> None:
    assert missing(
        happened("kill", "low-2", KILL.name),
        happened("stop", "low-1", POINT.name),
        happened("ambiguous", "api", "ambiguous"),
        happened("poison", "both", "poison exit"),
    ) == ["kill@3.0s of low-1", "ambiguous@4.0s of api"]
