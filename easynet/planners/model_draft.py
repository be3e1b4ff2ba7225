"""A model's answer made into a plan, and everything that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from easynet.core.capability import Parameter
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.language import Language, say
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask, TaskGraph
from easynet.planners.caveats import file_caveats
from easynet.planners.model_answer import (
    Answer,
    InputSource,
    LiteralSource,
    OutputSource,
    OutputsSource,
    Part,
    Source,
    Step,
    read_answer,
)
from easynet.planners.model_brief import MOST_CHOICES, Brief
from easynet.planners.planner import LANGUAGE_INPUT, PlanResult
from easynet.planners.questions import question_for
from easynet.planners.validate import validate

LONGEST = 60_000
"""Characters of an answer. A plan of the most subtasks there may be is shorter."""
_REASON, _CHOICES, _MOST_COMPLAINTS = 200, 150, 12
_FILE = "File"

Begun = Mapping[SubtaskId, Subtask]
"""Subtasks of an answer that are at work already."""
Complaints = tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """Judges answers to one brief."""

    brief: Brief
    planner: str

    def judged(self, text: str, begun: Begun) -> PlanResult | Complaints:
        """The result that an answer comes to, or what is wrong with it."""
        if len(text) > LONGEST:
            return (f"the answer has {len(text)} characters, which no plan needs",)
        answer = read_answer(text)
        if not isinstance(answer, Answer):
            return answer
        match answer.decision:
            case "plan":
                return self._planned(answer, begun)
            case "ask":
                return self._question(answer)
            case "unsupported":
                unknown = say(self._language, "the model knows no way", "该模型没有可行的办法")
                why = _told(answer.reason) or unknown
                return PlanResult(status="unsupported", planner=self.planner, why=why)

    def unsound(self, text: str, complaints: Complaints) -> str:
        """Why an answer cannot be used, for people; in Chinese only the kind of fault, not the complaint."""
        is_plan = len(text) <= LONGEST and isinstance(read_answer(text), Answer)
        fault = "计划不合规则" if is_plan else "回答不合格式"
        first = complaints[0] if complaints else ""
        return say(self._language, f"its plan cannot be used: {first}", f"它的计划无法使用：{fault}")

    @property
    def _language(self) -> Language:
        return self.brief.request.parsed.language

    def subtask(self, step: Step) -> tuple[Subtask, Complaints]:
        """The subtask that a step means, and what is wrong with it by itself."""
        complaints: list[str] = []
        capability = self.brief.by_name.get(CapabilityName(step.function))
        arguments: dict[str, Binding] = {}
        for argument in step.arguments:
            name = argument.parameter
            if name in arguments:
                complaints.append(f"{step.id}: {name!r} is given twice")
            parameter = capability.parameter(name) if capability else None
            arguments[name] = _binding(argument.source, parameter)
            if parameter is not None:
                complaints += self._misuse(step, parameter, arguments[name])
        for parameter in capability.parameters if capability else ():
            if parameter.name not in arguments and (bound := self._by_its_name(parameter)) is not None:
                arguments[parameter.name] = bound
        made = Subtask(id=SubtaskId(step.id), capability=CapabilityName(step.function), arguments=arguments)
        return made, tuple(complaints)

    def problems(self, graph: TaskGraph) -> Complaints:
        """What the validator says to a plan of these subtasks."""
        return validate(graph, self.brief.functions, inputs=self.brief.inputs.keys())

    def reads_found_input(self, subtask: Subtask) -> bool:
        """Whether it reads an input that is not among the user's, but found in the words."""
        return any(
            isinstance(b, FromInput) and b.name in self.brief.files for b in subtask.arguments.values()
        )

    # ── plans ───────────────────────────────────────────────────────────────────────────────────

    def _planned(self, answer: Answer, begun: Begun) -> PlanResult | Complaints:
        made = [self.subtask(step) for step in answer.subtasks]
        subtasks = tuple(subtask for subtask, _ in made)
        outputs = tuple(map(SubtaskId, dict.fromkeys(answer.outputs))) or _unread(subtasks)
        graph = TaskGraph(subtasks=subtasks, outputs=outputs)
        complaints = [
            *(complaint for _, own in made for complaint in own),
            *self.problems(graph),
            *self._unused(graph),
            *_changed(graph, begun),
        ]
        if complaints:
            return tuple(dict.fromkeys(complaints))[:_MOST_COMPLAINTS]
        unread = [path for name, path in self.brief.files.items() if name not in graph.inputs]
        graph, found = self._with_named_files(graph)
        return PlanResult(
            status="planned",
            planner=self.planner,
            graph=graph,
            found_inputs=found,
            caveats=tuple(file_caveats(unread, self._language)),
            nearest=graph.capabilities[:3],
            why=_told(answer.reason),
        )

    def _with_named_files(self, graph: TaskGraph) -> tuple[TaskGraph, dict[str, JsonValue]]:
        """The plan with each file of the words as the input that its parameter is called, and these inputs.

        So other planners know them, too, where what is left has to be planned anew.
        """
        found: dict[str, JsonValue] = {}

        def named(parameter: str, binding: Binding) -> Binding:
            path = self.brief.files.get(binding.name) if isinstance(binding, FromInput) else None
            if not isinstance(binding, FromInput) or path is None:
                return binding
            is_free = parameter not in self.brief.inputs and found.get(parameter, path) == path
            name = parameter if is_free else binding.name
            found[name] = path
            return binding.model_copy(update={"name": name})

        subtasks = tuple(
            Subtask(
                id=s.id, capability=s.capability, arguments={n: named(n, b) for n, b in s.arguments.items()}
            )
            for s in graph.subtasks
        )
        return TaskGraph(subtasks=subtasks, outputs=graph.outputs), found

    def _question(self, answer: Answer) -> PlanResult | Complaints:
        """The question for what is missing, in EasyNet's own words: the model's could come from anywhere."""
        parameter = self.brief.askable.get(answer.missing or "")
        if parameter is None:
            return ("missing: that is no plain parameter of a function that the user has not given",)
        question = question_for(parameter, self._language)
        why = say(self._language, f"the plan needs {parameter.name!r}", f"计划需要 {parameter.name!r}")
        return PlanResult(status="needs_input", planner=self.planner, question=question, why=why)

    def _misuse(self, step: Step, parameter: Parameter, binding: Binding) -> Iterator[str]:
        """What the validator does not look at: where files come from, and words that are no choice."""
        where, wanted = f"{step.id}: {parameter.name!r}", parameter.type.name
        match binding:
            case Given(value=value) if wanted == _FILE:
                yield f"{where} is a file, which has to be one of the inputs and not the literal {value!r}"
            case Given(value=str(word)) if parameter.choices and word not in parameter.choices:
                yield f"{where} has to be one of {_some(parameter.choices)}, not {word!r}"
            case FromInput(name=name) if name in self.brief.inputs:
                given = self.brief.inputs[name].name
                if (given == _FILE) != (wanted == _FILE) and "any" not in (given, wanted):
                    yield f"{where} takes {parameter.type}, but the input {name!r} is {given}"
            case _:
                pass

    def _by_its_name(self, parameter: Parameter) -> FromInput | None:
        """What fills a parameter that the answer leaves out: the input of its name, where there is one."""
        name = parameter.name
        if parameter.is_variadic or not parameter.type.is_primitive:
            return None
        if name == LANGUAGE_INPUT and not parameter.required:
            return FromInput(name=name, optional=True)
        is_given = name in self.brief.request.input_names
        return FromInput(name=name, optional=not parameter.required) if is_given else None

    def _unused(self, graph: TaskGraph) -> Iterator[str]:
        for name in sorted(self.brief.request.input_names - graph.inputs.keys() - {LANGUAGE_INPUT}):
            yield f"no subtask uses the user's input {name!r}"


