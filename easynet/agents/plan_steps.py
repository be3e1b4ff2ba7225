"""The first steps of a run: from words to a checked plan, with the questions in between.

Each step reads the run's memory, does one thing, records what happened as events, and names the next step.
The checkpoint holds where the run stands and what was answered; everything else is folded from the events.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt
from pydantic import JsonValue

from easynet.agents.early_start import streamed
from easynet.agents.intent_parser import parse_intent, with_limits
from easynet.agents.work import State, Work, ask, chosen, step
from easynet.core.capability import Capability, Role
from easynet.core.errors import (
    EasyNetError,
    Infeasible,
    InvalidIntent,
    PlanningTimedOut,
    PlanRejected,
    Unsupported,
    nearest,
)
from easynet.core.events import IntentParsed, PlanMade, Question
from easynet.core.ids import CapabilityName
from easynet.core.intent import ParsedIntent
from easynet.core.language import say
from easynet.core.privacy import with_private
from easynet.core.task_graph import TaskGraph
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.validate import validate


@step
async def parse(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Understand the words, with the answers given so far."""
    work = runtime.context
    intent = work.memory.intent
    answered = intent.model_copy(update={"input_data": {**intent.input_data, **state.get("answers", {})}})
    try:
        parsed = parse_intent(with_limits(answered, work.memory.limits))
    except InvalidIntent as error:
        message, _ = error.in_language(work.memory.language)
        raise InvalidIntent(message, hint=_abilities(work, await _offered(work))) from error
    parsed = with_private(parsed, state.get("asked", []))
    if parsed != work.memory.parsed:
        work.log.emit(IntentParsed, parsed=parsed)
    return Command(goto="plan")


@step
async def plan(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Make a plan, or keep the one there is where it still holds."""
    work, memory = runtime.context, runtime.context.memory
    if state.get("is_broken"):
        return Command(goto="replan")
    request = await planning(work)
    inputs = request.parsed.inputs.keys()
    is_kept = memory.graph is not None and memory.is_complete
    if is_kept and not validate(work.plan, request.catalogue, inputs=inputs):
        return Command(goto="discover")
    result, files = await streamed(state, work, request)
    if result.question is not None:
        return ask(work, result.question)
    if result.graph is None:
        raise _no_plan(work, request.catalogue, result)
    return adopt(state, work, result, result.graph, files)


async def planning(work: Work) -> PlanRequest:
    """What a planner is asked: the intent as it is understood, and what the network offers now."""
    memory = work.memory
    assert memory.parsed is not None
    offered = await _offered(work)
    return PlanRequest(
        parsed=memory.parsed,
        goal=memory.intent.goal,
        catalogue=tuple(offered),
        links=work.services.links(offered),
    )


def adopt(
    state: State, work: Work, result: PlanResult, graph: TaskGraph, files: dict[str, Any]
) -> Command[str]:
    """Check a plan, whoever made it, and make it the run's. `files` are those that the run holds."""
    memory = work.memory
    assert memory.parsed is not None
    found = {name: _absolute(value) for name, value in result.found_inputs.items()}
    inputs = {**found, **memory.parsed.inputs}
    if problems := validate(graph, [*memory.catalogue.values()], inputs=inputs.keys()):
        raise PlanRejected(problems)
    if found:
        work.log.emit(IntentParsed, parsed=memory.parsed.model_copy(update={"inputs": inputs}))
    titles = {c: memory.catalogue[c].describe(memory.language) for c in graph.capabilities}
    caveats = (*result.caveats, *_unheeded(memory.parsed))
    work.log.emit(
        PlanMade,
        graph=graph,
        planner=result.planner,
        similar_runs=result.similar_runs,
        passed_over=result.passed_over,
        assumed=result.assumed,
        titles=titles,
        caveats=caveats,
        irreversible=tuple(c for c in graph.capabilities if memory.catalogue[c].irreversible),
    )
    update = {"answers": {**found, **state.get("answers", {})}, "files": files, "is_broken": False}
    return Command(goto="discover", update=update)


def _absolute(value: JsonValue) -> JsonValue:
    """A file named in the words, so that it is found wherever the run is resumed."""
    return str(Path(value).absolute()) if isinstance(value, str) and Path(value).is_file() else value


def _unheeded(parsed: ParsedIntent) -> list[str]:
    """A sentence for each requirement that nodes do not state, and that therefore changes nothing."""
    if parsed.requirements.memory_bytes is None:
        return []
    return [
        say(
            parsed.language,
            "Nodes do not state their memory, so the memory you asked for was not looked at.",
            "节点没有说明内存大小，因此没有考虑您要求的内存。",
        )
    ]


async def _offered(work: Work) -> list[Capability]:
    """Ask the network what it offers, and remember it."""
    offered = await work.services.catalogue.capabilities()
    work.memory.catalogue = {c.name: c for c in offered}
    return offered


def _no_plan(work: Work, catalogue: Sequence[Capability], result: PlanResult) -> EasyNetError:
    """Why there is no plan, as the error that ends the run."""
    if result.status == "infeasible":
        return Infeasible(
            result.why,
            hint="Allow more money or time, or ask for less.",
            hint_zh="请放宽预算或期限，或减少要求。",
        )
    if result.status == "timed_out":
        return PlanningTimedOut(
            result.why, hint="Try again, or say it in simpler words.", hint_zh="请重试，或换更简单的说法。"
        )
    return _unsupported(work, catalogue, result.nearest)


def _unsupported(
    work: Work, catalogue: Sequence[Capability], nearest: Sequence[CapabilityName]
) -> Unsupported:
    language = work.memory.language
    close = [c for c in catalogue if c.name in nearest]
    return Unsupported(
        say(
            language,
            f"nothing on this network does “{work.memory.intent.text}”",
            f"网络上没有功能可以完成“{work.memory.intent.text}”",
        ),
        hint=_abilities(work, close or catalogue),
    )


def _abilities(work: Work, catalogue: Sequence[Capability]) -> str:
    """A few things that the network can do, as a hint."""
    language = work.memory.language
    able = [c for c in catalogue if c.role is Role.WORK][:6]
    return "\n".join(
        (
            say(language, "It can do, among others:", "它能做的事情例如："),
            *(f"  - {c.describe(language)}" for c in able),
            say(language, "`easynet functions` lists all.", "`easynet functions` 列出全部功能。"),
        )
    )


async def clarify(state: State, runtime: Runtime[Work]) -> Command[str]:
    """Wait for an answer; it becomes an input of the intent. One that is no choice is asked for again."""
    work, question = runtime.context, Question.model_validate(state.get("question"))
    answer = interrupt(question.model_dump())
    if question.choices:
        answer = chosen(str(answer), question.choices) or answer
    if question.choices and answer not in question.choices:
        wrong = say(work.memory.language, f"{answer!r} is none of them.", f"{answer!r} 不在其中。")
        asked = question.text.partition("\n")[0]
        text = f"{asked}\n{wrong} {nearest(str(answer), question.choices, work.memory.language)}".rstrip()
        return ask(work, question.model_copy(update={"text": text}))
    answers = {**state.get("answers", {}), question.name: answer}
    return Command(
        goto="parse", update={"answers": answers, "asked": [*state.get("asked", []), question.name]}
    )
