"""Limits that would do: with what is named a schedule is found, and with one credit less there is none."""

from collections.abc import Mapping
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import Infeasible, OverBudget
from easynet.core.ids import CapabilityName
from easynet.core.offer import Offer
from easynet.core.relaxation import Relaxation
from easynet.core.task_graph import TaskGraph
from easynet.scheduling.heft import schedule
from easynet.testing.graphs import graph_of, offer, task_graphs
from tests.scheduling.test_heft import KINDS, markets

Offers = Mapping[CapabilityName, list[Offer]]
WORK = CapabilityName("work")
FAST_AND_SLOW: Offers = {
    WORK: [offer("fast", price=5, expected_s=1.0), offer("slow", price=1, expected_s=10.0)]
}


def refused(
    graph: TaskGraph, offers: Offers, budget: int | None, spent: int, deadline_s: float | None
) -> tuple[Relaxation, ...]:
    """What is named where there is no schedule; nothing where there is one."""
    try:
        found = schedule(graph, offers, budget=budget, spent=spent, deadline_s=deadline_s)
    except (OverBudget, Infeasible) as error:
        return error.relaxations or (Relaxation(),)
    assert budget is None or found.price <= budget - spent
    assert deadline_s is None or found.duration_s <= deadline_s
    return ()


LIMITS = {"budget": st.none() | st.integers(0, 60), "deadline_s": st.none() | st.floats(0.0, 60.0)}


@given(graph=task_graphs(capabilities=KINDS), offers=markets(), spent=st.integers(0, 9), **LIMITS)
def test_each_relaxation_that_is_named_would_do(
    graph: TaskGraph, offers: Offers, spent: int, budget: int | None, deadline_s: float | None
) -> None:
    for limits in refused(graph, offers, budget, spent, deadline_s):
        more = budget if limits.budget is None else limits.budget
        longer = deadline_s if limits.time_s is None else limits.time_s
        assert (more, longer) != (budget, deadline_s), "nothing that would do is named"
        assert refused(graph, offers, more, spent, longer) == ()
        if limits.time_s is not None:  # as it is said in words
            assert refused(graph, offers, more, spent, ceil(limits.time_s)) == ()


@given(graph=task_graphs(capabilities=KINDS), offers=markets(), spent=st.integers(0, 9), **LIMITS)
def test_with_one_credit_less_than_the_least_budget_there_is_no_schedule(
    graph: TaskGraph, offers: Offers, spent: int, budget: int | None, deadline_s: float | None
) -> None:
    for limits in refused(graph, offers, budget, spent, deadline_s):
        if limits.budget is not None and limits.time_s is None:
            assert budget is not None
            assert limits.budget > budget
            assert refused(graph, offers, limits.budget - 1, spent, deadline_s)


@given(
    graph=task_graphs(capabilities=KINDS),
    offers=markets(),
    budget=LIMITS["budget"],
    deadline_s=LIMITS["deadline_s"],
)
def test_with_less_than_the_least_time_there_is_no_schedule(
    graph: TaskGraph, offers: Offers, budget: int | None, deadline_s: float | None
) -> None:
    for limits in refused(graph, offers, budget, 0, deadline_s):
        if limits.time_s and limits.budget is None:
            assert refused(graph, offers, budget, 0, limits.time_s * 0.999)


def test_the_least_change_comes_first() -> None:
    graph = graph_of({"a": [], "b": ["a"]})
    with pytest.raises(Infeasible) as raised:
        schedule(graph, FAST_AND_SLOW, budget=6, deadline_s=3.0)
    assert raised.value.relaxations == (Relaxation(budget=10), Relaxation(time_s=11.0))
    assert raised.value.in_language("en")[1] == (
        "A budget of 10 credits ($0.10) would do, or a deadline of 11 seconds."
    )
    assert raised.value.in_language("zh")[1] == "预算达到 10 积分（0.10 美元），或者期限放宽到 11 秒即可。"
    with pytest.raises(Infeasible) as raised:
        schedule(graph, FAST_AND_SLOW, budget=6, deadline_s=10.9)
    assert raised.value.relaxations[0] == Relaxation(time_s=11.0)


def test_the_least_budget_is_less_than_the_fastest_costs() -> None:
    """Two of four in a row have to be fast, not all of them."""
    graph = graph_of({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
    with pytest.raises(Infeasible) as raised:
        schedule(graph, FAST_AND_SLOW, budget=4, deadline_s=22.0)
    assert Relaxation(budget=12) in raised.value.relaxations


def test_a_budget_that_is_too_small_names_one_that_keeps_the_deadline() -> None:
    with pytest.raises(OverBudget) as raised:
        schedule(graph_of({"a": [], "b": ["a"]}), FAST_AND_SLOW, budget=1, deadline_s=3.0)
    assert raised.value.relaxations == (Relaxation(budget=10),)
    assert raised.value.message.startswith("the plan costs at least 10 credits ($0.10) to end in time")


def test_where_neither_limit_alone_would_do_both_are_named() -> None:
    with pytest.raises(OverBudget) as raised:
        schedule(graph_of({"a": [], "b": ["a"]}), FAST_AND_SLOW, budget=1, deadline_s=1.0)
    assert raised.value.relaxations == (Relaxation(budget=2, time_s=20.0),)
    assert raised.value.in_language("en")[1] == (
        "A budget of 2 credits ($0.02) with a deadline of 20 seconds would do."
    )
    assert raised.value.in_language("zh")[1] == "预算达到 2 积分（0.02 美元），并且期限放宽到 20 秒即可。"


def test_a_budget_is_named_for_the_whole_run() -> None:
    with pytest.raises(OverBudget) as raised:
        schedule(graph_of({"a": []}), FAST_AND_SLOW, budget=7, spent=7)
    assert raised.value.relaxations == (Relaxation(budget=8),)
    assert raised.value.in_language("en") == (
        "the rest of the plan costs at least 1 credit ($0.01);"
        " the budget is 7 credits ($0.07), of which 7 credits ($0.07) are spent",
        "A budget of 8 credits ($0.08) would do.",
    )
    assert raised.value.in_language("zh")[0] == (
        "计划的其余部分至少需要 1 积分（0.01 美元），而预算是 7 积分（0.07 美元），已花费 7 积分（0.07 美元）"
    )


def test_a_deadline_that_has_passed_says_how_long_the_rest_takes() -> None:
    with pytest.raises(Infeasible) as raised:
        schedule(graph_of({"a": []}), FAST_AND_SLOW, deadline_s=0.0)
    assert raised.value.in_language("en") == (
        "the deadline has passed, and what is left takes about 1 second",
        "A deadline of 1 second from now would do.",
    )
    assert raised.value.in_language("zh") == (
        "期限已过，其余部分约需 1 秒",
        "期限放宽到从现在起的 1 秒即可。",
    )


def test_a_compromise_is_found_where_the_greedy_schedule_is_too_slow() -> None:
    """Greedy spends on the first subtask what would make the long ones fast."""
    offers: Offers = {
        CapabilityName("short"): [
            offer("f1", "short", price=6, expected_s=1.0),
            offer("s1", "short", price=1, expected_s=2.0),
        ],
        CapabilityName("long"): [
            offer("f2", "long", price=6, expected_s=1.0),
            offer("s2", "long", price=1, expected_s=50.0),
        ],
    }
    graph = graph_of({"a": [], "b": ["a"]}, {"a": "short", "b": "long"})
    assert schedule(graph, offers, budget=7).duration_s > 4.0
    assert schedule(graph, offers, budget=7, deadline_s=4.0).duration_s == 3.0
