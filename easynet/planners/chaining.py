"""From a wanted capability back to the user's inputs, by the declared types.

A parameter of a named type takes another subtask's output of that type, or the part of a record that has it;
a parameter of a plain type or a file takes the intent's input of its name. A list of a named type gathers the
outputs of several subtasks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter, Role, TypeRef
from easynet.core.ids import CapabilityName
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask
from easynet.planners.planner import LANGUAGE_INPUT
from easynet.planners.sources import Draft, Source, Sources, element_of, step_of

_ALTERNATIVE = 0.3
"""An alternative is drawn in where it is at least this relevant, as a share of the most relevant one."""
_AS_RELEVANT = 0.8
"""Of sources this near to the most relevant one, the one that takes fewer steps starts a list."""

Pending = frozenset[CapabilityName]
"""Capabilities that wait for the one being planned."""


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
class Wish:
    """What the user wants and gives, as far as chaining needs to know."""

    relevance: Mapping[CapabilityName, float]
    inputs: frozenset[str]
    sample_fits: Callable[[Capability], bool]
    """Whether a capability's shipped data may stand in for the user's."""
    literals: Callable[[Capability], Mapping[str, JsonValue]]
    """Arguments that the sentence states."""


class Chain:
    """Grows drafts; a draft is never changed, so an attempt that fails leaves nothing behind."""

    def __init__(self, catalogue: Sequence[Capability], wish: Wish) -> None:
        self.by_name = {c.name: c for c in catalogue}
        self.sources = Sources([*self.by_name.values()], wish.relevance)
        self._wish = wish
        self._literals = {c.name: wish.literals(c) for c in catalogue}
        self._samples = {c.name for c in catalogue if c.role is Role.SAMPLE and wish.sample_fits(c)}
        self._able = self._plannable()

    def relevance(self, capability: Capability) -> float:
        """How well a capability fits the words."""
        return self._wish.relevance.get(capability.name, 0.0)

    def add(self, draft: Draft, wanted: Capability, pending: Pending = frozenset()) -> Draft | Gap:
        """The draft with `wanted` and all that it needs, or what is missing for it."""
        if step_of(wanted) in draft:
            return draft
        if wanted.name not in self._able:
            return self._gap(wanted, set())
        pending |= {wanted.name}
        arguments: dict[str, Binding] = {}
        for parameter in wanted.parameters:
            if parameter.is_variadic:
                continue
            if parameter.type.is_primitive:
                plain = self._plain(wanted, parameter)
                if plain is not None:
                    arguments[parameter.name] = plain
            elif parameter.required:
                found = self._named(draft, wanted, parameter, pending)
                if isinstance(found, Gap):
                    return found
                draft, arguments[parameter.name] = found
        subtask = Subtask(id=step_of(wanted), capability=wanted.name, arguments=arguments)
        return {**draft, subtask.id: subtask}

    # ── what can be planned at all ──────────────────────────────────────────────────────────────

    def _plannable(self) -> frozenset[CapabilityName]:
        """All capabilities that the given inputs suffice for, found from the inputs upwards.

        Known beforehand, so that chaining never wanders into what must fail.
        """
        able: set[CapabilityName] = set()
        while True:
            more = {c.name for c in self.by_name.values() if c.name not in able and self._has_all(c, able)}
            if not more:
                return frozenset(able)
            able |= more

    def _has_all(self, capability: Capability, able: set[CapabilityName]) -> bool:
        return all(
            self._plain(capability, p) is not None if p.type.is_primitive else self._can_have(p, able)
            for p in capability.parameters
            if p.required and not p.is_variadic
        )

    def _can_have(self, parameter: Parameter, able: set[CapabilityName]) -> bool:
        return parameter.name in self._wish.inputs or any(
            s.capability.name in able and self._may_use(s) for s in self._whole_or_elements(parameter.type)
        )

    def _whole_or_elements(self, wanted: TypeRef) -> list[Source]:
        """The sources of a type, and those of a list's elements, from which it can be gathered."""
        return [*self.sources.of(wanted), *(self.sources.of(element_of(wanted)) if wanted.many else ())]

    def _may_use(self, source: Source) -> bool:
        return source.capability.role is not Role.SAMPLE or source.capability.name in self._samples

    def _gap(self, wanted: Capability, seen: set[CapabilityName]) -> Gap:
        """The first thing that the user could give towards a capability, along its best sources."""
        seen.add(wanted.name)
        required = [p for p in wanted.parameters if p.required and not p.is_variadic]
        gap: Gap | None = None
        for parameter in required:
            if parameter.type.is_primitive:
                if self._plain(wanted, parameter) is None:
                    return Gap(wanted, parameter)
            elif not self._can_have(parameter, set(self._able)):
                gap = gap or Gap(wanted, parameter)
                for source in self._whole_or_elements(parameter.type):
                    if source.capability.name not in seen and source.capability.role is not Role.SAMPLE:
                        deeper = self._gap(source.capability, seen)
                        if deeper.is_answerable:
                            return deeper
        return gap or Gap(wanted, required[0])

    # ── arguments ───────────────────────────────────────────────────────────────────────────────

    def _plain(self, wanted: Capability, parameter: Parameter) -> Binding | None:
        """The binding of a parameter of a plain type; `None` where the user has to be asked."""
        name, literals = parameter.name, self._literals[wanted.name]
        if name == LANGUAGE_INPUT:
            return FromInput(name=LANGUAGE_INPUT, optional=True)
        if name not in self._wish.inputs and name in literals:
            return Given(value=literals[name])
        if parameter.required and name not in self._wish.inputs:
            return None
        return FromInput(name=name, optional=not parameter.required)

    def _named(
        self, draft: Draft, wanted: Capability, parameter: Parameter, pending: Pending
    ) -> tuple[Draft, Binding] | Gap:
        """A binding for a parameter of a named type, with the draft that makes it possible."""
        type_, name = parameter.type, parameter.name
        made: tuple[Draft, Binding] | None = None
        if type_.many and wanted.role is Role.CHOOSE:
            made = self._alternatives(draft, element_of(type_), pending)
        else:
            there = (s for s in self.sources.planned(draft, type_, name) if s.capability.name not in pending)
            if (source := next(there, None)) is not None:
                return draft, source.binding
            made = self._gathered(draft, type_, pending) if type_.many else None
            made = made or self._made(draft, type_, name, pending)
            if made is None and type_.many:
                made = self._started(draft, element_of(type_), pending)
        if made is None and name in self._wish.inputs:
            return draft, FromInput(name=name)
        return made or Gap(wanted, parameter)

    def _made(
        self, draft: Draft, wanted: TypeRef, named: str, pending: Pending
    ) -> tuple[Draft, Binding] | None:
        """The best source of a type that can be planned."""
        for source, grown in self._grown(draft, self.sources.of(wanted), pending):
            there = self.sources.planned(grown, wanted, named)
            return grown, next(s for s in there if s.capability == source.capability).binding
        return None

    def _grown(
        self, draft: Draft, sources: Iterable[Source], pending: Pending
    ) -> Iterable[tuple[Source, Draft]]:
        """Each source that can be planned, with the draft that plans it."""
        for source in sources:
            capability = source.capability
            if capability.name in self._able and capability.name not in pending and self._may_use(source):
                grown = self.add(draft, capability, pending)
                if not isinstance(grown, Gap):
                    yield source, grown

    # ── lists ───────────────────────────────────────────────────────────────────────────────────

    def _items(self, draft: Draft, element: TypeRef, pending: Pending) -> tuple[FromSubtask, ...]:
        order = {id_: position for position, id_ in enumerate(draft)}
        there = (s for s in self.sources.planned(draft, element) if s.capability.name not in pending)
        return tuple(sorted((s.binding for s in there), key=lambda b: order[b.subtask]))

    def _gathered(self, draft: Draft, wanted: TypeRef, pending: Pending) -> tuple[Draft, Binding] | None:
        items = self._items(draft, element_of(wanted), pending)
        return (draft, Gathered(items=items)) if items else None

    def _started(self, draft: Draft, element: TypeRef, pending: Pending) -> tuple[Draft, Binding] | None:
        """A list's first item: among the most relevant sources, the one that takes the fewest steps."""
        able = [*self._grown(draft, self.sources.of(element), pending)]
        floor = _AS_RELEVANT * max((self.sources.relevance(s) for s, _ in able), default=0.0)
        near = [(s, grown) for s, grown in able if self.sources.relevance(s) >= floor]
        if not near:
            return None
        source, grown = min(near, key=lambda a: len(a[1]))
        return grown, Gathered(items=(source.binding,))

    def _alternatives(self, draft: Draft, element: TypeRef, pending: Pending) -> tuple[Draft, Binding] | None:
        """All relevant sources of the elements, so that there is something to choose from."""
        sources = [s for s in self.sources.of(element) if s.capability.role is Role.WORK]
        able = [s for s in sources if s.capability.name in self._able]
        floor = _ALTERNATIVE * max((self.sources.relevance(s) for s in able), default=0.0)
        for source in able:
            if self.sources.relevance(source) >= floor:
                for _, grown in self._grown(draft, [source], pending):
                    draft = grown
        steps = {step_of(s.capability) for s in sources}
        items = tuple(i for i in self._items(draft, element, pending) if i.subtask in steps)
        return (draft, Gathered(items=items)) if items else None
