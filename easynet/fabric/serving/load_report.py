"""How busy a node is, told between two heartbeats where that changes."""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Final

EVERY_S: Final = 0.25


class Load(Enum):
    """What is worth telling at once."""

    IDLE = "idle"
    BUSY = "busy"
    FULL = "full"


class LoadReport:
    """Looks four times a second while there is work, and tells what is new.

    A node that has calls again and again counts as busy all the time, and one call that is short as nothing.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, load: Callable[[], Load], tell: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._load = load
        self._tell = tell
        self._told = Load.IDLE
        self._has_come = False
        self._timer: asyncio.TimerHandle | None = None

    def note_work(self) -> None:
        """A call has come while there was none."""
        self._has_come = True
        if self._timer is None:
            self._timer = self._loop.call_later(EVERY_S, self._look)

    def note_told(self) -> None:
        """A heartbeat has told how busy the node is now."""
        self._told = self._load()
        if self._told is not Load.IDLE and self._timer is None:
            self._timer = self._loop.call_later(EVERY_S, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        load, has_come = self._load(), self._has_come
        self._has_come = False
        if load is not self._told and not (load is Load.IDLE and has_come):
            self._told = load
            self._tell()
        is_over = load is Load.IDLE and not has_come
        self._timer = None if is_over else self._loop.call_later(EVERY_S, self._look)
