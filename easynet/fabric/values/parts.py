"""The parts of an artifact on their way, several at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

MAX_ON_THE_WAY: Final = 16
_FIRST_ON_THE_WAY: Final = 8
_FAST_S: Final = 0.3
_SLOW_S: Final = 1.0
"""A part that takes longer than this holds up what else the connection carries, such as signs of life."""


class Window:
    """How many parts may be on their way: more while each is there soon, fewer where the line is slow."""

    def __init__(self) -> None:
        self.size = _FIRST_ON_THE_WAY

    def learn(self, seconds: float) -> None:
        """A part took so long."""
        if seconds > _SLOW_S:
            self.size = max(1, self.size // 2)
        elif seconds < _FAST_S:
            self.size = min(self.size + 1, MAX_ON_THE_WAY)


class PartsOnTheWay:
    """Moves parts, several at once."""

    def __init__(self, move: Callable[[int], Awaitable[None]], offsets: Iterable[int]) -> None:
        """`move` moves the part that begins at an offset, and returns when it is there."""
        self._move = move
        self._todo = iter(offsets)
        self._window = Window()
        self._movers = 0

    async def run(self) -> None:
        """Move all of them; the first failure ends it, and is raised as it is."""
        try:
            async with asyncio.TaskGroup() as group:
                self._start_movers(group)
        except ExceptionGroup as failed:  # `except*` would wrap what is raised in it again
            raise _first(failed) from None

    def _start_movers(self, group: asyncio.TaskGroup) -> None:
        while self._movers < self._window.size:
            self._movers += 1
            group.create_task(self._move_on(group))

    async def _move_on(self, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        try:
            for offset in self._todo:
                began = loop.time()
                await self._move(offset)
                self._window.learn(loop.time() - began)
                if self._movers > self._window.size:
                    return
                self._start_movers(group)
        finally:
            self._movers -= 1


def _first(failed: ExceptionGroup[Exception]) -> Exception:
    first = failed.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
