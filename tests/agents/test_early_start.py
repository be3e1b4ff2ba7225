"""A plan that streams: what is begun before it is complete, what waits, and what becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from easynet.agents.orchestrator import Orchestrator
from easynet.core.contribution import contribute, contributed
from easynet.core.errors import ModelUnavailable
from easynet.core.events import PlanMade, Replanned, RunEvent, RunFinished, SubtaskFinished
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Intent
from easynet.core.offer import Trust
from easynet.core.task_graph import FromInput, FromSubtask, Given, Subtask, TaskGraph
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.planner_chain import PlannerChain
from tests.agents.test_orchestrator import FUNCTIONS, Desk, break_vase
from tests.patience import PATIENCE_S

PICK = Subtask(id=SubtaskId("pick"), capability=CapabilityName("pick_leaves"))
BREW = Subtask(
    id=SubtaskId("brew"),
    capability=CapabilityName("brew_tea"),
    arguments={"leaves": FromSubtask(subtask=PICK.id)},
)
TEA = TaskGraph(subtasks=(PICK, BREW), outputs=(BREW.id,))
PLANNED = PlanResult(status="planned", planner="scripted", graph=TEA)
NOTHING = PlanResult(status="unsupported", planner="scripted", why="lost the thread")
INTENT = Intent.from_text("brew a cup of tea")

Item = Subtask | PlanResult | Exception | Callable[[], Awaitable[Any]]


class ScriptedPlanner:
    """Streams a script: subtasks, the result, an error, or something to wait for in between."""

    def __init__(self, *script: Item, otherwise: PlanResult = PLANNED) -> None:
        self.script: Sequence[Item] = script
        self.otherwise = otherwise
        self.asked_as_a_whole = 0
        self.is_closed = False

    async def plan(self, request: PlanRequest) -> PlanResult:
        self.asked_as_a_whole += 1
        return self.otherwise

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        try:
            for item in self.script:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, Subtask | PlanResult):
                    yield item
                else:
                    async with asyncio.timeout(PATIENCE_S):
                        await item()
        finally:
            self.is_closed = True


class Gate:
    """A function that says when it is reached, and waits until it is let through."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, **arguments: Any) -> Any:
        self.reached.set()
        await self.open.wait()
        return self.function(**arguments)


Seat = Callable[[ScriptedPlanner], Desk]


@pytest.fixture
async def seat(tmp_path: Path) -> AsyncIterator[Seat]:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        yield lambda planner: Desk(tmp_path / "runs", orchestrator, planner)


def told(desk: Desk, wanted: Callable[[RunEvent], bool]) -> asyncio.Event:
    """Set once an event has come that is wanted."""
    came = asyncio.Event()

    def look(event: RunEvent) -> None:
        if wanted(event):
            came.set()

    desk.on_event = look
    return came


def finished(subtask: str) -> Callable[[RunEvent], bool]:
    return lambda event: isinstance(event, SubtaskFinished) and event.subtask == subtask


def called(desk: Desk) -> list[str]:
    return [c.capability for c in desk.network.calls]


