"""Notices when the nodes that a client waits for, or its gateway, have gone."""

import asyncio
from typing import Final

from easynet.core.errors import GatewayUnreachable
from easynet.core.ids import NodeId
from easynet.fabric.calling.explanations import shut_out
from easynet.fabric.calling.outbox import Outbox
from easynet.fabric.calling.peer import Peer
from easynet.fabric.calling.recovery import Recovery
from easynet.fabric.transport.connection import Connection

SILENCE_S: Final = 7.0
"""A node that says nothing for so long is gone; it speaks every two seconds.

Longer than a connection takes to notice that its other end has gone: it may be this client's own that has.
"""
CUT_OFF_S: Final = 30.0
"""How long calls in flight wait for a lost connection."""
_CHECK_EVERY_S: Final = 0.5
_PING_EVERY_S: Final = 5.0


class NodeWatch:
    """Gives up calls that nobody can answer any more."""

    def __init__(self, connection: Connection, outbox: Outbox, recovery: Recovery) -> None:
        self._connection = connection
        self._outbox = outbox
        self._recovery = recovery
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # ── what the gateway says ───────────────────────────────────────────────────────────────────

    def node_gone(self, node: NodeId, *, but: str) -> None:
        """Give up the calls at a node that has left, except at the instance that is there now, if one is."""
        for peer in self._outbox.peers_of(node):
            if not but or peer.instance not in ("", but):
                self._outbox.lose(peer, "went away before it answered")

    def node_silent(self, node: NodeId) -> None:
        """Give up the calls at a node that the gateway hears nothing of, and that has not answered them.

        Those of which it has been heard since have until it was silent for too long here as well, and so have
        all where this client itself was away: a node may have been at the same gateway.
        """
        if self._recovery.is_settling:
            return
        for peer in list(self._outbox.peers.named(node)):
            if peer.heard_at <= peer.waited_since:
                self._outbox.lose(peer, "has said nothing to the gateway, nor to this client")

    # ── what time shows ─────────────────────────────────────────────────────────────────────────

    async def _watch(self) -> None:
        """Speak to the nodes that have calls; give up calls whose node or gateway was silent for too long."""
        checked_at = pinged_at = self._loop.time()
        peers = self._outbox.peers
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            now = self._loop.time()
            if (late_s := now - checked_at - _CHECK_EVERY_S) > _CHECK_EVERY_S:
                # This process itself stood still, and what was said meanwhile has not been read yet.
                for peer in peers.all():
                    peer.heard_at += late_s
                    peer.waited_since += late_s
            checked_at = now
            if (lost_s := self._recovery.lost_s) is not None:
                self._wait_for_gateway(lost_s)
                continue
            for peer in peers.all():
                if peer.calls and now - max(peer.heard_at, peer.waited_since) > SILENCE_S:
                    self._outbox.lose(peer, f"has said nothing for {SILENCE_S:g} s")
            self._outbox.values.check()
            if now - pinged_at >= _PING_EVERY_S:
                self.ping_all(now - _PING_EVERY_S)
                pinged_at = now

    def ping_all(self, before: float) -> None:
        """Tell every node that has calls which of them were begun before a time, and are waited for."""
        old: dict[Peer, list[str]] = {peer: [] for peer in self._outbox.peers.all() if peer.calls}
        for call in self._outbox.call_by_id.values():
            if call.began_at < before and call.peer in old:
                old[call.peer].append(call.id)
        for peer, calls in old.items():
            self._outbox.ping(peer, tuple(calls))

    def _wait_for_gateway(self, lost_s: float) -> None:
        if self._connection.denied:
            self._outbox.abandon_all(shut_out(self._connection.denied))
        elif lost_s > CUT_OFF_S:
            gone = f"the gateway at {self._connection.address} went away"
            self._outbox.abandon_all(GatewayUnreachable(gone))
