import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import Infeasible, NoNodeFound, OverBudget
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.scheduling.heft import schedule
from easynet.testing.graphs import graph_of, offer, task_graphs

KINDS = ("read", "train", "draw")
Offers = Mapping[CapabilityName, list[Offer]]
WORK = CapabilityName("work")


@st.composite
def markets(draw: st.DrawFn) -> Offers:
    nodes = {f"n{n}": draw(st.integers(1, 3)) for n in range(draw(st.integers(1, 4)))}
    return {
        CapabilityName(kind): [
            offer(
                node,
                kind,
                price=draw(st.integers(0, 9)),
                expected_s=draw(st.integers(0, 20)),
                concurrency=nodes[node],
            )
            for node in draw(st.lists(st.sampled_from(sorted(nodes)), min_size=1, unique=True))
        ]
        for kind in KINDS
    }


def check(graph: TaskGraph, offers: Offers, found: Schedule) -> None:
    """Every subtask once, on a node that offers it, after what it reads, and no node above its slots."""
    assert [a.subtask for a in found.assignments] == [s.id for s in graph.subtasks]
    by_id = {a.subtask: a for a in found.assignments}
    for subtask in graph.subtasks:
        mine = by_id[subtask.id]
        chosen = next(o for o in offers[subtask.capability] if o.node == mine.node)
        assert mine.price == chosen.price
        assert mine.ends_s - mine.starts_s == pytest.approx(chosen.expected_s)
        assert all(by_id[n].ends_s <= mine.starts_s for n in subtask.needs)
        assert mine.node not in mine.alternates
        assert set(mine.alternates) <= {o.node for o in offers[subtask.capability]}
    slots = {o.node: o.concurrency for found_offers in offers.values() for o in found_offers}
    for mine in found.assignments:
        at_once = [
            a for a in found.assignments if a.node == mine.node and a.starts_s <= mine.starts_s < a.ends_s
        ]
        assert len(at_once) <= slots[mine.node]


def critical_path_s(graph: TaskGraph, offers: Offers) -> float:
    fastest = {name: min(o.expected_s for o in found) for name, found in offers.items()}
    ends: dict[SubtaskId, float] = {}

    def end(name: SubtaskId) -> float:
        if name not in ends:
            subtask = graph.by_id[name]
            ends[name] = fastest[subtask.capability] + max((end(n) for n in subtask.needs), default=0.0)
        return ends[name]

    return max(end(s.id) for s in graph.subtasks)


@given(graph=task_graphs(capabilities=KINDS), offers=markets())
def test_a_schedule_keeps_order_and_slots_and_is_no_faster_than_possible(
    graph: TaskGraph, offers: Offers
) -> None:
    found = schedule(graph, offers)
    check(graph, offers, found)
    assert found.duration_s >= critical_path_s(graph, offers) - 1e-9


@given(graph=task_graphs(capabilities=KINDS), offers=markets(), extra=st.integers(0, 40))
def test_a_budget_that_suffices_for_the_cheapest_is_never_exceeded(
    graph: TaskGraph, offers: Offers, extra: int
) -> None:
    cheapest = sum(min(o.price for o in offers[s.capability]) for s in graph.subtasks)
    found = schedule(graph, offers, budget=cheapest + extra)
    check(graph, offers, found)
    assert found.price <= cheapest + extra


@given(graph=task_graphs(capabilities=KINDS), offers=markets(), short=st.integers(1, 5))
def test_a_budget_below_the_cheapest_is_refused_with_one_that_would_do(
    graph: TaskGraph, offers: Offers, short: int
) -> None:
    cheapest = sum(min(o.price for o in offers[s.capability]) for s in graph.subtasks)
    with pytest.raises(OverBudget) as raised:
        schedule(graph, offers, budget=cheapest - short)
    assert str(cheapest) in raised.value.message
    assert str(cheapest - short) in raised.value.message
    needed = int(re.findall(r"\d+", raised.value.hint)[0])
    assert schedule(graph, offers, budget=needed).price <= needed


@given(graph=task_graphs(capabilities=KINDS), offers=markets(), share=st.floats(0.0, 0.99))
def test_a_deadline_that_is_too_short_is_refused_with_one_that_would_do(
    graph: TaskGraph, offers: Offers, share: float
) -> None:
    shortest = schedule(graph, offers).duration_s
    if shortest == 0:
        return
    with pytest.raises(Infeasible) as raised:
        schedule(graph, offers, deadline_s=shortest * share)
    needed = int(re.findall(r"\d+", raised.value.hint)[0])
    assert schedule(graph, offers, deadline_s=needed).duration_s <= needed


@given(graph=task_graphs(capabilities=KINDS), offers=markets())
def test_the_same_input_gives_the_same_schedule(graph: TaskGraph, offers: Offers) -> None:
    turned: Offers = {name: list(reversed(found)) for name, found in offers.items()}
    assert schedule(graph, offers) == schedule(graph, turned)


def test_the_longest_chain_gets_the_fast_node() -> None:
    graph = graph_of({"short": [], "long1": [], "long2": ["long1"], "long3": ["long2"]})
    offers = {WORK: [offer("fast", expected_s=1.0), offer("slow", expected_s=2.5)]}
    found = schedule(graph, offers)
    assert {a.node for a in found.assignments if a.subtask.startswith("long")} == {"fast"}
    assert found.duration_s == 3.0


