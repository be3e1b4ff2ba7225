from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import NoNodeFound, OverBudget
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Assignment, Schedule
from easynet.execution.budget import Budget
from easynet.execution.commands import Start
from easynet.execution.dispatch import Dispatch, Placement, Refusal
from easynet.execution.history import History
from easynet.execution.order import Order
from easynet.execution.outcome import problem_of
from easynet.execution.purse import Purse
from easynet.execution.steering import Steering
from easynet.scheduling.observations import Observation
from easynet.testing.clock import ManualClock
from easynet.testing.graphs import graph_of, offer

WORK = CapabilityName("work")
NO_ADVICE = Schedule(assignments=())


@dataclass
class Desk:
    """A dispatch with what it works with."""

    offers: list[Offer]
    names: str = "abcdef"
    budget: Budget = field(default_factory=lambda: Budget(None))
    schedule: Schedule = NO_ADVICE
    steering: Steering = field(default_factory=Steering)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        graph = graph_of({name: [] for name in self.names})
        order = Order(graph, {}, {}, {WORK: self.offers}, self.schedule, self.budget, None, History())
        self.purse = Purse(self.budget)
        self.dispatch = Dispatch(order, self.purse, self.steering, self.clock)
        self.add = self.dispatch.add
        self.offered = self.dispatch.offered
        self.place = self.dispatch.place
        self.hedge = self.dispatch.hedge

    def end(self, placement: Placement | Refusal, *, succeeded: bool = True, silent: bool = False) -> None:
        assert isinstance(placement, Placement)
        start, offer = placement.start, placement.offer
        self.steering.load.remove(placement.share)
        if succeeded:
            self.purse.done(start.subtask)
        self.purse.settle(start.subtask, offer.price, is_paid=succeeded)
        if silent:
            at = self.clock.now()
            self.steering.estimates.observe(
                Observation(offer.node, offer.capability, offer.expected_s, at, 1.0, "silent")
            )


def dispatch_of(offers: list[Offer], names: str = "abcdef", **parts: Any) -> Desk:
    return Desk(offers, names, **parts)


def add(dispatch: Desk, names: str) -> None:
    for name in names:
        dispatch.add(Start(SubtaskId(name), 1))


def placed(dispatch: Desk) -> list[str]:
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


def test_a_node_gets_no_more_at_a_time_than_it_runs_and_the_rest_waits() -> None:
    dispatch = dispatch_of([offer("n", concurrency=2)])
    add(dispatch, "abc")
    first, _ = list(dispatch.place())
    assert placed(dispatch) == []
    dispatch.end(first)
    assert placed(dispatch) == ["c@n"]


def test_the_offer_that_is_done_first_is_taken_and_waited_for_where_that_pays() -> None:
    desk = dispatch_of([offer("fast", expected_s=1.0), offer("slow", expected_s=4.0)])
    add(desk, "abcd")
    assert placed(desk) == ["a@fast", "c@slow"]  # `b` waits for the fast one; a third would wait too long
    assert desk.dispatch.look_again_s == 1.0


def test_a_little_money_is_worth_a_little_time() -> None:
    desk = dispatch_of([offer("cheap", expected_s=1.001, price=1), offer("dear", expected_s=1.0, price=100)])
    add(desk, "a")
    assert placed(desk) == ["a@cheap"]


def test_among_equals_the_one_with_less_to_do_and_then_the_advised_one_is_taken() -> None:
    offers = [offer("a", concurrency=4), offer("b", concurrency=4), offer("c", concurrency=4)]
    desk = dispatch_of(offers, schedule=advice(a="b"))
    add(desk, "abcd")
    assert placed(desk) == ["a@b", "b@a", "c@c", "d@a"]


def test_runs_that_share_a_load_do_not_fill_one_node_together() -> None:
    steering = Steering()
    one, other = (dispatch_of([offer("n"), offer("m")], steering=steering) for _ in range(2))
    add(one, "a")
    add(other, "a")
    assert placed(one) != placed(other)


