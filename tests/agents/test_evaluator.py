"""Measured quality against what was asked for."""

import pytest

from easynet.agents.evaluator import Contradiction, contradiction, measured, shortfall, unmeasured
from easynet.core.capability import Capability, Role
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Bound
from easynet.core.task_graph import FromSubtask, Subtask, TaskGraph

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


CLAIM_GRAPH = TaskGraph(
    subtasks=(
        Subtask(id=SubtaskId("b"), capability=WORK.name),
        Subtask(
            id=SubtaskId("a"),
            capability=CHECK.name,
            arguments={"model": FromSubtask(subtask=SubtaskId("b"), path=("model",))},
        ),
    )
)


def claimed(claims: object, found: object, intervals: object = None) -> Contradiction | None:
    values = {
        SubtaskId("b"): {"model": "m", "claims": claims},
        SubtaskId("a"): {"metrics": found, "intervals": intervals},
    }
    return contradiction(CLAIM_GRAPH, CATALOGUE, values, "en")


def test_claim_that_its_check_does_not_bear_out_is_a_wrong_result_of_the_claiming_step() -> None:
    found = claimed({"accuracy": 0.99}, {"accuracy": 0.85})
    assert found is not None
    assert found.subtask == "b"
    assert found.problem.code == "wrong_result"
    assert found.problem.message == "'b' claimed Accuracy 0.990, and 'a' measured 0.850"


@pytest.mark.parametrize(
    ("claims", "metrics", "intervals"),
    [
        ({"accuracy": 0.85}, {"accuracy": 0.85}, None),
        ({"accuracy": 0.85}, {"accuracy": 0.8523}, None),
        ({"rmse": 1200}, {"rmse": 1204.7}, None),
        ({"accuracy": 0.90}, {"accuracy": 0.85}, {"accuracy": [0.80, 0.91]}),
        ({"accuracy": 0.99}, {"auc": 0.5}, None),
        ({"accuracy": "high"}, {"accuracy": 0.5}, None),
        ({}, {"accuracy": 0.5}, None),
        ("all is well", {"accuracy": 0.5}, {"accuracy": "wide"}),
        (None, None, None),
    ],
)
def test_claim_that_holds_or_is_not_checked_is_no_contradiction(
    claims: object, metrics: object, intervals: object
) -> None:
    assert claimed(claims, metrics, intervals) is None


def test_claim_of_a_result_that_nothing_checks_is_not_judged() -> None:
    values = {SubtaskId("b"): {"claims": {"accuracy": 1.0}}, SubtaskId("a"): {"metrics": {"accuracy": 0.5}}}
    assert contradiction(GRAPH, CATALOGUE, values, "en") is None
