"""Plans that are begun while a model still writes them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from easynet.core.errors import EasyNetError, ModelTruncated, ModelUnavailable, UnknownInput
from easynet.core.task_graph import Subtask
from easynet.llm.language_model import Prompt, Reply, Schema
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.model_answer import MOST_SUBTASKS
from easynet.planners.model_planner import ModelPlanner
from easynet.planners.planner import NonePlanned, PlanRequest, PlanResult, StreamingPlanner
from easynet.planners.planner_chain import PlannerChain
from easynet.testing.language_model import USAGE, Scripted
from tests.patience import PATIENCE_S, within
from tests.planners.model_world import (
    CLEAN,
    DESCRIBE,
    GOOD,
    LOAD,
    answer,
    given,
    literal,
    result,
    scripted,
    step,
    wanted,
)


class Dictated:
    """A model that says a piece whenever it is handed one."""

    name = "dictated"

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_left = asyncio.Event()

    def say(self, piece: str) -> None:
        self._pieces.put_nowait(piece)

    def end(self) -> None:
        self._pieces.put_nowait(None)

    async def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        text = ""
        try:
            while (piece := await self._pieces.get()) is not None:
                text += piece
                yield piece
        except (asyncio.CancelledError, GeneratorExit):
            self.is_left.set()
            raise
        yield Reply(text=text, usage=USAGE, model=self.name)

    async def close(self) -> None:
        """Nothing is open."""


async def streamed(
    planner: StreamingPlanner, request: PlanRequest | None = None
) -> tuple[list[Subtask], PlanResult]:
    """All subtasks and the result of a streamed plan."""
    items = [item async for item in planner.stream(request or wanted())]
    *subtasks, last = items
    assert isinstance(last, PlanResult)
    assert all(isinstance(s, Subtask) for s in subtasks)
    return [s for s in subtasks if isinstance(s, Subtask)], last


def ids(subtasks: list[Subtask]) -> list[str]:
    return [s.id for s in subtasks]


async def test_subtask_comes_before_the_model_has_finished() -> None:
    model = Dictated()
    async with within(PATIENCE_S), aclosing(ModelPlanner(model).stream(wanted())) as items:
        at = GOOD.index(json.dumps(CLEAN))
        model.say(GOOD[:at])
        first = await anext(items)
        assert isinstance(first, Subtask)
        assert first.id == "load"
        middle = GOOD.index(json.dumps(DESCRIBE))
        model.say(GOOD[at:middle])
        second = await anext(items)
        assert isinstance(second, Subtask)
        assert second.id == "clean"
        model.say(GOOD[middle:])
        model.end()
        rest = [item async for item in items]
    last = rest[-1]
    assert isinstance(last, PlanResult)
    assert last.graph is not None
    assert last.graph.subtasks[:2] == (first, second)
    assert [c.purpose for c in last.model_calls] == ["plan"]


async def test_reader_that_leaves_ends_the_call() -> None:
    model = Dictated()
    async with within(PATIENCE_S):
        async with aclosing(ModelPlanner(model).stream(wanted())) as items:
            model.say(GOOD[: GOOD.index(json.dumps(CLEAN))])
            await anext(items)
        await model.is_left.wait()


async def test_streamed_and_whole_plans_are_the_same() -> None:
    subtasks, last = await streamed(ModelPlanner(scripted(GOOD, piece=1)))
    whole = await ModelPlanner(scripted(GOOD)).plan(wanted())
    assert last == whole
    assert last.graph is not None
    assert tuple(subtasks) == last.graph.subtasks


async def test_unsound_subtask_and_what_follows_are_held_back() -> None:
    bad = answer(
        LOAD,
        step("clean", "clean_table", table=result("load", "rows")),
        step("d", "load_table", data=given("data")),
    )
    subtasks, last = await streamed(ModelPlanner(scripted(bad, bad, bad)))
    assert ids(subtasks) == ["load"]
    assert (last.status, last.graph) == ("unsupported", None)
    assert len(last.model_calls) == 3


@pytest.mark.parametrize(
    "first",
    [
        step("load", "load_table", data=literal("/etc/passwd")),
        step("load", "format_disk", data=given("data")),
        step("load", "load_table", data=given("secret")),
        step("load", "load_table", data=result("later")),
        step("load", "load_table", data=given("data"), fast=literal(True)),
        {**LOAD, "id": "../x"},
        {**LOAD, "why": "because"},
    ],
)
async def test_nothing_unsound_is_ever_begun(first: dict[str, object]) -> None:
    subtasks, last = await streamed(ModelPlanner(scripted(answer(first, LOAD), GOOD)))
    assert ids(subtasks) == ["load", "clean", "describe"]
    assert last.graph is not None
    assert tuple(subtasks) == last.graph.subtasks


async def test_repair_has_to_keep_what_is_at_work() -> None:
    bad = answer(LOAD, CLEAN, step("describe", "describe_table", table=result("load", "table")))
    other = answer(
        {**LOAD, "id": "other"},
        {**CLEAN, "arguments": step("", "", table=result("other", "table"))["arguments"]},
        DESCRIBE,
    )
    model = scripted(bad, other, GOOD)
    subtasks, last = await streamed(ModelPlanner(model))
    assert "load: is at work already" in model.asked[2].prompt.messages[-1].text
    assert last.graph is not None
    assert last.graph.subtasks[0] == subtasks[0]
    assert {*ids(subtasks)} <= last.graph.by_id.keys()
    assert len(ids(subtasks)) == len({*ids(subtasks)})


async def test_subtask_that_changes_between_answers_is_not_begun_twice() -> None:
    deep = step("clean", "clean_table", table=result("load", "table"), deep=literal(True))
    bad = answer(LOAD, CLEAN, step("x", "format_disk"))
    changed = answer(LOAD, deep, DESCRIBE)
    subtasks, last = await streamed(ModelPlanner(scripted(bad, changed, changed)))
    assert ids(subtasks) == ["load", "clean"]
    assert last.status == "unsupported"


@pytest.mark.parametrize("steps", [MOST_SUBTASKS, MOST_SUBTASKS + 1, 300])
async def test_runaway_answer_begins_no_more_than_a_plan_can_hold(steps: int) -> None:
    many = [step(f"n{i}", "write_note", text=literal("hi")) for i in range(steps - 1)]
    runaway = answer(LOAD, *many)
    short = answer(LOAD, *many[: MOST_SUBTASKS - 1])
    subtasks, last = await streamed(ModelPlanner(scripted(runaway, short)))
    assert len(subtasks) < MOST_SUBTASKS
    assert last.graph is not None
    assert last.graph.subtasks[: len(subtasks)] == tuple(subtasks)


async def test_nothing_is_begun_before_the_decision_is_known() -> None:
    said = {"subtasks": [LOAD, CLEAN], "decision": "plan", "outputs": [], "missing": None, "reason": ""}
    subtasks, last = await streamed(ModelPlanner(scripted(json.dumps(said))))
    assert subtasks == []
    assert last.status == "planned"


async def test_question_with_subtasks_begins_nothing() -> None:
    ask = answer(LOAD, decision="ask", missing="text")
    subtasks, last = await streamed(ModelPlanner(scripted(ask)))
    assert subtasks == []
    assert last.status == "needs_input"


async def test_subtasks_that_read_a_file_named_in_the_words_wait_for_the_result() -> None:
    note = step("note", "write_note", text=literal("hi"))
    told = answer(note, step("load", "load_table", data=given("file")), CLEAN)
    request = wanted("clean the table in sales.csv", inputs={})
    subtasks, last = await streamed(ModelPlanner(scripted(told)), request)
    assert ids(subtasks) == ["note"]
    assert last.graph is not None
    assert len(last.graph.subtasks) == 3
    assert last.found_inputs == {"data": "sales.csv"}


async def test_model_that_breaks_off_leaves_a_plan_that_came_to_nothing() -> None:
    half = Scripted(GOOD[: GOOD.index(json.dumps(DESCRIBE))], then=ModelTruncated("cut off"))
    subtasks, last = await streamed(ModelPlanner(scripted(half)))
    assert ids(subtasks) == ["load", "clean"]
    assert (last.status, last.graph, last.why) == ("unsupported", None, "cut off")


async def test_silence_after_some_subtasks_ends_in_time() -> None:
    half = Scripted(GOOD[: GOOD.index(json.dumps(DESCRIBE))], stalls=True)
    subtasks, last = await streamed(ModelPlanner(scripted(half), time_s=0.05))
    assert ids(subtasks) == ["load", "clean"]
    assert last.status == "timed_out"


# ── a chain ─────────────────────────────────────────────────────────────────────────────────────


def chain(model: ModelPlanner) -> PlannerChain:
    return PlannerChain({"model": model, "catalogue": CataloguePlanner()})


async def test_chain_streams_what_its_first_planner_streams() -> None:
    subtasks, last = await streamed(chain(ModelPlanner(scripted(GOOD))))
    assert ids(subtasks) == ["load", "clean", "describe"]
    assert (last.planner, last.passed_over) == ("model", ())


async def test_chain_asks_the_others_where_nothing_was_begun() -> None:
    bad = answer(step("x", "fly_to_moon"))
    subtasks, last = await streamed(chain(ModelPlanner(scripted(bad, bad, bad))))
    assert subtasks == []
    assert (last.planner, last.status) == ("catalogue", "planned")
    assert [(p.planner, p.model) for p in last.passed_over] == [("model", "scripted")]
    assert len(last.model_calls) == 3


async def test_chain_asks_the_others_where_the_first_breaks_off() -> None:
    half = Scripted(GOOD[: GOOD.index(json.dumps(DESCRIBE))], then=ModelUnavailable("gone"))
    subtasks, last = await streamed(chain(ModelPlanner(scripted(half))))
    assert ids(subtasks) == ["load", "clean"]
    assert (last.planner, last.status) == ("catalogue", "planned")
    assert [(p.planner, p.model, p.why) for p in last.passed_over] == [("model", "scripted", "gone")]


async def test_chain_without_a_streaming_planner_gives_its_result_alone() -> None:
    subtasks, last = await streamed(PlannerChain({"catalogue": CataloguePlanner()}))
    assert subtasks == []
    assert last.planner == "catalogue"


class Refusing:
    """A streaming planner that knows better."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        raise UnknownInput("no part takes it")

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        raise UnknownInput("no part takes it")
        yield PlanResult(status="unsupported", planner="x")


async def test_error_of_a_streaming_planner_is_passed_over_unless_it_is_alone() -> None:
    _, last = await streamed(PlannerChain({"a": Refusing(), "catalogue": CataloguePlanner()}))
    assert [p.why for p in last.passed_over] == ["no part takes it"]
    with pytest.raises(UnknownInput):
        await streamed(PlannerChain({"a": Refusing()}))


async def test_what_a_model_took_is_known_even_where_the_last_planner_raises() -> None:
    bad = answer(step("x", "fly_to_moon"))
    planners = PlannerChain({"model": ModelPlanner(scripted(bad, bad, bad)), "last": Refusing()})
    with pytest.raises(EasyNetError) as caught:
        await planners.plan(wanted())
    tried = caught.value.__cause__
    assert isinstance(tried, NonePlanned)
    assert len(tried.model_calls) == 3
    assert [p.model for p in tried.passed_over] == ["scripted"]


async def test_calls_of_planners_that_were_passed_over_are_kept() -> None:
    bad = answer(step("x", "fly_to_moon"))
    found = await chain(ModelPlanner(scripted(bad, GOOD, bad), repairs=0)).plan(wanted())
    assert found.planner == "catalogue"
    assert [c.purpose for c in found.model_calls] == ["plan"]
