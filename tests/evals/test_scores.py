"""The measures of the plan suite, against values worked out by hand."""

import pytest

from easynet.core.ids import CapabilityName
from easynet.core.task_graph import TaskGraph
from evals.plans import folds, held_out
from evals.requests import Chain, Example, Suite, past_run
from evals.scores import mean, score


def chain(*names: str) -> Chain:
    return tuple(map(CapabilityName, names))


def graph(*names: str) -> TaskGraph:
    return past_run(Example("x", chain(*names)), 0).graph


def test_the_right_plan_is_right() -> None:
    found = score(graph("a", "b", "c"), chain("a", "b", "c"))
    assert (found.nodes, found.links, found.is_right) == (1.0, 1.0, True)


def test_a_missing_plan_counts_zero() -> None:
    assert score(None, chain("a", "b")).nodes == 0.0


def test_a_step_too_many_costs_precision_and_its_links() -> None:
    found = score(graph("a", "x", "b"), chain("a", "b"))
    assert found.nodes == pytest.approx(0.8)
    assert found.links == 0.0
    assert not found.is_right


def test_order_counts_in_links_alone() -> None:
    found = score(graph("b", "a"), chain("a", "b"))
    assert (found.nodes, found.links) == (1.0, 0.0)


def test_the_interval_holds_the_mean_and_is_narrower_for_more_requests() -> None:
    few, many = mean([0.0, 1.0] * 10), mean([0.0, 1.0] * 1000)
    assert few.low < few.value == many.value < few.high
    assert many.high - many.low < few.high - few.low


def suite() -> Suite:
    examples = [Example(f"t{i}", chain("a", f"b{i % 40}")) for i in range(1600)]
    return Suite((), frozenset(), examples)


def test_the_dev_fold_is_the_last_part_and_never_among_the_past_runs() -> None:
    past, asked = folds(suite(), None)
    assert asked == [*suite().examples[-500:]]
    assert not {e.text for e in past} & {e.text for e in asked}


def test_an_inner_fold_leaves_the_dev_fold_alone() -> None:
    past, asked = folds(suite(), 1)
    dev = {e.text for e in suite().examples[-500:]}
    assert len(asked) == 500
    assert not dev & {e.text for e in (*past, *asked)}


def test_held_out_tool_sets_are_never_seen() -> None:
    kept, asked = held_out(suite().examples)
    assert len(asked) >= 500
    assert not {frozenset(e.chain) for e in kept} & {frozenset(e.chain) for e in asked}
