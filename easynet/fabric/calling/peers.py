"""The nodes that a client speaks to. Times are the caller's."""

import math
import secrets
from collections.abc import Iterable
from typing import Final

from easynet.core.ids import NodeId
from easynet.fabric.calling.peer import Peer
from easynet.fabric.wire.greetings import Hello

SETTLING_S: Final = 3.0
"""After a gateway came back, nodes may take so long to do the same."""


class Peers:
    """Nodes by name, and by the secret by which each proves who it is."""

    def __init__(self) -> None:
        self._current: dict[NodeId, Peer] = {}
        self._token_by_node: dict[NodeId, str] = {}
        self._peers_by_token: dict[str, list[Peer]] = {}
        self._key_by_node: dict[str, str] = {}
        self.back_at = -math.inf
        """When the connection came back after it had been lost."""

    def of(self, node: NodeId, now: float) -> Peer:
        """The node as calls are sent to it now."""
        return self._current.get(node) or self._new(node, now)

    def _new(self, node: NodeId, now: float) -> Peer:
        token = self._token_by_node.setdefault(node, secrets.token_hex(12))
        peer = self._current[node] = Peer(node, token, now)
        self._peers_by_token.setdefault(token, []).append(peer)
        return peer

    def in_flight(self, node: NodeId) -> int:
        """How many calls this client has at a node."""
        return sum(peer.calls for peer in self._peers_by_token.get(self._token_by_node.get(node, ""), ()))

    def silence_s(self, node: NodeId, now: float) -> float:
        """For how long a node has left calls of this client without a word; 0.0 where it has none."""
        peers = self._peers_by_token.get(self._token_by_node.get(node, ""), ())
        return max((now - max(p.heard_at, p.waited_since) for p in peers if p.calls), default=0.0)

    def key_of(self, node: str) -> str | None:
        """The public key of a node, as it said itself; None where it has not."""
        return self._key_by_node.get(node)

    def meet(self, token: str, hello: Hello, now: float) -> tuple[list[Peer], list[Peer]]:
        """A node has said who it is: those that it is, and those that it was before a restart."""
        known = self._peers_by_token.get(token, ())
        same = [peer for peer in known if peer.instance in ("", hello.instance)]
        for peer in same:
            peer.introduced(hello, now)
            self._key_by_node[peer.node] = hello.key
        return same, [peer for peer in known if peer not in same]

    def with_token(self, token: str) -> list[Peer]:
        """All that share a secret: one node, before and after changes."""
        return list(self._peers_by_token.get(token, ()))

    def doubt(self, node: NodeId) -> None:
        """The node may have changed: the next call introduces itself to it anew."""
        peer = self._current.pop(node, None)
        if peer is not None and not peer.calls:
            self.drop(peer)

    def connection_back(self, now: float) -> None:
        """Nothing was heard of anybody for a while."""
        self.back_at = now
        for peer in self.all():
            peer.waited_since = now
            peer.is_unsure = True
            self.doubt(peer.node)

    def drop(self, peer: Peer) -> None:
        """The node is gone."""
        if self._current.get(peer.node) is peer:
            del self._current[peer.node]
        left = self._peers_by_token.get(peer.token, [])
        if peer in left:
            left.remove(peer)
        if not left:
            self._peers_by_token.pop(peer.token, None)
            if self._token_by_node.get(peer.node) == peer.token:
                del self._token_by_node[peer.node]

    def all(self) -> list[Peer]:
        """All, those that were sent calls before a change included."""
        return [peer for peers in self._peers_by_token.values() for peer in peers]

    def named(self, node: NodeId) -> Iterable[Peer]:
        """All that a node was and is."""
        return [peer for peer in self.all() if peer.node == node]
