"""What the gateways of a network know in common: its nodes, its members, what was spent.

Each keeps all of it, hears what nodes say by itself, and learns the rest from the others: at its start, when
one of them appears, and when something changes there.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from easynet.core.clock import Clock
from easynet.core.errors import BadData, EasyNetError, GatewayError, NameTaken
from easynet.core.ids import NodeId
from easynet.core.offer import Node
from easynet.fabric.access.members import Kind, Members
from easynet.fabric.access.memberships import Membership
from easynet.fabric.gateway.directory import Directory
from easynet.fabric.registry import HEARTBEAT_S
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.gateway_peers import GatewayPeers
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire.address import Address

_PAGE: Final = 20_000
"""Charges in one answer."""
_APART_S: Final = 1.5 * HEARTBEAT_S
"""Two live nodes are never heard of so far apart."""


class SharedState:
    """Keeps a gateway's members, spending and nodes in step with the other gateways'."""

    def __init__(
        self,
        members: Members,
        directory: Directory,
        clock: Clock,
        announce: Callable[[Kind], Awaitable[None]],
    ) -> None:
        """`announce` lets the servers know who is shut out."""
        self._members = members
        self._directory = directory
        self._clock = clock
        self._announce = announce
        self.peers: GatewayPeers | None = None
        """None for a gateway that is alone."""

    async def answer_to_peer(self, what: str, content: Any) -> Any:
        """Answer another gateway; raises NameTaken or BadData."""
        match what, content:
            case "state", None:
                return state_of(self._members, self._directory.registry.nodes())
            case "charges", int(after):
                return self._members.spending.charges(after, _PAGE)
            case "members", [[*rows], [*caps]]:
                self._members.learn(rows, self._clock.now())
                return self._members.spending.learn(self._clock.now(), caps=caps)
            case "charged", [*charges]:
                return self._members.spending.learn(self._clock.now(), charges=charges)
            case "refunded", [str(client), str(call)]:
                return self._members.spending.refund(client, call)
            case "claim", [str(name), str(instance)]:
                return self._directory.registry.claim(NodeId(name), instance, self._clock.now())
            case "node", str(name):
                return [n.model_dump(mode="json") for n in self._directory.registry.nodes() if n.name == name]
            case "drain", str(name):
                with contextlib.suppress(EasyNetError):
                    await self._directory.drain(name)
                return None
            case _:
                raise BadData(f"no gateway answers to {what!r}")

    async def meet(self, peer: str) -> None:
        """Learn all that a gateway knows that has appeared, and have every server told who is shut out.

        A server that was away knows nothing of who was shut out meanwhile.
        """
        assert self.peers is not None
        with contextlib.suppress(EasyNetError):
            state = await self.peers.ask(peer, "state")
            learn_members(self._members, state, self._clock.now())
            await self._learn_nodes(state[2])
            await self._learn_charges(peer)
        for kind in ("node", "client"):
            with contextlib.suppress(GatewayError):
                await self._announce(kind)

    async def answer_to_node(self, what: str, name: str, content: Any) -> Any:
        """Answer a node with what all gateways know; raises NameTaken or BadData."""
        if self.peers is None:
            return await self._directory.answer_to_node(what, name, content)
        if what == "join" and self._members.named("node", name) is None:
            await self._learn_members()
        answer = await self._directory.answer_to_node(what, name, content)
        match what, content:
            case "claim", str(instance):
                await self._claim_elsewhere(name, instance)
            case "beat", _ if answer is False and await self._find_node(name):
                answer = await self._directory.answer_to_node(what, name, content)
            case _:
                pass
        return answer

    async def joined(self, kind: Kind, name: str) -> None:
        """A device has become a member: return when every gateway knows it."""
        if self.peers is not None:
            rows = [row for row in self._members.rows() if (row["kind"], row["name"]) == (kind, name)]
            caps = [cap for cap in self._members.spending.caps() if cap[0] == name]
            await self.peers.ask_all("members", [rows, caps])

    async def shut_out(self) -> None:
        """Members were shut out: return when every gateway knows it."""
        if self.peers is not None:
            await self.peers.ask_all("members", [[r for r in self._members.rows() if r["revoked_at"]], []])

    def charged(self, call: str) -> None:
        """A call was counted: let the other gateways count it."""
        if self.peers is not None and (charges := self._members.spending.of(call)):
            self.peers.tell("charged", charges)

    def refunded(self, client: str, call: str) -> None:
        """What was counted for a call was taken back."""
        if self.peers is not None:
            self.peers.tell("refunded", [client, call])

    def drained(self, name: str) -> None:
        """A node was asked to leave: whichever gateway answers its next heartbeat lets it know."""
        if self.peers is not None:
            self.peers.tell("drain", name)

    async def _claim_elsewhere(self, name: str, instance: str) -> None:
        assert self.peers is not None
        try:
            await self.peers.ask_all("claim", [name, instance])
        except NameTaken:
            self._directory.registry.leave(NodeId(name), instance)
            raise

    async def _find_node(self, name: str) -> bool:
        assert self.peers is not None
        found = await self.peers.ask_all("node", name)
        await self._learn_nodes(node for nodes in found for node in nodes)
        return any(found)

    async def _learn_members(self) -> None:
        assert self.peers is not None
        for state in await self.peers.ask_all("state"):
            learn_members(self._members, state, self._clock.now())

    async def _learn_charges(self, peer: str) -> None:
        assert self.peers is not None
        after = 0
        while page := await self.peers.ask(peer, "charges", after):
            self._members.spending.learn(self._clock.now(), charges=[charge for _, *charge in page])
            after = page[-1][0]
            await asyncio.sleep(0)

    async def _learn_nodes(self, nodes: Iterable[Any]) -> None:
        known_by_name = {node.name: node for node in self._directory.registry.nodes()}
        for content in nodes:
            node = Node.model_validate(content, extra="ignore")
            known = known_by_name.get(node.name)
            if known is not None and known.instance != node.instance and keeps_its_name(node, known):
                # The other one learns at its next heartbeat that it has to go.
                await self._directory.leave(known.name, known.instance)
                known = None
            if known is None:
                with contextlib.suppress(NameTaken):
                    self._directory.registry.join(node, self._clock.now())


def keeps_its_name(node: Node, other: Node) -> bool:
    """Which of two nodes of one name stays: the live one, or else the same one wherever it is asked.

    Gateways that could not reach each other may have given one name to two nodes.
    """
    if abs(node.last_seen_at - other.last_seen_at) > _APART_S:
        return node.last_seen_at > other.last_seen_at
    return node.instance < other.instance


def state_of(members: Members, nodes: Iterable[Node]) -> list[Any]:
    """What a gateway that appears learns at once."""
    return [members.rows(), members.spending.caps(), [node.model_dump(mode="json") for node in nodes]]


def learn_members(members: Members, state: Any, now: float) -> None:
    """Take over the members, and what they may spend, that another gateway knows."""
    rows, caps, *_ = state
    members.learn(rows, now)
    members.spending.learn(now, caps=caps)


async def states_of_others(addresses: Iterable[str], way_in: Membership) -> dict[str, Any]:
    """What those gateways of a network know that answer, by their ids; they are asked as a gateway."""
    found = await asyncio.gather(*(_state_at(address, way_in) for address in addresses))
    return dict(one for one in found if one is not None)


async def _state_at(address: str, way_in: Membership) -> tuple[str, Any] | None:
    connection = Connection(Address.parse(address), lambda: way_in, name="gateway", stays=True)
    try:
        await connection.open()
        return connection.server_name, await ask(connection, f"peer.{connection.server_name}.state")
    except EasyNetError:
        return None  # it may be the one that starts
    finally:
        await connection.close()
