"""Time that passes only when nothing can be done."""

import asyncio

import pytest

from easynet.testing.simulated_time import START, SimulatedClock, simulated


def test_waiting_takes_the_time_it_says_and_none_of_ours() -> None:
    async def wait() -> list[tuple[float, str]]:
        clock, woke = SimulatedClock(), list[tuple[float, str]]()

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            woke.append((clock.now() - START, name))

        await asyncio.gather(sleeper("late", 7200.0), sleeper("early", 60.0))
        return woke

    assert simulated(wait()) == [(60.0, "early"), (7200.0, "late")]


def test_time_limits_hold_and_what_never_happens_is_found_out() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        simulated(wait(), limit_s=3600)


def test_threads_take_no_time() -> None:
    async def work() -> tuple[int, float]:
        total = await asyncio.to_thread(sum, [1, 2])
        return total, asyncio.get_running_loop().time()

    assert simulated(work()) == (3, 0.0)
