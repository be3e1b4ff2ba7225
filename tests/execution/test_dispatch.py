from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import NoNodeFound, OverBudget
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Assignment, Schedule
from easynet.execution.budget import Budget
from easynet.execution.dispatch import Dispatch, Placement, Refusal
from easynet.execution.machine import Start
from easynet.execution.outcome import problem_of
from easynet.testing.graphs import graph_of, offer

WORK = CapabilityName("work")
NO_ADVICE = Schedule(assignments=())


def dispatch_of(
    offers: list[Offer],
    names: str = "abcdef",
    *,
    budget: Budget | None = None,
    schedule: Schedule = NO_ADVICE,
) -> Dispatch:
    graph = graph_of({name: [] for name in names})
    return Dispatch(graph, {WORK: offers}, schedule, budget or Budget(None), [s.id for s in graph.subtasks])


def add(dispatch: Dispatch, names: str) -> None:
    for name in names:
        dispatch.add(Start(SubtaskId(name), 1))


def placed(dispatch: Dispatch) -> list[str]:
    """What is placed now, as `subtask@node`."""
    decided = list(dispatch.place())
    assert all(isinstance(d, Placement) for d in decided)
    return [f"{d.start.subtask}@{d.offer.node}" for d in decided if isinstance(d, Placement)]


def advice(**nodes: str) -> Schedule:
    return Schedule(
        assignments=tuple(
            Assignment(subtask=SubtaskId(s), node=NodeId(n), price=1, starts_s=0.0, ends_s=1.0)
            for s, n in nodes.items()
        )
    )


def end(
    dispatch: Dispatch, placement: Placement | Refusal, *, succeeded: bool = True, answered: bool = True
) -> None:
    assert isinstance(placement, Placement)
    dispatch.ended(placement, succeeded=succeeded, answered=answered)


def test_a_node_gets_no_more_at_a_time_than_it_runs_and_the_rest_waits() -> None:
    dispatch = dispatch_of([offer("n", concurrency=2)])
    add(dispatch, "abc")
    first, _ = list(dispatch.place())
    assert placed(dispatch) == []
    end(dispatch, first)
    assert placed(dispatch) == ["c@n"]


def test_load_decides_before_time_and_time_before_price() -> None:
    dispatch = dispatch_of(
        [
            offer("slow", expected_s=9.0, concurrency=2),
            offer("fast", expected_s=1.0, price=9, concurrency=2),
            offer("cheap", expected_s=9.0, price=0, concurrency=2),
        ]
    )
    add(dispatch, "abcdef")
    assert placed(dispatch) == ["a@fast", "b@cheap", "c@slow", "d@fast", "e@cheap", "f@slow"]


def test_load_is_relative_to_what_a_node_can_do_at_once() -> None:
    dispatch = dispatch_of([offer("big", concurrency=4), offer("small", concurrency=1)])
    add(dispatch, "abcdef")
    assert Counter(p[-3:] for p in placed(dispatch)) == {"big": 4, "all": 1}


def test_the_schedules_advice_is_taken_where_its_node_is_free() -> None:
    offers = [offer("fast", expected_s=1.0), offer("advised", expected_s=5.0)]
    dispatch = dispatch_of(offers, schedule=advice(a="advised", b="advised"))
    add(dispatch, "abc")
    assert placed(dispatch) == ["a@advised", "b@fast"]


def test_what_the_schedule_starts_earlier_goes_first() -> None:
    starts = {"a": 3.0, "b": 1.0, "c": 2.0}
    schedule = Schedule(
        assignments=tuple(
            Assignment(subtask=SubtaskId(s), node=NodeId("n"), price=1, starts_s=at, ends_s=at + 1)
            for s, at in starts.items()
        )
    )
    dispatch = dispatch_of([offer("n", concurrency=2)], schedule=schedule)
    add(dispatch, "abc")
    assert placed(dispatch) == ["b@n", "c@n"]


def test_a_subtask_goes_elsewhere_after_a_failure_and_waits_for_a_slot_there() -> None:
    dispatch = dispatch_of([offer("a"), offer("b")])
    dispatch.add(Start(SubtaskId("a"), 1))
    dispatch.add(Start(SubtaskId("b"), 1))
    on_a, on_b = list(dispatch.place())
    end(dispatch, on_a, succeeded=False)
    dispatch.add(Start(SubtaskId("a"), 2, (NodeId("a"),)))
    assert placed(dispatch) == []  # `a` is free, but it failed this one
    dispatch.add(Start(SubtaskId("c"), 1))
    assert placed(dispatch) == ["c@a"]  # and the wait holds nobody else up
    end(dispatch, on_b)
    assert placed(dispatch) == ["a@b"]


def test_a_node_gets_a_subtask_twice_at_most() -> None:
    dispatch = dispatch_of([offer("n")])
    dispatch.add(Start(SubtaskId("a"), 2, (NodeId("n"),)))
    assert placed(dispatch) == ["a@n"]
    dispatch.add(Start(SubtaskId("b"), 3, (NodeId("n"), NodeId("n"))))
    (refusal,) = list(dispatch.place())
    assert isinstance(refusal, Refusal)
    assert isinstance(refusal.error, NoNodeFound)


