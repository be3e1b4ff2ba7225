"""Ways are measured in turn, and their replies are checked."""

import pytest

from benchmarks.fabric.way import Way, measure, p50_ratio, rate_ratio


async def test_each_way_gets_its_turn_in_each_round() -> None:
    floor, mine = Way("floor", lambda number: number), Way("mine", lambda number: number)
    await measure([floor, mine], rounds=3, calls=4, calls_in_flight={2: 8})
    assert [len(way.p50_s) for way in (floor, mine)] == [3, 3]
    assert [len(way.rates[2]) for way in (floor, mine)] == [3, 3]


async def test_no_number_is_given_twice() -> None:
    given: list[int] = []

    async def note(number: int) -> int:
        given.append(number)
        return number

    await measure([Way("noted", note)], rounds=2, calls=4, calls_in_flight={3: 6})
    assert len(given) == len(set(given)) == 2 + 2 * (4 + 6)


async def test_reply_to_another_call_ends_the_measurement() -> None:
    with pytest.raises(RuntimeError, match="mixed up gave"):
        await measure([Way("mixed up", lambda number: number + 1)], rounds=1, calls=2, calls_in_flight={})


def test_ratio_is_the_median_of_each_rounds_own_ratio() -> None:
    floor, mine = Way("floor", int), Way("mine", int)
    floor.p50_s, mine.p50_s = [1.0, 2.0, 4.0], [2.0, 3.0, 4.0]
    floor.rates, mine.rates = {64: [10.0, 20.0, 40.0]}, {64: [5.0, 20.0, 80.0]}
    assert p50_ratio(mine, floor) == 1.5
    assert rate_ratio(mine, floor, 64) == 1.0
