"""A stage for the runner: nodes in this process, a journal in memory, a clock that stands still."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from easynet.core.capability import Capability
from easynet.core.events import PlanMade, RunEvent
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.privacy import Labels
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.journal import Journal
from easynet.execution.outcome import Outcome
from easynet.execution.run_log import RunLog
from easynet.execution.runner import Runner
from easynet.testing.clock import ManualClock
from easynet.testing.graphs import offer
from easynet.testing.invoker import FakeInvoker
from easynet.testing.journal import MemoryJournal

RUN = RunId("run-1")


def work(name: str, values: list[Any]) -> Any:
    """The work of a subtask in most tests: its name behind what it read."""
    return [*values, name]


@dataclass
class Stage:
    """Everything that a run needs, each part of which a test may replace before `run`."""

    invoker: FakeInvoker = field(default_factory=lambda: FakeInvoker({"work": work}))
    offers: dict[str, list[Offer]] = field(default_factory=lambda: {"work": [offer("n1", concurrency=9)]})
    found: dict[str, list[Offer]] = field(default_factory=dict[str, list[Offer]])
    """What the registry says when it is asked again; the same as `offers` where it is not said."""
    capabilities: dict[str, Capability] = field(default_factory=dict[str, Capability])
    """Those that are not plain."""
    clock: ManualClock = field(default_factory=ManualClock)
    journal: Journal = field(default_factory=MemoryJournal)
    published: list[RunEvent] = field(default_factory=list[RunEvent])
    on_event: Callable[[RunEvent], None] = lambda event: None
    registry_error: Exception | None = None
    """What the registry raises when it is asked again."""
    searches: list[str] = field(default_factory=list[str])

    def log(self) -> RunLog:
        def publish(event: RunEvent) -> None:
            assert event in self.journal.events(RUN), "published before it was kept"
            self.published.append(event)
            self.on_event(event)

        next_seq = len(self.journal.events(RUN))
        return RunLog(RUN, self.journal, self.clock, next_seq, publish=publish)

    def run(
        self,
        graph: TaskGraph,
        *,
        inputs: Mapping[str, Any] | None = None,
        schedule: Schedule = Schedule(assignments=()),  # noqa: B008  # frozen
        budget: Budget | None = None,
        deadline_at: float | None = None,
        encode: Callable[[Any], bytes] = lambda value: json.dumps(value).encode(),
        done: Mapping[SubtaskId, bytes] | None = None,
        history: History | None = None,
        avoid: Collection[tuple[NodeId, CapabilityName]] = (),
        confirm: bool = False,
        labels: Labels | None = None,
    ) -> Awaitable[Outcome]:
        async def find(capability: CapabilityName) -> Sequence[Offer]:
            self.searches.append(capability)
            if self.registry_error is not None:
                raise self.registry_error
            return self.found.get(capability, self.offers.get(capability, []))

        log = self.log()
        log.emit(PlanMade, graph=graph, planner="stage", titles={})
        runner = Runner(self.invoker, log, self.clock, find, encode, json.loads, pauses_s=(0.0, 0.0))
        return runner.run(
            graph,
            {name: self.capabilities.get(name, plain(name)) for name in graph.capabilities},
            inputs or {},
            {CapabilityName(name): found for name, found in self.offers.items()},
            schedule,
            budget or Budget(None),
            deadline_at,
            done,
            history,
            avoid,
            confirm,
            labels=labels,
        )

    @property
    def events(self) -> list[RunEvent]:
        return self.journal.events(RUN)

    @property
    def story(self) -> list[str]:
        """The run in short: kinds of events with their subtasks, without the plan and the money."""
        return [
            f"{event.kind} {getattr(event, 'subtask', '')}".strip()
            for event in self.events
            if not event.kind.startswith(("plan", "money"))
        ]


def plain(name: str, **fields: Any) -> Capability:
    return Capability(name=CapabilityName(name), description={"en": name}, **fields)
