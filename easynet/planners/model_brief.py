"""What a language model is told of one request: never a value that the user gave, and never too much."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName
from easynet.core.language import Language
from easynet.core.task_graph import TaskGraph
from easynet.llm.language_model import Message, Prompt, Schema
from easynet.planners.files import files_in
from easynet.planners.model_answer import schema_of, written
from easynet.planners.planner import LANGUAGE_INPUT, PlanRequest
from easynet.prompts.prompt_text import prompt_text

INSTRUCTIONS, REPAIR = "plan/v2", "repair/v2"
MOST_EXAMPLES = 3
_FUNCTIONS, _FUNCTION, _EXAMPLE, _REQUEST, _COMPLAINTS, _ANSWER = 30_000, 2_000, 2_500, 6_000, 3_000, 20_000
"""Characters of the parts of a prompt, at most."""
MOST_CHOICES = 12
_DESCRIPTION, _NAME, _PARTS, _INPUTS = 300, 120, 20, 40
"""Characters of a description or a complaint and of a name; parts and inputs that are named; at most."""


@dataclass(frozen=True)
class Example:
    """A past request with a plan that went well."""

    text: str
    graph: TaskGraph


@dataclass(frozen=True)
class Brief:
    """One request as a language model sees it."""

    request: PlanRequest
    shortlist: Sequence[Capability]
    examples: Sequence[Example] = ()

    @cached_property
    def functions(self) -> tuple[Capability, ...]:
        """The functions that are shown; nothing else can be planned."""
        return tuple(c for c, _ in self._shown)

    @cached_property
    def by_name(self) -> Mapping[CapabilityName, Capability]:
        return {c.name: c for c in self.functions}

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The files that the words name, each under an input's name of its own."""
        free = (
            name
            for n in count(1)
            if (name := "file" if n == 1 else f"file_{n}") not in self.request.input_names
        )
        given = [str(value) for value in self.request.parsed.inputs.values()]
        named = files_in(self.request.parsed.text)
        new = (path for path in named if not any(_is_the_same(path, value) for value in given))
        return dict(zip(free, new, strict=False))

    @cached_property
    def inputs(self) -> Mapping[str, TypeRef]:
        """The types of the inputs that a plan may read, as far as they are known."""
        given = {n: self._type_of(n, v) for n, v in sorted(self.request.parsed.inputs.items())}
        return {
            **given,
            **dict.fromkeys(self.files, TypeRef(name="File")),
            LANGUAGE_INPUT: TypeRef(name="str"),
        }

    @cached_property
    def askable(self) -> Mapping[str, Parameter]:
        """What the user could be asked for: the plain parameters that no input fills."""
        told = [p for c in self.functions for p in _told_parameters(c) if len(p.name) <= _NAME]
        plain = (p for p in reversed(told) if p.type.is_primitive and not p.is_variadic)
        return {p.name: p for p in plain if p.name not in self.inputs}

    @property
    def schema(self) -> Schema:
        """What the answer has to be like."""
        return schema_of([c.name for c in self.functions], self._told_inputs, sorted(self.askable))

    @property
    def prompt(self) -> Prompt:
        """What stays the same comes first, so that it can be read from a cache; the request comes last."""
        parsed = self.request.parsed
        request = _data(f"{self.request.goal}: {parsed.text}" if self.request.goal else parsed.text)
        inputs = {name: str(self.inputs[name]) for name in self._told_inputs}
        failed = [name for name in self.request.avoid if len(name) <= _NAME][:_INPUTS]
        blocks = {
            "functions": "\n".join(line for _, line in self._shown),
            "examples": "\n".join(self._example_lines()),
            "failed": _data(failed),
            "inputs": _data(inputs),
            "request": request[:_REQUEST],
        }
        text = "\n\n".join(f"<{name}>\n{content}\n</{name}>" for name, content in blocks.items())
        return Prompt(instructions=prompt_text(INSTRUCTIONS), messages=(Message(role="user", text=text),))

    def repair(self, answer: str, complaints: Sequence[str]) -> Prompt:
        """The same conversation gone on: the answer, and what is wrong with it."""
        lines = [_data(_shortened(complaint)) for complaint in complaints]
        while sum(map(len, lines)) > _COMPLAINTS:
            lines.pop()
        again = prompt_text(REPAIR).replace("{complaints}", "\n".join(lines))
        prompt = self.prompt
        turns = (Message(role="assistant", text=answer[:_ANSWER]), Message(role="user", text=again))
        return prompt.model_copy(update={"messages": (*prompt.messages, *turns)})

    @cached_property
    def _shown(self) -> Sequence[tuple[Capability, str]]:
        """As many functions as there is room for, each with its line; what is too large is left out."""
        shown: list[tuple[Capability, str]] = []
        room = _FUNCTIONS
        for capability in self.shortlist:
            line = _data(_told(capability, self.request.parsed.language))
            if len(capability.name) <= _NAME and len(line) <= min(_FUNCTION, room):
                shown.append((capability, line))
                room -= len(line)
        return shown

    @property
    def _told_inputs(self) -> Sequence[str]:
        return [name for name in self.inputs if len(name) <= _NAME][:_INPUTS]

    def _type_of(self, name: str, value: JsonValue) -> TypeRef:
        declared = (c.parameter(name) for c in self.functions)
        found = next((p.type for p in declared if p is not None and p.type.is_primitive), None)
        if found is not None:
            return found
        is_file = isinstance(value, str) and files_in(value) == (value,)
        return TypeRef(name="File" if is_file else type(value).__name__ if value is not None else "any")

    def _example_lines(self) -> list[str]:
        lines: list[str] = []
        for example in self.examples[:MOST_EXAMPLES]:
            plan = written(example.graph)
            if plan is not None and set(example.graph.capabilities) <= self.by_name.keys():
                line = _data({"request": example.text, "plan": plan})
                lines += [line] if len(line) <= _EXAMPLE else []
        return lines


