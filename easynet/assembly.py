"""The one place that puts the rooms together: a network's parts, and how a run goes through them."""

import asyncio
import gc
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from easynet.core.clock import Clock
from easynet.core.errors import EasyNetError
from easynet.core.events import Problem, RunEvent, RunFinished, RunStarted
from easynet.core.ids import CapabilityName, RunId
from easynet.core.intent import Requirements
from easynet.core.language import Language, say
from easynet.core.offer import Offer, Trust
from easynet.embedded import EmbeddedNetwork
from easynet.fabric.client import AsyncClient
from easynet.settings import Settings, telemetry_off

if TYPE_CHECKING:
    from easynet.agents.orchestrator import Ask, Orchestrator
    from easynet.agents.run_memory import RunMemory
    from easynet.agents.work import Services
    from easynet.execution.journal import Journal
    from easynet.llm.language_model import LanguageModel
    from easynet.planners.planner import Planner
    from easynet.planning import Planning


_HEAVY = ("easynet.agents.orchestrator", "networkx")
"""What takes longest to import."""


class Assembly:
    """The parts of an open network."""

    def __init__(
        self,
        url: str,
        client: AsyncClient,
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
            client = await stack.enter_async_context(AsyncClient(url, data_dir=data_dir))
            if embedded:
                await embedded.ready()
        finally:
            planning = await loading
            stack.callback(planning.store.close)

        # Loaded by now; these lines only name what is there.
        from easynet.agents.orchestrator import Orchestrator
        from easynet.agents.reporter import Reporter
        from easynet.agents.work import Services
        from easynet.execution.journal import SqliteJournal
        from easynet.fabric.wire.decoding import decode_opaque
        from easynet.scheduling.heft import schedule
        from easynet.tools.node_discovery import node_discovery

        journal = SqliteJournal(data_dir / "journal.db")
        stack.callback(journal.close)
        orchestrator = await stack.enter_async_context(Orchestrator(data_dir / "checkpoints.db"))
        services = Services(
            planner=planner or planning.chain(model, settings, stack),
            catalogue=client,
            discovery=node_discovery(client),
            schedule=schedule,
            journal=journal,
            decode=decode_opaque,
            reporter=Reporter(runs_dir=data_dir / "runs", download=client.download),
            clock=clock,
            links=planning.recorder.links,
            remember=planning.recorder.record,
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
    ) -> None:
        """Work on a run until its last event is published, whatever happens to it.

        Raises DataDirectoryUnusable where not even that could be written down.
        """
        from easynet.agents.run_memory import RunMemory
        from easynet.agents.work import Work, finish
        from easynet.execution.outcome import problem_of
        from easynet.execution.run_log import RunLog
        from easynet.execution.runner import Runner
        from easynet.fabric.wire.decoding import decode_opaque
        from easynet.fabric.wire.encoding import encode

        next_seq = self.journal.reopen(run) if started.get("resumed") else 0
        memory = RunMemory.of(self.journal.events(run))

        def remember_and_publish(event: RunEvent) -> None:
            memory.apply(event)
            publish(event)

        async def find_offers(capability: CapabilityName) -> Sequence[Offer]:
            return await self._admitted(capability, memory)

        clock = self._services.clock
        log = RunLog(run, self.journal, clock, next_seq, publish=remember_and_publish)
        runner = Runner(self.client, log, clock, find_offers, encode, decode_opaque)
        work = Work(self._services, log, memory, runner, auto_approve)
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

    async def _admitted(self, capability: CapabilityName, memory: "RunMemory") -> Sequence[Offer]:
        """The offers that a run may turn to late: own nodes, and those that were agreed to."""
        from easynet.scheduling.candidates import eligible

        requirements = memory.parsed.requirements if memory.parsed else Requirements()
        agreed = {o.node for offers in memory.offers.values() for o in offers}
        found = eligible(await self.client.find(capability), requirements).offers
        return [o for o in found if o.trust is Trust.OWN or o.node in agreed]


def _load(data_dir: Path) -> "Planning":
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

    return Planning.open(data_dir)


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
