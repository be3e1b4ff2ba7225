"""One call as a mock node is given it, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId


@dataclass(frozen=True)
class Call:
    """A call at one node."""

    node: NodeId
    capability: CapabilityName
    arguments: Mapping[str, Any]
    key: str
    """Calls with one key are one call, sent again."""
    timeout_s: float
    number: int
    """0 for the first that this network was given."""

    @property
    def run(self) -> RunId:
        return RunId(self.key.split("/")[0])

    @property
    def subtask(self) -> SubtaskId:
        return SubtaskId(self.key.split("/")[1]) if "/" in self.key else SubtaskId(self.key)

    @property
    def piece(self) -> str:
        """The same for all attempts at one piece of work, however often it is sent."""
        return self.key.rpartition("/")[0] or self.key


@dataclass
class Served:
    """What a call came to, seen from the node's side; the network's truth, which no run sees."""

    call: Call
    at: float
    """Simulated seconds."""
    ended_at: float | None = None
    how: Literal["open", "returned", "failed", "cancelled"] = "open"
    worked_s: float = 0.0
    """How long the function ran for it."""
    is_wrong: bool = False
    """The result that it gave is not the function's."""
    effects: int = 0
    """How often the function ran to its end because of it."""
    notes: list[str] = field(default_factory=list[str])
    """Which faults had a hand in it."""
