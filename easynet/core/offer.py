"""Who offers what, and how far they are trusted."""

from enum import StrEnum
from typing import Self

from easynet.core.capability import Capability, Value
from easynet.core.ids import CapabilityName, NodeId


class Trust(StrEnum):
    """How far a node is trusted with the user's data."""

    OWN = "own"
    """The user's own machine."""
    PUBLIC = "public"
    """Anybody's machine."""


class Node(Value):
    """A process that joined the network and serves functions."""

    name: NodeId
    instance: str
    """Differs at each start, so that a restarted node is told from a second one of the same name."""
    trust: Trust = Trust.PUBLIC
    capabilities: tuple[Capability, ...] = ()
    concurrency: int = 1
    """Calls that it runs at the same time."""
    running: int = 0
    """Calls that it was running at its last heartbeat."""
    last_seen_at: float = 0.0
    """Unix seconds, by the gateway's clock."""


class Offer(Value):
    """A capability at a node."""

    node: NodeId
    capability: CapabilityName
    price: int
    """Credits for one call."""
    expected_s: float
    trust: Trust = Trust.PUBLIC
    concurrency: int = 1

    @classmethod
    def of(cls, node: Node, capability: Capability) -> Self:
        return cls(
            node=node.name,
            capability=capability.name,
            price=capability.price,
            expected_s=capability.expected_s,
            trust=node.trust,
            concurrency=node.concurrency,
        )
