"""`IntelligentNetwork`: say what you want. The one place that puts the rooms together."""

import asyncio
import secrets
import traceback
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import JsonValue

from easynet._version import __version__
from easynet.core.capability import Capability
from easynet.core.clock import Clock, SystemClock
from easynet.core.errors import EasyNetError
from easynet.core.events import Problem, RunEvent, RunStarted
from easynet.core.ids import CapabilityName, RunId, run_id
from easynet.core.intent import Intent, Requirements
from easynet.core.offer import Node, Offer
from easynet.core.result import RunResult, replay
from easynet.embedded import EmbeddedNetwork
from easynet.fabric.client import AsyncClient
from easynet.settings import Settings, telemetry_off

if TYPE_CHECKING:
    from easynet.agents.orchestrator import Ask, Orchestrator
    from easynet.agents.work import Services
    from easynet.execution.journal import Journal
    from easynet.planners.planner import Planner


class IntelligentNetwork:
    """A network that turns intents into finished work.

    Without a gateway it is an embedded network on this machine, private to this object. Use it as an async
    context manager; outside one, `fulfill_intent` opens and closes it by itself.
    """

    def __init__(
        self,
        gateway: str | None = None,
        *,
        data_dir: Path | str | None = None,
        planner: "Planner | None" = None,
        clock: Clock | None = None,
    ) -> None:
        settings = Settings()
        self._gateway = settings.gateway if gateway is None else gateway
        if data_dir is not None:
            settings = settings.model_copy(update={"data_dir": Path(data_dir)})
        self._settings = settings
        self._planner = planner
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._parts: _Parts | None = None
        self._running: dict[RunId, asyncio.Task[None]] = {}

    @property
    def url(self) -> str:
        """The gateway's address, for nodes and clients that want to join."""
        return self._open_parts.url

    @property
    def _open_parts(self) -> "_Parts":
        if self._parts is None:
            raise RuntimeError("the network is not open: use `async with IntelligentNetwork() as network:`")
        return self._parts

    async def __aenter__(self) -> Self:
        try:
            self._parts = await _Parts.assemble(
                self._settings, self._gateway, self._planner, self._clock, self._stack
            )
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for run in [*self._running]:
            await self.cancel(run)
        self._parts = None
        await self._stack.aclose()

    async def fulfill_intent(self, intent: Intent, *, ask: "Ask | None" = None) -> RunResult:
        """Do what the intent says, and return how it ended. A run that fails is a result, too."""
        if self._parts is None:
            async with self:
                return await self.fulfill_intent(intent, ask=ask)
        return replay([event async for event in self.stream(intent, ask=ask)])

    async def stream(
        self, intent: Intent, *, ask: "Ask | None" = None, auto_approve: bool = False
    ) -> AsyncGenerator[RunEvent]:
        """Do what the intent says, and tell what happens as it happens.

        The last event is a `RunFinished`. Closing the iterator cancels the run, which can then be resumed.
        """
        now = self._clock.now()
        run = run_id(now, secrets.token_hex(2))
        started = {"intent": _with_absolute_paths(intent), "version": __version__}
        async for event in self._work_on(run, started, {}, ask, auto_approve):
            yield event

    async def resume(
        self,
        run: str,
        answers: Mapping[str, Any] | None = None,
        *,
        ask: "Ask | None" = None,
        auto_approve: bool = False,
    ) -> AsyncGenerator[RunEvent]:
        """Go on with a run that was interrupted, cancelled, failed or left waiting; what is done stays."""
        journal = self._open_parts.journal
        found = journal.find(run)
        intent = next(e.intent for e in journal.events(found) if isinstance(e, RunStarted))
        started = {"intent": intent, "version": __version__, "resumed": True}
        async for event in self._work_on(found, started, answers or {}, ask, auto_approve):
            yield event

    def events(self, run: str) -> list[RunEvent]:
        """What has happened in a run so far, from its journal."""
        journal = self._open_parts.journal
        return journal.events(journal.find(run))

    def result(self, run: str) -> RunResult:
        """How a finished run ended, from its journal alone."""
        return replay(self.events(run))

    async def cancel(self, run: RunId) -> None:
        """End a run of this network: its nodes are told, its journal is closed, it can be resumed."""
        if task := self._running.get(run):
            task.cancel()
            await asyncio.wait([task])

    async def capabilities(self) -> list[Capability]:
        """What the network offers now."""
        return await self._open_parts.client.capabilities()

    async def nodes(self) -> list[Node]:
        """Who is on the network now."""
        return await self._open_parts.client.nodes()

    async def _work_on(
        self,
        run: RunId,
        started: dict[str, Any],
        answers: Mapping[str, Any],
        ask: "Ask | None",
        auto_approve: bool,
    ) -> AsyncGenerator[RunEvent]:
        parts = self._open_parts
        events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        with parts.journal.claim(run):
            task = asyncio.create_task(
                parts.drive(run, started, answers, ask, auto_approve, events.put_nowait),
                name=f"run {run}",
            )
            task.add_done_callback(lambda _: events.put_nowait(None))
            self._running[run] = task
            try:
                while (event := await events.get()) is not None:
                    yield event
                await task
            finally:
                await self.cancel(run)
                del self._running[run]


