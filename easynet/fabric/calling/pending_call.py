"""A call as its caller waits for it."""

import asyncio
from collections import deque
from typing import Final

from easynet.core.errors import EasyNetError
from easynet.fabric.calling.peer import Peer
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.wire.updates import Item, Last, Update

ACKNOWLEDGE_ITEMS: Final = 16
ACKNOWLEDGE_BYTES: Final = 1024 * 1024


class PendingCall:
    """One call in flight."""

    __slots__ = (
        "acknowledged",
        "began_at",
        "function",
        "id",
        "is_over",
        "is_repairing",
        "is_unsure",
        "message",
        "peer",
        "received",
        "repairs",
        "subject",
        "taken",
        "timer",
        "unacknowledged_bytes",
        "values",
    )

    def __init__(
        self, id_: str, peer: Peer, function: str, subject: str, message: bytes, began_at: float
    ) -> None:
        self.id = id_
        self.peer = peer
        self.function = function
        self.subject = subject
        self.message = message
        """What was sent, in case that it never arrived."""
        self.began_at = began_at
        self.received = 0
        """Items that have arrived."""
        self.taken = 0
        """Items that the caller has taken, or that nobody has to wait for."""
        self.acknowledged = 0
        self.unacknowledged_bytes = 0
        self.is_over = False
        self.is_unsure = False
        """Whether the connection broke since, and the node has not said that it knows of the call."""
        self.is_repairing = False
        """Whether missing items were asked for and have not come."""
        self.repairs = 0
        """How often they were asked for since the last item."""
        self.timer: asyncio.TimerHandle | None = None
        self.values: HeldValues | None = None
        """The large ones among its arguments, which the node asks for."""

    @property
    def owes_acknowledgement(self) -> bool:
        """Whether the node should be told how much was taken."""
        return (
            self.taken - self.acknowledged >= ACKNOWLEDGE_ITEMS
            or self.unacknowledged_bytes >= ACKNOWLEDGE_BYTES
        )

    def take(self, update: Update) -> None:
        """An update has arrived, in its order."""
        raise NotImplementedError

    def finish(self, last: Last) -> None:
        """The last update has arrived."""
        raise NotImplementedError

    def fail(self, error: EasyNetError) -> None:
        """There will be no more updates."""
        raise NotImplementedError


class AwaitedCall(PendingCall):
    """A call of which only the end matters; items are collected."""

    __slots__ = ("end", "items")

    def __init__(
        self, id_: str, peer: Peer, function: str, subject: str, message: bytes, began_at: float
    ) -> None:
        super().__init__(id_, peer, function, subject, message, began_at)
        self.end: asyncio.Future[Last] = asyncio.get_running_loop().create_future()
        self.items: list[bytes] | None = None

    def take(self, update: Update) -> None:
        if isinstance(update, Item):
            self.items = self.items or []
            self.items.append(update.value)
            self.taken += 1
            self.unacknowledged_bytes += len(update.value)

    def finish(self, last: Last) -> None:
        if not self.end.done():
            self.end.set_result(last)

    def fail(self, error: EasyNetError) -> None:
        if not self.end.done():
            self.end.set_exception(error)


class FollowedCall(PendingCall):
    """A call whose updates are taken one by one."""

    __slots__ = ("_error", "_updates", "_waiter")

    def __init__(
        self, id_: str, peer: Peer, function: str, subject: str, message: bytes, began_at: float
    ) -> None:
        super().__init__(id_, peer, function, subject, message, began_at)
        self._updates: deque[Update] = deque()
        self._error: EasyNetError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def next(self) -> Update:
        """The next update; raises what went wrong once there is no other."""
        while not self._updates:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        update = self._updates.popleft()
        if isinstance(update, Item):
            self.taken += 1
            self.unacknowledged_bytes += len(update.value)
        return update

    def take(self, update: Update) -> None:
        self._updates.append(update)
        self._wake()

    def finish(self, last: Last) -> None:
        self.take(last)

    def fail(self, error: EasyNetError) -> None:
        self._error = self._error or error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
