"""From a wanted capability back to the user's inputs, by the declared types.

A parameter of a named type takes another subtask's output of that type, or the part of a record that has it;
a parameter of a plain type or a file takes the intent's input of its name. A list of a named type gathers the
outputs of several subtasks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter, Role, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask
from easynet.planners.planner import LANGUAGE_INPUT

_ALTERNATIVE = 0.3
"""An alternative is drawn in where it is at least this relevant, as a share of the most relevant one."""
_AS_RELEVANT = 0.8
"""Of capabilities this near to the most relevant one, the one that takes fewer steps is preferred."""
_LAST_ROLES = (Role.CHECK, Role.PRESENT, Role.SAMPLE)

Draft = Mapping[SubtaskId, Subtask]
"""The subtasks planned so far, each after those that it needs. One subtask for each capability."""


def step_of(capability: Capability) -> SubtaskId:
    """The subtask that calls a capability."""
    return SubtaskId(capability.name)


@dataclass(frozen=True)
class Gap:
    """Why a capability cannot be planned."""

    capability: Capability
    parameter: Parameter

    @property
    def is_answerable(self) -> bool:
        """Whether the user could give what is missing."""
        return self.parameter.type.is_primitive


@dataclass(frozen=True)
class Source:
    """A capability's output, or a part of it, that fits a type."""

    capability: Capability
    path: tuple[str, ...]

    @property
    def binding(self) -> FromSubtask:
        return FromSubtask(subtask=step_of(self.capability), path=self.path)


@dataclass(frozen=True)
class Wish:
    """What the user wants and gives, as far as chaining needs to know."""

    relevance: Mapping[CapabilityName, float]
    inputs: frozenset[str]
    sample_fits: Callable[[Capability], bool]
    """Whether a capability's shipped data may stand in for the user's."""
    literals: Callable[[Capability], Mapping[str, JsonValue]]
    """Arguments that the sentence states."""


