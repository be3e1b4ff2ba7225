"""What values that arrive may take of a process's memory, and of its attention where they go to the disk."""

import asyncio
import threading
from collections import Counter
from typing import Final
from weakref import WeakValueDictionary

MAX_ARRIVING_BYTES: Final = 512 * 1024 * 1024
"""Of all calls of a process together; what is more arrives on the disk."""
_TO_DISK_AT_ONCE: Final = 2
"""Values of one sender that arrive on the disk; each keeps some parts in memory that wait to be written."""


class ArrivalRoom:
    """Room in memory for values that arrive, of which each sender may have as much as it leaves free."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self._free = MAX_ARRIVING_BYTES if max_bytes is None else max_bytes
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._disk_by_sender: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def take(self, sender: str, count: int) -> bool:
        """Whether there is room for so many bytes more of a sender's; it is taken then."""
        with self._lock:
            if self._held[sender] + count > self._free - count:
                return False
            self._held[sender] += count
            self._free -= count
            return True

    def give_back(self, sender: str, count: int) -> None:
        """There is so much more room again. May be called from any thread."""
        with self._lock:
            self._free += count
            self._held[sender] -= count
            if not self._held[sender]:
                del self._held[sender]

    def disk_of(self, sender: str) -> asyncio.Semaphore:
        """Held while a value of that sender's arrives on the disk."""
        found = self._disk_by_sender.get(sender)
        if found is None:
            found = self._disk_by_sender[sender] = asyncio.Semaphore(_TO_DISK_AT_ONCE)
        return found


class RoomTaken:
    """What the values of one call have taken of the room; given back with it at the latest."""

    def __init__(self, room: ArrivalRoom, sender: str) -> None:
        self.room = room
        self.sender = sender
        self._bytes = 0

    def take(self, count: int) -> bool:
        """Whether there is room for so many bytes more; they are taken then."""
        taken = self.room.take(self.sender, count)
        self._bytes += count if taken else 0
        return taken

    def give_back(self, count: int | None = None) -> None:
        """So many bytes, or all of them, are not in memory any more. May be called from any thread."""
        count = self._bytes if count is None else min(count, self._bytes)
        self._bytes -= count
        if count:
            self.room.give_back(self.sender, count)

    def __del__(self) -> None:
        self.give_back()
