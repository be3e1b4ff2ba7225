"""Time as a value that is passed in, so that tests never sleep."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Unix seconds."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.time()
