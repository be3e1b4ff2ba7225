from hypothesis import given
from hypothesis import strategies as st

from easynet.scheduling.timetable import Timetable


def test_a_call_that_fits_goes_into_a_gap_before_later_calls() -> None:
    table = Timetable(1)
    assert table.take(10.0, 5.0) == 10.0
    assert table.take(0.0, 10.0) == 0.0
    assert table.take(0.0, 1.0) == 15.0


def test_a_gap_that_is_too_short_is_passed_over() -> None:
    table = Timetable(1)
    table.take(3.0, 1.0)
    assert table.earliest(0.0, 3.5) == 4.0
    assert table.earliest(1.0, 2.0) == 1.0


def test_slots_are_used_side_by_side() -> None:
    table = Timetable(2)
    assert [table.take(0.0, 2.0) for _ in range(3)] == [0.0, 0.0, 2.0]


def test_a_call_that_takes_no_time_takes_no_slot() -> None:
    table = Timetable(1)
    table.take(1.0, 0.0)
    assert table.take(0.0, 5.0) == 0.0


CALLS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), max_size=25)


@given(calls=CALLS)
def test_one_slot_gives_each_call_the_first_gap_that_is_long_enough(calls: list[tuple[int, int]]) -> None:
    table = Timetable(1)
    busy: list[tuple[int, int]] = []
    for ready, duration in calls:
        first = next(at for at in range(ready, 1000) if all(at + duration <= b or at >= e for b, e in busy))
        assert table.earliest(ready, duration) == table.take(ready, duration) == first
        busy.append((first, first + duration))


@given(slots=st.integers(1, 4), calls=CALLS)
def test_no_moment_has_more_calls_than_slots(slots: int, calls: list[tuple[int, int]]) -> None:
    table = Timetable(slots)
    load = [0] * 1000
    for ready, duration in calls:
        starts = int(table.take(ready, duration))
        assert starts >= ready
        for second in range(starts, starts + duration):
            load[second] += 1
    assert max(load) <= slots
