"""Simulated time: an event loop whose clock jumps to the next timer instead of waiting for it.

The same program gives the same times wherever it runs, because nothing in it waits for the machine.
"""

import asyncio
import concurrent.futures
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

START: Final = 1_795_000_000.0
"""Unix seconds at which simulations begin."""
_LONGEST_S: Final = 10 * 24 * 3600.0
"""Simulated seconds after which a simulation counts as hung."""


class SimulatedClock:
    """Tells the time of the running event loop, as Unix seconds."""

    def now(self) -> float:
        return START + asyncio.get_running_loop().time()


def simulated(main: Coroutine[Any, Any, T], *, limit_s: float = _LONGEST_S) -> T:
    """The result of `main` in a loop of its own, where waiting takes no real time.

    What is handed to a thread runs at once and in the loop's own thread: simulated time cannot know how
    long a real thread takes. There must be no sockets to wait for. Raises TimeoutError where it has not
    ended after `limit_s` simulated seconds.
    """

    async def limited() -> T:
        asyncio.get_running_loop().set_default_executor(_AtOnce())
        async with asyncio.timeout(limit_s):
            return await main

    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(limited())


class _Selector(selectors.DefaultSelector):
    """Lets time pass instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is not None:
            self.now += max(0.0, timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """Its clock starts at 0."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class _AtOnce(concurrent.futures.ThreadPoolExecutor):
    """Runs what it is given before it returns. An event loop accepts no executor but one of threads."""

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> "concurrent.futures.Future[T]":
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done
