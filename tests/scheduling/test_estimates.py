from easynet.core.events import PlanMade, RunEvent, SubtaskFinished
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.scheduling.estimates import Estimates
from easynet.testing.graphs import graph_of, offer

RUN = RunId("r")


def finished(seq: int, subtask: str, node: str, duration_s: float) -> SubtaskFinished:
    return SubtaskFinished(
        run_id=RUN,
        seq=seq,
        at=0.0,
        subtask=SubtaskId(subtask),
        node=NodeId(node),
        attempt=1,
        duration_s=duration_s,
    )


def plan(capability: str) -> PlanMade:
    graph = graph_of({"a": [], "b": []}, {"a": capability, "b": capability})
    return PlanMade(run_id=RUN, seq=0, at=0.0, graph=graph, planner="p", titles={})


def test_without_a_past_the_claim_counts() -> None:
    assert Estimates()(offer("x", expected_s=7.0)) == 7.0


def test_a_median_replaces_the_claim_of_that_node_alone() -> None:
    estimates = Estimates({(CapabilityName("work"), NodeId("x")): 3.0})
    assert estimates(offer("x", expected_s=7.0)) == 3.0
    assert estimates(offer("y", expected_s=7.0)) == 7.0
    assert estimates(offer("x", "play", expected_s=7.0)) == 7.0


def test_medians_are_taken_over_all_runs_and_follow_each_runs_latest_plan() -> None:
    first: list[RunEvent] = [plan("work"), finished(1, "a", "x", 1.0), finished(2, "b", "x", 100.0)]
    second: list[RunEvent] = [
        plan("work"),
        finished(1, "a", "x", 2.0),
        plan("play"),
        finished(3, "b", "x", 9.0),
    ]
    estimates = Estimates.of([first, second])
    assert estimates.medians == {("work", "x"): 2.0, ("play", "x"): 9.0}


def test_a_result_of_no_known_plan_teaches_nothing() -> None:
    assert Estimates.of([[finished(0, "a", "x", 1.0)]]).medians == {}