def paths(output: TypeRef, wanted: TypeRef, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths into an output at which a value of the wanted type is found, the shortest first."""
    if output.name == wanted.name and output.many == wanted.many:
        yield prefix
    elif not output.many:
        for name, part in output.fields.items():
            yield from paths(part, wanted, (*prefix, name))


class Chain:
    """Grows drafts; a draft is never changed, so an attempt that fails leaves nothing behind."""

    def __init__(self, catalogue: Sequence[Capability], wish: Wish) -> None:
        self.by_name = {c.name: c for c in catalogue}
        self._wish = wish
        self._sources: dict[tuple[str, bool], list[Source]] = {}

    def add(self, draft: Draft, wanted: Capability, pending: frozenset[CapabilityName]) -> Draft | Gap:
        """The draft with `wanted` and all that it needs; `pending` are those that wait for it."""
        if step_of(wanted) in draft:
            return draft
        literals = self._wish.literals(wanted)
        arguments: dict[str, Binding] = {}
        for parameter in wanted.parameters:
            if parameter.is_variadic:
                continue
            if parameter.type.is_primitive:
                plain = self._plain(parameter, literals)
                if plain is None:
                    return Gap(wanted, parameter)
                arguments[parameter.name] = plain
            elif parameter.required:
                found = self._named(draft, wanted, parameter, pending | {wanted.name})
                if isinstance(found, Gap):
                    return found
                draft, arguments[parameter.name] = found
        id_ = step_of(wanted)
        return {**draft, id_: Subtask(id=id_, capability=wanted.name, arguments=arguments)}

    def sources(self, wanted: TypeRef) -> list[Source]:
        """Everything in the catalogue that gives the wanted type, best first."""
        key = (wanted.name, wanted.many)
        if key not in self._sources:
            self._sources[key] = sorted(
                (
                    Source(capability, path)
                    for capability in self.by_name.values()
                    for path in paths(capability.output, wanted)
                ),
                key=lambda source: self._rank(source, wanted),
            )
        return self._sources[key]

    def planned(self, draft: Draft, wanted: TypeRef, named: str = "") -> list[Source]:
        """What the draft already has of the wanted type, best first; a part called `named` comes first."""
        there = [s for s in self.sources(wanted) if step_of(s.capability) in draft]
        return sorted(there, key=lambda s: s.path[-1:] != (named,))

    def _rank(self, source: Source, wanted: TypeRef) -> tuple[object, ...]:
        capability = source.capability
        chooses = capability.role is Role.CHOOSE and any(
            p.type.name == wanted.name and p.type.many for p in capability.parameters
        )
        return (
            not chooses,
            _LAST_ROLES.index(capability.role) if capability.role in _LAST_ROLES else -1,
            len(source.path),
            -round(self._wish.relevance.get(capability.name, 0.0), 2),
            capability.price,
            capability.name,
        )

    def _plain(self, parameter: Parameter, literals: Mapping[str, JsonValue]) -> Binding | None:
        """The binding of a parameter of a plain type; `None` where the user has to be asked."""
        if parameter.name == LANGUAGE_INPUT:
            return FromInput(name=LANGUAGE_INPUT, optional=True)
        if parameter.name not in self._wish.inputs and parameter.name in literals:
            return Given(value=literals[parameter.name])
        if parameter.required and parameter.name not in self._wish.inputs:
            return None
        return FromInput(name=parameter.name, optional=not parameter.required)

    def _named(
        self, draft: Draft, wanted: Capability, parameter: Parameter, pending: frozenset[CapabilityName]
    ) -> tuple[Draft, Binding] | Gap:
        """A binding for a parameter of a named type, with the draft that makes it possible."""
        if parameter.type.many and wanted.role is Role.CHOOSE:
            return self._alternatives(draft, wanted, parameter, pending)
        for there in self.planned(draft, parameter.type, parameter.name):
            if there.capability.name not in pending:
                return draft, there.binding
        element = parameter.type.model_copy(update={"many": False})
        if parameter.type.many and (items := self._items(draft, element, pending)):
            return draft, Gathered(items=items)
        made = self._made(draft, wanted, parameter, parameter.type, pending)
        if isinstance(made, Gap) and parameter.type.many:
            single = self._simplest(draft, element, pending)
            if single is not None:
                return single[0], Gathered(items=(single[1],))
            made = self._made(draft, wanted, parameter, element, pending)
        if isinstance(made, Gap) and parameter.name in self._wish.inputs:
            return draft, FromInput(name=parameter.name)
        return made

    def _items(
        self, draft: Draft, element: TypeRef, pending: frozenset[CapabilityName]
    ) -> tuple[FromSubtask, ...]:
        there = (s for s in self.planned(draft, element) if s.capability.name not in pending)
        order = {id_: position for position, id_ in enumerate(draft)}
        return tuple(sorted((s.binding for s in there), key=lambda binding: order[binding.subtask]))

    def _made(
        self,
        draft: Draft,
        wanted: Capability,
        parameter: Parameter,
        type_: TypeRef,
        pending: frozenset[CapabilityName],
    ) -> tuple[Draft, FromSubtask] | Gap:
        """The best source of a type that can be planned, or the gap of the best that cannot."""
        gaps: list[Gap] = []
        for source in self.sources(type_):
            if source.capability.name in pending or not self._may_stand_in(source.capability):
                continue
            grown = self.add(draft, source.capability, pending)
            if not isinstance(grown, Gap):
                there = self.planned(grown, type_, parameter.name)
                same = next(s for s in there if s.capability == source.capability)
                return grown, same.binding
            gaps.append(grown)
        return next((gap for gap in gaps if gap.is_answerable), Gap(wanted, parameter))

    def _simplest(
        self, draft: Draft, element: TypeRef, pending: frozenset[CapabilityName]
    ) -> tuple[Draft, FromSubtask] | None:
        """Among the most relevant sources of a list's first element, the one that takes the fewest steps."""
        able: list[tuple[Draft, Source]] = []
        for source in self.sources(element):
            if source.capability.name in pending or not self._may_stand_in(source.capability):
                continue
            grown = self.add(draft, source.capability, pending)
            if not isinstance(grown, Gap):
                able.append((grown, source))
        relevance = [self._wish.relevance.get(s.capability.name, 0.0) for _, s in able]
        floor = _AS_RELEVANT * max(relevance, default=0.0)
        near = [a for a, r in zip(able, relevance, strict=True) if r >= floor]
        if not near:
            return None
        grown, source = min(near, key=lambda a: len(a[0]))
        return grown, source.binding

    def _may_stand_in(self, capability: Capability) -> bool:
        return capability.role is not Role.SAMPLE or self._wish.sample_fits(capability)

    def _alternatives(
        self, draft: Draft, wanted: Capability, parameter: Parameter, pending: frozenset[CapabilityName]
    ) -> tuple[Draft, Gathered] | Gap:
        """All relevant sources of the elements, so that there is something to choose from."""
        element = parameter.type.model_copy(update={"many": False})
        sources = [
            s
            for s in self.sources(element)
            if s.capability.name not in pending and s.capability.role is Role.WORK
        ]
        relevance = {s.capability.name: self._wish.relevance.get(s.capability.name, 0.0) for s in sources}
        floor = _ALTERNATIVE * max(relevance.values(), default=0.0)
        gaps: list[Gap] = []
        for source in sources:
            name = source.capability.name
            if step_of(source.capability) not in draft and relevance[name] < floor:
                continue
            grown = self.add(draft, source.capability, pending)
            if isinstance(grown, Gap):
                gaps.append(grown)
            else:
                draft = grown
        steps = {step_of(s.capability) for s in sources}
        items = tuple(i for i in self._items(draft, element, pending) if i.subtask in steps)
        if not items:
            return next((gap for gap in gaps if gap.is_answerable), Gap(wanted, parameter))
        return draft, Gathered(items=items)
