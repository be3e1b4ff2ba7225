"""What the counts of calls say, and what they cannot be made to say."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.ids import CapabilityName
from easynet.core.offer import FunctionStatistics
from easynet.fabric.telemetry.statistics import BOUNDS_S, CallStatistics, is_sound, merged, quantile, since

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


@pytest.mark.parametrize("duration_s", [0.003, 0.04, 0.7, 30.0])
def test_quantile_of_equal_calls_lies_in_their_bucket(duration_s: float) -> None:
    found = quantile(counted([(duration_s, False)] * 100).buckets, 0.5)
    assert found is not None
    assert duration_s / 4.1 < found < duration_s * 4.1


def test_quantile_is_interpolated() -> None:
    buckets = [0] * (len(BOUNDS_S) + 1)
    buckets[4], buckets[7] = 50, 50
    low, high = quantile(buckets, 0.25), quantile(buckets, 0.75)
    assert low == pytest.approx((BOUNDS_S[3] + BOUNDS_S[4]) / 2)
    assert high == pytest.approx((BOUNDS_S[6] + BOUNDS_S[7]) / 2)


def test_quantile_of_nothing_is_none() -> None:
    assert quantile((), 0.5) is None
    assert quantile([0] * (len(BOUNDS_S) + 1), 0.5) is None


def test_quantile_of_calls_over_the_last_bound_is_that_bound() -> None:
    assert quantile(counted([(9999.0, False)] * 5).buckets, 0.5) == BOUNDS_S[-1]


@given(CALLS.filter(len), st.floats(0, 1), st.floats(0, 1))
def test_quantile_never_falls_as_the_share_rises(calls: Calls, one: float, other: float) -> None:
    buckets = counted(calls).buckets
    low, high = quantile(buckets, min(one, other)), quantile(buckets, max(one, other))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= BOUNDS_S[-1]


@given(CALLS, CALLS)
def test_what_came_since_and_what_was_before_make_the_whole(before: Calls, later: Calls) -> None:
    earlier, now = counted(before), counted(before + later)
    difference, alone = since(earlier, now), counted(later)
    assert (difference.calls, difference.errors) == (alone.calls, alone.errors)
    together = merged([earlier, difference])
    assert (together.calls, together.errors) == (now.calls, now.errors)
    assert together.total_s == pytest.approx(now.total_s)
    assert sum(together.buckets) == now.calls


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
        {"buckets": (3,)},
        {"buckets": (4, -1, *SOUND.buckets[2:])},
    ],
)
def test_impossible_counts_are_not_sound(lie: dict[str, object]) -> None:
    assert not is_sound(SOUND.model_copy(update=lie))
