"""Language models in a run: what they cost counts, and where they do not serve the run goes on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from easynet.agents.orchestrator import Orchestrator
from easynet.agents.report_page import render_page
from easynet.agents.run_account import RunAccount
from easynet.core.errors import ModelError, ModelRateLimited, ModelUnavailable
from easynet.core.events import ModelAnswered, ModelFellBack, PlanMade, paid_by
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Intent
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.llm.language_model import Usage
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.model_planner import ModelPlanner
from easynet.planners.planner import Planner, PlanRequest, PlanResult
from easynet.planners.planner_chain import PlannerChain
from easynet.testing.language_model import Scripted, ScriptedModel
from tests.agents.test_orchestrator import Desk
from tests.planners.model_world import answer, result, step

PICK = step("pick", "pick_leaves")
BREW = step("brew", "brew_tea", leaves=result("pick"))
TEA = answer(PICK, BREW, outputs=["brew"])
BAD = answer(step("x", "fly_to_moon"))
TEXT = "brew a cup of tea"
USAGE = Usage(input_tokens=120, cached_tokens=40, output_tokens=30)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        yield Desk(tmp_path / "runs", orchestrator)


def price(usage: Usage) -> int:
    """A credit for every started hundred tokens."""
    return -(-(usage.input_tokens + usage.output_tokens) // 100)


def plans_with(
    desk: Desk, *answers: str | ModelError | Scripted, last: Planner | None = None, **fields: Any
) -> ScriptedModel:
    """Have a model plan the desk's runs, and the catalogue planner where it does not serve."""
    model = ScriptedModel(
        [Scripted(a, USAGE) if isinstance(a, str) else a for a in answers], name="openai:gpt-5"
    )
    planner = PlannerChain(
        {"model": ModelPlanner(model, **{"price": price, **fields}), "catalogue": last or CataloguePlanner()}
    )
    desk.plan_with(planner)
    return model


async def test_plan_of_a_model_is_carried_out_and_its_cost_counted(desk: Desk) -> None:
    plans_with(desk, TEA)
    done = await desk.run(Intent.from_text(TEXT))
    assert done.ok, done.problem
    [made] = [e for e in desk.events if isinstance(e, PlanMade) and e.is_complete]
    assert made.planner == "model"
    [asked] = [e for e in desk.events if isinstance(e, ModelAnswered)]
    assert (asked.model, asked.purpose, asked.price) == ("openai:gpt-5", "plan", 2)
    assert (asked.input_tokens, asked.cached_tokens, asked.output_tokens) == (120, 40, 30)
    assert asked.seq < made.seq
    assert done.cost == 5 + 2 == sum(map(paid_by, desk.events))
    assert desk.journal.runs()[0].cost == 7


async def test_model_that_does_not_serve_is_told_of_and_the_run_goes_on(desk: Desk) -> None:
    plans_with(desk, ModelRateLimited("too many requests", retry_after_s=30))
    done = await desk.run(Intent.from_text(TEXT))
    assert done.ok, done.problem
    [fell] = [e for e in desk.events if isinstance(e, ModelFellBack)]
    assert (fell.model, fell.reason) == ("openai:gpt-5", "too many requests")
    assert done.cost == 5


async def test_reason_is_told_in_the_users_language(desk: Desk) -> None:
    plans_with(desk, ModelUnavailable("no answer", zh="没有回答"))
    await desk.run(Intent(goal="brew_tea", description="泡一杯茶"))
    [fell] = [e for e in desk.events if isinstance(e, ModelFellBack)]
    assert fell.reason == "没有回答"


async def test_answers_that_came_to_nothing_cost_as_well(desk: Desk) -> None:
    plans_with(desk, BAD, BAD, BAD)
    done = await desk.run(Intent.from_text(TEXT))
    assert done.ok, done.problem
    assert [e.purpose for e in desk.events if isinstance(e, ModelAnswered)] == ["plan", "repair", "repair"]
    assert done.cost == 5 + price(USAGE + USAGE + USAGE)


async def test_model_that_fails_once_its_plan_was_begun_is_told_of_and_not_asked_again(desk: Desk) -> None:
    half = answer(PICK, step("x", "fly_to_moon"))
    model = plans_with(desk, half, half, half)
    done = await desk.run(Intent.from_text(TEXT))
    assert done.ok, done.problem
    assert sum(isinstance(e, PlanMade) and not e.is_complete for e in desk.events) == 1
    assert len(model.asked) == 3
    assert [e.model for e in desk.events if isinstance(e, ModelFellBack)] == ["openai:gpt-5"]


