"""Histograms on a log scale: buckets, sums, and percentiles within the stated error."""

import math

from hypothesis import given
from hypothesis import strategies as st

from jobs.stats.histogram import (
    BUCKETS,
    EDGES,
    WORST_FACTOR,
    Histogram,
    added,
    bucket,
    count,
    percentile,
)

durations = st.floats(min_value=0.001, max_value=999_999.0)
shares = st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0])


def of(values: list[float]) -> Histogram:
    """The histogram of these seconds."""
    histogram: Histogram = []
    for value in values:
        count(histogram, bucket(value), 1)
    return histogram


@given(st.lists(durations, min_size=1, max_size=200), shares)
def test_a_percentile_is_within_a_bucket_of_the_true_one(values: list[float], share: float) -> None:
    true = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = percentile(of(values), share)
    assert found is not None
    assert 1 / WORST_FACTOR <= found / true <= WORST_FACTOR


@given(st.lists(durations), st.lists(durations))
def test_the_sum_of_two_is_the_histogram_of_both(one: list[float], other: list[float]) -> None:
    assert added(of(one), of(other)) == of(one + other)


@given(st.lists(durations, min_size=1))
def test_percentiles_rise(values: list[float]) -> None:
    found = [percentile(of(values), share / 20) or 0.0 for share in range(21)]
    assert found == sorted(found)


def test_an_empty_one_has_no_percentile() -> None:
    assert percentile([], 0.5) is None
    assert percentile([0, 0], 0.5) is None


def test_what_is_outside_the_edges_is_counted() -> None:
    assert bucket(0.0) == 0
    assert bucket(1e9) == len(EDGES) == BUCKETS - 1
    assert (percentile(of([0.0]), 0.5) or 1) <= 0.001
    assert percentile(of([1e9]), 0.5) == EDGES[-1]


def test_an_edge_belongs_to_the_bucket_above_it() -> None:
    assert bucket(EDGES[40]) == 41
    assert bucket(math.nextafter(EDGES[40], 0)) == 40
