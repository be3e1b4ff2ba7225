"""Places for work, shared among those who want some."""

import asyncio
from collections import Counter


class JobSlots:
    """Places for jobs, of which each owner may have as many as it leaves free for the others.

    So one alone gets half of them, two a third each, and whoever comes next finds some free at once, however
    long the jobs of those take who were there before.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._held: Counter[str] = Counter()
        self._changed = asyncio.Event()
        """Set when a place becomes free, and another event takes its place."""

    def take(self, owner: str) -> bool:
        """Whether the owner may have one more place; it has it then."""
        if not self._may(owner):
            return False
        self._held[owner] += 1
        self._free -= 1
        return True

    def give_back(self, owner: str) -> None:
        """One place less is needed."""
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        self._free += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait(self, owner: str) -> None:
        """Return when the owner may have one more place; it does not have it yet."""
        while not self._may(owner):
            await self._changed.wait()

    def _may(self, owner: str) -> bool:
        return self._held[owner] < self._free
