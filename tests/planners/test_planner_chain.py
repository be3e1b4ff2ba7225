"""Planners asked in turn."""

import pytest

from easynet.core.errors import UnknownInput
from easynet.core.events import PlanStatus, Question
from easynet.core.ids import CapabilityName
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.planner_chain import PlannerChain
from tests.planners.experience_world import asked, chain


class Fixed:
    """A planner that always answers the same."""

    def __init__(self, name: str, status: PlanStatus, **fields: object) -> None:
        graph = chain("book_train") if status == "planned" else None
        self._result = PlanResult.model_validate(
            {"status": status, "planner": name, "graph": graph, "why": f"{name} says so", **fields}
        )
        self.times = 0

    async def plan(self, request: PlanRequest) -> PlanResult:
        self.times += 1
        return self._result


class Refusing:
    """A planner that knows an input better."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        raise UnknownInput("no part of this plan takes 'x'")


REQUEST = asked("book a train")


async def test_the_first_planner_with_a_plan_serves_and_is_named() -> None:
    last = Fixed("c", "planned")
    result = await PlannerChain({"a": Fixed("a", "unsupported"), "b": Fixed("b", "planned"), "c": last}).plan(
        REQUEST
    )
    assert (result.planner, result.status, last.times) == ("b", "planned", 0)
    assert [(p.planner, p.status, p.why) for p in result.passed_over] == [("a", "unsupported", "a says so")]


async def test_a_question_serves() -> None:
    asks = Fixed("a", "needs_input", question=Question(name="city", text="Which city?"))
    result = await PlannerChain({"a": asks, "b": Fixed("b", "planned")}).plan(REQUEST)
    assert (result.planner, result.status) == ("a", "needs_input")


async def test_where_none_serves_the_answer_that_tells_most_is_given() -> None:
    near = (CapabilityName("book_train"),)
    result = await PlannerChain(
        {"a": Fixed("a", "infeasible"), "b": Fixed("b", "unsupported", nearest=near)}
    ).plan(REQUEST)
    assert (result.planner, result.status, result.nearest) == ("a", "infeasible", near)
    assert [p.planner for p in result.passed_over] == ["b"]


async def test_an_error_of_a_planner_that_is_not_the_last_is_passed_over() -> None:
    result = await PlannerChain({"a": Refusing(), "b": Fixed("b", "planned")}).plan(REQUEST)
    assert result.planner == "b"
    assert "takes 'x'" in result.passed_over[0].why


async def test_the_last_planners_error_is_the_chains() -> None:
    with pytest.raises(UnknownInput):
        await PlannerChain({"a": Fixed("a", "unsupported"), "b": Refusing()}).plan(REQUEST)


def test_a_chain_of_no_planners_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        PlannerChain({})
