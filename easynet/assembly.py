"""The one place that puts the rooms together: a network's parts, and how a run goes through them."""

import asyncio
import gc
import sys
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from easynet.core.capability import Capability
from easynet.core.clock import Clock
from easynet.core.errors import EasyNetError
from easynet.core.events import Problem, RunEvent, RunFinished, RunStarted
from easynet.core.ids import CapabilityName, RunId
from easynet.core.intent import Privacy
from easynet.core.language import Language, say
from easynet.core.offer import Node, Offer
from easynet.core.privacy import given_public_data, is_private, may_see
from easynet.embedded import EmbeddedNetwork
from easynet.execution.invoker import Invoker
from easynet.fabric.client import AsyncClient
from easynet.settings import Settings, telemetry_off

if TYPE_CHECKING:
    from easynet.agents.orchestrator import Ask, Orchestrator
    from easynet.agents.run_memory import RunMemory
    from easynet.agents.work import Services
    from easynet.execution.journal import Journal
    from easynet.execution.run_log import RunLog
    from easynet.execution.runner import Runner
    from easynet.llm.language_model import LanguageModel
    from easynet.planners.planner import Planner
    from easynet.planning import Planning
    from easynet.scheduling.kept_estimates import KeptEstimates


_HEAVY = ("easynet.agents.orchestrator", "networkx")
"""What takes longest to import."""


class Peers(Invoker, Protocol):
    """The nodes of a network, as runs use them; a client of its gateway is one."""

    async def find(self, capability: CapabilityName) -> Sequence[Offer]:
        """All live offers of a capability."""
        ...

    async def capabilities(self) -> list[Capability]:
        """Everything on offer, each capability once, by name."""
        ...

    async def nodes(self) -> list[Node]:
        """Every node, by name."""
        ...


