"""A run whose plan changes while it goes on: what is kept, what is tried, and what is said in the end."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from easynet.agents.orchestrator import Orchestrator
from easynet.core.contribution import contribute, contributed
from easynet.core.errors import NodeUnreachable
from easynet.core.events import AttemptFailed, PlanMade, Question, Replanned
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Intent
from easynet.core.offer import Trust
from easynet.core.task_graph import Binding, FromInput, Given, Subtask, TaskGraph
from easynet.llm.language_model import Usage
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import ModelCall, Planner, PlanRequest, PlanResult
from tests.agents.test_orchestrator import FUNCTIONS, Desk, Leaves, break_vase, desk

__all__ = ["desk"]

TEA = Intent.from_text("brew a cup of tea")


@contribute(en="Buy tea leaves at the market.", zh="在市场上买茶叶。", price=4)
def buy_leaves() -> Leaves:
    return {"bought": True}  # type: ignore[return-value]  # on the wire, values are plain


@contribute(en="Order tea leaves by mail.", zh="邮购茶叶。", price=9)
def order_leaves() -> Leaves:
    return {"ordered": True}  # type: ignore[return-value]  # likewise


def offer(
    desk: Desk, *functions: Any, broken: tuple[str, ...] = ("pick_leaves",), **others: Callable[..., Any]
) -> None:
    """These functions are offered besides; the broken ones raise, and `others` take the place of some."""
    for function in functions:
        capability = contributed(function)
        assert capability is not None
        desk.network.offered[capability.name] = capability
    every = {**FUNCTIONS, **{f.__name__: f for f in functions}}
    desk.network.functions = every | dict.fromkeys(broken, break_vase) | others


def called(desk: Desk, capability: str) -> int:
    return sum(call.capability == capability for call in desk.network.calls)


async def test_events_tell_what_was_changed(desk: Desk) -> None:
    offer(desk, buy_leaves)
    assert (await desk.run(TEA)).ok
    kinds = [e.kind for e in desk.events]
    n = kinds.index("replanned")
    replanned, made = desk.events[n : n + 2]
    assert isinstance(replanned, Replanned)
    assert isinstance(made, PlanMade)
    assert (replanned.failed, replanned.how, replanned.adds, replanned.keeps) == (
        "pick_leaves",
        "substitute",
        ("buy_leaves",),
        (),
    )
    assert "crash" in replanned.reason
    assert made.planner == "repair"


async def test_one_thing_after_the_other_is_tried(desk: Desk) -> None:
    offer(desk, buy_leaves, order_leaves, broken=("pick_leaves", "buy_leaves"))
    result = await desk.run(TEA)
    assert result.ok, result.problem
    assert result.cost == 12
    assert [e.failed for e in desk.events if isinstance(e, Replanned)] == ["pick_leaves", "buy_leaves"]


async def test_where_nothing_helps_the_root_and_all_that_was_tried_are_named(desk: Desk) -> None:
    offer(desk, buy_leaves, broken=("pick_leaves", "buy_leaves"))
    result = await desk.run(TEA)
    assert result.status == "failed"
    assert result.problem is not None
    assert result.problem.code == "subtask_failed"
    assert result.problem.message.startswith("'pick_leaves' failed")
    assert "planned anew, and 'buy_leaves' failed" in result.problem.message
    assert "Mend 'pick_leaves' on n" in result.problem.hint
    assert "easynet runs resume" in result.problem.hint


async def test_the_diagnosis_is_in_the_users_language(desk: Desk) -> None:
    offer(desk, buy_leaves, broken=("pick_leaves", "buy_leaves"))
    result = await desk.run(Intent(goal="brew_tea", description="请泡一杯茶"))
    assert result.problem is not None
    assert result.problem.message.startswith("'pick_leaves' 失败了")
    assert "重新规划后，'buy_leaves' 失败了" in result.problem.message
    assert "请修复 n 上的 'pick_leaves'" in result.problem.hint


async def test_a_repair_beyond_the_budget_names_one_that_would_do(desk: Desk) -> None:
    offer(desk, buy_leaves)
    intent = Intent.from_text("brew a cup of tea", constraints={"budget": "6 credits"})
    result = await desk.run(intent)
    assert (result.status, result.cost) == ("over_budget", 0)
    assert result.problem is not None
    assert result.problem.code == "over_budget"
    assert "a budget of 7 credits" in result.problem.hint
    assert "'pick_leaves' failed" in result.problem.message


async def test_other_nodes_are_turned_to_and_not_those_that_failed(desk: Desk) -> None:
    nodes = ("a", "b", "c", "d", "e", "f")
    desk.network.nodes = dict.fromkeys(nodes, Trust.OWN)
    for node in nodes[:5]:
        desk.network.fail(node, NodeUnreachable("away"))
    result = await desk.run(TEA)
    assert result.ok, result.problem
    replanned = [e for e in desk.events if isinstance(e, Replanned)]
    assert [e.how for e in replanned] == ["other_nodes"]
    picked = [c.node for c in desk.network.calls if c.capability == "pick_leaves"]
    assert sorted(picked) == sorted(nodes)


@contribute(en="Wire money to a supplier.", idempotent=False)
def wire_money() -> str:
    raise PermissionError("the bank refused")


@contribute(en="Wire money to a supplier by another bank.", idempotent=False)
def wire_otherwise() -> str:
    return "wired"


async def test_what_may_have_had_its_effect_is_not_done_by_something_else(desk: Desk) -> None:
    offer(desk, wire_money, wire_otherwise, broken=())
    result = await desk.run(Intent(goal="wire_money"))
    assert result.status == "failed"
    assert [c.capability for c in desk.network.calls] == ["wire_money"]
    assert result.problem is not None
    assert "must not run twice" in result.problem.hint


async def test_what_was_tried_in_vain_is_tried_again_after_a_resumption(desk: Desk) -> None:
    offer(desk, buy_leaves, broken=("pick_leaves", "buy_leaves"))
    assert not (await desk.run(TEA)).ok
    offer(desk, buy_leaves, broken=("pick_leaves",))
    resumed = await desk.run(TEA)
    assert resumed.ok, resumed.problem


class AskingPlanner:
    """Plans tea, and once something of it has failed asks before it plans coffee."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        if not request.avoid:
            return await CataloguePlanner().plan(request)
        if "cup" not in request.parsed.inputs:
            question = Question(name="cup", text="Coffee, then. Which cup?", choices=("red", "blue"))
            return PlanResult(status="needs_input", planner="asking", question=question)
        coffee = Subtask(
            id=SubtaskId("taste_coffee"),
            capability=CapabilityName("taste_coffee"),
            arguments={"cup": FromInput(name="cup")},
        )
        graph = TaskGraph(subtasks=(coffee,), outputs=(coffee.id,))
        return PlanResult(status="planned", planner="asking", graph=graph)


