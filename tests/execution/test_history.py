from typing import Any

from easynet.core.events import (
    AttemptFailed,
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    PlanMade,
    Problem,
    RunEvent,
    SubtaskFinished,
)
from easynet.core.ids import NodeId, RunId, SubtaskId
from easynet.core.task_graph import TaskGraph
from easynet.execution.history import History
from easynet.testing.graphs import graph_of

PLAN = graph_of({"a": []})


def _fields(attempt: int) -> dict[str, Any]:
    return {"run_id": RunId("r"), "seq": 0, "at": 0.0, "subtask": SubtaskId("a"), "attempt": attempt}


def planned(graph: TaskGraph = PLAN) -> PlanMade:
    return PlanMade(run_id=RunId("r"), seq=0, at=0.0, graph=graph, planner="x", titles={})


def started(attempt: int) -> list[RunEvent]:
    return [
        MoneyReserved(**_fields(attempt), amount=3),
        AttemptStarted(**_fields(attempt), node=NodeId("n")),
    ]


def settled(attempt: int, paid: int) -> MoneySettled:
    return MoneySettled(**_fields(attempt), paid=paid, returned=3 - paid)


def failed(attempt: int, code: str) -> list[RunEvent]:
    problem = Problem(code=code, message="x")
    event = AttemptFailed(**_fields(attempt), node=NodeId("n"), problem=problem, will_retry=True)
    return [event, settled(attempt, 0)]


def finished(attempt: int) -> list[RunEvent]:
    return [SubtaskFinished(**_fields(attempt), node=NodeId("n"), duration_s=1.0), settled(attempt, 3)]


def test_nothing_happened_yet() -> None:
    assert History.of([]) == History()


def test_a_process_that_died_leaves_a_reservation_and_an_uncertain_subtask() -> None:
    history = History.of([planned(), *started(1), *failed(1, "remote_failure"), *started(2)])
    assert history == History(
        attempts={SubtaskId("a"): 2},
        rounds={SubtaskId("a"): 1},
        uncertain=PLAN.subtasks,
        reserved={(SubtaskId("a"), 2): 3},
    )


def test_a_cancelled_attempt_is_uncertain_with_its_money_settled() -> None:
    history = History.of([planned(), *started(1), settled(1, 0)])
    assert history.uncertain == PLAN.subtasks
    assert history.reserved == {}
    assert history.rounds == {}


def test_an_answer_ends_a_round_and_silence_does_not() -> None:
    history = History.of(
        [
            planned(),
            *started(1),
            *failed(1, "node_unreachable"),
            *started(2),
            *failed(2, "bad_data"),
            *started(3),
        ]
    )
    assert history.rounds == {"a": 1}
    silent = History.of([planned(), *started(1), *failed(1, "call_timeout")])
    assert silent.rounds == {}
    assert silent.uncertain == PLAN.subtasks


def test_a_finished_subtask_is_certain() -> None:
    history = History.of([planned(), *started(1), *failed(1, "call_timeout"), *started(2), *finished(2)])
    assert history == History(attempts={SubtaskId("a"): 2}, rounds={SubtaskId("a"): 1})


def test_what_a_later_plan_finished_under_the_name_leaves_the_earlier_attempt_uncertain() -> None:
    later = graph_of({"a": []}, {"a": "look"})
    history = History.of([planned(), *started(1), planned(later), *started(2), *finished(2)])
    assert history.uncertain == PLAN.subtasks
    assert history.may_have_run(PLAN.subtasks[0])
    assert not history.may_have_run(later.subtasks[0])
