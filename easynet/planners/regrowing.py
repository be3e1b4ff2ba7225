"""Plans that go on from the subtasks that stand, whoever planned them, chained by the declared types."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from easynet.core.capability import Capability, Role
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import (
    Binding,
    FromInput,
    FromSubtask,
    Given,
    Subtask,
    sources,
)
from easynet.planners.chaining import Chain, Gap, Wish
from easynet.planners.plan_shape import reading, renamed
from easynet.planners.sources import step_of

_STANDS, _WANTED = "stands:", "wanted:"
"""How standing subtasks and wanted ones are called while a chain is made; no function is called like that."""


@dataclass(frozen=True)
class Wanted:
    """A subtask to be planned: what it calls, and the arguments that are settled already."""

    id: SubtaskId
    capability: Capability
    settled: Mapping[str, Binding]


class Ground:
    """The subtasks that stand, as the beginning of a plan; each is a source of what it gives."""

    def __init__(
        self,
        standing: Mapping[SubtaskId, Capability],
        others: Iterable[Capability],
        wish: Wish,
    ) -> None:
        """`others` may be called besides what is wanted."""
        self._standing = {_called(_STANDS, i): i for i in standing}
        named = {_called(_STANDS, i): c for i, c in standing.items()}
        self._sources = [_source(n, c) for n, c in named.items()]
        self._others = [c for c in others if c.role is not Role.SAMPLE]
        relevance = {n: wish.relevance.get(c.name, 0.0) for n, c in named.items()}
        self._wish = replace(wish, relevance={**wish.relevance, **relevance})

    def grown(
        self, wanted: Sequence[Wanted], name: Callable[[Capability], SubtaskId]
    ) -> list[Subtask] | None:
        """New subtasks by which all that is `wanted` can be done; `name` gives each an id. None where it
        cannot.
        """
        goals = {_called(_WANTED, w.id): w for w in wanted}
        heads = [_without(w.capability, n, w.settled) for n, w in goals.items()]
        chain = Chain([*self._sources, *self._others, *heads], self._wish)
        draft = {step_of(s): Subtask(id=step_of(s), capability=s.name) for s in self._sources}
        for head in heads:
            grown = chain.add(draft, head)
            if isinstance(grown, Gap):
                return None
            draft = dict(grown)
        names: dict[SubtaskId, SubtaskId] = {}
        for step, subtask in draft.items():
            if (goal := goals.get(subtask.capability)) is not None:
                names[step] = goal.id
            else:
                known = self._standing.get(subtask.capability)
                names[step] = known or name(chain.by_name[subtask.capability])
        new = [s for s in draft.values() if s.capability not in self._standing]
        return [_settled(renamed(s, names), goals.get(s.capability)) for s in new]


def kept_arguments(
    subtask: Subtask, old: Capability, new: Capability, standing: Collection[SubtaskId]
) -> dict[str, Binding]:
    """The arguments of a subtask that another capability can take as they are, by name and type.

    Those that read subtasks which no longer stand are left out.
    """
    return {
        name: binding
        for name, binding in subtask.arguments.items()
        if all(s.subtask in standing for s in sources(binding))
        and (parameter := new.parameter(name)) is not None
        and not parameter.is_variadic
        and (before := old.parameter(name)) is not None
        and before.type.fits(parameter.type)
    }


def drops_what_was_said(subtask: Subtask, kept: Mapping[str, Binding], inputs: Collection[str]) -> bool:
    """Whether an argument that the user stated gets lost."""
    return any(
        name not in kept
        for name, binding in subtask.arguments.items()
        if isinstance(binding, Given) or (isinstance(binding, FromInput) and binding.name in inputs)
    )


def fresh(wish: str, taken: Collection[str]) -> SubtaskId:
    """An id like the wish that is not taken."""
    number, found = 2, wish
    while found in taken:
        found, number = f"{wish}-{number}", number + 1
    return SubtaskId(found)


def _called(prefix: str, subtask: SubtaskId) -> CapabilityName:
    return CapabilityName(prefix + subtask)


def _source(name: CapabilityName, capability: Capability) -> Capability:
    """A capability that takes nothing and gives what the standing subtask gives."""
    role = Role.WORK if capability.role is Role.SAMPLE else capability.role
    return capability.model_copy(update={"name": name, "parameters": (), "role": role})


def _without(capability: Capability, name: CapabilityName, settled: Collection[str]) -> Capability:
    left = tuple(p for p in capability.parameters if p.name not in settled)
    return capability.model_copy(update={"name": name, "parameters": left})


def _settled(subtask: Subtask, goal: Wanted | None) -> Subtask:
    if goal is None:
        return subtask
    found = {**subtask.arguments, **goal.settled}
    order = [p.name for p in goal.capability.parameters]
    arguments = {
        n: found[n] for n in sorted(found, key=lambda n: order.index(n) if n in order else len(order))
    }
    return Subtask(id=goal.id, capability=goal.capability.name, arguments=arguments)


def rerouted(
    reader: Subtask, old: SubtaskId, new: SubtaskId, paths: Mapping[tuple[str, ...], tuple[str, ...]]
) -> Subtask:
    """The reader of `old`, reading `new` instead: what it read at a path, at the path that `paths` gives."""

    def read(source: FromSubtask) -> FromSubtask:
        return FromSubtask(subtask=new, path=paths[source.path]) if source.subtask == old else source

    return reading(reader, read)