@pytest.mark.parametrize("is_at_once", [True, False])
async def test_a_question_about_the_new_plan_is_asked_and_its_answer_used(
    tmp_path: Path, is_at_once: bool
) -> None:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        desk = Desk(tmp_path / "runs", orchestrator, AskingPlanner())
        offer(desk, broken=("pick_leaves",))
        result = await desk.run(TEA, ask=lambda question: "red" if is_at_once else None)
        if not is_at_once:
            assert result.status == "needs_input"
            result = await desk.run(TEA, answers={"cup": "red"})
        assert result.ok, result.problem
        assert result.output == "the red cup is good"
        assert [e.how for e in desk.events if isinstance(e, Replanned)] == ["new_plan"]


class CoffeePlanner:
    """Plans tea, and once something of it has failed one function after the other, for money."""

    def __init__(self, *instead: str, credits: int = 3) -> None:
        self.instead = instead
        self.credits = credits
        self.avoided: list[tuple[str, ...]] = []

    async def plan(self, request: PlanRequest) -> PlanResult:
        if not request.avoid:
            return await CataloguePlanner().plan(request)
        self.avoided.append(request.avoid)
        call = ModelCall(model="m", purpose="plan", usage=Usage(), credits=self.credits)
        name = next((CapabilityName(n) for n in self.instead if n not in request.avoid), None)
        if name is None:
            return PlanResult(status="unsupported", planner="coffee", model_calls=(call,))
        cup: dict[str, Binding] = {"cup": Given(value="red")} if name == "taste_coffee" else {}
        graph = TaskGraph(subtasks=(Subtask(id=SubtaskId(name), capability=name, arguments=cup),))
        return PlanResult(status="planned", planner="coffee", graph=graph, model_calls=(call,))


@pytest.fixture
async def seat(tmp_path: Path) -> AsyncIterator[Callable[[Planner], Desk]]:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        yield lambda planner: Desk(tmp_path / "runs", orchestrator, planner)


async def test_a_planner_is_asked_once_for_a_repair_whatever_has_to_be_looked_up(
    seat: Callable[[Planner], Desk],
) -> None:
    desk = seat(planner := CoffeePlanner("taste_coffee"))
    offer(desk, broken=("pick_leaves",))
    result = await desk.run(TEA)
    assert result.ok, result.problem
    assert planner.avoided == [("pick_leaves",)]
    assert result.cost == 3 + 1


