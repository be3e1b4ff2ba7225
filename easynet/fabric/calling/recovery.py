"""What becomes of a client's calls when its connection breaks, and when it is back."""

import asyncio
from typing import Final

from easynet.core.errors import NodeUnreachable
from easynet.fabric.calling.outbox import Outbox

BACK_WITHIN_S: Final = 10.0
"""A node that has not answered so long after the connection came back is gone."""
_ASK_AGAIN_S: Final = 0.25


class Recovery:
    """Asks after the calls that were in flight when the connection broke."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._asking: asyncio.Task[None] | None = None
        self._lost_at: float | None = None

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    @property
    def lost_s(self) -> float | None:
        """For how long the connection has been lost; None while it is there."""
        return self._loop.time() - self._lost_at if self._lost_at is not None else None

    @property
    def is_settling(self) -> bool:
        """Whether the connection came back so lately that nodes which lost theirs, too, may still come."""
        return self._loop.time() - self._outbox.peers.back_at < BACK_WITHIN_S

    def connection_lost(self) -> None:
        """Give the connection some time to come back."""
        self._lost_at = self._loop.time()
        if self._asking is not None:
            self._asking.cancel()

    def connection_back(self) -> None:
        """Ask after the calls in flight: neither side knows what the other one got."""
        self._lost_at = None
        now = self._loop.time()
        self._outbox.peers.connection_back(now)
        self._outbox.values.ask_again()
        calls = self._outbox.call_by_id
        for call in calls.values():
            call.is_unsure, call.is_repairing = True, False
        if calls:
            self._asking = asyncio.create_task(self._ask(now))

    async def _ask(self, since: float) -> None:
        """Ask until every node has answered, or is long overdue."""
        while unsure := [call for call in self._outbox.call_by_id.values() if call.is_unsure]:
            is_late = self._loop.time() - since > BACK_WITHIN_S
            for call in unsure:
                if is_late:
                    gone = f"the node {call.peer.node} did not come back after the connection broke"
                    self._outbox.abandon(call, NodeUnreachable(gone))
                else:
                    self._outbox.resume(call)
            await asyncio.sleep(_ASK_AGAIN_S)
