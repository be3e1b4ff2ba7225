"""Which node a call goes to, where the caller has named none."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from easynet.core.errors import EasyNetError, NodeRefused, NodeUnreachable, NotStarted, Overloaded
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.calling.balancing import Balancer, Load
from easynet.fabric.calling.catalogue import Candidate, Catalogue
from easynet.fabric.calling.explanations import unknown, untaken
from easynet.fabric.calling.peers import SETTLING_S, Peers
from easynet.fabric.calling.pending_call import PendingCall

_SPEAKS_WITHIN_S: Final = 2.5
"""So often, at least, a node speaks to a client that waits for it, unless something is wrong."""
_MANY: Final = 1_000_000
"""Calls that no node has under way."""


class NodeChoice:
    """Chooses among the nodes that offer a function, by what earlier calls have shown."""

    def __init__(self, catalogue: Catalogue, peers: Peers) -> None:
        self._catalogue = catalogue
        self._peers = peers
        self._loop = asyncio.get_running_loop()
        self._balancer = Balancer(time.monotonic)

    async def choose(self, function: CapabilityName, tried: Mapping[NodeId, EasyNetError]) -> NodeId:
        """The node that a call goes to next; raises UnknownFunction, or why none of them took it."""
        found = self._catalogue.known(function)
        while True:
            left = [c for c in found if c.offer.node not in tried] if tried else found
            if left:
                return self._balancer.choose(function, [self._load(c) for c in left])
            if found and tried:
                # Others may have joined since.
                fresh = await self._catalogue.candidates(function)
                if all(c.offer.node in tried for c in fresh):
                    break
                found = fresh
                continue
            found = await self._catalogue.candidates(function)
            if not found:
                if self._loop.time() - self._peers.back_at > SETTLING_S:
                    break
                # The connection is back; nodes may not be, yet.
                await asyncio.sleep(0.1)
        if not tried:
            raise unknown(function, await self._catalogue.capabilities())
        raise untaken(function, list(tried.values()))

    def _load(self, candidate: Candidate) -> Load:
        """What a call has to expect: this client's own calls at once, others' when they are reported."""
        offer = candidate.offer
        outstanding = max(candidate.running + candidate.waiting, self._peers.in_flight(offer.node))
        # A node that has missed its time to speak may be gone, or just as well be busy: others come first.
        is_doubtful = outstanding and self._peers.silence_s(offer.node, self._loop.time()) > _SPEAKS_WITHIN_S
        return Load(offer.node, offer.concurrency, _MANY if is_doubtful else outstanding, candidate.mean_s)

    def learn(self, call: PendingCall, error: EasyNetError | None = None) -> None:
        """Remember how long a node took, or how long it is better left alone."""
        seconds = self._loop.time() - call.began_at
        if isinstance(error, Overloaded):
            seconds = max(seconds, error.retry_after_s)
        elif error is not None:
            if isinstance(error, NotStarted | NodeRefused | NodeUnreachable):
                self._catalogue.forget()
            return  # a node that fails fast is not a fast node
        self._balancer.observe(call.peer.node, CapabilityName(call.function), seconds)