def test_a_silent_node_is_passed_over_until_it_answers() -> None:
    dispatch = dispatch_of([offer("dead", expected_s=0.1), offer("alive", concurrency=2)])
    dispatch.add(Start(SubtaskId("a"), 1))
    (on_dead,) = list(dispatch.place())
    end(dispatch, on_dead, succeeded=False, answered=False)
    add(dispatch, "bcd")
    assert placed(dispatch) == ["b@alive", "c@alive"]
    dispatch.offered(WORK, [offer("dead")])
    (again,) = list(dispatch.place())
    assert isinstance(again, Placement)  # where it is the only one, it is tried
    end(dispatch, again)
    dispatch.offered(WORK, [offer("dead", expected_s=0.1), offer("alive", concurrency=9)])
    add(dispatch, "e")
    assert placed(dispatch) == ["e@dead"]


def test_nobody_offering_is_a_refusal_that_names_the_function() -> None:
    dispatch = dispatch_of([])
    add(dispatch, "a")
    (refusal,) = list(dispatch.place())
    assert isinstance(refusal, Refusal)
    assert isinstance(refusal.error, NoNodeFound)
    assert "'work'" in refusal.error.message
    assert problem_of(refusal.error, "zh").message == "现在没有节点为 'a' 提供 'work'"
    assert list(dispatch.place()) == []


def test_a_dear_node_is_left_alone_where_the_rest_could_not_be_paid() -> None:
    dispatch = dispatch_of(
        [offer("dear", price=6, expected_s=0.1), offer("cheap", price=2)], "abc", budget=Budget(10)
    )
    add(dispatch, "abc")
    assert placed(dispatch) == ["a@dear", "b@cheap"]
    dispatch = dispatch_of(
        [offer("dear", price=7, expected_s=0.1), offer("cheap", price=2)], "abc", budget=Budget(10)
    )
    add(dispatch, "abc")
    assert placed(dispatch) == ["a@cheap"]


def test_too_little_money_is_a_refusal_that_says_how_much_would_do() -> None:
    budget = Budget(10, spent=5)
    dispatch = dispatch_of([offer("n", price=2)], "abc", budget=budget)
    add(dispatch, "abc")
    (refusal, *_) = list(dispatch.place())
    assert isinstance(refusal, Refusal)
    assert isinstance(refusal.error, OverBudget)
    assert refusal.error.message == (
        "the rest of the plan costs at least 6 credits ($0.06);"
        " the budget of 10 credits ($0.10) has 5 credits ($0.05) left"
    )
    assert "11 credits" in refusal.error.hint
    problem = problem_of(refusal.error, "zh")
    assert (
        problem.message
        == "计划的其余部分至少需要 6 积分（0.06 美元），而预算 10 积分（0.10 美元）只剩 5 积分（0.05 美元）"
    )
    assert problem.hint == "预算达到 11 积分（0.11 美元）即可。"
    assert budget.reserved == 0


@given(
    prices=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    concurrency=st.integers(1, 3),
    count=st.integers(1, 8),
    extra=st.integers(0, 30),
    data=st.data(),
)
def test_a_budget_that_suffices_for_the_cheapest_always_suffices(
    prices: list[int], concurrency: int, count: int, extra: int, data: st.DataObject
) -> None:
    names = "abcdefgh"[:count]
    offers = [offer(f"n{n}", price=p, concurrency=concurrency) for n, p in enumerate(prices)]
    budget = Budget(min(prices) * count + extra)
    dispatch = dispatch_of(offers, names, budget=budget)
    add(dispatch, names)
    running: list[Placement] = []
    finished = 0
    attempts = Counter[str]()
    while finished < count:
        for decision in dispatch.place():
            assert isinstance(decision, Placement)
            running.append(decision)
        assert running
        assert max(Counter(p.offer.node for p in running).values()) <= concurrency
        over = running.pop(data.draw(st.integers(0, len(running) - 1)))
        attempts[over.start.subtask] += 1
        fails = attempts[over.start.subtask] == 1 and data.draw(st.booleans())
        dispatch.ended(over, succeeded=not fails, answered=True)
        if fails:
            dispatch.add(Start(over.start.subtask, 2, (over.offer.node,)))
        finished += not fails
    assert budget.reserved == 0
    assert budget.limit is not None
    assert budget.spent <= budget.limit


@pytest.mark.parametrize("price", [3, 1, 0])
def test_money_is_back_after_a_failure_and_gone_after_a_success(price: int) -> None:
    budget = Budget(price)
    dispatch = dispatch_of([offer("n", price=price)], "a", budget=budget)
    add(dispatch, "a")
    (first,) = list(dispatch.place())
    assert budget.left == 0
    end(dispatch, first, succeeded=False)
    assert budget.left == price
    dispatch.add(Start(SubtaskId("a"), 2, (NodeId("n"),)))
    (second,) = list(dispatch.place())
    end(dispatch, second)
    assert (budget.spent, budget.left) == (price, 0)