def test_alternates_come_in_order_of_their_finish() -> None:
    offers = {WORK: [offer("c", expected_s=3.0), offer("a", expected_s=1.0), offer("b", expected_s=2.0)]}
    only = schedule(graph_of({"s": []}), offers).assignments[0]
    assert (only.node, only.alternates) == ("a", ("b", "c"))


def test_equally_fast_offers_are_decided_by_price() -> None:
    offers = {WORK: [offer("dear", price=9), offer("cheap", price=1)]}
    assert schedule(graph_of({"s": []}), offers).assignments[0].node == "cheap"


def test_money_is_spent_where_the_chain_is_longest() -> None:
    graph = graph_of({"a": [], "b": ["a"], "c": ["b"]})
    offers = {WORK: [offer("fast", price=5, expected_s=1.0), offer("slow", price=1, expected_s=10.0)]}
    found = schedule(graph, offers, budget=7)
    assert found.price == 7
    assert [a.node for a in found.assignments] == ["fast", "slow", "slow"]


def test_what_is_measured_takes_precedence_over_what_is_claimed() -> None:
    offers = {WORK: [offer("liar", expected_s=0.1), offer("honest", expected_s=1.0)]}
    found = schedule(
        graph_of({"s": []}), offers, estimate=lambda o: 50.0 if o.node == "liar" else o.expected_s
    )
    assert found.assignments[0].node == "honest"
    assert found.duration_s == 1.0


@pytest.mark.parametrize("offers", [{}, {WORK: []}])
def test_a_function_that_nobody_offers_is_named(offers: Offers) -> None:
    with pytest.raises(NoNodeFound, match="'work'"):
        schedule(graph_of({"s": []}), offers)


def test_a_deadline_missed_for_lack_of_money_says_how_much_would_do() -> None:
    offers = {WORK: [offer("fast", price=5, expected_s=1.0), offer("slow", price=1, expected_s=10.0)]}
    graph = graph_of({"a": [], "b": ["a"]})
    with pytest.raises(Infeasible) as raised:
        schedule(graph, offers, budget=6, deadline_s=3.0)
    assert "budget of 10 credits" in raised.value.hint
    assert schedule(graph, offers, budget=10, deadline_s=3.0).duration_s == 2.0


def test_refusals_are_said_in_both_languages_with_whole_amounts() -> None:
    graph, offers = graph_of({"a": [], "b": ["a"]}), {WORK: [offer("n", price=21, expected_s=4.87)]}
    with pytest.raises(Infeasible) as late:
        schedule(graph, offers, deadline_s=1.0)
    assert late.value.message == "the plan takes about 9.7 seconds at best; 1 second is allowed"
    assert late.value.in_language("zh") == ("计划最快约需 9.7 秒，而期限是 1 秒", "期限放宽到 10 秒即可。")
    with pytest.raises(OverBudget) as dear:
        schedule(graph, offers, budget=21)
    assert dear.value.in_language("en") == (
        "the plan costs at least 42 credits ($0.42); the budget is 21 credits ($0.21)",
        "A budget of 42 credits ($0.42) would do.",
    )
    assert (
        dear.value.in_language("zh")[0] == "计划至少需要 42 积分（0.42 美元），而预算是 21 积分（0.21 美元）"
    )
    with pytest.raises(NoNodeFound) as nobody:
        schedule(graph, {})
    assert nobody.value.in_language("zh")[0] == "没有节点提供计划所需的 'work'"


@pytest.mark.parametrize(
    ("needed_s", "allowed_s", "told"),
    [
        (1.02, 1.0, "about 1.02 seconds at best; 1 second is"),
        (0.004, 0.001, "about 0.004 seconds at best; 0.001 seconds are"),
        (10.0, 2.5, "about 10 seconds at best; 2.5 seconds are"),
    ],
)
def test_a_time_that_is_too_long_never_reads_like_the_one_allowed(
    needed_s: float, allowed_s: float, told: str
) -> None:
    with pytest.raises(Infeasible) as raised:
        schedule(graph_of({"a": []}), {WORK: [offer("n", expected_s=needed_s)]}, deadline_s=allowed_s)
    assert told in raised.value.message


@pytest.mark.parametrize("claim", [float("inf"), float("nan"), -5.0])
def test_a_senseless_claim_does_no_harm(claim: float) -> None:
    offers = {WORK: [offer("odd")]}
    found = schedule(graph_of({"a": [], "b": ["a"], "c": []}), offers, estimate=lambda _: claim)
    assert 0.0 <= found.duration_s < float("inf")


def test_an_empty_plan_costs_nothing_and_takes_no_time() -> None:
    found = schedule(TaskGraph(subtasks=()), {}, budget=0, deadline_s=0.0)
    assert (found.price, found.duration_s) == (0, 0.0)


def test_what_a_replanned_rest_reads_of_earlier_subtasks_is_there_at_once() -> None:
    offers = {WORK: [offer("n", price=4, expected_s=10.0)]}
    found = schedule(graph_of({"c": ["b"]}), offers, budget=4, deadline_s=10.0)
    assert [(a.subtask, a.starts_s, a.price) for a in found.assignments] == [("c", 0.0, 4)]
