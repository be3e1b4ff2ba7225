"""The real way of a run, from its words to its last event, over mock nodes and in simulated time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from easynet._version import __version__
from easynet.agents.orchestrator import Orchestrator
from easynet.agents.reporter import Reporter
from easynet.agents.work import MAX_REPLANS, Services
from easynet.assembly import Assembly
from easynet.core.events import Question, RunEvent
from easynet.core.ids import CapabilityName, RunId
from easynet.core.intent import Intent
from easynet.core.offer import Offer
from easynet.execution.outcome import Outcome
from easynet.execution.run_log import RunLog
from easynet.execution.runner import Runner
from easynet.execution.state import MAX_ATTEMPTS
from easynet.execution.steering import Steering
from easynet.fabric.wire.decoding import decode_opaque
from easynet.fabric.wire.encoding import encode
from easynet.planners.planner import Planner
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.hedging import Hedging
from easynet.scheduling.heft import schedule
from easynet.scheduling.policy import Policy
from easynet.testing.journal import MemoryJournal
from easynet.testing.simulated_time import SimulatedClock
from easynet.tools.node_discovery import node_discovery
from evals.simulation.network import MockNetwork

Answer = Callable[[Question], str | None]


@dataclass(frozen=True)
class Way:
    """How runs are executed: the default, or without something that it has."""

    policy: Callable[[], Policy] | None = None
    """Makes what picks nodes; None for the default one."""
    hedges: bool = True
    max_replans: int = MAX_REPLANS
    attempts: int = MAX_ATTEMPTS
    """How often a subtask is tried before its plan counts as failed."""

    def steering(self, estimates: Estimates, hedging: Hedging) -> Steering:
        """What steers runs that begin with these estimates, and may hedge so much."""
        policy = self.policy() if self.policy else None
        return Steering(estimates, policy, hedging if self.hedges else None)


DEFAULT = Way()


class _Runner(Runner):
    """Tries each subtask so often as it is told."""

    attempts = MAX_ATTEMPTS

    async def run(self, *args: Any, **options: Any) -> Outcome:
        return await super().run(*args, **{**options, "attempts": self.attempts})


class _Assembly(Assembly):
    attempts = MAX_ATTEMPTS

    def runner(
        self, log: RunLog, find_offers: Callable[[CapabilityName], Awaitable[Sequence[Offer]]]
    ) -> Runner:
        services = self._services
        made = _Runner(
            self.client, log, services.clock, find_offers, encode, decode_opaque, steering=services.steering
        )
        made.attempts = self.attempts
        return made


@cache
def _orchestrator() -> tuple[InMemorySaver, Orchestrator]:
    """One for all simulations of a process: it takes longer to make than a run to simulate."""
    saver = InMemorySaver()
    return saver, Orchestrator(saver)


@dataclass(frozen=True)
class Stack:
    """All that one run goes through."""

    network: MockNetwork
    planner: Planner
    folder: Path
    """Reports are written here."""
    answer: Answer
    """What the user says."""
    steering: Steering
    """Chooses nodes, and learns of them."""
    max_replans: int = MAX_REPLANS
    attempts: int = MAX_ATTEMPTS

    async def run(self, intent: Intent, run_id: RunId) -> Sequence[RunEvent]:
        """The events of one run; the last is a `RunFinished`."""
        events: list[RunEvent] = []
        journal = MemoryJournal()
        services = Services(
            planner=self.planner,
            catalogue=self.network,
            discovery=node_discovery(self.network),
            schedule=schedule,
            journal=journal,
            decode=decode_opaque,
            reporter=Reporter(runs_dir=self.folder, download=self.network.download),
            clock=SimulatedClock(),
            steering=self.steering,
            max_replans=self.max_replans,
        )
        checkpoints, orchestrator = _orchestrator()
        assembly = _Assembly("", self.network, journal, orchestrator, services)
        assembly.attempts = self.attempts
        started: dict[str, Any] = {"intent": intent, "version": __version__, "gateway": ""}
        try:
            await assembly.drive(run_id, started, {}, self._ask, True, events.append)
        finally:
            checkpoints.delete_thread(run_id)
        return events

    async def _ask(self, question: Question) -> str | None:
        return self.answer(question)
