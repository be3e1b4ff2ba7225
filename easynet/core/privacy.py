"""Who may see what: labels flow from private inputs along the bindings of a plan.

What a subtask is given is as private as the most private of its arguments, and its result is as private as
what it was given, unless its capability aggregates. This is the lattice model of secure information flow with
two levels, and aggregation as its one declassifier.

Denning: A lattice model of secure information flow. Communications of the ACM 19(5), 1976.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import ParsedIntent, Privacy
from easynet.core.offer import Trust
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask, TaskGraph

Labels = Mapping[SubtaskId, Privacy]

_SHORTEST = 3
"""A shorter text is found inside of others by chance."""
_LANGUAGE = "language"
"""The input that the network itself offers: it says nothing of the user's data."""


def may_see(trust: Trust, label: Privacy) -> bool:
    """Whether a node may be given data of this label. The one rule; everybody who checks calls it."""
    return label is Privacy.NORMAL or trust is not Trust.PUBLIC


def labels(
    graph: TaskGraph, parsed: ParsedIntent, capabilities: Mapping[CapabilityName, Capability]
) -> dict[SubtaskId, Privacy]:
    """How private the arguments of each subtask are.

    What nothing is known of is private, where the intent keeps anything private: a subtask that waits for
    itself, or reads one that is not in the graph.
    """
    if not is_private(parsed):
        return {s.id: Privacy.NORMAL for s in graph.subtasks}
    given: dict[SubtaskId, Privacy] = {}
    results: dict[SubtaskId, Privacy] = {}
    private = PrivateData(parsed)
    for subtask in graph.in_order:
        capability = capabilities.get(subtask.capability)
        given[subtask.id] = label = _given(subtask, capability, private, results)
        aggregates = capability is not None and capability.aggregates
        results[subtask.id] = Privacy.NORMAL if aggregates else label
    return {s.id: given.get(s.id, Privacy.HIGH) for s in graph.subtasks}


def given_public_data(
    graphs: Iterable[TaskGraph], parsed: ParsedIntent, capabilities: Mapping[CapabilityName, Capability]
) -> set[CapabilityName]:
    """The capabilities that at least one subtask gives nothing private."""
    return {
        graph.by_id[subtask].capability
        for graph in graphs
        for subtask, label in labels(graph, parsed, capabilities).items()
        if label is Privacy.NORMAL
    }


def result_labels(
    graph: TaskGraph, labels: Labels, capabilities: Mapping[CapabilityName, Capability]
) -> dict[SubtaskId, Privacy]:
    """How private the results are of subtasks whose arguments have these labels."""
    aggregating = {name for name, c in capabilities.items() if c.aggregates}
    return {
        s.id: Privacy.NORMAL if s.capability in aggregating else labels.get(s.id, Privacy.NORMAL)
        for s in graph.subtasks
    }


def is_private(parsed: ParsedIntent) -> bool:
    """Whether an intent keeps anything private."""
    return parsed.requirements.privacy is Privacy.HIGH or bool(parsed.requirements.private)


def with_private(parsed: ParsedIntent, answers: Iterable[str]) -> ParsedIntent:
    """The intent with these answers to questions among its private inputs, where it keeps anything private.

    A question may come from private data, and so may what there is to choose from.
    """
    needs = parsed.requirements
    private = tuple(dict.fromkeys((*needs.private, *answers)))
    if not is_private(parsed) or private == needs.private:
        return parsed
    return parsed.model_copy(update={"requirements": needs.model_copy(update={"private": private})})


def leaves(value: JsonValue) -> Iterator[str]:
    """The texts and numbers that a value is made of, as text; the names of its parts are among them."""
    match value:
        case dict():
            yield from value
            yield from chain.from_iterable(map(leaves, value.values()))
        case list():
            yield from chain.from_iterable(map(leaves, value))
        case str():
            yield value
        case None | bool():
            pass
        case _:
            yield str(value)


class PrivateData:
    """What is private in an intent."""

    def __init__(self, parsed: ParsedIntent) -> None:
        needs, inputs = parsed.requirements, parsed.inputs
        self._inputs = inputs
        self._all = needs.privacy is Privacy.HIGH
        self._names = frozenset(needs.private)
        self._values = [inputs[name] for name in needs.private if name in inputs]

    def input(self, name: str) -> Privacy:
        """How private an input is: by name, or because a private one has the same value."""
        if name == _LANGUAGE and name not in self._inputs:
            return Privacy.NORMAL
        if self._all or name in self._names:
            return Privacy.HIGH
        is_same = name in self._inputs and self._inputs[name] in self._values
        return Privacy.HIGH if is_same else Privacy.NORMAL

    @cached_property
    def _leaves(self) -> frozenset[str]:
        return frozenset(leaf.casefold() for v in self._values for leaf in leaves(v))

    def literal(self, value: JsonValue, parameter: Parameter | None = None) -> Privacy:
        """How private a literal is, as the argument of `parameter`: as the words or inputs that it is from.

        Yes, no, and a word that the function itself offers as a choice tell nothing of the data.
        """
        if value is None or isinstance(value, bool):
            return Privacy.NORMAL
        if parameter is not None and value in parameter.choices:
            return Privacy.NORMAL
        if self._all:
            return Privacy.HIGH
        is_taken = any(self._has(leaf.casefold()) for leaf in leaves(value))
        return Privacy.HIGH if is_taken else Privacy.NORMAL

    def _has(self, leaf: str) -> bool:
        if leaf in self._leaves:
            return True
        return any(
            (len(leaf) >= _SHORTEST and leaf in private) or (len(private) >= _SHORTEST and private in leaf)
            for private in self._leaves
        )


def _given(
    subtask: Subtask,
    capability: Capability | None,
    private: PrivateData,
    results: Mapping[SubtaskId, Privacy],
) -> Privacy:
    found = (
        _label(binding, capability.parameter(name) if capability else None, private, results)
        for name, binding in subtask.arguments.items()
    )
    return Privacy.HIGH if Privacy.HIGH in found else Privacy.NORMAL


def _label(
    binding: Binding,
    parameter: Parameter | None,
    private: PrivateData,
    results: Mapping[SubtaskId, Privacy],
) -> Privacy:
    match binding:
        case Given(value=value):
            return private.literal(value, parameter)
        case FromInput(name=name):
            return private.input(name)
        case FromSubtask(subtask=source):
            return results.get(source, Privacy.HIGH)
        case Gathered(items=items):
            found = {results.get(item.subtask, Privacy.HIGH) for item in items}
            return Privacy.HIGH if Privacy.HIGH in found else Privacy.NORMAL
