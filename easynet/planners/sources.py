"""Which capabilities give a value of a named type, whole or as a part of a record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from easynet.core.capability import Capability, Role, TypeRef
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromSubtask, Subtask

Draft = Mapping[SubtaskId, Subtask]
"""The subtasks planned so far, each after those that it needs. One subtask for each capability."""

_LAST_ROLES = (Role.CHECK, Role.PRESENT, Role.SAMPLE)


def step_of(capability: Capability) -> SubtaskId:
    """The subtask that calls a capability."""
    return SubtaskId(capability.name)


def element_of(type_: TypeRef) -> TypeRef:
    """The type of one value of a list."""
    return type_.model_copy(update={"many": False})


@dataclass(frozen=True)
class Source:
    """A capability's output, or a part of it, that fits a type."""

    capability: Capability
    path: tuple[str, ...]

    @property
    def binding(self) -> FromSubtask:
        return FromSubtask(subtask=step_of(self.capability), path=self.path)


def paths(output: TypeRef, wanted: TypeRef, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths into an output at which a value of the wanted type is found."""
    if output.name == wanted.name and output.many == wanted.many:
        yield prefix
    elif not output.many:
        for name, part in output.fields.items():
            yield from paths(part, wanted, (*prefix, name))


class Sources:
    """The sources of every type in a catalogue, best first."""

    def __init__(self, catalogue: Sequence[Capability], relevance: Mapping[CapabilityName, float]) -> None:
        self._catalogue = tuple(catalogue)
        self._relevance = relevance
        self._by_type: dict[tuple[str, bool], list[Source]] = {}

    def of(self, wanted: TypeRef) -> list[Source]:
        """Everything that gives the wanted type."""
        key = (wanted.name, wanted.many)
        if key not in self._by_type:
            found = (Source(c, path) for c in self._catalogue for path in paths(c.output, wanted))
            self._by_type[key] = sorted(found, key=lambda source: self._rank(source, wanted))
        return self._by_type[key]

    def planned(self, draft: Draft, wanted: TypeRef, named: str = "") -> list[Source]:
        """What the draft already has of the wanted type; a part that is called `named` comes first."""
        there = [s for s in self.of(wanted) if step_of(s.capability) in draft]
        return sorted(there, key=lambda s: s.path[-1:] != (named,))

    def relevance(self, source: Source) -> float:
        return self._relevance.get(source.capability.name, 0.0)

    def _rank(self, source: Source, wanted: TypeRef) -> tuple[object, ...]:
        capability = source.capability
        chooses = capability.role is Role.CHOOSE and any(
            p.type.name == wanted.name and p.type.many for p in capability.parameters
        )
        return (
            not chooses,
            _LAST_ROLES.index(capability.role) if capability.role in _LAST_ROLES else -1,
            len(source.path),
            -round(self.relevance(source), 2),
            capability.price,
            capability.name,
        )
