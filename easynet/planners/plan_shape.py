"""What a plan comes to, whatever its subtasks are called: its shape, and the work of each subtask."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue

from easynet.core.ids import SubtaskId
from easynet.core.task_graph import Binding, FromSubtask, Gathered, Given, Subtask, TaskGraph


def shape_of(graph: TaskGraph) -> str:
    """A digest of which capabilities a plan calls and which results each argument reads.

    Plans of one shape differ in names, order and literals at most.
    """
    return _digest(sorted(_digests(graph, with_literals=False).values()))


def work_of(graph: TaskGraph) -> dict[SubtaskId, str]:
    """A digest for each subtask of what it calls on what: subtasks with one digest do the same work."""
    return _digests(graph, with_literals=True)


def behind(graph: TaskGraph, starts: Iterable[SubtaskId]) -> frozenset[SubtaskId]:
    """These subtasks and all that read them, directly or through others."""
    found = set(starts)
    found.update(s.id for s in graph.in_order if s.id in found or _joins(s, found))
    return frozenset(found)


def before(graph: TaskGraph, ends: Iterable[SubtaskId]) -> frozenset[SubtaskId]:
    """These subtasks and all that they read, directly or through others."""
    found = set(ends)
    for subtask in reversed(graph.in_order):
        if subtask.id in found:
            found |= subtask.needs
    return frozenset(found)


def reading(
    subtask: Subtask, read: Callable[[FromSubtask], FromSubtask], id_: SubtaskId | None = None
) -> Subtask:
    """The subtask with `read` in the place of each source, and with another id where one is given.

    A list in which two sources have become one has it once.
    """

    def bound(binding: Binding) -> Binding:
        if isinstance(binding, Gathered):
            return Gathered(items=tuple(dict.fromkeys(map(read, binding.items))))
        return read(binding) if isinstance(binding, FromSubtask) else binding

    arguments = {name: bound(binding) for name, binding in subtask.arguments.items()}
    return Subtask(id=id_ or subtask.id, capability=subtask.capability, arguments=arguments)


def renamed(subtask: Subtask, names: Mapping[SubtaskId, SubtaskId]) -> Subtask:
    """The subtask under its new name, reading others under theirs."""

    def read(source: FromSubtask) -> FromSubtask:
        return source.model_copy(update={"subtask": names.get(source.subtask, source.subtask)})

    return reading(subtask, read, names.get(subtask.id))


def _joins(subtask: Subtask, found: set[SubtaskId]) -> bool:
    """Whether it reads one of them; then it is one of them for those that come after."""
    if subtask.needs.isdisjoint(found):
        return False
    found.add(subtask.id)
    return True


def _digests(graph: TaskGraph, *, with_literals: bool) -> dict[SubtaskId, str]:
    digests: dict[SubtaskId, str] = {}

    def said(binding: Binding) -> JsonValue:
        match binding:
            case Gathered():
                return [said(item) for item in binding.items]
            case FromSubtask():
                return [digests.get(binding.subtask, binding.subtask), *binding.path]
            case Given() if not with_literals:
                return None
            case _:
                return binding.model_dump(mode="json")

    for subtask in graph.in_order:
        digests[subtask.id] = _digest(
            [subtask.capability, {name: said(binding) for name, binding in subtask.arguments.items()}]
        )
    return digests


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()
