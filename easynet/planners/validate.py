"""Whether a plan is sound, whoever made it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Requirements
from easynet.core.offer import Offer
from easynet.core.privacy import Labels, may_see
from easynet.core.quantities import format_credits
from easynet.core.task_graph import (
    Binding,
    FromInput,
    FromSubtask,
    Gathered,
    Given,
    Subtask,
    TaskGraph,
    sources,
)
from easynet.planners.planner import LANGUAGE_INPUT

_ANY = TypeRef(name="any")
_LITERAL_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "File": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "dict": (dict,),
    "list": (list,),
    "none": (type(None),),
}

Offers = Mapping[CapabilityName, Sequence[Offer]]


def validate(
    graph: TaskGraph,
    catalogue: Sequence[Capability],
    *,
    inputs: Set[str] = frozenset(),
    offers: Offers | None = None,
    requirements: Requirements | None = None,
    labels: Labels | None = None,
    done: Set[SubtaskId] = frozenset(),
) -> tuple[str, ...]:
    """Everything that is wrong with a plan, as sentences that name the subtask; empty where it is sound.

    `inputs` are the names of the intent's inputs. Privacy and price are checked where `offers` and
    `requirements` are given, but for what is `done`, whose results are there. `labels` say how private each
    subtask's arguments are; where they are not given, all are as private as the intent.
    """
    by_name = {c.name: c for c in catalogue}
    outputs = {s.id: by_name[s.capability].output for s in graph.subtasks if s.capability in by_name}
    problems = [*_shape(graph)]
    for subtask in graph.subtasks:
        capability = by_name.get(subtask.capability)
        if capability is None:
            problems.append(f"{subtask.id}: no node offers {subtask.capability!r}")
            continue
        problems.extend(_arguments(subtask, capability))
        for name, binding in subtask.arguments.items():
            parameter = capability.parameter(name)
            if parameter is not None:
                problems.extend(_fit(outputs, inputs, subtask, parameter, binding))
    if offers is not None and requirements is not None:
        left = [s for s in graph.subtasks if s.id not in done]
        problems.extend(_placement(left, offers, requirements, labels or {}))
    return tuple(dict.fromkeys(problems))


# ── the graph ───────────────────────────────────────────────────────────────────────────────────


def _shape(graph: TaskGraph) -> Iterator[str]:
    if not graph.subtasks:
        yield "the plan has no subtasks"
    known: set[SubtaskId] = set()
    for subtask in graph.subtasks:
        if subtask.id in known:
            yield f"{subtask.id}: two subtasks have this id"
        known.add(subtask.id)
    for subtask in graph.subtasks:
        for name, binding in subtask.arguments.items():
            for source in sources(binding):
                if source.subtask not in known:
                    yield f"{subtask.id}: {name!r} reads {source.subtask!r}, which is not in the plan"
    for output in graph.outputs:
        if output not in known:
            yield f"the output {output!r} is not in the plan"
    if ring := _ring(graph):
        yield f"{ring[0]}: waits for itself, by way of {' -> '.join((*ring, ring[0]))}"


def _ring(graph: TaskGraph) -> list[SubtaskId]:
    """Subtasks that wait for each other in a circle, or none."""
    if len(graph.in_order) == len(graph.subtasks):
        return []
    import networkx as nx  # 100 ms to import, for plans that will be refused

    waits_for = graph.digraph().reverse()
    if nx.is_directed_acyclic_graph(waits_for):
        return []
    return [subtask for subtask, _ in nx.find_cycle(waits_for)]


# ── arguments ───────────────────────────────────────────────────────────────────────────────────


def _arguments(subtask: Subtask, capability: Capability) -> Iterator[str]:
    takes_any_name = any(p.is_variadic and p.is_keyword_only for p in capability.parameters)
    named = [p for p in capability.parameters if not p.is_variadic]
    names = {p.name for p in named}
    for name in subtask.arguments:
        if name not in names and not takes_any_name:
            yield f"{subtask.id}: {capability.name} has no argument {name!r}; it takes {capability.signature}"
    for parameter in named:
        if parameter.required and parameter.name not in subtask.arguments:
            yield f"{subtask.id}: {capability.name} needs {parameter.name!r}; it takes {capability.signature}"


def _fit(
    outputs: Mapping[SubtaskId, TypeRef],
    inputs: Set[str],
    subtask: Subtask,
    parameter: Parameter,
    binding: Binding,
) -> Iterator[str]:
    where, wanted = f"{subtask.id}: {parameter.name!r}", parameter.type
    match binding:
        case Given(value=value):
            if not _is_of(value, wanted) and not (value is None and not parameter.required):
                yield f"{where} must be {wanted}, not {_kind(value)}"
        case FromInput(name=name, optional=optional):
            if optional and parameter.required and name != LANGUAGE_INPUT:
                yield f"{where} is required, but the input {name!r} is marked optional"
            elif not optional and name not in inputs and name != LANGUAGE_INPUT:
                yield f"{where} needs the input {name!r}, which was not given"
        case FromSubtask():
            yield from _source_fits(outputs, where, binding, wanted)
        case Gathered(items=items):
            if not wanted.many and wanted.name not in ("any", "list"):
                yield f"{where} takes one {wanted}, not a list of results"
            elif not items and parameter.required:
                yield f"{where} gathers nothing"
            element = wanted.model_copy(update={"many": False}) if wanted.many else _ANY
            for item in items:
                yield from _source_fits(outputs, where, item, element)


def _source_fits(
    outputs: Mapping[SubtaskId, TypeRef], where: str, source: FromSubtask, wanted: TypeRef
) -> Iterator[str]:
    found = outputs.get(source.subtask)
    if found is None:
        return  # said elsewhere
    for i, part in enumerate(source.path):
        if found.name in ("any", "dict") and not found.fields:
            return  # an open record: only the run can tell
        if found.many or part not in found.fields:
            at = ".".join((source.subtask, *source.path[:i]))
            yield f"{where} reads {part!r} of {at}, which is {found} and has no such part"
            return
        found = found.fields[part]
    if not found.fits(wanted):
        yield f"{where} takes {wanted}, but {'.'.join((source.subtask, *source.path))} is {found}"


def _is_of(value: Any, wanted: TypeRef) -> bool:
    if wanted.many:
        element = wanted.model_copy(update={"many": False})
        return isinstance(value, list) and all(_is_of(v, element) for v in value)
    if wanted.name == "any":
        return True
    if isinstance(value, bool) and wanted.name in ("int", "float"):
        return False
    # A value of a named type or bytes cannot be written into a plan, unless it is a plain record.
    return isinstance(value, _LITERAL_TYPES.get(wanted.name, (dict,) if wanted.fields else ()))


def _kind(value: Any) -> str:
    return "none" if value is None else type(value).__name__


# ── placement ───────────────────────────────────────────────────────────────────────────────────


def _placement(
    subtasks: Sequence[Subtask], offers: Offers, requirements: Requirements, labels: Labels
) -> Iterator[str]:
    total = 0
    for subtask in subtasks:
        able = offers.get(subtask.capability, ())
        allowed = [o for o in able if may_see(o.trust, labels.get(subtask.id, requirements.privacy))]
        if not able:
            yield f"{subtask.id}: no node offers {subtask.capability!r} now"
        elif not allowed:
            yield (
                f"{subtask.id}: it is given private data, and no node of your own, or that you trust, offers"
                f" {subtask.capability!r}"
            )
        total += min((o.price for o in allowed), default=0)
    if requirements.budget is not None and total > requirements.budget:
        yield (
            f"the plan costs at least {format_credits(total)}, more than the budget of"
            f" {format_credits(requirements.budget)}"
        )
