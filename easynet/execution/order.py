"""What an execution is to do, and within which bounds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History


@dataclass(frozen=True)
class Order:
    """What there is to do, and within which bounds."""

    graph: TaskGraph
    capabilities: Mapping[CapabilityName, Capability]
    inputs: Mapping[str, Any]
    offers: Mapping[CapabilityName, Sequence[Offer]]
    schedule: Schedule
    budget: Budget
    deadline_at: float | None
    history: History
    avoid: Collection[tuple[NodeId, CapabilityName]] = ()
    """Offers that failed in this run; they are not turned to, even where they are found again."""
