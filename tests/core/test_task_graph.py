"""Task graphs as data."""

import networkx as nx
import pytest
from hypothesis import given
from pydantic import ValidationError

from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromInput, FromSubtask, Gathered, Given, Subtask, TaskGraph, sources
from easynet.testing.graphs import task_graphs


@given(task_graphs())
def test_graph_survives_the_journal(graph: TaskGraph) -> None:
    assert TaskGraph.model_validate_json(graph.model_dump_json()) == graph


@given(task_graphs())
def test_digraph_has_an_edge_for_each_need_and_an_order(graph: TaskGraph) -> None:
    drawn = graph.digraph()
    assert set(drawn.nodes) == {s.id for s in graph.subtasks}
    assert set(drawn.edges) == {(before, s.id) for s in graph.subtasks for before in s.needs}
    order = list(nx.topological_sort(drawn))
    assert all(order.index(a) < order.index(b) for a, b in drawn.edges)


def test_needs_are_the_subtasks_read_whole_in_parts_or_gathered() -> None:
    a, b = FromSubtask(subtask=SubtaskId("a"), path=("train",)), FromSubtask(subtask=SubtaskId("b"))
    subtask = Subtask(
        id=SubtaskId("c"),
        capability=CapabilityName("f"),
        arguments={"x": a, "y": Gathered(items=(a, b)), "z": Given(value=1), "w": FromInput(name="data")},
    )
    assert subtask.needs == {"a", "b"}
    assert sources(subtask.arguments["z"]) == ()


def test_inputs_are_required_where_one_reader_cannot_do_without() -> None:
    def reader(name: str, *, optional: bool) -> Subtask:
        return Subtask(
            id=SubtaskId(name),
            capability=CapabilityName(name),
            arguments={"data": FromInput(name="data", optional=optional)},
        )

    both = TaskGraph(subtasks=(reader("a", optional=True), reader("b", optional=False)))
    assert both.inputs == {"data": True}
    assert TaskGraph(subtasks=both.subtasks[:1]).inputs == {"data": False}


def test_plan_cannot_be_changed_in_place() -> None:
    graph = TaskGraph(subtasks=())
    with pytest.raises(ValidationError):
        setattr(graph, "outputs", (SubtaskId("a"),))  # noqa: B010  # mypy knows that it is frozen


def test_a_changed_copy_reads_what_it_says_now() -> None:
    graph = TaskGraph(subtasks=(Subtask(id=SubtaskId("a"), capability=CapabilityName("c")),))
    [subtask] = graph.subtasks
    assert not subtask.needs
    assert [*graph.by_id] == ["a"]
    reads = subtask.model_copy(update={"arguments": {"x": FromSubtask(subtask=SubtaskId("b"))}})
    assert reads.needs == {"b"}
    assert [*graph.model_copy(update={"subtasks": ()}).by_id] == []
