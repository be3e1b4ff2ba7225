"""Tells when a process stood still: suspended, or on a machine that had no time for it."""

import asyncio
from types import TracebackType
from typing import Final

_LOOK_EVERY_S: Final = 0.25
_STILL_S: Final = 1.0
"""A look that is later than this was kept from happening."""


class Standstill:
    """Whether this process stood still while it was within the context.

    What it waited for may be there all the same, or nobody had the time to send it.
    """

    def __init__(self) -> None:
        self.happened = False
        self._loop = asyncio.get_running_loop()
        self._look_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def _wait(self) -> None:
        self._look_at = self._loop.time() + _LOOK_EVERY_S
        self._timer = self._loop.call_at(self._look_at, self._look)

    def _look(self) -> None:
        self.happened |= self._loop.time() - self._look_at > _STILL_S
        self._wait()

    def __enter__(self) -> "Standstill":
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
