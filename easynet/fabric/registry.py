"""Which nodes are on the network and what they offer: an index in memory."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from easynet.core.capability import Capability
from easynet.core.errors import NameTaken
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import FunctionStatistics, Node, Offer, Trust

HEARTBEAT_S = 2.0
DEAD_AFTER_S = 6.0
"""Three heartbeats missed."""
_STATISTICS: Final = TypeAdapter(dict[CapabilityName, FunctionStatistics])


class Registry:
    """The live nodes, found by name and by what they offer. Times are the caller's."""

    def __init__(self) -> None:
        self._node_by_name: dict[NodeId, Node] = {}
        self._names_by_capability: dict[CapabilityName, set[NodeId]] = {}
        self._claim_by_name: dict[NodeId, tuple[str, float]] = {}

    def claim(self, name: NodeId, instance: str, now: float) -> None:
        """Keep a name for an instance that is about to join; raises NameTaken.

        A node claims its name before it listens under it, and joins once it does, so that two nodes never
        listen under one name and none is found before it can be called.
        """
        self._check_free(name, instance, now)
        self._claim_by_name[name] = (instance, now)

    def join(self, node: Node, now: float) -> None:
        """Add a node, or replace what the same instance said before.

        Raises NameTaken while another live instance has the name, or a fresh claim to it.
        """
        self._check_free(node.name, node.instance, now)
        self._claim_by_name.pop(node.name, None)
        if known := self._node_by_name.get(node.name):
            self._remove(known)
        once = {capability.name: capability for capability in node.capabilities}
        node = node.model_copy(update={"last_seen_at": now, "capabilities": tuple(once.values())})
        self._node_by_name[node.name] = node
        for capability in node.capabilities:
            self._names_by_capability.setdefault(capability.name, set()).add(node.name)

    def heartbeat(
        self,
        name: NodeId,
        instance: str,
        running: int,
        now: float,
        waiting: int = 0,
        statistics: Mapping[str, Any] | None = None,
    ) -> bool:
        """Note that a node lives; False where it is unknown and has to join again.

        Raises ValueError where the statistics are not what they should be.
        """
        known = self._node_by_name.get(name)
        if known is None or known.instance != instance:
            return False
        update: dict[str, Any] = {"running": running, "waiting": waiting, "last_seen_at": now}
        if statistics is not None:
            update["statistics"] = _STATISTICS.validate_python(statistics, extra="ignore")
        self._node_by_name[name] = known.model_copy(update=update)
        return True

    def leave(self, name: NodeId, instance: str) -> bool:
        """Remove a node, or its claim; False where that instance has not joined."""
        if self._claim_by_name.get(name, ("", 0))[0] == instance:
            del self._claim_by_name[name]
        known = self._node_by_name.get(name)
        if known is None or known.instance != instance:
            return False
        self._remove(known)
        return True

    def expire(self, now: float) -> list[NodeId]:
        """Remove the nodes that were silent for too long, and name them."""
        for name, (_, at) in list(self._claim_by_name.items()):
            if now - at >= DEAD_AFTER_S:
                del self._claim_by_name[name]
        dead = [n for n in self._node_by_name.values() if now - n.last_seen_at >= DEAD_AFTER_S]
        for node in dead:
            self._remove(node)
        return [node.name for node in dead]

    def find(self, capability: CapabilityName) -> list[tuple[Offer, int]]:
        """The offers of a capability, each with the number of calls running at its node, by node name."""
        return [(offer, node.running) for node, offer, _ in self._offering(capability)]

    def listing(self, capability: CapabilityName) -> list[list[Any]]:
        """The same as plain data: offer, running, waiting, mean seconds, idempotent, instance, key."""
        return [
            [
                offer.model_dump(mode="json"),
                node.running,
                node.waiting,
                _mean_s(node, capability),
                idempotent,
                node.instance,
                node.key,
            ]
            for node, offer, idempotent in self._offering(capability)
        ]

    def _offering(self, capability: CapabilityName) -> Iterator[tuple[Node, Offer, bool]]:
        """The nodes that take calls of a capability, with their offers."""
        for name in sorted(self._names_by_capability.get(capability, ())):
            node = self._node_by_name[name]
            if node.draining:
                continue
            for offered in node.capabilities:
                if offered.name == capability:
                    yield node, Offer.of(node, offered), offered.idempotent

    def instance_of(self, name: NodeId) -> str:
        """The instance of a live node, or ""."""
        known = self._node_by_name.get(name)
        return known.instance if known is not None else ""

    def nodes(self) -> list[Node]:
        """All live nodes, by name."""
        return [self._node_by_name[name] for name in sorted(self._node_by_name)]

    def functions(self) -> Mapping[CapabilityName, tuple[Capability, list[NodeId]]]:
        """Each capability once, with the nodes that offer it, by name.

        As the first of them offers it; it is irreversible where one of them says so.
        """
        found: dict[CapabilityName, tuple[Capability, list[NodeId]]] = {}
        for node in self.nodes():
            for capability in node.capabilities:
                first, names = found.setdefault(capability.name, (capability, []))
                names.append(node.name)
                if capability.irreversible and not first.irreversible:
                    careful = first.model_copy(update={"irreversible": True, "idempotent": False})
                    found[capability.name] = (careful, names)
        for name, (capability, nodes) in found.items():
            aggregates = self._aggregates(name, nodes)
            if capability.aggregates != aggregates:
                found[name] = capability.model_copy(update={"aggregates": aggregates}), nodes
        return dict(sorted(found.items()))

    def _aggregates(self, capability: CapabilityName, nodes: Iterable[NodeId]) -> bool:
        """Whether all nodes that may be given private data say that a capability aggregates, and one does.

        What a stranger says of a function makes no private result public.
        """
        trusted = [self._node_by_name[name] for name in nodes]
        trusted = [node for node in trusted if node.trust is not Trust.PUBLIC]
        said = [c.aggregates for node in trusted for c in node.capabilities if c.name == capability]
        return bool(said) and all(said)

    def _check_free(self, name: NodeId, instance: str, now: float) -> None:
        holders = [self._claim_by_name.get(name)]
        if known := self._node_by_name.get(name):
            holders.append((known.instance, known.last_seen_at))
        if any(h is not None and h[0] != instance and now - h[1] < DEAD_AFTER_S for h in holders):
            raise NameTaken(
                f"a node named {name!r} is on this network already",
                hint="Give this one another name, or stop the other one first.",
            )

    def _remove(self, node: Node) -> None:
        del self._node_by_name[node.name]
        for capability in node.capabilities:
            names = self._names_by_capability[capability.name]
            names.discard(node.name)
            if not names:
                del self._names_by_capability[capability.name]


def _mean_s(node: Node, capability: CapabilityName) -> float:
    known = node.statistics.get(capability)
    return known.mean_s if known is not None else 0.0
