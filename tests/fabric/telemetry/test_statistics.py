"""What the counts of calls say, and what they cannot be made to say."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.ids import CapabilityName
from easynet.core.offer import FunctionStatistics
from easynet.fabric.telemetry.statistics import (
    BOUNDS_S,
    LATEST,
    CallStatistics,
    is_sound,
    merged,
    quantile,
    since,
)

ADD = CapabilityName("add")
Calls = list[tuple[float, bool]]
CALLS = st.lists(st.tuples(st.floats(0, 10_000), st.booleans()), max_size=60)


def counted(calls: Calls) -> FunctionStatistics:
    statistics = CallStatistics()
    for seconds, failed in calls:
        statistics.record(ADD, seconds, failed)
    return statistics.snapshot().get(ADD, FunctionStatistics())


def test_bounds_rise_from_half_a_millisecond_to_an_hour() -> None:
    assert (BOUNDS_S[0], BOUNDS_S[-1]) == (0.0005, 3600)
    assert all(a < b <= 6 * a for a, b in pairwise(BOUNDS_S))


def test_calls_are_counted_by_function() -> None:
    statistics = CallStatistics()
    statistics.record(ADD, 0.02, False)
    statistics.record(ADD, 0.04, True)
    statistics.record(CapabilityName("other"), 5000.0, False)
    snapshot = statistics.snapshot()
    add = snapshot[ADD]
    assert (add.calls, add.errors, sum(add.buckets)) == (2, 1, 2)
    assert add.total_s == pytest.approx(0.06)
    assert add.mean_s == pytest.approx(0.03)
    assert snapshot[CapabilityName("other")].buckets[-1] == 1


def test_snapshot_does_not_change_with_later_calls() -> None:
    statistics = CallStatistics()
    statistics.record(ADD, 0.02, False)
    before = statistics.snapshot()[ADD]
    statistics.record(ADD, 0.02, False)
    assert (before.calls, sum(before.buckets)) == (1, 1)


def test_duration_on_a_bound_counts_under_it() -> None:
    assert counted([(BOUNDS_S[3], False)]).buckets[3] == 1


def test_mean_follows_a_function_that_becomes_slow() -> None:
    statistics = counted([(0.01, False)] * 1000 + [(1.0, False)] * 30)
    assert 0.9 < statistics.mean_s <= 1.0


def spread(**count_by_bucket: int) -> FunctionStatistics:
    """Statistics without single durations, as a node of another version may send them."""
    buckets = [0] * (len(BOUNDS_S) + 1)
    for bucket, count in count_by_bucket.items():
        buckets[int(bucket.removeprefix("b"))] = count
    return FunctionStatistics(calls=sum(buckets), buckets=tuple(buckets))


@pytest.mark.parametrize("duration_s", [0.0001, 0.003, 0.04, 1.001, 30.0, 9999.0])
@pytest.mark.parametrize("calls", [1, 2, 100])
def test_quantile_of_equal_calls_is_what_they_took(duration_s: float, calls: int) -> None:
    statistics = counted([(duration_s, False)] * calls)
    assert quantile(statistics, 0.5) == quantile(statistics, 0.95) == duration_s


@given(CALLS.filter(len).filter(lambda calls: len(calls) <= LATEST), st.sampled_from([0.5, 0.95]))
def test_quantile_of_few_calls_is_a_duration_that_was_measured(calls: Calls, q: float) -> None:
    durations = sorted(seconds for seconds, _ in calls)
    found = quantile(counted(calls), q)
    assert found in durations
    assert sum(seconds <= found for seconds in durations) >= q * len(durations) - 1e-6
    assert sum(seconds < found for seconds in durations) < q * len(durations) + 1e-6


def test_quantile_of_many_calls_is_measured_where_one_of_the_latest_is_in_its_bucket() -> None:
    statistics = counted([(0.04, False)] * 500 + [(2.0, False)] * 40)
    assert quantile(statistics, 0.99) == 2.0
    found = quantile(statistics, 0.5)
    assert found is not None
    assert 0.025 < found <= 0.05


def test_quantile_without_single_durations_is_interpolated() -> None:
    statistics = spread(b4=50, b7=50)
    assert quantile(statistics, 0.25) == pytest.approx((BOUNDS_S[3] + BOUNDS_S[4]) / 2)
    assert quantile(statistics, 0.75) == pytest.approx((BOUNDS_S[6] + BOUNDS_S[7]) / 2)
    assert quantile(spread(b18=5), 0.5) == BOUNDS_S[-1]


def test_quantile_of_nothing_is_none() -> None:
    assert quantile(FunctionStatistics(), 0.5) is None
    assert quantile(spread(), 0.5) is None


@given(CALLS.filter(len), st.floats(0, 1), st.floats(0, 1))
def test_quantile_never_falls_as_the_share_rises(calls: Calls, one: float, other: float) -> None:
    statistics = counted(calls)
    low, high = quantile(statistics, min(one, other)), quantile(statistics, max(one, other))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 10_000


@given(CALLS, CALLS)
def test_what_came_since_and_what_was_before_make_the_whole(before: Calls, later: Calls) -> None:
    earlier, now = counted(before), counted(before + later)
    difference, alone = since(earlier, now), counted(later)
    assert (difference.calls, difference.errors) == (alone.calls, alone.errors)
    together = merged([earlier, difference])
    assert (together.calls, together.errors) == (now.calls, now.errors)
    assert together.total_s == pytest.approx(now.total_s)
    assert sum(together.buckets) == now.calls
    assert difference.latest == alone.latest


def test_node_that_was_started_again_counts_from_nothing() -> None:
    earlier, now = counted([(0.1, False)] * 50), counted([(0.1, False)] * 3)
    assert since(earlier, now) == now
    assert since(None, now) == now


@given(CALLS)
def test_real_counts_are_sound(calls: Calls) -> None:
    assert is_sound(counted(calls))


SOUND = counted([(0.1, False)] * 3)


@pytest.mark.parametrize(
    "lie",
    [
        {"calls": -1},
        {"errors": 4},
        {"errors": -1},
        {"calls": 10**400, "buckets": ()},
        {"calls": 4},
        {"total_s": -1.0},
        {"mean_s": -1.0},
        {"latest": (0.1,) * 4},
        {"latest": (-0.1,)},
        {"buckets": (3,)},
        {"buckets": (4, -1, *SOUND.buckets[2:])},
    ],
)
def test_impossible_counts_are_not_sound(lie: dict[str, object]) -> None:
    assert not is_sound(SOUND.model_copy(update=lie))
