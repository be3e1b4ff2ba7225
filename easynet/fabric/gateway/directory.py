"""The gateway's index of who is on the network, as nodes and clients speak to it."""

import asyncio
import logging
from typing import Any, Final

from easynet.core.clock import Clock
from easynet.core.errors import BadData, NameTaken, UsageError, nearest
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Trust
from easynet.fabric.access.members import Members
from easynet.fabric.registry import HEARTBEAT_S, Registry
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.names import is_name

_LOG: Final = logging.getLogger(__name__)


class Directory:
    """Takes nodes in, forgets those that went, and tells clients who offers what."""

    def __init__(self, connection: Connection, members: Members, clock: Clock) -> None:
        self._connection = connection
        self._members = members
        self._clock = clock
        self.registry = Registry()
        self._asked_to_drain: set[str] = set()

    async def answer_to_node(self, what: str, name: str, content: Any) -> Any:
        """Answer a node, whose name the server vouches for; raises NameTaken or BadData."""
        match what, content:
            case "claim", str(instance) if is_name(name):
                return self.registry.claim(NodeId(name), instance, self._clock.now())
            case "join", dict():
                return await self._join(name, content)
            case "beat", [str(instance), int(running), *load]:
                told = load[:2]  # a later version may tell more
                known = self.registry.heartbeat(NodeId(name), instance, running, self._clock.now(), *told)
                return "drain" if known and instance in self._asked_to_drain else known
            case "leave", str(instance):
                return await self.leave(NodeId(name), instance)
            case _:
                raise BadData("a node's message that cannot be read")

    def answer_to_client(self, what: str, content: Any) -> Any:
        """Answer a client; raises BadData."""
        match what, content:
            case "find", str(capability):
                return self.registry.listing(CapabilityName(capability))
            case "functions", None:
                found = self.registry.functions().values()
                return [[capability.model_dump(mode="json"), nodes] for capability, nodes in found]
            case "instance", str(node):
                return self.registry.instance_of(NodeId(node))
            case "nodes", None:
                return [node.model_dump(mode="json") for node in self.registry.nodes()]
            case _:
                raise BadData(f"nothing answers to {what!r}")

    def price(self, node: NodeId, capability: CapabilityName) -> int:
        """What a call costs, in credits, as the node has stated it to everybody; raises BadData."""
        for offer, _ in self.registry.find(capability):
            if offer.node == node:
                return offer.price
        raise BadData(f"{node} offers no {capability}")

    async def _join(self, name: str, content: Any) -> str:
        """Take a node in, and tell it how far it is trusted."""
        node = Node.model_validate(content, extra="ignore")  # a later version may say more of itself
        names = [capability.name for capability in node.capabilities]
        if node.name != name or not is_name(name) or not all(map(is_name, names)):
            raise BadData(f"{name!r}, or what it offers, has a name that is not allowed")
        if len(set(names)) != len(names):
            raise BadData(f"{name!r} offers two functions of one name")
        trust = self._trust(node)
        self.registry.join(node.model_copy(update={"trust": trust}), self._clock.now())
        does = "drains" if node.draining else f"offers {len(names)} functions"
        if not (node.draining and node.instance in self._asked_to_drain):  # that was logged when it was asked
            _LOG.info("node %s %s", node.name, does, extra={"trust": str(trust)})
        await self._tell("joined", node.name)
        return str(trust)

    def _trust(self, node: Node) -> Trust:
        """How far a node is trusted; raises NameTaken where its name is that of another device's."""
        member = self._members.named("node", node.name)
        if member is None:  # it entered with the owner's own key
            return Trust.OWN
        if node.key and member.key != node.key:
            raise NameTaken(
                f"the name {node.name!r} belongs to a device that joined this network with another key",
                hint="Give this node another name.",
            )
        return Trust.OWN if member.terms.is_trusted else Trust.PUBLIC

    async def leave(self, name: NodeId, instance: str) -> None:
        """Forget a node that left, and let its callers know."""
        self._asked_to_drain.discard(instance)
        if self.registry.leave(name, instance):
            _LOG.info("node %s left", name)
            await self._tell("gone", name)

    async def drain(self, name: str) -> None:
        """Offer a node's functions no more, and have it leave when it has finished; raises UsageError.

        It hears of it in the answer to its next heartbeat.
        """
        nodes = {str(node.name): node for node in self.registry.nodes()}
        if name not in nodes:
            raise UsageError(
                f"no node named {name!r} is on this network",
                hint=nearest(name, [*nodes]) or "easynet nodes lists those that are.",
            )
        self._asked_to_drain.add(nodes[name].instance)
        self.registry.join(nodes[name].model_copy(update={"draining": True}), self._clock.now())
        _LOG.info("node %s was asked to drain", name)
        await self._tell("drains", nodes[name].name)

    async def expire_on(self) -> None:
        """Go on forgetting nodes that are silent."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(HEARTBEAT_S / 2)
            if loop.time() - before > HEARTBEAT_S:
                continue  # this process stood still, and has heartbeats to read first
            for name in self.registry.expire(self._clock.now()):
                _LOG.warning("node %s is silent", name)
                # Its calls go on: it may only be too busy to speak, which its callers judge by themselves.
                await self._tell("silent", name)

    async def _tell(self, what: str, name: NodeId) -> None:
        """Let every client know that a node came or went."""
        if self._connection.is_connected:
            await self._connection.publish(f"net.{what}.{name}", b"")
