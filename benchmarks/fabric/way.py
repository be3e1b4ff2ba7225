"""Ways to make the same call, measured in turn, so that what slows the machine slows all of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from statistics import median
from typing import Final

NUMBERS: Final[Iterator[int]] = count(1_000_000_000)
"""Each is the argument of one call, so that no reply can be taken for another's."""


@dataclass
class Way:
    """One way to call a function that gives its argument back."""

    name: str
    call: Callable[[int], Awaitable[int]] | Callable[[int], int]
    """A coroutine function, or a function that blocks."""
    many: bool = True
    """Is measured with many calls in flight, too."""
    p50_s: list[float] = field(default_factory=list[float])
    """The median of calls one at a time, in each round."""
    rates: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    """Calls per second by the number in flight, in each round."""

    async def one(self, number: int) -> None:
        """Make a call and check the reply."""
        got = self.call(number)
        if (got if isinstance(got, int) else await got) != number:
            raise RuntimeError(f"{self.name} gave {got} for {number}")


async def measure(ways: list[Way], *, rounds: int, calls: int, calls_in_flight: Mapping[int, int]) -> None:
    """Give every way its turn in every round, each round beginning with another way.

    `calls_in_flight` says how many calls to make for each number of calls in flight.
    """
    for way in ways:
        await p50_s(way, calls // 2)  # what is loaded or learned at the first calls is not measured
    for turn in range(rounds):
        for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
            way.p50_s.append(await p50_s(way, calls))
            for in_flight, calls_then in calls_in_flight.items():
                if way.many:
                    way.rates.setdefault(in_flight, []).append(await rate(way, calls_then, in_flight))


async def p50_s(way: Way, calls: int) -> float:
    """The median of the seconds that calls take, one at a time."""
    times: list[float] = []
    for number in islice(NUMBERS, calls):
        began = time.perf_counter()
        await way.one(number)
        times.append(time.perf_counter() - began)
    return median(times)


async def rate(way: Way, calls: int, in_flight: int) -> float:
    """Calls per second with that many under way at once."""
    numbers = islice(NUMBERS, calls)

    async def call_on() -> None:
        for number in numbers:
            await way.one(number)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(call_on())
    return calls / (time.perf_counter() - began)


def p50_ratio(way: Way, floor: Way) -> float:
    """How many times as long as the floor's one call takes: the median over the rounds."""
    return median(mine / its for mine, its in zip(way.p50_s, floor.p50_s, strict=True))


def rate_ratio(way: Way, floor: Way, in_flight: int) -> float:
    """The share of the floor's calls per second: the median over the rounds."""
    both = zip(way.rates[in_flight], floor.rates[in_flight], strict=True)
    return median(mine / its for mine, its in both)
