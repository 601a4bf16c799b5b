"""Which faults of a plan never happened: a point that nobody reached so often, a slot that was
empty at that moment, an answer that nobody was waiting for."""

from collections import Counter

from tests.chaos.evidence import Evidence
from tests.chaos.plan import Fault, Plan


def unfired(plan: Plan, evidence: Evidence) -> list[str]:
    """Their names, with the slot."""
    happened = Counter((one["name"], one["slot"]) for one in evidence.by_what["fault"])
    poisons = {one["name"] for one in evidence.by_what["fault"] if one["kind"] == "poison"}
    missing = []
    for fault in plan.faults:
        if fault.kind == "poison":
            if f"poison {fault.how}" not in poisons:
                missing.append(fault.name)
        elif happened[_key(fault)]:
            happened[_key(fault)] -= 1
        else:
            missing.append(f"{fault.name} of {fault.slot}")
    return missing


def _key(fault: Fault) -> tuple[str, str]:
    """How it stands in the ledger. The proxy does not know which fault made it lose an answer."""
    return ("ambiguous" if fault.kind == "ambiguous" else fault.name, fault.slot)