def test_a_node_that_was_slow_and_one_that_failed_are_left_for_better_ones() -> None:
    desk = dispatch_of([offer("liar", expected_s=0.5), offer("flaky"), offer("good")])
    at = desk.clock.now()
    for _ in range(20):
        desk.steering.estimates.observe(Observation(NodeId("liar"), WORK, 0.5, at, 5.0, "succeeded"))
        desk.steering.estimates.observe(Observation(NodeId("flaky"), WORK, 1.0, at, 1.0, "failed"))
        desk.steering.estimates.observe(Observation(NodeId("good"), WORK, 1.0, at, 1.0, "succeeded"))
    add(desk, "a")
    assert placed(desk) == ["a@good"]


def test_a_hedge_takes_a_free_node_at_once_or_none() -> None:
    desk = dispatch_of([offer("n"), offer("m")], "a", budget=Budget(1))
    hedge = Start(SubtaskId("a"), 2, "hedge", (), (NodeId("n"),))
    add(desk, "a")
    (first,) = list(desk.place())
    assert desk.hedge(hedge) is None  # there is no money for it
    desk = dispatch_of([offer("n"), offer("m")], "a")
    add(desk, "a")
    (first,) = list(desk.place())
    assert isinstance(first, Placement)
    beside = Start(SubtaskId("a"), 2, "hedge", (), (first.offer.node,))
    second = desk.hedge(beside)
    assert second is not None
    assert second.offer.node != first.offer.node
    assert desk.hedge(Start(SubtaskId("a"), 3, "hedge", (), (NodeId("n"), NodeId("m")))) is None


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
    dispatch.end(on_a, succeeded=False)
    dispatch.add(Start(SubtaskId("a"), 2, "retry", (NodeId("a"),)))
    assert placed(dispatch) == []  # `a` is free, but it failed this one
    dispatch.add(Start(SubtaskId("c"), 1))
    assert placed(dispatch) == ["c@a"]  # and the wait holds nobody else up
    dispatch.end(on_b)
    assert placed(dispatch) == ["a@b"]


def test_a_node_gets_a_subtask_twice_at_most() -> None:
    dispatch = dispatch_of([offer("n")])
    dispatch.add(Start(SubtaskId("a"), 2, "retry", (NodeId("n"),)))
    assert placed(dispatch) == ["a@n"]
    dispatch.add(Start(SubtaskId("b"), 3, "retry", (NodeId("n"), NodeId("n"))))
    (refusal,) = list(dispatch.place())
    assert isinstance(refusal, Refusal)
    assert isinstance(refusal.error, NoNodeFound)


def test_a_silent_node_is_passed_over_for_a_minute() -> None:
    desk = dispatch_of([offer("dead", expected_s=0.1), offer("alive", concurrency=2)])
    add(desk, "a")
    (on_dead,) = list(desk.place())
    desk.end(on_dead, succeeded=False, silent=True)
    add(desk, "bcd")
    assert placed(desk) == ["b@alive", "c@alive"]
    desk.offered(WORK, [offer("dead", expected_s=0.1)])
    assert placed(desk) == ["d@dead"]  # where it is the only one, it is tried
    desk.clock.advance(61)
    desk = dispatch_of(desk.offers, steering=Steering(desk.steering.estimates), clock=desk.clock)
    add(desk, "e")
    assert placed(desk) == ["e@dead"]


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
        dispatch.end(over, succeeded=not fails)
        if fails:
            dispatch.add(Start(over.start.subtask, 2, "retry", (over.offer.node,)))
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
    dispatch.end(first, succeeded=False)
    assert budget.left == price
    dispatch.add(Start(SubtaskId("a"), 2, "retry", (NodeId("n"),)))
    (second,) = list(dispatch.place())
    dispatch.end(second)
    assert (budget.spent, budget.left) == (price, 0)
