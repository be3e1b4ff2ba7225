"""Who offers what, and how far they are trusted."""

from enum import StrEnum
from typing import Self

from pydantic import Field

from easynet.core.capability import Capability, Value
from easynet.core.ids import CapabilityName, NodeId


class Trust(StrEnum):
    """How far a node is trusted with the user's data."""

    OWN = "own"
    """The user's own machine, or one that the network's owner has declared to be as good."""
    TRUSTED = "trusted"
    """A machine that this user trusts with private data, by the setting `trusted_nodes`."""
    PUBLIC = "public"
    """Anybody's machine."""


class FunctionStatistics(Value):
    """How the calls of one function at one node went since the node started."""

    calls: int = 0
    """Calls that ended, in whatever way."""
    errors: int = 0
    """Of these, the ones that ended in an error."""
    total_s: float = 0.0
    """Seconds that all of them ran, without waiting."""
    mean_s: float = 0.0
    """Seconds that a call runs now: a moving average over the latest calls."""
    buckets: tuple[int, ...] = ()
    """Calls by duration, one count for each bound of `telemetry.statistics.BOUNDS_S`, one for longer."""
    latest: tuple[float, ...] = ()
    """Seconds that the latest few calls ran, the newest last."""


class Node(Value):
    """A process that joined the network and serves functions."""

    name: NodeId
    instance: str
    """Differs at each start, so that a restarted node is told from a second one of the same name."""
    trust: Trust = Trust.PUBLIC
    capabilities: tuple[Capability, ...] = ()
    concurrency: int = 1
    """Calls that it runs at the same time."""
    queue: int = 0
    """Calls that it lets wait beyond those that run; further ones are refused."""
    running: int = 0
    """Calls that it was running at its last heartbeat."""
    waiting: int = 0
    """Calls that were waiting there at its last heartbeat."""
    draining: bool = False
    """Finishes what it runs and takes nothing new."""
    key: str = ""
    """Its public key, which signs its receipts."""
    easynet: str = ""
    """The version of EasyNet that it runs."""
    python: str = ""
    """The version of Python that it runs."""
    statistics: dict[CapabilityName, FunctionStatistics] = Field(default_factory=dict)
    """By function, as of its last heartbeat."""
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
            concurrency=capability.concurrency or node.concurrency,
        )