async def test_budget_includes_what_the_model_cost(desk: Desk) -> None:
    plans_with(desk, Scripted(TEA, Usage(input_tokens=24_700, output_tokens=100)))
    done = await desk.run(Intent(description=TEXT, constraints={"budget": "$2.50"}))
    assert done.status == "over_budget"  # 248 of 250 credits went to the model, and the plan costs 5
    assert done.cost == 248


async def test_model_that_may_cost_more_than_the_budget_is_not_asked(desk: Desk) -> None:
    model = plans_with(desk, TEA)
    done = await desk.run(Intent(description=TEXT, constraints={"budget": "$0.10"}))
    assert done.ok, done.problem
    assert model.asked == []
    [fell] = [e for e in desk.events if isinstance(e, ModelFellBack)]
    assert "budget" in fell.reason


@pytest.mark.parametrize(("constraints", "times"), [({}, 2), ({"budget": "$2.50"}, 1)])
async def test_new_plan_may_cost_what_is_left_of_the_budget(
    desk: Desk, constraints: dict[str, str | int | float], times: int
) -> None:
    first = Scripted(answer(step("x", "break_vase")), Usage(input_tokens=14_900, output_tokens=100))
    model = plans_with(desk, first, answer(decision="unsupported"))
    done = await desk.run(Intent(description="break an expensive vase", constraints=constraints))
    assert done.status == "failed"
    assert len(model.asked) == times  # a second answer may cost more than the 100 credits that are left


class Slow:
    """A planner that takes ten minutes, and notes how much time it was told there is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.told: list[float | None] = []

    async def plan(self, request: PlanRequest) -> PlanResult:
        self.told.append(request.parsed.requirements.deadline_s)
        self._desk.clock.advance(600)
        if request.avoid:
            return PlanResult(status="unsupported", planner="slow", why="no other way")
        subtask = Subtask(id=SubtaskId("x"), capability=CapabilityName("break_vase"), arguments={})
        return PlanResult(status="planned", planner="slow", graph=TaskGraph(subtasks=(subtask,)))


@pytest.mark.parametrize(("constraints", "told"), [({}, [None, None]), ({"deadline": "1000 s"}, [1000, 400])])
async def test_new_plan_may_take_what_is_left_of_the_time(
    desk: Desk, constraints: dict[str, str | int | float], told: list[float | None]
) -> None:
    slow = Slow(desk)
    desk.plan_with(slow)
    await desk.run(Intent(description="break an expensive vase", constraints=constraints))
    assert slow.told == told


class Refusing:
    """A planner that raises."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        raise ModelError("and no other knows a way")


async def test_what_the_model_cost_is_counted_where_planning_fails_altogether(desk: Desk) -> None:
    plans_with(desk, BAD, BAD, BAD, last=Refusing())
    done = await desk.run(Intent.from_text(TEXT))
    assert done.status == "failed"
    assert done.cost == price(USAGE + USAGE + USAGE)
    assert sum(isinstance(e, ModelFellBack) for e in desk.events) == 1


async def test_private_request_is_planned_without_a_model_elsewhere(desk: Desk) -> None:
    model = plans_with(desk, TEA)
    done = await desk.run(Intent(description=TEXT, constraints={"privacy": "high"}))
    assert done.ok, done.problem
    assert model.asked == []
    [fell] = [e for e in desk.events if isinstance(e, ModelFellBack)]
    assert "privacy" in fell.reason


async def test_question_of_a_models_plan_is_asked_and_the_answer_used(desk: Desk) -> None:
    sugar = step("brew", "brew_tea", leaves=result("pick"), sugar={"kind": "input", "name": "sugar"})
    plans_with(desk, answer(decision="ask", missing="sugar"), answer(PICK, sugar))
    done = await desk.run(Intent.from_text(TEXT), ask=lambda q: "3" if q.name == "sugar" else None)
    assert done.ok, done.problem
    assert done.output == {"tea": {"garden": "home"}, "sugar": 3}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_report_tells_of_the_model_and_its_cost(desk: Desk, language: Any) -> None:
    plans_with(desk, BAD, TEA)
    await desk.run(Intent.from_text(TEXT))
    page = render_page(desk.events, None, language)
    assert "openai:gpt-5" in page
    assert "300" in page  # tokens
    assert {"en": "Language model", "zh": "语言模型"}[language] in page
    account = RunAccount.of(desk.events)
    assert (account.paid_for_models, account.paid) == (3, 8)


async def test_report_of_a_run_without_a_model_does_not_mention_one(desk: Desk) -> None:
    await desk.run(Intent.from_text(TEXT))
    assert "anguage model" not in render_page(desk.events, None, "en")
