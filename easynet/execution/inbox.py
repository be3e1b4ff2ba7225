"""What waits to be looked at in an execution's next turn."""

import asyncio
from collections import deque
from collections.abc import Callable

Message = Callable[[], None]


class Inbox:
    """Messages in the order in which they came. Anything in the event loop may post one."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def post(self, message: Message) -> None:
        self._messages.append(message)
        self._wake.set()

    def wake(self) -> None:
        """There is something to look at, without a message."""
        self._wake.set()

    def wake_in(self, seconds: float | None) -> None:
        """The same after a while, or with `None` not at all; a while set before is forgotten."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)

    async def wait(self) -> None:
        """Return when there is something to look at."""
        await self._wake.wait()

    def next(self) -> Message | None:
        """The oldest message, where there is one."""
        return self._messages.popleft() if self._messages else None

    def looked_at(self) -> None:
        """A turn has ended: what woke it is dealt with, but for messages that came since."""
        if not self._messages:
            self._wake.clear()
