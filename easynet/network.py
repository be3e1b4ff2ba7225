"""`IntelligentNetwork`: say what you want."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import JsonValue

from easynet._version import __version__
from easynet.assembly import Assembly
from easynet.core.capability import Capability
from easynet.core.clock import Clock, SystemClock
from easynet.core.errors import UnknownInput, UsageError, nearest
from easynet.core.events import ApprovalRequested, PlanMade, QuestionAsked, RunEvent, RunFinished, RunStarted
from easynet.core.ids import RunId, run_id
from easynet.core.intent import Intent
from easynet.core.offer import Node
from easynet.core.quantities import parse_credits, parse_duration
from easynet.core.result import RunResult, replay
from easynet.fabric.access.gateway_choice import choose_gateway
from easynet.settings import Settings

if TYPE_CHECKING:
    from easynet.agents.orchestrator import Ask
    from easynet.execution.claim import Claim
    from easynet.llm.language_model import LanguageModel
    from easynet.planners.planner import Planner

_HEEDS_EVERY_S = 0.1
"""How often a process looks whether another one asks it to cancel a run."""


class IntelligentNetwork:
    """A network that turns intents into finished work.

    Where no gateway is named it is that of the settings, or the one that this user runs or has joined, or
    else an embedded network, private to this object; `gateway="embedded"` is always that. Use it as an async
    context manager; outside one, `fulfill_intent` opens and closes a network of its own.

    `model` is a language model that plans, or its name: `openai:NAME`, `anthropic:NAME` or
    `http://host/v1#NAME`; None is that of the settings, "" is none. Where it does not serve, plans are made
    without it. A `planner` takes the place of all others.
    """

    def __init__(
        self,
        gateway: str | None = None,
        *,
        data_dir: Path | str | None = None,
        planner: "Planner | None" = None,
        model: "LanguageModel | str | None" = None,
        clock: Clock | None = None,
    ) -> None:
        settings = Settings()
        self._data_dir = settings.data_dir if data_dir is None else Path(data_dir)
        self._settings = settings.model_copy(update={"data_dir": self._data_dir})
        self._gateway = choose_gateway(gateway, self._settings).address
        self._planner = planner
        self._model = settings.model if model is None else model
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._assembly: Assembly | None = None
        self._running: dict[RunId, asyncio.Task[None]] = {}

    @property
    def url(self) -> str:
        """The gateway's address, for nodes and clients that want to join."""
        return self._opened.url

    @property
    def _opened(self) -> Assembly:
        if self._assembly is None:
            raise RuntimeError("the network is not open: use `async with IntelligentNetwork() as network:`")
        return self._assembly

    async def __aenter__(self) -> Self:
        try:
            self._assembly = await Assembly.open(
                self._settings, self._gateway, self._planner, self._model, self._clock, self._stack
            )
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for run in [*self._running]:
            await self.cancel(run)
        self._assembly = None
        await self._stack.aclose()

    async def fulfill_intent(
        self, intent: Intent, *, ask: "Ask | None" = None, approve: Collection[str] = ()
    ) -> RunResult:
        """Do what the intent says, and return how it ended. A run that fails is a result, too.

        `approve` as for `stream`.
        """
        if self._assembly is None:
            own = IntelligentNetwork(
                self._gateway,
                data_dir=self._data_dir,
                planner=self._planner,
                model=self._model,
                clock=self._clock,
            )
            async with own:
                return await own.fulfill_intent(intent, ask=ask, approve=approve)
        return replay([event async for event in self.stream(intent, ask=ask, approve=approve)])

    async def stream(
        self,
        intent: Intent,
        *,
        ask: "Ask | None" = None,
        auto_approve: bool = False,
        approve: Collection[str] = (),
    ) -> AsyncGenerator[RunEvent]:
        """Do what the intent says, and tell what happens as it happens.

        `auto_approve` agrees beforehand that nodes of others see the data. It agrees to no step that is
        irreversible or above the price that was set: `approve` names the functions for which that is agreed.

        The last event is a `RunFinished`. Closing the iterator cancels the run, which can then be resumed.
        """
        run = run_id(self._clock.now(), secrets.token_hex(3))
        started = {
            "intent": _with_price_limit(_with_absolute_paths(intent), self._settings.approve_above),
            "version": __version__,
            "gateway": self._gateway,
        }
        async with aclosing(self._work_on(run, started, {}, ask, auto_approve, approve)) as events:
            async for event in events:
                yield event

    async def resume(
        self,
        run: str,
        answers: Mapping[str, Any] | None = None,
        *,
        ask: "Ask | None" = None,
        auto_approve: bool = False,
        approve: Collection[str] = (),
        constraints: Mapping[str, str | int | float] | None = None,
    ) -> AsyncGenerator[RunEvent]:
        """Go on with a run that was interrupted, cancelled, failed or left waiting; what is done stays.

        `constraints` are a `budget` or a `deadline` that take the place of those which the run had: a budget
        is for the whole run, what is paid already included, and a deadline counts from now.
        `{"approve": "yes"}` in `answers` agrees to what the run asked for; `approve` as for `stream`.

        A run that has succeeded is left as it is: its last event is all that comes.
        """
        found = self._opened.journal.find(run)
        events = self._opened.journal.events(found)
        if (end := _success(events)) is not None:
            yield end
            return
        _check_answers(answers or {}, events)
        intent = next(e.intent for e in events if isinstance(e, RunStarted))
        started = {
            "intent": intent,
            "version": __version__,
            "resumed": True,
            "gateway": self._gateway,
            "limits": _checked_limits(constraints or {}),
        }
        async with aclosing(self._work_on(found, started, answers or {}, ask, auto_approve, approve)) as more:
            async for event in more:
                yield event

    def events(self, run: str) -> list[RunEvent]:
        """What has happened in a run so far, from its journal."""
        journal = self._opened.journal
        return journal.events(journal.find(run))

    def result(self, run: str) -> RunResult:
        """How a finished run ended, from its journal alone."""
        return replay(self.events(run))

    async def cancel(self, run: RunId) -> None:
        """End a run of this network: its nodes are told, its journal is closed, it can be resumed."""
        if (task := self._running.get(run)) is not None:
            # Once is enough: a second time would disturb the writing down of the end.
            if not task.cancelling():
                task.cancel()
            await asyncio.wait([task])

    async def capabilities(self) -> list[Capability]:
        """What the network offers now."""
        return await self._opened.client.capabilities()

    async def nodes(self) -> list[Node]:
        """Who is on the network now."""
        return await self._opened.client.nodes()

    async def _work_on(
        self,
        run: RunId,
        started: dict[str, Any],
        answers: Mapping[str, Any],
        ask: "Ask | None",
        auto_approve: bool,
        approve: Collection[str],
    ) -> AsyncGenerator[RunEvent]:
        assembly = self._opened
        events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        with assembly.journal.claim(run) as claim:
            if (end := _success(assembly.journal.events(run))) is not None:
                yield end  # another process has finished it, just before this one held it
                return
            task = asyncio.create_task(
                assembly.drive(run, started, answers, ask, auto_approve, events.put_nowait, approve),
                name=f"run {run}",
            )
            task.add_done_callback(lambda _: events.put_nowait(None))
            self._running[run] = task
            watching = asyncio.create_task(self._heed(claim, run), name=f"requests to cancel {run}")
            try:
                while (event := await events.get()) is not None:
                    yield event
                await task
            finally:
                watching.cancel()
                await self.cancel(run)
                del self._running[run]

    async def _heed(self, claim: "Claim", run: RunId) -> None:
        """Cancel a run of this network once another process asks for it."""
        while not claim.is_cancelled:  # noqa: ASYNC110  # nothing tells of what another process writes
            await asyncio.sleep(_HEEDS_EVERY_S)
        await self.cancel(run)


