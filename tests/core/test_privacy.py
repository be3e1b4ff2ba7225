"""Labels: what is private stays so along every binding, but through an aggregate."""

from collections.abc import Mapping
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import ParsedIntent, Privacy, Requirements
from easynet.core.offer import Trust
from easynet.core.privacy import PrivateData, labels, may_see
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Given, Subtask, TaskGraph
from easynet.testing.graphs import task_graphs

WORK, SUM = CapabilityName("work"), CapabilityName("sum")
CATALOGUE = {
    WORK: Capability(name=WORK, description={"en": "Work."}),
    SUM: Capability(name=SUM, description={"en": "Sum."}, aggregates=True),
}
INPUTS = {"patients": "p.csv", "weather": "w.csv"}


def understood(private: tuple[str, ...] = (), *, high: bool = False, **inputs: Any) -> ParsedIntent:
    level = Privacy.HIGH if high else Privacy.NORMAL
    needs = Requirements(privacy=level, private=private)
    return ParsedIntent(text="x", language="en", inputs=inputs or INPUTS, requirements=needs)


def subtask(name: str, capability: CapabilityName = WORK, **arguments: Binding) -> Subtask:
    return Subtask(id=SubtaskId(name), capability=capability, arguments=arguments)


def reads(name: str) -> FromSubtask:
    return FromSubtask(subtask=SubtaskId(name))


def private_in(parsed: ParsedIntent, *subtasks: Subtask) -> set[str]:
    found = labels(TaskGraph(subtasks=subtasks), parsed, CATALOGUE)
    return {name for name, label in found.items() if label is Privacy.HIGH}


@st.composite
def plans(draw: st.DrawFn) -> tuple[TaskGraph, dict[SubtaskId, str]]:
    """A graph some of whose subtasks also read an input, and which input that is."""
    graph = draw(task_graphs(capabilities=("work", "sum")))
    read = {s.id: draw(st.sampled_from(["patients", "weather", ""])) for s in graph.subtasks}
    subtasks = tuple(
        s.model_copy(update={"arguments": {**s.arguments, "data": FromInput(name=read[s.id])}})
        if read[s.id]
        else s
        for s in graph.subtasks
    )
    return TaskGraph(subtasks=subtasks), {i: name for i, name in read.items() if name}


# ── the rule ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("trust", Trust)
def test_private_data_goes_to_own_and_trusted_nodes_and_public_data_to_all(trust: Trust) -> None:
    assert may_see(trust, Privacy.NORMAL)
    assert may_see(trust, Privacy.HIGH) is (trust in (Trust.OWN, Trust.TRUSTED))


# ── properties ──────────────────────────────────────────────────────────────────────────────────


@given(plans())
def test_private_input_reaches_a_public_subtask_through_an_aggregate_only(
    plan: tuple[TaskGraph, Mapping[SubtaskId, str]],
) -> None:
    graph, read = plan
    found = labels(graph, understood(("patients",)), CATALOGUE)
    # Cut the ways out of the aggregates: what is then still behind a private input is all that is private.
    ways = graph.digraph()
    ways.remove_edges_from([(a, b) for a, b in graph.digraph().edges if graph.by_id[a].capability == SUM])
    sources = [i for i, name in read.items() if name == "patients"]
    reached = {*sources, *(b for source in sources for b in nx.descendants(ways, source))}
    assert {i for i, label in found.items() if label is Privacy.HIGH} == reached


@given(plans())
def test_more_private_inputs_make_nothing_less_private(
    plan: tuple[TaskGraph, Mapping[SubtaskId, str]],
) -> None:
    graph, _ = plan
    levels = [(), ("patients",), ("patients", "weather")]
    private = [private_in(understood(names), *graph.subtasks) for names in levels]
    whole = private_in(understood(high=True), *graph.subtasks)
    assert private[0] == set() <= private[1] <= private[2] <= whole


