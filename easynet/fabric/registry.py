"""Which nodes are on the network and what they offer: an index in memory."""

from collections.abc import Mapping

from easynet.core.capability import Capability
from easynet.core.errors import NameTaken
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Offer

HEARTBEAT_S = 2.0
DEAD_AFTER_S = 6.0
"""Three heartbeats missed."""


class Registry:
    """The live nodes, found by name and by what they offer. Times are the caller's."""

    def __init__(self) -> None:
        self._node_by_name: dict[NodeId, Node] = {}
        self._names_by_capability: dict[CapabilityName, set[NodeId]] = {}

    def join(self, node: Node, now: float) -> None:
        """Add a node, or replace what the same instance said before.

        Raises NameTaken while another live instance has the name.
        """
        known = self._node_by_name.get(node.name)
        if known is not None:
            if known.instance != node.instance and now - known.last_seen_at < DEAD_AFTER_S:
                raise NameTaken(
                    f"a node named {node.name!r} is on this network already",
                    hint="Give this one another name, or stop the other one first.",
                )
            self._remove(known)
        once = {capability.name: capability for capability in node.capabilities}
        node = node.model_copy(update={"last_seen_at": now, "capabilities": tuple(once.values())})
        self._node_by_name[node.name] = node
        for capability in node.capabilities:
            self._names_by_capability.setdefault(capability.name, set()).add(node.name)

    def heartbeat(self, name: NodeId, instance: str, running: int, now: float) -> bool:
        """Note that a node lives; False where it is unknown and has to join again."""
        known = self._node_by_name.get(name)
        if known is None or known.instance != instance:
            return False
        self._node_by_name[name] = known.model_copy(update={"running": running, "last_seen_at": now})
        return True

    def leave(self, name: NodeId, instance: str) -> bool:
        """Remove a node; False where that instance is not known."""
        known = self._node_by_name.get(name)
        if known is None or known.instance != instance:
            return False
        self._remove(known)
        return True

    def expire(self, now: float) -> list[NodeId]:
        """Remove the nodes that were silent for too long, and name them."""
        dead = [n for n in self._node_by_name.values() if now - n.last_seen_at >= DEAD_AFTER_S]
        for node in dead:
            self._remove(node)
        return [node.name for node in dead]

    def find(self, capability: CapabilityName) -> list[tuple[Offer, int]]:
        """The offers of a capability, each with the number of calls running at its node, by node name."""
        nodes = (self._node_by_name[n] for n in sorted(self._names_by_capability.get(capability, ())))
        return [
            (Offer.of(node, offered), node.running)
            for node in nodes
            for offered in node.capabilities
            if offered.name == capability
        ]

    def nodes(self) -> list[Node]:
        """All live nodes, by name."""
        return [self._node_by_name[name] for name in sorted(self._node_by_name)]

    def functions(self) -> Mapping[CapabilityName, tuple[Capability, list[NodeId]]]:
        """Each capability once, with the nodes that offer it, by name."""
        found: dict[CapabilityName, tuple[Capability, list[NodeId]]] = {}
        for node in self.nodes():
            for capability in node.capabilities:
                found.setdefault(capability.name, (capability, []))[1].append(node.name)
        return dict(sorted(found.items()))

    def _remove(self, node: Node) -> None:
        del self._node_by_name[node.name]
        for capability in node.capabilities:
            names = self._names_by_capability[capability.name]
            names.discard(node.name)
            if not names:
                del self._names_by_capability[capability.name]
