"""How far a stream may be ahead of its reader, and what has to be sent again where the connection breaks."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final

MAX_ITEMS: Final = 64
MAX_BYTES: Final = 4 * 1024 * 1024


class StreamWindow:
    """The items of one stream that its reader has not acknowledged; at least one, whatever its size."""

    def __init__(self) -> None:
        self.given = 0
        """Items so far."""
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._is_closed = False
        self._changed = asyncio.Event()

    async def room(self, size: int) -> bool:
        """Wait until an item of that size may be sent; False once the reader has gone."""
        while not self._is_closed and self._is_full(size):
            self._changed.clear()
            await self._changed.wait()
        return not self._is_closed

    def _is_full(self, size: int) -> bool:
        held = len(self._held)
        return held >= MAX_ITEMS or (held > 0 and self._held_bytes + size > MAX_BYTES)

    def add(self, message: bytes) -> None:
        """Hold an item's message until it is acknowledged."""
        self.given += 1
        self._held.append(message)
        self._held_bytes += len(message)

    def acknowledge(self, taken: int) -> None:
        """The reader has taken so many items in all."""
        while self._held and self.given - len(self._held) < taken:
            self._held_bytes -= len(self._held.popleft())
        self._changed.set()

    def since(self, received: int) -> Iterator[bytes]:
        """The messages of the items after the first `received`, as far as they are held."""
        first = self.given - len(self._held)
        return (message for number, message in enumerate(self._held, first) if number >= received)

    @property
    def held(self) -> tuple[bytes, ...]:
        """The messages that are held, which are those of the last items."""
        return tuple(self._held)

    def close(self) -> None:
        """The reader has gone."""
        self._is_closed = True
        self._changed.set()