def _is_the_same(path: str, given: str) -> bool:
    """Whether an input is the file that the words name: inputs are absolute once a run has begun."""
    return given == path or given.endswith(f"/{path.removeprefix('./')}")


def _data(value: Any) -> str:
    """A value as one line of JSON that cannot end the block it stands in."""
    line = json.dumps(value, ensure_ascii=False)
    return line.replace("<", "\\u003c").replace(">", "\\u003e")


def _told(capability: Capability, language: Language) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "name": capability.name,
        "does": _shortened(capability.describe(language)),
        "takes": {_starred(p): _told_type(p) for p in _told_parameters(capability)},
        "gives": str(capability.output),
    }
    if parts := _parts(capability.output):
        told["parts"] = parts
    if capability.role != "work":
        told["role"] = capability.role
    return told


def _told_parameters(capability: Capability) -> list[Parameter]:
    """Those that a plan may have to fill; the user's language is filled in anyway."""
    return [p for p in capability.parameters if p.required or p.name != LANGUAGE_INPUT]


def _starred(parameter: Parameter) -> str:
    stars = ("**" if parameter.is_keyword_only else "*") if parameter.is_variadic else ""
    return stars + parameter.name


def _told_type(parameter: Parameter) -> str:
    choices = f", one of {' | '.join(parameter.choices[:MOST_CHOICES])}" if parameter.choices else ""
    return f"{parameter.type}{choices}{'' if parameter.required else ', optional'}"


def _parts(output: TypeRef) -> Mapping[str, str]:
    """The parts of a result, and those of its parts that have a type of their own, as `part.inner`."""
    if output.many:
        return {}
    found = {name: str(part) for name, part in output.fields.items()}
    for name, part in output.fields.items():
        for inner, kind in part.fields.items() if not part.many else ():
            if not kind.is_primitive:
                found[f"{name}.{inner}"] = str(kind)
    return dict([*found.items()][:_PARTS])


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DESCRIPTION else line[: _DESCRIPTION - 1] + "…"
