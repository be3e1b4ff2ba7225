"""Threads for functions that block."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[Context, Callable[[], Any], "asyncio.Future[Any]"]


class ThreadPool:
    """Up to `size` threads, started as they are needed.

    They are daemons, unlike those of `concurrent.futures`: a function that never returns must not keep
    a process from ending. Results that are ready together wake the event loop once. One thread is woken at a
    time, and wakes the next one where it leaves work behind: short work is done before a second one is up.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: deque[_Job] = deque()
        self._bell: SimpleQueue[bool] = SimpleQueue()
        self._is_ringing = False
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_waking = False
        self._loop = asyncio.get_running_loop()
        self._started = 0
        self._busy = 0

    def grow(self, more: int) -> None:
        """Allow more threads."""
        self._size += more

    async def run(self, work: Callable[[], T], context: Context | None = None) -> T:
        """The result of `work`, done in a thread with the caller's context variables, or with `context`.

        Work that has begun goes on when the caller is cancelled.
        """
        result: asyncio.Future[T] = self._loop.create_future()
        self._busy += 1
        if self._busy > self._started and self._started < self._size:
            self._started += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        self._jobs.append((context or copy_context(), work, result))
        self._ring()
        return await result

    def _ring(self) -> None:
        """Wake a thread, unless one is about to look."""
        if not self._is_ringing:
            self._is_ringing = True
            self._bell.put(True)

    def _work(self) -> None:
        while self._bell.get():
            self._is_ringing = False  # before looking: what comes from now on rings again
            self._work_off()

    def _work_off(self) -> None:
        """Do what is there to be done."""
        while self._jobs:
            try:
                context, work, result = self._jobs.popleft()
            except IndexError:
                return  # another thread was faster
            if self._jobs:
                self._ring()
            value: Any = None
            error: BaseException | None = None
            try:
                value = context.run(work)
            # SystemExit and the like end the call, not the thread.
            except BaseException as raised:
                # A coroutine that waits for these two would take them for its own end.
                is_flow = isinstance(raised, StopIteration | GeneratorExit)
                error = RuntimeError(type(raised).__name__) if is_flow else raised
            self._done.append((result, value, error))
            # Nothing is held on to while the thread is idle.
            del context, work, result, value, error
            self._wake()

    def _wake(self) -> None:
        """Have the loop look at what is done, unless it is about to."""
        if not self._is_waking:
            self._is_waking = True
            with contextlib.suppress(RuntimeError):  # the loop is gone, and so is whoever waited
                self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._is_waking = False  # before looking: what is done from now on wakes the loop again
        while self._done:
            result, value, error = self._done.popleft()
            self._busy -= 1
            if result.cancelled():
                continue
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(value)

    def close(self) -> None:
        """Let the threads end once they are idle."""
        for _ in range(self._started):
            self._bell.put(False)
        self._started = 0