class _Parts:
    """The assembled rooms of an open network."""

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
    async def assemble(
        cls, settings: Settings, gateway: str, planner: "Planner | None", clock: Clock, stack: AsyncExitStack
    ) -> Self:
        """Start or reach a network, and load what works on runs meanwhile.

        LangGraph takes a second to import. It is loaded in a thread while the worker process starts.
        """
        telemetry_off()
        data_dir = settings.usable_data_dir()
        embedded = None if gateway else await stack.enter_async_context(EmbeddedNetwork(data_dir))
        url = embedded.url if embedded else gateway
        loading = asyncio.create_task(asyncio.to_thread(import_module, "easynet.agents.orchestrator"))
        try:
            client = await stack.enter_async_context(AsyncClient(url, data_dir=data_dir))
            if embedded:
                await embedded.ready()
        finally:
            await loading

        # Loaded by now; these lines only name what is there.
        from easynet.agents.orchestrator import Orchestrator
        from easynet.agents.reporter import Reporter
        from easynet.agents.work import Services
        from easynet.execution.journal import SqliteJournal
        from easynet.fabric.codec import decode_opaque
        from easynet.planners.catalogue import CataloguePlanner
        from easynet.scheduling.heft import schedule
        from easynet.tools.node_discovery import node_discovery

        journal = SqliteJournal(data_dir / "journal.db")
        stack.callback(journal.close)
        orchestrator = await stack.enter_async_context(Orchestrator(data_dir / "checkpoints.db"))
        services = Services(
            planner=planner or CataloguePlanner(),
            catalogue=client,
            discovery=node_discovery(client),
            schedule=schedule,
            journal=journal,
            decode=decode_opaque,
            reporter=Reporter(runs_dir=data_dir / "runs", download=client.download),
            clock=clock,
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
        """Work on a run until its last event is published, whatever happens to it."""
        from easynet.agents.run_memory import RunMemory
        from easynet.agents.work import Work, finish
        from easynet.execution.outcome import problem_of
        from easynet.execution.run_log import RunLog
        from easynet.execution.runner import Runner
        from easynet.fabric.codec import decode_opaque, encode
        from easynet.scheduling.candidates import eligible

        next_seq = self.journal.reopen(run) if started.get("resumed") else 0
        memory = RunMemory.of(self.journal.events(run))

        def remember_and_publish(event: RunEvent) -> None:
            memory.apply(event)
            publish(event)

        async def find_offers(capability: CapabilityName) -> Sequence[Offer]:
            requirements = memory.parsed.requirements if memory.parsed else Requirements()
            return eligible(await self.client.find(capability), requirements).offers

        log = RunLog(run, self.journal, self._services.clock, next_seq, publish=remember_and_publish)
        runner = Runner(self.client, log, self._services.clock, find_offers, encode, decode_opaque)
        work = Work(self._services, log, memory, runner, auto_approve)
        try:
            log.emit(RunStarted, **started)
            await self._orchestrator.drive(work, answers, ask)
        except asyncio.CancelledError:
            await finish(work, "cancelled", None)
        except EasyNetError as error:
            await finish(work, "failed", problem_of(error))
        except Exception as error:
            await finish(work, "failed", _bug(error, self._services.reporter.runs_dir / run))


def _bug(error: Exception, folder: Path) -> Problem:
    """A fault of EasyNet's own, with its traceback kept in a file instead of shown."""
    folder.mkdir(parents=True, exist_ok=True)
    details = folder / "bug.txt"
    details.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return Problem(
        code="bug",
        message=f"EasyNet made a mistake: {type(error).__name__}: {error}",
        hint=f"Please report it with {details}.",
    )


def _with_absolute_paths(intent: Intent) -> Intent:
    """The intent with file names that hold wherever the run is resumed."""
    inputs = {name: _absolute(value) for name, value in intent.input_data.items()}
    return intent.model_copy(update={"input_data": inputs})


def _absolute(value: JsonValue) -> JsonValue:
    try:
        if isinstance(value, str) and value and Path(value).is_file():
            return str(Path(value).absolute())
    except OSError:
        pass  # a long text, not a path
    return value
