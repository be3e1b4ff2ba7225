"""What a client knows of the network: the gateway's answers, kept for a moment."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Offer
from easynet.fabric.connection import Connection
from easynet.fabric.questions import ask

_FRESH_S: Final = 1.0
"""How old a node's number of running calls may be. Nodes that come or go are known at once."""


@dataclass(frozen=True)
class FunctionInfo:
    """A function that can be called, and where."""

    name: CapabilityName
    signature: str
    """As a person would write it: `add(a: int, b: int = 0) -> int`."""
    description: str
    nodes: tuple[NodeId, ...]
    """The names of the nodes that offer it."""
    streaming: bool = False
    """Gives items one by one."""


@dataclass(frozen=True)
class Candidate:
    """An offer with the load of its node."""

    offer: Offer
    running: int


class Catalogue:
    """Questions to the gateway's registry."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._found: dict[CapabilityName, tuple[float, list[Candidate]]] = {}

    async def candidates(self, capability: CapabilityName, *, fresh: bool = False) -> list[Candidate]:
        """Who offers a capability, by node name; an empty answer is never an old one."""
        at, known = self._found.get(capability, (0.0, []))
        if known and not fresh and self._loop.time() - at < _FRESH_S:
            return known
        found = [
            Candidate(Offer.model_validate(offer), int(running))
            for offer, running in await ask(self._connection, "reg.find", capability)
        ]
        self._found[capability] = (self._loop.time(), found)
        return found

    async def nodes(self) -> list[Node]:
        """All nodes, by name."""
        return [Node.model_validate(node) for node in await ask(self._connection, "reg.nodes")]

    async def capabilities(self) -> Mapping[CapabilityName, tuple[Capability, tuple[NodeId, ...]]]:
        """Each capability once, with the nodes that offer it, by name."""
        answer = await ask(self._connection, "reg.functions")
        offered = [(Capability.model_validate(capability), tuple(nodes)) for capability, nodes in answer]
        return {capability.name: (capability, nodes) for capability, nodes in offered}

    def forget(self) -> None:
        """Something changed: ask again next time."""
        self._found.clear()
