"""The plan as data: subtasks, and where each argument comes from."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, JsonValue

from easynet.core.capability import Value
from easynet.core.ids import CapabilityName, SubtaskId

if TYPE_CHECKING:
    import networkx as nx


class Given(Value):
    """A literal, written into the plan."""

    kind: Literal["given"] = "given"
    value: JsonValue


class FromInput(Value):
    """One of the intent's inputs, by name."""

    kind: Literal["input"] = "input"
    name: str
    optional: bool = False
    """Where the input is absent, the argument is left out and the function's default holds."""


class FromSubtask(Value):
    """Another subtask's output, or the part of it at `path`."""

    kind: Literal["subtask"] = "subtask"
    subtask: SubtaskId
    path: tuple[str, ...] = ()


class Gathered(Value):
    """A list made of several subtasks' outputs, in the order written."""

    kind: Literal["gathered"] = "gathered"
    items: tuple[FromSubtask, ...]


Binding = Annotated[Given | FromInput | FromSubtask | Gathered, Field(discriminator="kind")]


def sources(binding: Binding) -> tuple[FromSubtask, ...]:
    """The subtask outputs that a binding reads."""
    if isinstance(binding, Gathered):
        return binding.items
    return (binding,) if isinstance(binding, FromSubtask) else ()


class Subtask(Value):
    """One call of one capability; who makes it is decided when it is ready to run."""

    id: SubtaskId
    capability: CapabilityName
    arguments: dict[str, Binding] = Field(default_factory=dict)

    @cached_property
    def needs(self) -> frozenset[SubtaskId]:
        """The subtasks whose outputs it reads."""
        return frozenset(s.subtask for b in self.arguments.values() for s in sources(b))


class TaskGraph(Value):
    """The subtasks of one plan. Whether it is sound is `planners.validate`'s to say, not this class's."""

    subtasks: tuple[Subtask, ...]
    outputs: tuple[SubtaskId, ...] = ()
    """The subtasks whose results the user asked for."""

    @cached_property
    def by_id(self) -> dict[SubtaskId, Subtask]:
        return {s.id: s for s in self.subtasks}

    @cached_property
    def in_order(self) -> tuple[Subtask, ...]:
        """The subtasks, each after those that it reads, else as they are; those in a circle are left out.

        What is read and is not in the graph counts as there.
        """
        missing = {s.id: len(s.needs & self.by_id.keys()) for s in self.subtasks}
        readers: dict[SubtaskId, list[Subtask]] = {}
        for subtask in self.subtasks:
            for needed in subtask.needs:
                readers.setdefault(needed, []).append(subtask)
        order = [s for s in self.subtasks if missing[s.id] == 0]
        for subtask in order:
            for reader in readers.get(subtask.id, ()):
                missing[reader.id] -= 1
                if missing[reader.id] == 0:
                    order.append(reader)
        return tuple(order)

    def built_on(self, subtask: SubtaskId) -> frozenset[SubtaskId]:
        """The subtask, and all that read its result, or what was made of it."""
        found = {subtask}
        for later in self.in_order:
            if later.needs & found:
                found.add(later.id)
        return frozenset(found)

    @property
    def capabilities(self) -> tuple[CapabilityName, ...]:
        """The names of the capabilities used, each once, in order of first use."""
        return tuple(dict.fromkeys(s.capability for s in self.subtasks))

    @property
    def inputs(self) -> dict[str, bool]:
        """The intent's inputs that the plan reads; True where at least one reader cannot do without."""
        found: dict[str, bool] = {}
        for subtask in self.subtasks:
            for binding in subtask.arguments.values():
                if isinstance(binding, FromInput):
                    found[binding.name] = found.get(binding.name, False) or not binding.optional
        return found

    def digraph(self) -> "nx.DiGraph[SubtaskId]":
        """The graph with an edge from each subtask to those that read its output."""
        import networkx as nx  # 100 ms to import, and most readers of a plan need no graph algorithm

        graph: nx.DiGraph[SubtaskId] = nx.DiGraph()
        graph.add_nodes_from(s.id for s in self.subtasks)
        graph.add_edges_from((before, s.id) for s in self.subtasks for before in sorted(s.needs))
        return graph
