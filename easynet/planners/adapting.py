"""A plan for one request made into a plan for another: the same steps, with the new request's arguments."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter
from easynet.core.ids import CapabilityName, SubtaskId
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
from easynet.planners.files import files_in
from easynet.planners.literals import literals
from easynet.planners.past_run import PastRun
from easynet.planners.planner import LANGUAGE_INPUT, PlanRequest
from easynet.planners.sources import element_of, paths

Custom = tuple[CapabilityName, str, str | bool]
"""A function, one of its parameters, and what it is always given."""


@dataclass(frozen=True)
class Adapted:
    """A plan for a request, as far as the request suffices for it."""

    graph: TaskGraph
    found_inputs: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Inputs that the words name."""
    missing: Parameter | None = None
    """The first thing that the user has to say."""
    assumed: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Values taken as in earlier runs, by the names of the inputs that would take their place."""
    lost: tuple[str, ...] = ()
    """Optional arguments that the past plan had, and of which nobody knows what they should be now."""


class Adapter:
    """Fills plans with the arguments of one request."""

    def __init__(self, request: PlanRequest) -> None:
        self._inputs = request.input_names
        self._text = request.parsed.text
        self._by_name = request.by_name
        self._literals: dict[CapabilityName, Mapping[str, JsonValue]] = {}

    def reused(
        self,
        past: PastRun,
        habits: Mapping[str, JsonValue] | None = None,
        customs: Collection[Custom] = frozenset(),
    ) -> Adapted | None:
        """The plan of a past run with this request's arguments; nothing where a step is not offered.

        What was written into the past plan was meant for that request. It stays only where it is one of the
        `customs`, and is told as assumed. `habits` are inputs that stand in where this request says nothing.
        """
        filling = _Filling(self._inputs, [*files_in(self._text)], habits or {})
        subtasks: list[Subtask] = []
        lost: list[str] = []
        for old in past.graph.subtasks:
            capability = self._by_name.get(old.capability)
            if capability is None:
                return None
            arguments = {
                n: b for n, b in old.arguments.items() if sources(b) and capability.parameter(n) is not None
            }
            filling.fill(capability, arguments, self._stated(capability), _kept(old, customs))
            if unbound := filling.unbound(old, arguments):
                said = literals(capability, past.text)
                # What the words said then, and do not say now, is left to the function's default.
                lost += [name for name, value in unbound.items() if said.get(name) != value]
            subtasks.append(old.model_copy(update={"arguments": arguments}))
        graph = TaskGraph(subtasks=tuple(subtasks), outputs=past.graph.outputs)
        return Adapted(graph, filling.found, filling.missing, filling.assumed, tuple(lost))

    def composed(
        self, steps: Sequence[CapabilityName], links: Mapping[CapabilityName, "Reads"]
    ) -> Adapted | None:
        """A plan of these steps; each reads what it read in past runs, else the nearest result that fits."""
        filling = _Filling(self._inputs, [*files_in(self._text)])
        subtasks: list[Subtask] = []
        for name in steps:
            capability = self._by_name.get(name)
            if capability is None:
                return None
            before = [self._by_name[s.capability] for s in reversed(subtasks)]
            arguments = self._results(capability, before, links.get(name, {}))
            filling.fill(capability, arguments, self._stated(capability), {})
            subtasks.append(Subtask(id=SubtaskId(name), capability=name, arguments=arguments))
        read = {s for subtask in subtasks for s in subtask.needs}
        outputs = tuple(s.id for s in subtasks if s.id not in read)
        return Adapted(TaskGraph(subtasks=tuple(subtasks), outputs=outputs), filling.found, filling.missing)

    def _stated(self, capability: Capability) -> Mapping[str, JsonValue]:
        if capability.name not in self._literals:
            self._literals[capability.name] = literals(capability, self._text)
        return self._literals[capability.name]

    @staticmethod
    def _results(capability: Capability, before: Sequence[Capability], reads: "Reads") -> dict[str, Binding]:
        arguments: dict[str, Binding] = {}
        for parameter in capability.parameters:
            if parameter.is_variadic:
                continue
            habits = reads.get(parameter.name, {})
            if parameter.type.is_primitive and not habits:
                continue
            found = [(c, habits[c.name]) for c in before if c.name in habits]
            if not found:
                found = [(c, path) for c in before for path in _fitting(c, parameter)]
            if found:
                items = [FromSubtask(subtask=SubtaskId(c.name), path=path) for c, path in found]
                is_list = parameter.type.many and not found[0][0].output.many
                arguments[parameter.name] = Gathered(items=tuple(reversed(items))) if is_list else items[0]
        return arguments


Reads = Mapping[str, Mapping[CapabilityName, tuple[str, ...]]]
"""By parameter and source: the part of the source's output that was read."""