@given(plans())
def test_an_aggregate_more_makes_nothing_more_private(
    plan: tuple[TaskGraph, Mapping[SubtaskId, str]],
) -> None:
    graph, _ = plan
    parsed = understood(("patients",))
    none = {name: c.model_copy(update={"aggregates": False}) for name, c in CATALOGUE.items()}
    with_some = labels(graph, parsed, CATALOGUE)
    without = labels(graph, parsed, none)
    assert all(without[i] is Privacy.HIGH for i, label in with_some.items() if label is Privacy.HIGH)


# ── cases ───────────────────────────────────────────────────────────────────────────────────────


def test_results_inherit_what_was_private_in_the_arguments_and_an_aggregate_ends_it() -> None:
    chain = (
        subtask("load", data=FromInput(name="patients")),
        subtask("clean", data=reads("load")),
        subtask("total", SUM, data=reads("clean")),
        subtask("plot", data=reads("total")),
        subtask("join", data=reads("total"), other=reads("clean")),
        subtask("rain", data=FromInput(name="weather")),
    )
    assert private_in(understood(("patients",)), *chain) == {"load", "clean", "total", "join"}


def test_intent_that_is_private_as_a_whole_makes_all_its_inputs_private() -> None:
    parsed = understood(high=True)
    assert private_in(parsed, subtask("a", data=FromInput(name="weather"))) == {"a"}
    assert private_in(parsed, subtask("a")) == set()


def test_language_is_not_the_users_data_unless_the_user_gives_one() -> None:
    assert PrivateData(understood(high=True)).input("language") is Privacy.NORMAL
    assert PrivateData(understood(high=True, language="de")).input("language") is Privacy.HIGH


def test_an_input_of_the_same_value_as_a_private_one_is_as_private() -> None:
    parsed = understood(("patients",), patients="p.csv", again="p.csv", weather="w.csv")
    assert PrivateData(parsed).input("again") is Privacy.HIGH
    assert PrivateData(parsed).input("weather") is Privacy.NORMAL


@pytest.mark.parametrize(
    ("literal", "is_private"),
    [
        ("Ada Lovelace", True),
        ("ada lovelace", True),
        ("patient Ada Lovelace", True),
        ("Lovelace", True),
        (1815, True),
        (["x", {"deep": "Ada Lovelace"}], True),
        ("weather", False),
        (7, False),
        (True, False),
        (None, False),
    ],
)
def test_literal_taken_from_a_private_input_is_private(literal: Any, is_private: bool) -> None:
    record = {"name": "Ada Lovelace", "born": [1815]}
    parsed = understood(("patients",), patients=record, weather="sunny")
    label = Privacy.HIGH if is_private else Privacy.NORMAL
    assert PrivateData(parsed).literal(literal) is label
    assert private_in(parsed, subtask("a", x=Given(value=literal))) == ({"a"} if is_private else set())


def test_literals_of_an_intent_that_is_private_as_a_whole_are_private_but_for_the_functions_own_words() -> (
    None
):
    kind = Parameter(name="kind", type=TypeRef(name="str"), choices=("bar", "line"))
    plot = Capability(name=WORK, description={"en": "Plot."}, parameters=(kind,))
    parsed = understood(high=True)
    for value, label in (("bar", Privacy.NORMAL), (True, Privacy.NORMAL), ("Ada", Privacy.HIGH)):
        graph = TaskGraph(subtasks=(subtask("plot", kind=Given(value=value)),))
        assert labels(graph, parsed, {WORK: plot}) == {"plot": label}


def test_what_reads_something_unknown_or_itself_is_private_where_anything_is() -> None:
    unknown = subtask("a", x=reads("elsewhere"))
    ring = (subtask("b", x=reads("c")), subtask("c", x=reads("b")))
    assert private_in(understood(("patients",)), unknown, *ring) == {"a", "b", "c"}
    assert private_in(understood(), unknown, *ring) == set()