class Assembly:
    """The parts of an open network."""

    def __init__(
        self,
        url: str,
        client: Peers,
        journal: "Journal",
        orchestrator: "Orchestrator",
        services: "Services",
    ) -> None:
        self.url = url
        self.client = client
        self.journal = journal
        self._orchestrator = orchestrator
        self._services = services

    @classmethod
    async def open(
        cls,
        settings: Settings,
        gateway: str,
        planner: "Planner | None",
        model: "LanguageModel | str",
        clock: Clock,
        stack: AsyncExitStack,
    ) -> Self:
        """Start or reach a network, and load what works on runs meanwhile.

        Where no `planner` is given and a `model` is, or is named, plans are the model's before all others.

        LangGraph takes a second to import. It is loaded in a thread while the worker process starts.
        """
        telemetry_off()
        data_dir = settings.usable_data_dir()
        embedded = None if gateway else await stack.enter_async_context(EmbeddedNetwork(data_dir))
        url = embedded.url if embedded else gateway
        loading = asyncio.create_task(asyncio.to_thread(_load, data_dir))
        try:
            client = await stack.enter_async_context(
                AsyncClient(url, data_dir=data_dir, trusted_nodes=settings.trusted_nodes)
            )
            if embedded:
                await embedded.ready()
        finally:
            planning, estimates = await loading
            stack.callback(planning.store.close)
            stack.callback(estimates.close)

        # Loaded by now; these lines only name what is there.
        from easynet.agents.orchestrator import Orchestrator
        from easynet.agents.reporter import Reporter
        from easynet.agents.work import Services
        from easynet.execution.journal import SqliteJournal
        from easynet.execution.steering import Steering
        from easynet.fabric.wire.decoding import decode_opaque
        from easynet.scheduling.heft import schedule
        from easynet.tools.node_discovery import node_discovery

        journal = SqliteJournal(data_dir / "journal.db")
        stack.callback(journal.close)
        orchestrator = await stack.enter_async_context(Orchestrator(data_dir / "checkpoints.db"))

        async def remember(events: Sequence[RunEvent], catalogue: Sequence[Capability]) -> None:
            estimates.flush()
            await planning.recorder.record(events, catalogue)

        services = Services(
            planner=planner or planning.chain(model, settings, stack),
            catalogue=client,
            discovery=node_discovery(client),
            schedule=schedule,
            journal=journal,
            decode=decode_opaque,
            reporter=Reporter(runs_dir=data_dir / "runs", download=client.download),
            clock=clock,
            steering=Steering(estimates),
            links=planning.recorder.links,
            remember=remember,
        )
        return cls(url, client, journal, orchestrator, services)

    async def drive(
        self,
        run: RunId,
        started: dict[str, Any],
        answers: Mapping[str, Any],
        ask: "Ask | None",
        auto_approve: bool,
        publish: Callable[[RunEvent], None],
        approve: Collection[str] = (),
    ) -> None:
        """Work on a run until its last event is published, whatever happens to it.

        Raises DataDirectoryUnusable where not even that could be written down.
        """
        from easynet.agents.approved_runner import ApprovedRunner
        from easynet.agents.run_memory import RunMemory
        from easynet.agents.work import Work, finish
        from easynet.execution.outcome import problem_of
        from easynet.execution.run_log import RunLog

        next_seq = self.journal.reopen(run) if started.get("resumed") else 0
        memory = RunMemory.of(self.journal.events(run))

        def remember_and_publish(event: RunEvent) -> None:
            memory.apply(event)
            publish(event)

        async def find_offers(capability: CapabilityName) -> Sequence[Offer]:
            return runner.late(capability, await self._admitted(capability, memory))

        log = RunLog(run, self.journal, self._services.clock, next_seq, publish=remember_and_publish)
        runner = ApprovedRunner(self.runner(log, find_offers), memory)
        work = Work(self._services, log, memory, runner, auto_approve, frozenset(approve))
        log.emit(RunStarted, **started)
        try:
            try:
                await self._orchestrator.drive(work, answers, ask)
            except asyncio.CancelledError:
                await finish(work, "cancelled", None)
            except EasyNetError as error:
                await finish(work, "failed", problem_of(error, memory.language))
        except EasyNetError:
            raise
        except Exception as error:
            await runner.abandon()
            log.emit(
                RunFinished,
                status="failed",
                problem=_bug(error, self._services.reporter.runs_dir / run, memory.language),
            )
        await self._services.remember(memory.events, [*memory.catalogue.values()])

    def runner(
        self, log: "RunLog", find_offers: Callable[[CapabilityName], Awaitable[Sequence[Offer]]]
    ) -> "Runner":
        """What executes the plans of one run; `find_offers` asks the registry again."""
        from easynet.execution.runner import Runner
        from easynet.fabric.wire.decoding import decode_opaque
        from easynet.fabric.wire.encoding import encode

        return Runner(
            self.client,
            log,
            self._services.clock,
            find_offers,
            encode,
            decode_opaque,
            steering=self._services.steering,
        )

    async def _admitted(self, capability: CapabilityName, memory: "RunMemory") -> Sequence[Offer]:
        """The offers that a run may turn to late: own and trusted nodes, and those that were agreed to.

        Which of its subtasks a stranger may be given, the runner sees from their labels.
        """
        agreed = {o.node for offers in memory.offers.values() for o in offers}
        found = await self.client.find(capability)
        if memory.parsed is not None and memory.graph is not None and is_private(memory.parsed):
            public = given_public_data([memory.graph], memory.parsed, memory.catalogue)
            agreed = agreed if capability in public else set()
        return [o for o in found if may_see(o.trust, Privacy.HIGH) or o.node in agreed]


def _load(data_dir: Path) -> "tuple[Planning, KeptEstimates]":
    """Import what works on runs, and read what past ones taught.

    LangGraph's objects stay for good. Having the garbage collector look through them again and again took a
    tenth of the time of a run with 1,000 subtasks.
    """
    is_first = _HEAVY[0] not in sys.modules
    for name in _HEAVY:
        import_module(name)
    if is_first:
        gc.freeze()
    from easynet.planning import Planning
    from easynet.scheduling.kept_estimates import KeptEstimates

    return Planning.open(data_dir), KeptEstimates(data_dir / "observations.db")


def _bug(error: Exception, folder: Path, language: Language) -> Problem:
    """A fault of EasyNet's own, with its traceback kept in a file instead of shown."""
    details = folder / "bug.txt"
    what = f"{type(error).__name__}: {error}"
    message = say(language, f"EasyNet made a mistake: {what}", f"EasyNet 自身出错：{what}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        details.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return Problem(code="bug", message=message, hint=say(language, "Please report it.", "请反馈给我们。"))
    hint = say(language, f"Please report it with {details}.", f"请附上 {details} 反馈给我们。")
    return Problem(code="bug", message=message, hint=hint)
