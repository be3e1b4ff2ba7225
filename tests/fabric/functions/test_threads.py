"""Threads for functions that block."""

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from easynet.fabric.functions.threads import ThreadPool
from tests.patience import PATIENCE_S

word: ContextVar[str] = ContextVar("word", default="none")


async def test_work_runs_elsewhere_with_the_callers_context() -> None:
    pool = ThreadPool(2, "t")
    word.set("mine")
    name, seen = await pool.run(lambda: (threading.current_thread().name, word.get()))
    assert name.startswith("t-")
    assert seen == "mine"
    pool.close()


def started() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("few-")]


async def test_no_more_threads_than_allowed_and_none_before_they_are_needed() -> None:
    pool = ThreadPool(3, "few")
    gate = threading.Barrier(3)
    await pool.run(lambda: None)
    assert len(started()) == 1
    names = await asyncio.gather(
        *[pool.run(lambda: (gate.wait(PATIENCE_S), threading.get_ident())[1]) for _ in range(6)]
    )
    assert len(set(names)) == 3
    pool.close()


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
async def test_what_the_work_raises_is_raised_here_and_the_thread_goes_on(error: BaseException) -> None:
    pool = ThreadPool(1, "t")

    def fail() -> None:
        raise error

    async def caught() -> BaseException | None:
        try:
            await pool.run(fail)
        except BaseException as raised:
            return raised
        return None

    assert type(await caught()) is type(error)
    assert await pool.run(lambda: 5) == 5
    pool.close()


async def test_work_that_began_goes_on_when_its_caller_is_cancelled() -> None:
    pool = ThreadPool(1, "t")
    began, go_on, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(PATIENCE_S)
        finished.set()

    task = asyncio.create_task(pool.run(work))
    await asyncio.to_thread(began.wait, PATIENCE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await asyncio.to_thread(finished.wait, PATIENCE_S)
    pool.close()


async def test_stop_iteration_does_not_hang_the_caller() -> None:
    pool = ThreadPool(1, "t")
    empty: Any = iter(())
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(pool.run(lambda: next(empty)), PATIENCE_S)
    pool.close()


@pytest.mark.parametrize("raised", [StopIteration, GeneratorExit])
async def test_what_steers_coroutines_arrives_as_an_error(raised: type[BaseException]) -> None:
    pool = ThreadPool(1, "t")

    def work() -> None:
        raise raised

    with pytest.raises(RuntimeError, match=raised.__name__):
        await pool.run(work)
    pool.close()
