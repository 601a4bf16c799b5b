"""The judge of remote workers: what a web server that is away, or its door, explains."""

import pytest

from tests.chaos.plan import EVERYONE, WORKFORCES
from tests.chaos.test_audit import Story, fault, record, rescued


def told_nothing(story: Story) -> None:
    """The answer to the first claim never came to its worker."""
    story.records = [
        one
        for one in story.records
        if one["t"] > 2.0 or one["what"] not in ("claim", "start", "effect")
    ]


def rescued_after(kind: str, slot: str, workers: str) -> Story:
    story = Story(workforce=WORKFORCES[workers])
    rescued(story)
    story.without("fault")
    story.without("exited")
    story.records += [
        fault(kind, 1.5, slot, seconds=4.0),
        record("fault_over", 5.5, slot=slot, name=kind),
    ]
    return story


@pytest.mark.parametrize(("kind", "slot"), [("web_kill", EVERYONE), ("ambiguous", "api")])
def test_a_web_server_that_fails_costs_claims_and_no_lease_that_a_worker_has(
    kind: str, slot: str
) -> None:
    story = rescued_after(kind, slot, "remote")
    assert "unexplained" in story.rules()
    told_nothing(story)
    assert story.rules() == set()


def test_local_workers_have_no_claims_by_the_door_of_the_web_server() -> None:
    story = rescued_after("ambiguous", "api", "local")
    told_nothing(story)
    assert "unexplained" in story.rules()
