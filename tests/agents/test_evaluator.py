"""Measured quality against what was asked for."""

from easynet.agents.evaluator import measured, shortfall, unmeasured
from easynet.core.capability import Capability, Role
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Bound
from easynet.core.task_graph import Subtask, TaskGraph

CHECK = Capability(name=CapabilityName("check"), description={"en": "check"}, role=Role.CHECK)
WORK = Capability(name=CapabilityName("work"), description={"en": "work"})
GRAPH = TaskGraph(
    subtasks=(
        Subtask(id=SubtaskId("a"), capability=CHECK.name),
        Subtask(id=SubtaskId("b"), capability=WORK.name),
    )
)
CATALOGUE = {c.name: c for c in (CHECK, WORK)}


def test_metrics_come_from_checking_steps_only() -> None:
    values = {
        SubtaskId("a"): {"metrics": {"accuracy": 0.9, "note": "good"}},
        SubtaskId("b"): {"metrics": {"accuracy": 1.0}},
    }
    assert measured(GRAPH, CATALOGUE, values) == {"accuracy": 0.9}


def test_result_of_an_unexpected_shape_measures_nothing() -> None:
    assert measured(GRAPH, CATALOGUE, {SubtaskId("a"): [1, 2]}) == {}
    assert measured(GRAPH, CATALOGUE, {SubtaskId("a"): {"metrics": "high"}}) == {}


def test_missed_bound_is_a_problem_that_names_both_numbers() -> None:
    problem = shortfall({"accuracy": 0.87}, {"accuracy": Bound(comparison=">", value=0.9)}, "en")
    assert problem is not None
    assert problem.code == "quality_not_met"
    assert "0.87" in problem.message
    assert "0.9" in problem.message


def test_kept_bound_is_no_problem() -> None:
    assert shortfall({"accuracy": 0.95}, {"accuracy": Bound(comparison=">", value=0.9)}, "zh") is None


def test_quality_that_nothing_measures_is_said_not_judged() -> None:
    quality = {"beauty": Bound(comparison=">=", value=0.5)}
    assert shortfall({"accuracy": 0.2}, quality, "en") is None
    [sentence] = unmeasured({"accuracy": 0.2}, quality, "en")
    assert "Beauty" in sentence