def _binding(source: Source, parameter: Parameter | None) -> Binding:
    match source:
        case LiteralSource(value=value):
            return Given(value=[*value] if isinstance(value, tuple) else value)
        case InputSource(name=name):
            return FromInput(name=name, optional=parameter is not None and not parameter.required)
        case OutputSource():
            return _result(source)
        case OutputsSource(of=parts):
            return Gathered(items=tuple(map(_result, parts)))


def _result(part: Part) -> FromSubtask:
    return FromSubtask(subtask=SubtaskId(part.subtask), path=part.path)


def _unread(subtasks: Sequence[Subtask]) -> tuple[SubtaskId, ...]:
    read = {needed for s in subtasks for needed in s.needs}
    return tuple(s.id for s in subtasks if s.id not in read)


def _changed(graph: TaskGraph, begun: Begun) -> Iterator[str]:
    for id_, subtask in begun.items():
        if graph.by_id.get(id_) != subtask:
            yield f"{id_}: is at work already, and has to stay in the plan as it was"


def _some(choices: Sequence[str]) -> str:
    """The first choices; they are words of whoever offers the function."""
    words = ", ".join(choices[:MOST_CHOICES])
    return words if len(words) <= _CHOICES else words[: _CHOICES - 1] + "…"


def _told(reason: str) -> str:
    """A model's words as one line without control characters."""
    line = " ".join("".join(_printable(reason)).split())
    return line if len(line) <= _REASON else line[: _REASON - 1] + "…"


def _printable(text: str) -> Iterable[str]:
    return (c if c.isprintable() else " " for c in text)
