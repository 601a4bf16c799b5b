"""From where the next claim looks: behind what was claimed, and at everything now and then."""

from jobs.queue.claim import Position
from jobs.worker.bounds import SHARE, Bounds

LONGEST = 0.5
FIRST = Position("2026-01-01T00:00:01+00:00", "a")
SECOND = Position("2026-01-01T00:00:02+00:00", "b")


def test_the_first_look_is_at_everything() -> None:
    assert Bounds(LONGEST).after(10.0) == {}


def test_then_behind_what_was_claimed() -> None:
    bounds = Bounds(LONGEST)
    bounds.learn({}, {5: FIRST}, 10.0, 10.01, to_the_end=True)
    assert bounds.after(10.02) == {5: FIRST}


def test_each_priority_has_its_own_place_and_keeps_it_when_nothing_is_claimed() -> None:
    bounds = Bounds(LONGEST)
    bounds.learn({}, {5: FIRST}, 10.0, 10.01, to_the_end=True)
    bounds.learn(bounds.after(10.02), {3: FIRST}, 10.02, 10.03, to_the_end=True)
    bounds.learn(bounds.after(10.04), {}, 10.04, 10.05, to_the_end=True)
    bounds.learn(bounds.after(10.06), {5: SECOND}, 10.06, 10.07, to_the_end=True)
    assert bounds.after(10.08) == {5: SECOND, 3: FIRST}


def test_a_quick_look_at_everything_comes_again_soon() -> None:
    bounds = Bounds(LONGEST)
    bounds.learn({}, {5: FIRST}, 10.0, 10.001, to_the_end=True)
    assert bounds.after(10.001 + SHARE * 0.0009)
    assert bounds.after(10.001 + SHARE * 0.0011) == {}


def test_a_slow_one_comes_again_after_the_longest_time_and_looks_between_do_not_put_it_off() -> (
    None
):
    bounds = Bounds(LONGEST)
    bounds.learn({}, {5: FIRST}, 10.0, 11.0, to_the_end=True)
    now = 11.0
    while now < 11.0 + LONGEST - 0.01:
        after = bounds.after(now)
        assert after
        bounds.learn(after, {5: SECOND}, now, now + 0.009, to_the_end=True)
        now += 0.01
    assert bounds.after(11.0 + LONGEST) == {}


def test_a_look_that_ends_with_higher_jobs_has_not_looked_at_the_lower_ones() -> None:
    bounds = Bounds(LONGEST)
    bounds.learn({}, {5: FIRST, 3: FIRST}, 10.0, 10.001, to_the_end=True)
    later = 10.0 + LONGEST
    assert bounds.after(later) == {}
    bounds.learn({}, {5: SECOND}, later, later + 0.5, to_the_end=False)
    assert bounds.after(later + 0.6) == {5: SECOND}
    bounds.learn({5: SECOND}, {5: SECOND, 3: SECOND}, later + 0.6, later + 0.7, to_the_end=False)
    assert bounds.after(later + 0.8) == {5: SECOND, 3: SECOND}
