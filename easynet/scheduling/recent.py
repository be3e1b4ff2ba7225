"""A dictionary of what was renewed lately."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Held = TypeVar("Held")


class Recent(dict[Key, Held]):
    """Makes what is missing when it is renewed, and forgets what was not renewed for longest."""

    def __init__(self, size: int, make: Callable[[], Held]) -> None:
        """At most `size` keys are held."""
        super().__init__()
        self._size = size
        self._make = make

    def renew(self, key: Key) -> Held:
        """What is held under a key."""
        held = self.pop(key, None)
        if held is None:
            held = self._make()
            if len(self) >= self._size:
                del self[next(iter(self))]
        self[key] = held
        return held