@contribute(en="Whistle a song.")
def whistle() -> str:
    return "a song"


@contribute(en="Hum a song.")
def hum() -> str:
    return "a song"


async def test_a_planner_whose_answer_nobody_can_carry_out_is_asked_once_more(
    seat: Callable[[Planner], Desk],
) -> None:
    desk = seat(planner := CoffeePlanner("whistle", "hum", "taste_coffee"))
    offer(desk, whistle, hum, broken=("pick_leaves",))
    desk.network.away = {"whistle"}
    result = await desk.run(TEA)
    assert result.ok, result.problem
    assert planner.avoided == [("pick_leaves",), ("pick_leaves", "whistle")]
    assert called(desk, "hum") == 1


async def test_a_planner_is_asked_twice_at_most(seat: Callable[[Planner], Desk]) -> None:
    desk = seat(planner := CoffeePlanner("whistle", "hum", "taste_coffee"))
    offer(desk, whistle, hum, broken=("pick_leaves",))
    desk.network.away = {"whistle", "hum"}
    result = await desk.run(TEA)
    assert result.status == "failed"
    assert len(planner.avoided) == 2


async def test_a_new_plan_may_cost_what_its_planner_left_of_the_budget(
    seat: Callable[[Planner], Desk],
) -> None:
    desk = seat(CoffeePlanner("taste_coffee", credits=10))
    offer(desk, broken=("pick_leaves",))
    result = await desk.run(Intent.from_text("brew a cup of tea", constraints={"budget": "10 credits"}))
    assert (result.status, result.cost) == ("over_budget", 10)
    assert not any(isinstance(e, Replanned) for e in desk.events)
    assert result.problem is not None
    assert "a budget of 11 credits" in result.problem.hint


async def test_finished_subtasks_survive_two_changes_of_plan(tmp_path: Path) -> None:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        desk = Desk(tmp_path / "runs", orchestrator)
        offer(desk, buy_leaves, broken=("brew_tea",))
        assert not (await desk.run(TEA)).ok
        offer(desk, buy_leaves, broken=())
        resumed = await desk.run(TEA)
        assert resumed.ok, resumed.problem
        assert called(desk, "pick_leaves") == 1


class Model:
    """Something that was learnt."""


class Judgement:
    """How good it is."""


@contribute(en="Train a model of the weather.", price=2)
def train_weather() -> Model:
    raise AssertionError("every node has its own")


@contribute(en="Judge a model of the weather.", role="check", price=1)
def judge_weather(model: Model) -> Judgement:
    return {"metrics": {"accuracy": model["accuracy"]}}  # type: ignore[index, return-value]  # plain values


def trained_at(boast: float, *honest: float) -> Callable[[], dict[str, Any]]:
    """A function that claims more than its model can at its first call, and not at the later ones."""
    skills = [0.6, *honest]

    def train() -> dict[str, Any]:
        skill = skills.pop(0)
        claimed = boast if len(skills) == len(honest) else skill
        return {"accuracy": skill, "claims": {"accuracy": claimed}}

    return train


async def test_step_that_claims_more_than_its_check_measures_has_failed_and_goes_to_another_node(
    desk: Desk,
) -> None:
    desk.network.nodes = dict.fromkeys(("a", "b"), Trust.OWN)
    offer(desk, train_weather, judge_weather, broken=(), train_weather=trained_at(0.99, 0.8))
    result = await desk.run(Intent(goal="train_weather"))
    assert result.ok, result.problem
    assert result.metrics == {"accuracy": 0.8}
    [failed] = [e for e in desk.events if isinstance(e, AttemptFailed)]
    assert (failed.subtask, failed.problem.code, failed.will_retry) == (
        "train_weather",
        "wrong_result",
        False,
    )
    assert (
        failed.problem.message == "'train_weather' claimed Accuracy 0.990, and 'judge_weather' measured 0.600"
    )
    trained = [c.node for c in desk.network.calls if c.capability == "train_weather"]
    assert sorted(trained) == ["a", "b"]
    assert len({c.key for c in desk.network.calls}) == len(desk.network.calls) == 4


async def test_step_that_claims_too_much_everywhere_fails_the_run(desk: Desk) -> None:
    boast = {"accuracy": 0.6, "claims": {"accuracy": 0.99}}
    offer(desk, train_weather, judge_weather, broken=(), train_weather=lambda: boast)
    result = await desk.run(Intent(goal="train_weather"))
    assert result.status == "failed"
    assert result.problem is not None
    assert "'train_weather' claimed Accuracy 0.990" in result.problem.message