def _success(events: Sequence[RunEvent]) -> RunFinished | None:
    """The end of a run that has succeeded."""
    last = events[-1] if events else None
    return last if isinstance(last, RunFinished) and last.status == "succeeded" else None


def _check_answers(answers: Mapping[str, Any], events: list[RunEvent]) -> None:
    """Raise UnknownInput for an answer to nothing that was asked and nothing that the plan takes."""
    known = {e.question.name for e in events if isinstance(e, QuestionAsked | ApprovalRequested)}
    known |= {name for e in events if isinstance(e, PlanMade) for name in e.graph.inputs}
    for name in answers:
        if name not in known:
            takes = ", ".join(sorted(known)) or "nothing"
            raise UnknownInput(
                f"the run takes no answer named {name!r}",
                hint=nearest(name, sorted(known)) or f"It takes: {takes}.",
                zh=f"这次运行没有名为 {name!r} 的问题或输入",
                hint_zh=nearest(name, sorted(known), "zh")
                or f"可用的有：{'、'.join(sorted(known)) or '无'}。",
            )


def _with_price_limit(intent: Intent, above: str) -> Intent:
    """The intent with the price of the settings above which a step waits, where it states none itself."""
    if not above or any(name.strip().lower() == "approve_above" for name in intent.constraints):
        return intent
    return intent.model_copy(update={"constraints": {**intent.constraints, "approve_above": above}})


def _checked_limits(limits: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
    """The limits that a resumed run gets; raises UsageError and InvalidQuantity."""
    readers: dict[str, Callable[[str | float], object]] = {
        "budget": parse_credits,
        "deadline": parse_duration,
    }
    for name, value in limits.items():
        if name not in readers:
            raise UsageError(
                f"a run cannot be resumed with another {name!r}",
                hint="It can be given another budget and another deadline.",
                zh=f"恢复运行时不能更改 {name!r}",
                hint_zh="可以更改预算（budget）和期限（deadline）。",
            )
        readers[name](value)
    return dict(limits)


def _with_absolute_paths(intent: Intent) -> Intent:
    """The intent with file names that hold wherever the run is resumed."""
    inputs = {name: _absolute(value) for name, value in intent.input_data.items()}
    return intent.model_copy(update={"input_data": inputs})


def _absolute(value: JsonValue) -> JsonValue:
    """`value` made absolute where it is the name of a file, and not just a word that happens to be one."""
    if not isinstance(value, str) or not ("." in value or "/" in value):
        return value
    try:
        return str(Path(value).absolute()) if Path(value).is_file() else value
    except (OSError, ValueError):
        return value  # a long text
