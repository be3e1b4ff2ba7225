"""A language model's plan as it is written down, and read again strictly."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, StringConstraints, ValidationError

from easynet.core.capability import Value
from easynet.core.task_graph import Binding, FromInput, FromSubtask, Gathered, Given, Subtask, TaskGraph
from easynet.llm.language_model import Schema

MOST_SUBTASKS = 60
_MOST_ARGUMENTS, _MOST_ITEMS, _DEEPEST = 40, 200, 12
_MOST_COMPLAINTS = 8

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Scalar = Annotated[str, StringConstraints(max_length=10_000)] | int | float | bool
Path = Annotated[tuple[Name, ...], Field(max_length=_DEEPEST)]


class LiteralSource(Value):
    """A value that the request states."""

    kind: Literal["literal"]
    value: Scalar | Annotated[tuple[Scalar, ...], Field(max_length=_MOST_ITEMS)]


class InputSource(Value):
    """One of the user's inputs."""

    kind: Literal["input"]
    name: Name


class Part(Value):
    """A result, or what is found in it at a path."""

    subtask: Id
    path: Path


class OutputSource(Part):
    """Another subtask's result."""

    kind: Literal["output"]


class OutputsSource(Value):
    """Several results as a list."""

    kind: Literal["outputs"]
    of: Annotated[tuple[Part, ...], Field(max_length=_MOST_ITEMS)]


Source = Annotated[LiteralSource | InputSource | OutputSource | OutputsSource, Field(discriminator="kind")]


class Argument(Value):
    """Where one parameter's value comes from."""

    parameter: Name
    source: Source = Field(alias="from")


class Step(Value):
    """A subtask."""

    id: Id
    function: Name
    arguments: Annotated[tuple[Argument, ...], Field(max_length=_MOST_ARGUMENTS)]


class Answer(Value):
    """All that a model may say to a request for a plan."""

    decision: Literal["plan", "ask", "unsupported"]
    subtasks: Annotated[tuple[Step, ...], Field(max_length=MOST_SUBTASKS)]
    outputs: Annotated[tuple[Id, ...], Field(max_length=MOST_SUBTASKS)]
    missing: Name | None
    reason: str


def read_answer(text: str) -> Answer | tuple[str, ...]:
    """The answer that a text is, or what is wrong with it."""
    try:
        return Answer.model_validate_json(text, strict=True)
    except ValidationError as error:
        return tuple(
            f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False)[:_MOST_COMPLAINTS]
        )


def read_step(text: str) -> Step | None:
    """The subtask that a text is; nothing where it is none."""
    try:
        return Step.model_validate_json(text, strict=True)
    except ValidationError:
        return None


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def written(graph: TaskGraph) -> Mapping[str, Any] | None:
    """A plan as a model would write it; nothing where it has a literal that cannot be written."""
    try:
        subtasks = [_step(s) for s in graph.subtasks]
    except ValueError:
        return None
    return {"decision": "plan", "subtasks": subtasks, "outputs": graph.outputs, "missing": None, "reason": ""}


def _step(subtask: Subtask) -> Mapping[str, Any]:
    arguments = [
        {"parameter": name, "from": _source(binding)}
        for name, binding in subtask.arguments.items()
        if not (isinstance(binding, FromInput) and binding.optional)
    ]
    return {"id": subtask.id, "function": subtask.capability, "arguments": arguments}


def _source(binding: Binding) -> Mapping[str, Any]:
    match binding:
        case Given(value=value):
            if not _is_literal(value):
                raise ValueError(value)
            return {"kind": "literal", "value": value}
        case FromInput(name=name):
            return {"kind": "input", "name": name}
        case FromSubtask():
            return {"kind": "output", "subtask": binding.subtask, "path": binding.path}
        case Gathered(items=items):
            return {"kind": "outputs", "of": [{"subtask": i.subtask, "path": i.path} for i in items]}


def _is_literal(value: JsonValue) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, str | int | float | bool) for item in items)


# ── the schema ──────────────────────────────────────────────────────────────────────────────────


def schema_of(functions: Sequence[str], inputs: Sequence[str], askable: Sequence[str]) -> Schema:
    """The closed schema of the answers to one request: these functions, these inputs, these questions."""
    text: Schema = {"type": "string"}
    scalar = [text, {"type": "number"}, {"type": "boolean"}]
    literal = {"anyOf": [*scalar, {"type": "array", "items": {"anyOf": scalar}}]}
    part = {"subtask": text, "path": {"type": "array", "items": text}}
    sources = [
        _closed(kind=_only("literal"), value=literal),
        *([_closed(kind=_only("input"), name=_one_of(inputs))] if inputs else []),
        _closed(kind=_only("output"), **part),
        _closed(kind=_only("outputs"), of={"type": "array", "items": _closed(**part)}),
    ]
    argument = _closed(**{"parameter": text, "from": {"anyOf": sources}})
    arguments = {"type": "array", "items": argument}
    step = _closed(id=text, function=_one_of(functions), arguments=arguments)
    nothing: Schema = {"type": "null"}
    return _closed(
        decision=_one_of(["plan", "ask", "unsupported"]),
        subtasks={"type": "array", "items": step},
        outputs={"type": "array", "items": text},
        missing={"anyOf": [_one_of(askable), nothing]} if askable else nothing,
        reason=text,
    )


def _closed(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def _one_of(words: Sequence[str]) -> Schema:
    return {"type": "string", "enum": [*words]}


def _only(word: str) -> Schema:
    return _one_of([word])
