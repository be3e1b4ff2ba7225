"""An event loop in a thread of its own, for code without `async`."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotInTime
from queue import SimpleQueue
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

_CLOSE_TIMEOUT_S: Final = 3.0


class Portal:
    """A running event loop.

    Its thread is a daemon, so that a program that forgets to close it ends all the same.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, done on the loop. What interrupts the caller cancels it."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a blocking call from its own event loop would wait for ever")
        answer: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        tasks: list[asyncio.Task[None]] = []

        async def run() -> None:
            # Answers from within the task: `run_coroutine_threadsafe` takes two more turns of the loop.
            try:
                answer.put((await work(), None))
            except BaseException as error:
                answer.put((None, error))
                if not isinstance(error, Exception):
                    raise

        def start() -> None:
            task = self._loop.create_task(run())
            # One that is cancelled before it has begun cannot answer by itself.
            task.add_done_callback(lambda _: answer.put((None, CancelledError())))
            tasks.append(task)

        self._loop.call_soon_threadsafe(start)
        try:
            result, error = answer.get()
        except BaseException:
            self._loop.call_soon_threadsafe(lambda: tasks[0].cancel())
            raise
        if error is None:
            return cast("T", result)
        try:
            raise error
        finally:
            del error  # its traceback refers to this frame, and this frame to it

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """Do a last piece of work, for some seconds at most, and end the loop. Nothing the second time."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
        future = self._begin(last)
        if threading.current_thread() is self._thread:  # collected as garbage there
            future.add_done_callback(lambda _: self._loop.stop())
            return
        try:
            with contextlib.suppress(NotInTime):
                future.result(_CLOSE_TIMEOUT_S)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_TIMEOUT_S)

    def _begin(self, work: Callable[[], Awaitable[T]]) -> "Future[T]":
        async def run() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def _run(self) -> None:
        """Run the loop until it is stopped, then end what still runs on it, as `asyncio.run` does."""
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(self._end(left))
        self._loop.close()

    async def _end(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
