"""Time as a test may judge it, on a machine that is slow, busy, or stands still for seconds.

What has to come is waited for with patience. What was promised within a time is measured by a stopwatch.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final

PATIENCE_S: Final = 40.0
"""How long to wait for what has to come but was not promised at a time; less than what never comes takes."""

_TICK_S: Final = 0.01
_MOST_S: Final = 2 * _TICK_S
"""What counts of the time between two looks at the clock: room for other threads, none for a standstill."""


class Stopwatch:
    """The seconds that this machine really gave: those for which it stood still do not count.

    A thread looks at the clock every ten milliseconds, so an event loop that is held up counts in full.
    """

    def __init__(self, alarm_at_s: float = float("inf"), alarm: Callable[[], object] = lambda: None) -> None:
        self.seconds = 0.0
        """So far, or in all once it has stopped."""
        self.longest_gap_s = 0.0
        """For which nobody looked at the clock: the machine stood still, or had too much else to do."""
        self._looked_at = 0.0
        self._alarm_at_s = alarm_at_s
        self._alarm = alarm
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._count, name="stopwatch", daemon=True)

    def _count(self) -> None:
        while not self._stopped.wait(_TICK_S):
            self._look()
            if self.seconds > self._alarm_at_s:
                self._alarm()
                return

    def _look(self) -> None:
        now = time.monotonic()
        self.seconds += min(now - self._looked_at, _MOST_S)
        self.longest_gap_s = max(self.longest_gap_s, now - self._looked_at)
        self._looked_at = now

    def __enter__(self) -> "Stopwatch":
        self._looked_at = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._look()


async def undisturbed(attempt: Callable[[], Awaitable[None]], gap_s: float) -> None:
    """Make an attempt, and another one where that failed while the machine stood still for `gap_s` or longer.

    For what is about short times themselves, which no machine keeps that stands still. A failure at any
    other time is raised.
    """
    while True:
        try:
            with Stopwatch() as watch:
                return await attempt()
        except Exception:
            if watch.longest_gap_s < gap_s:
                raise


@asynccontextmanager
async def within(limit_s: float) -> AsyncGenerator[None]:
    """Raise TimeoutError, and cancel what is waited for, when a stopwatch says that it took too long."""
    loop, is_over = asyncio.get_running_loop(), False

    def give_up() -> None:
        if not is_over:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        try:
            with Stopwatch(limit_s, lambda: loop.call_soon_threadsafe(give_up)) as watch:
                yield
        finally:
            is_over = True
        if watch.seconds > limit_s:
            raise TimeoutError(f"it took longer than {limit_s:g} s")