def reads_of(
    runs: Sequence[PastRun],
) -> dict[CapabilityName, dict[str, dict[CapabilityName, tuple[str, ...]]]]:
    """What each capability read in past runs, the latest counting."""
    found: dict[CapabilityName, dict[str, dict[CapabilityName, tuple[str, ...]]]] = {}
    for run in runs:
        for subtask in run.graph.subtasks:
            for name, binding in subtask.arguments.items():
                for source in sources(binding):
                    if (giver := run.graph.by_id.get(source.subtask)) is not None:
                        of_parameter = found.setdefault(subtask.capability, {}).setdefault(name, {})
                        of_parameter[giver.capability] = source.path
    return found


def _fitting(giver: Capability, parameter: Parameter) -> list[tuple[str, ...]]:
    wanted = parameter.type
    found = [*paths(giver.output, wanted)]
    return found or ([*paths(giver.output, element_of(wanted))] if wanted.many else [])


def _kept(old: Subtask, customs: Collection[Custom]) -> dict[str, str | bool]:
    """What was written into a step of a past plan, and is the same whatever the words."""
    return {
        n: b.value
        for n, b in old.arguments.items()
        if isinstance(b, Given)
        and isinstance(b.value, str | bool)
        and (old.capability, n, b.value) in customs
    }


class _Filling:
    """The arguments that come from the user, for one plan after the other step."""

    def __init__(
        self, inputs: frozenset[str], files: list[str], habits: Mapping[str, JsonValue] | None = None
    ) -> None:
        self._inputs, self._files, self._habits = inputs, files, habits or {}
        self.found: dict[str, JsonValue] = {}
        self.assumed: dict[str, JsonValue] = {}
        self.missing: Parameter | None = None

    def fill(
        self,
        capability: Capability,
        arguments: dict[str, Binding],
        stated: Mapping[str, JsonValue],
        kept: Mapping[str, str | bool],
    ) -> None:
        """Add to `arguments` what the inputs, the words and customs give.

        A required argument that none of them gives is missing; an optional one is left to its default.
        """
        for parameter in capability.parameters:
            name = parameter.name
            if parameter.is_variadic or name in arguments:
                continue
            bound = self._bound(parameter, stated, kept)
            if bound is not None:
                arguments[name] = bound
            elif parameter.required:
                arguments[name] = FromInput(name=name)
                self.missing = self.missing or parameter

    def unbound(self, old: Subtask, arguments: Mapping[str, Binding]) -> dict[str, JsonValue]:
        """What was written into a step of the past plan, and is left to the function's default now."""
        given = self._inputs | self.found.keys() | {LANGUAGE_INPUT}
        return {
            n: b.value
            for n, b in old.arguments.items()
            if isinstance(b, Given)
            and (n not in arguments or (n not in given and arguments[n] == FromInput(name=n, optional=True)))
        }

    def _bound(
        self, parameter: Parameter, stated: Mapping[str, JsonValue], kept: Mapping[str, str | bool]
    ) -> Binding | None:
        name = parameter.name
        if name == LANGUAGE_INPUT:
            return FromInput(name=name, optional=True)
        if name in self._inputs or name in self.found:
            return FromInput(name=name, optional=not parameter.required)
        if name in stated:
            return Given(value=stated[name])
        is_file = parameter.type.name == "File"
        if parameter.required and is_file and self._files:
            self.found[name] = self._files.pop(0)
            return FromInput(name=name)
        # One name tells of one value only.
        if name in kept and not is_file and self.assumed.setdefault(name, kept[name]) == kept[name]:
            return Given(value=kept[name])
        if parameter.required and not is_file and name in self._habits and name not in self.assumed:
            self.found[name] = self.assumed[name] = self._habits[name]
            return FromInput(name=name)
        return FromInput(name=name, optional=True) if not parameter.required else None