async def turns() -> None:
    """Long enough for whatever could start to have started."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_the_first_subtask_has_finished_before_the_planner_names_the_second(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    picked = told(desk, finished("pick"))
    seen: list[list[str]] = []

    async def look() -> None:
        await picked.wait()
        seen.append(called(desk))

    planner.script = (PICK, look, BREW, PLANNED)
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert seen == [["pick_leaves"]]
    assert called(desk) == ["pick_leaves", "brew_tea"]
    assert planner.asked_as_a_whole == 0
    made = [e for e in desk.events if isinstance(e, PlanMade)]
    assert [(len(e.graph.subtasks), e.is_complete) for e in made] == [(1, False), (2, False), (2, True)]
    assert result.cost == 5


async def test_what_is_running_when_the_plan_is_complete_runs_on(seat: Seat) -> None:
    gate = Gate(FUNCTIONS["pick_leaves"])
    planner = ScriptedPlanner(PICK, gate.reached.wait, PLANNED)
    desk = seat(planner)
    desk.network.functions = {**FUNCTIONS, "pick_leaves": gate}
    scheduled = told(desk, lambda event: event.kind == "schedule_made")

    async def let_through() -> None:
        await scheduled.wait()
        gate.open.set()

    opening = asyncio.create_task(let_through())
    result = await desk.run(INTENT)
    await opening
    assert result.ok, result.problem
    assert called(desk) == ["pick_leaves", "brew_tea"]
    assert desk.network.cancelled == []


async def test_a_plan_that_was_done_before_it_was_complete_succeeds(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    brewed = told(desk, finished("brew"))
    planner.script = (PICK, BREW, brewed.wait, PLANNED)
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert result.output == {"tea": {"garden": "home"}, "sugar": 0}


# ── what waits ──────────────────────────────────────────────────────────────────────────────────


async def assert_waits(desk: Desk, planner: ScriptedPlanner, **run: Any) -> None:
    """Nothing is called before the plan is complete, and then all of it is."""
    seen: list[str] = []

    async def look() -> None:
        await turns()
        seen.extend(called(desk))

    planner.script = (PICK, look, BREW, look, PLANNED)
    result = await desk.run(run.pop("intent", INTENT), **run)
    assert result.ok, result.problem
    assert seen == []


async def test_what_must_not_run_twice_waits(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    name = CapabilityName("pick_leaves")
    once = desk.network.offered[name].model_copy(update={"idempotent": False})
    desk.network.offered[name] = once
    await assert_waits(desk, planner)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("send_mail", "A letter."),
        ("delete_customer", "One less."),
        ("tidy", "Remove old leaves: all of them."),
    ],
)
async def test_what_acts_on_the_world_waits_whatever_it_says_of_running_twice(
    seat: Seat, name: str, words: str
) -> None:
    @contribute(en=words, name=name)
    def act() -> str:
        return "done"

    offered = contributed(act)
    assert offered is not None
    assert offered.idempotent
    subtask = Subtask(id=SubtaskId("act"), capability=offered.name)
    planner = ScriptedPlanner()
    desk = seat(planner)
    desk.network.offered[offered.name] = offered
    desk.network.functions = {**FUNCTIONS, name: act}
    seen: list[str] = []

    async def look() -> None:
        await turns()
        seen.extend(called(desk))

    graph = TaskGraph(subtasks=(subtask,), outputs=(subtask.id,))
    planner.script = (subtask, look, PLANNED.model_copy(update={"graph": graph}))
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert (seen, called(desk)) == ([], [name])


async def test_what_only_others_can_do_waits_even_where_that_was_agreed_to(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    await assert_waits(desk, planner, auto_approve=True)


async def test_what_is_begun_goes_to_own_nodes_only(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    desk.network.nodes = {"astranger": Trust.PUBLIC, "mine": Trust.OWN}
    picked = told(desk, finished("pick"))
    planner.script = (PICK, picked.wait, PLANNED)
    result = await desk.run(INTENT, auto_approve=True)
    assert result.ok, result.problem
    assert desk.network.calls[0].node == "mine"


def free(desk: Desk, name: str) -> None:
    offered = desk.network.offered
    offered[CapabilityName(name)] = offered[CapabilityName(name)].model_copy(update={"price": 0})


async def test_what_would_take_of_a_budget_waits_for_the_whole_plan(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    free(desk, "pick_leaves")
    picked = told(desk, finished("pick"))
    seen: list[str] = []

    async def look() -> None:
        await picked.wait()
        await turns()
        seen.extend(called(desk))

    planner.script = (PICK, BREW, look, PLANNED)
    result = await desk.run(Intent.from_text("brew a cup of tea", constraints={"budget": "4 credits"}))
    assert result.ok, result.problem
    assert (seen, called(desk)) == (["pick_leaves"], ["pick_leaves", "brew_tea"])


async def test_what_reads_something_that_waits_waits_too(seat: Seat) -> None:
    desk = seat(planner := ScriptedPlanner())
    name = CapabilityName("pick_leaves")
    desk.network.offered[name] = desk.network.offered[name].model_copy(update={"idempotent": False})
    await assert_waits(desk, planner)


async def test_what_does_not_fit_is_not_begun_and_the_whole_plan_says_why(seat: Seat) -> None:
    wrong = BREW.model_copy(update={"arguments": {}})
    desk = seat(
        ScriptedPlanner(wrong, turns, PLANNED.model_copy(update={"graph": TaskGraph(subtasks=(wrong,))}))
    )
    result = await desk.run(INTENT)
    assert result.problem is not None
    assert result.problem.code == "plan_rejected"
    assert called(desk) == []


# ── what becomes of it ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", [NOTHING, ModelUnavailable("the line is dead")])
async def test_where_nothing_comes_of_it_what_runs_is_cancelled_and_no_one_is_asked_again(
    seat: Seat, end: PlanResult | Exception
) -> None:
    gate = Gate(FUNCTIONS["brew_tea"])
    desk = seat(planner := ScriptedPlanner(PICK, BREW, gate.reached.wait, end))
    desk.network.functions = {**FUNCTIONS, "brew_tea": gate}
    result = await desk.run(INTENT)
    assert result.problem is not None
    assert result.problem.code == ("unsupported" if end is NOTHING else "model_unavailable")
    assert (called(desk), len(desk.network.cancelled)) == (["pick_leaves", "brew_tea"], 1)
    assert (planner.asked_as_a_whole, result.cost) == (0, 2)


@pytest.mark.parametrize("end", [NOTHING, ModelUnavailable("the line is dead")])
async def test_where_the_next_planner_goes_another_way_what_has_finished_is_kept(
    seat: Seat, end: PlanResult | Exception
) -> None:
    brew = BREW.model_copy(update={"arguments": {**BREW.arguments, "sugar": Given(value=2)}})
    sweet = PLANNED.model_copy(update={"graph": TaskGraph(subtasks=(PICK, brew), outputs=(brew.id,))})
    gate = Gate(FUNCTIONS["brew_tea"])
    first = ScriptedPlanner(PICK, BREW, gate.reached.wait, end)
    desk = seat(first)
    desk.plan_with(PlannerChain({"first": first, "second": (second := ScriptedPlanner(otherwise=sweet))}))
    desk.network.functions = {**FUNCTIONS, "brew_tea": gate}
    desk.on_event = lambda event: gate.open.set() if event.kind == "schedule_made" else None
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert result.output == {"tea": {"garden": "home"}, "sugar": 2}
    assert (called(desk), len(desk.network.cancelled)) == (["pick_leaves", "brew_tea", "brew_tea"], 1)
    assert (first.asked_as_a_whole, second.asked_as_a_whole, result.cost) == (0, 1, 5)


async def test_where_the_next_planner_goes_the_same_way_what_was_begun_runs_on(seat: Seat) -> None:
    gate = Gate(FUNCTIONS["pick_leaves"])
    first = ScriptedPlanner(PICK, gate.reached.wait, NOTHING)
    desk = seat(first)
    desk.plan_with(PlannerChain({"first": first, "second": ScriptedPlanner()}))
    desk.network.functions = {**FUNCTIONS, "pick_leaves": gate}
    desk.on_event = lambda event: gate.open.set() if event.kind == "schedule_made" else None
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert (called(desk), desk.network.cancelled) == (["pick_leaves", "brew_tea"], [])


async def test_what_was_given_up_does_not_bar_what_has_its_name_later(seat: Seat) -> None:
    gate = Gate(FUNCTIONS["pick_leaves"])
    taste = Subtask(
        id=PICK.id, capability=CapabilityName("taste_coffee"), arguments={"cup": Given(value="red")}
    )
    other = PLANNED.model_copy(update={"graph": TaskGraph(subtasks=(taste,), outputs=(taste.id,))})
    first = ScriptedPlanner(PICK, gate.reached.wait, NOTHING)
    desk = seat(first)
    desk.plan_with(PlannerChain({"first": first, "second": ScriptedPlanner(otherwise=other)}))
    desk.network.functions = {**FUNCTIONS, "pick_leaves": gate}
    once = desk.network.offered[taste.capability].model_copy(update={"idempotent": False})
    desk.network.offered[taste.capability] = once
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert called(desk) == ["pick_leaves", "taste_coffee"]


async def test_where_nothing_came_at_all_the_result_counts(seat: Seat) -> None:
    planner = ScriptedPlanner(NOTHING)
    result = await seat(planner).run(INTENT)
    assert result.problem is not None
    assert result.problem.code == "unsupported"
    assert planner.asked_as_a_whole == 0


async def test_a_plan_without_what_was_begun_goes_its_own_way(seat: Seat) -> None:
    gate = Gate(FUNCTIONS["pick_leaves"])
    other = PICK.model_copy(update={"id": SubtaskId("other")})
    brew = BREW.model_copy(update={"arguments": {"leaves": FromSubtask(subtask=other.id)}})
    graph = TaskGraph(subtasks=(other, brew), outputs=(brew.id,))
    planner = ScriptedPlanner(PICK, gate.reached.wait, PLANNED.model_copy(update={"graph": graph}))
    desk = seat(planner)
    desk.network.functions = {**FUNCTIONS, "pick_leaves": gate}
    desk.on_event = lambda event: gate.open.set() if event.kind == "schedule_made" else None
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert len(desk.network.cancelled) == 1
    assert result.plan == graph


async def test_what_was_begun_and_failed_is_planned_around_once_the_plan_is_complete(seat: Seat) -> None:
    @contribute(en="Buy tea leaves at the market.", price=4)
    def buy_leaves() -> Any:
        return {"bought": True}

    planner = ScriptedPlanner()
    desk = seat(planner)
    bought = contributed(buy_leaves)
    assert bought is not None
    output = desk.network.offered[CapabilityName("pick_leaves")].output
    desk.network.offered[bought.name] = bought.model_copy(update={"output": output})
    desk.network.functions = {**FUNCTIONS, "pick_leaves": break_vase, "buy_leaves": buy_leaves}
    broke = told(desk, lambda event: event.kind == "attempt_failed" and not event.will_retry)
    planner.script = (PICK, BREW, broke.wait, PLANNED)
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert [e.failed for e in desk.events if isinstance(e, Replanned)] == ["pick"]


async def test_a_plan_that_is_too_dear_as_a_whole_ends_what_was_begun_of_it(seat: Seat) -> None:
    gate = Gate(FUNCTIONS["pick_leaves"])
    desk = seat(ScriptedPlanner(PICK, gate.reached.wait, PLANNED))
    desk.network.functions = {**FUNCTIONS, "pick_leaves": gate}
    free(desk, "pick_leaves")
    result = await desk.run(Intent.from_text("brew a cup of tea", constraints={"budget": "1 credit"}))
    assert (result.status, result.cost) == ("over_budget", 0)
    assert len(desk.network.cancelled) == 1
    assert desk.events[-2].kind == "money_settled"


async def test_a_question_of_what_was_begun_is_asked_once_the_plan_is_complete(seat: Seat) -> None:
    taste = Subtask(
        id=SubtaskId("taste"),
        capability=CapabilityName("taste_coffee"),
        arguments={"cup": FromInput(name="cup", optional=True)},
    )
    graph = TaskGraph(subtasks=(taste,), outputs=(taste.id,))
    planner = ScriptedPlanner()
    desk = seat(planner)
    asked = told(desk, lambda event: event.kind == "attempt_failed")
    planner.script = (taste, asked.wait, PLANNED.model_copy(update={"graph": graph}))
    result = await desk.run(Intent.from_text("taste the coffee"), ask=lambda question: "red")
    assert result.output == "the red cup is good"


async def test_a_run_that_is_cancelled_while_it_is_planned_leaves_nothing_running(seat: Seat) -> None:
    gate = Gate(FUNCTIONS["pick_leaves"])
    planner = ScriptedPlanner(PICK, asyncio.Event().wait)
    desk = seat(planner)
    desk.network.functions = {**FUNCTIONS, "pick_leaves": gate}
    running = asyncio.create_task(desk.run(INTENT))
    await asyncio.wait_for(gate.reached.wait(), PATIENCE_S)
    running.cancel()
    result = await running
    assert result.status == "cancelled"
    assert planner.is_closed
    assert len(desk.network.cancelled) == 1
    assert isinstance(desk.events[-1], RunFinished)


async def test_what_was_finished_of_a_plan_that_was_cut_short_is_not_run_again(seat: Seat) -> None:
    planner = ScriptedPlanner()
    desk = seat(planner)
    picked = told(desk, finished("pick"))
    planner.script = (PICK, picked.wait, asyncio.Event().wait)
    running = asyncio.create_task(desk.run(INTENT))
    await asyncio.wait_for(picked.wait(), PATIENCE_S)
    running.cancel()
    assert (await running).status == "cancelled"
    planner.script = (PICK, turns, BREW, PLANNED)
    result = await desk.run(INTENT)
    assert result.ok, result.problem
    assert called(desk) == ["pick_leaves", "brew_tea"]


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_file_that_is_read_early_is_taken_in_once(seat: Seat, tmp_path: Path, is_there: bool) -> None:
    @contribute(en="Count the words of a text file.")
    def count_words(file: Path) -> int:
        return 3

    document = tmp_path / "words.txt"
    if is_there:
        document.write_text("one two three")
    count = Subtask(
        id=SubtaskId("count"),
        capability=CapabilityName("count_words"),
        arguments={"file": FromInput(name="file")},
    )
    graph = TaskGraph(subtasks=(count,), outputs=(count.id,))
    desk = seat(ScriptedPlanner(count, turns, PLANNED.model_copy(update={"graph": graph})))
    offered = contributed(count_words)
    assert offered is not None
    desk.network.offered = {offered.name: offered}
    desk.network.functions = {"count_words": count_words}
    result = await desk.run(Intent.from_text("count the words", input_data={"file": str(document)}))
    assert result.ok == is_there
    assert desk.network.uploaded == [document] * is_there
    if not is_there:
        assert result.problem is not None
        assert result.problem.code == "bad_data"
