"""Work on files in threads."""

import asyncio
import threading

import pytest

from easynet.fabric.wire.batches import Batches
from tests.patience import PATIENCE_S


async def test_work_is_done_in_order_away_from_the_event_loop() -> None:
    batches, done = Batches(), list[int]()
    here = threading.get_ident()

    def work(number: int) -> int:
        assert threading.get_ident() != here
        done.append(number)
        return number * 2

    results = await asyncio.gather(*[batches.do(lambda n=n: work(n)) for n in range(100)])  # type: ignore[misc]
    assert results == [n * 2 for n in range(100)]
    assert done == list(range(100))


async def test_what_waits_is_done_in_one_go() -> None:
    batches, threads = Batches(), list[int]()
    begun, go = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        go.wait(5)

    waiting = [batches.do(first)]
    await asyncio.to_thread(begun.wait, PATIENCE_S)
    waiting += [batches.do(lambda: threads.append(threading.get_ident())) for _ in range(50)]
    go.set()
    await asyncio.gather(*waiting)
    assert len(set(threads)) == 1
    assert batches.is_idle


async def test_a_failure_is_that_of_its_own_piece_alone() -> None:
    batches = Batches()
    good, bad, last = batches.do(lambda: 1), batches.do(lambda: 1 // 0), batches.do(lambda: 3)
    with pytest.raises(ZeroDivisionError):
        await bad
    assert (await good, await last) == (1, 3)


async def test_work_that_nobody_waits_for_any_more_is_done_all_the_same() -> None:
    batches, done = Batches(), list[int]()
    batches.do(lambda: done.append(1)).cancel()
    await batches.do(lambda: done.append(2))
    assert done == [1, 2]
