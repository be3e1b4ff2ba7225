"""How long a call will take: what the node claims, corrected by what was measured."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Self

from easynet.core.events import PlanMade, RunEvent, SubtaskFinished
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer


@dataclass(frozen=True)
class Estimates:
    """Expected seconds of a call, by capability and node. Call it with an offer."""

    medians: Mapping[tuple[CapabilityName, NodeId], float] = field(
        default_factory=dict[tuple[CapabilityName, NodeId], float]
    )
    """Seconds, of past calls."""

    @classmethod
    def of(cls, runs: Iterable[Iterable[RunEvent]]) -> Self:
        """What the events of past runs teach."""
        durations: dict[tuple[CapabilityName, NodeId], list[float]] = defaultdict(list)
        for run in runs:
            capabilities: dict[str, CapabilityName] = {}
            for event in run:
                if isinstance(event, PlanMade):
                    capabilities |= {s.id: s.capability for s in event.graph.subtasks}
                elif isinstance(event, SubtaskFinished) and event.subtask in capabilities:
                    durations[capabilities[event.subtask], event.node].append(event.duration_s)
        return cls({key: median(measured) for key, measured in durations.items()})

    def __call__(self, offer: Offer) -> float:
        return self.medians.get((offer.capability, offer.node), offer.expected_s)
