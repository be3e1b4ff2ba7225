"""Threads for functions that block."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class ThreadPool:
    """Up to `size` threads, started as they are needed.

    They are daemons, unlike those of `concurrent.futures`: a function that never returns must not keep
    a process from ending.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = 0
        self._busy = 0

    async def run(self, work: Callable[[], T], context: Context | None = None) -> T:
        """The result of `work`, done in a thread with the caller's context variables, or with `context`.

        Work that has begun goes on when the caller is cancelled.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        inside = context or copy_context()

        def settle(result: Any, error: BaseException | None) -> None:
            self._busy -= 1
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)

        def job() -> None:
            result: Any = None
            error: BaseException | None = None
            try:
                result = inside.run(work)
            # SystemExit and the like end the call, not the thread.
            except BaseException as raised:
                # A coroutine that waits for these two would take them for its own end.
                is_flow = isinstance(raised, StopIteration | GeneratorExit)
                error = RuntimeError(type(raised).__name__) if is_flow else raised
            with contextlib.suppress(RuntimeError):  # the loop is gone, and so is whoever waited
                loop.call_soon_threadsafe(settle, result, error)

        self._busy += 1
        if self._busy > self._started and self._started < self._size:
            self._started += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        self._queue.put(job)
        return await done

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job()
            del job  # so that an idle thread holds on to no argument or result

    def close(self) -> None:
        """Let the threads end once they are idle."""
        for _ in range(self._started):
            self._queue.put(None)
        self._started = 0
