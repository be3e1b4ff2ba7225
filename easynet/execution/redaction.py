"""Recordings without what users gave and got, such that they can still be replayed.

What becomes of a field is decided by its type: free text and data are hidden, nodes get other names, and
numbers, words of ours, and the names of functions and parameters stay. `RULES` has the exceptions. So a field
that somebody adds is hidden until a rule says otherwise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

from easynet.core.artifact import Artifact
from easynet.core.capability import TypeRef
from easynet.core.events import IntentParsed, PlanMade, RunEvent, RunStarted
from easynet.core.ids import CapabilityName, JobId, NodeId, RunId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.redaction import HIDDEN
from easynet.core.task_graph import Given, Subtask
from easynet.execution.recording import Recording

_NO_DIGEST: Final = "0" * 64

HideValues = Callable[[str, Iterable[JsonValue]], str]
"""A text without these values, and without whatever else in it is more than a word of the language."""

M = TypeVar("M", bound=BaseModel)


class Rule(StrEnum):
    """What becomes of a field that its type alone does not decide."""

    KEPT = "kept"
    KEYS_KEPT = "keys kept"
    """Its keys are names that functions or EasyNet gave; its values are as their types say."""
    LEFT_OUT = "left out"
    """It is empty."""
    WORDS = "words"
    """What the user said, without values; hidden where the user asked for privacy."""
    RENAMED = "renamed"
    """The same name stands in for it wherever it is found."""


RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("RunStarted", "version"): Rule.KEPT,
    ("RunStarted", "gateway"): Rule.LEFT_OUT,
    ("RunStarted", "limits"): Rule.KEPT,
    ("Intent", "goal"): Rule.WORDS,
    ("Intent", "description"): Rule.WORDS,
    ("Intent", "input_data"): Rule.KEYS_KEPT,
    ("Intent", "quality_requirements"): Rule.KEPT,
    ("Intent", "constraints"): Rule.KEPT,
    ("ParsedIntent", "text"): Rule.WORDS,
    ("ParsedIntent", "inputs"): Rule.KEYS_KEPT,
    ("Requirements", "quality"): Rule.KEPT,
    ("Requirements", "private"): Rule.KEPT,
    ("Question", "name"): Rule.KEPT,
    ("Problem", "code"): Rule.KEPT,
    ("Problem", "relaxations"): Rule.KEPT,
    ("PassedOver", "planner"): Rule.KEPT,
    ("PassedOver", "model"): Rule.RENAMED,
    ("PlanMade", "planner"): Rule.KEPT,
    ("PlanMade", "assumed"): Rule.KEYS_KEPT,
    ("PlanMade", "titles"): Rule.KEPT,
    ("NodesFound", "capabilities"): Rule.KEPT,
    ("Subtask", "arguments"): Rule.KEYS_KEPT,
    ("FromInput", "name"): Rule.KEPT,
    ("FromSubtask", "path"): Rule.KEPT,
    ("ModelAnswered", "model"): Rule.RENAMED,
    ("ModelAnswered", "purpose"): Rule.KEPT,
    ("ModelFellBack", "model"): Rule.RENAMED,
    ("RunFinished", "metrics"): Rule.LEFT_OUT,
    ("RunFinished", "folder"): Rule.LEFT_OUT,
}
"""By class and field."""

_OUR_NAMES: Final = frozenset({RunId, SubtaskId, CapabilityName, JobId})


def redacted(recording: Recording, hide_values: HideValues) -> Recording:
    """The recording with everything hidden that the user gave or got, apart from words of the language.

    Times, prices, outcomes, the plan and who did what are as they were, so that it can be replayed. Another
    value of the same shape stands in for each value; of a record, the declared fields keep their names.
    """
    graph = {s.id: s.capability for s in _subtasks(recording)}
    types = {i: recording.by_name[c].output for i, c in graph.items() if c in recording.by_name}
    values = [*_values(recording)]
    is_private = any(map(_asks_for_privacy, recording.events))
    redaction = _Redaction(lambda text: HIDDEN if is_private else hide_values(text, values), types)
    return replace(
        recording,
        events=tuple(redaction.of_model(event) for event in recording.events),
        results={s: neutral(v, types.get(s)) for s, v in recording.results.items()},
        is_redacted=True,
    )


def neutral(value: JsonValue, type_: TypeRef | None = None) -> JsonValue:
    """A value of the same shape that says nothing; declared fields keep their names."""
    match value:
        case None:
            return None
        case bool():
            return False
        case int() | float():
            return type(value)(0)
        case str():
            return HIDDEN if value else ""
        case list():
            item = None if type_ is None or not type_.many else type_.model_copy(update={"many": False})
            return [neutral(part, item) for part in value]
        case dict():
            declared = {} if type_ is None or type_.many else type_.fields
            return {
                key if key in declared else f"{HIDDEN}{n}": neutral(part, declared.get(key))
                for n, (key, part) in enumerate(value.items(), 1)
            }


@dataclass
class _Redaction:
    """One recording's: the same name stands in for a name throughout."""

    words: Callable[[str], str]
    types: Mapping[SubtaskId, TypeRef]
    """What the results of subtasks are."""
    _names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def of_model(self, model: M) -> M:
        update = {
            name: self._of_field(type(model), name, info.annotation, getattr(model, name))
            for name, info in type(model).model_fields.items()
        }
        return model.model_copy(update=update)

    def _of_field(self, owner: type[BaseModel], name: str, annotation: Any, value: Any) -> Any:
        match next((r for c in owner.__mro__ if (r := RULES.get((c.__name__, name)))), None):
            case Rule.KEPT:
                return value
            case Rule.KEYS_KEPT:
                kind = get_args(annotation)[1]
                return {key: self._of(kind, part) for key, part in value.items()}
            case Rule.LEFT_OUT:
                return type(value)()
            case Rule.WORDS:
                return self.words(value) if value else value
            case Rule.RENAMED:
                return self._renamed(name, value)
            case None:
                return self._of(annotation, value)

    def _of(self, annotation: Any, value: Any) -> Any:
        """A value whose type decides."""
        kinds = [*_kinds(annotation)]
        if JsonValue in kinds:
            return neutral(value)
        match value:
            case Artifact():
                return Artifact(digest=_NO_DIGEST, size_bytes=value.size_bytes)
            case BaseModel():
                return self.of_model(value)
            case tuple():
                return tuple(self._of(get_args(kinds[0])[0], part) for part in value)
            case dict():
                key_kind, kind = get_args(kinds[0])
                return self._of_dict(key_kind, kind, value)
            case StrEnum():
                return value
            case str():
                return self._of_text(kinds, value)
            case _:
                return value

    def _of_dict(self, key_kind: Any, kind: Any, value: Mapping[Any, Any]) -> dict[Any, Any]:
        if key_kind is SubtaskId and kind is JsonValue:
            return {key: neutral(part, self.types.get(key)) for key, part in value.items()}
        return {
            self._renamed("key", key) if key_kind is str else self._of(key_kind, key): self._of(kind, part)
            for key, part in value.items()
        }

    def _of_text(self, kinds: list[Any], value: str) -> str:
        if any(k in _OUR_NAMES for k in kinds) or any(value in get_args(k) for k in kinds if _is_literal(k)):
            return value
        if NodeId in kinds:
            return self._renamed("node", value)
        return HIDDEN if value else ""

    def _renamed(self, kind: str, name: str) -> str:
        if name and (kind, name) not in self._names:
            self._names[kind, name] = f"{kind}-{sum(k == kind for k, _ in self._names) + 1}"
        return self._names.get((kind, name), name)


def _kinds(annotation: Any) -> Iterator[Any]:
    """What a type is made of, where it is one of several."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is Union or type(annotation).__name__ == "UnionType":
        yield from chain.from_iterable(map(_kinds, get_args(annotation)))
    elif annotation is not type(None):
        yield annotation


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _asks_for_privacy(event: RunEvent) -> bool:
    """Whether it says that some of the intent is private; then its words may be, too."""
    match event:
        case RunStarted():
            return "private" in event.intent.constraints
        case IntentParsed():
            requirements = event.parsed.requirements
            return requirements.privacy is Privacy.HIGH or bool(requirements.private)
        case _:
            return False


def _subtasks(recording: Recording) -> Iterator[Subtask]:
    for event in recording.events:
        if isinstance(event, PlanMade):
            yield from event.graph.subtasks


def _values(recording: Recording) -> Iterator[JsonValue]:
    """What was given, wherever it is told."""
    for event in recording.events:
        match event:
            case RunStarted():
                yield from event.intent.input_data.values()
            case IntentParsed():
                yield from event.parsed.inputs.values()
            case PlanMade():
                yield from event.assumed.values()
                for subtask in event.graph.subtasks:
                    yield from (b.value for b in subtask.arguments.values() if isinstance(b, Given))
            case _:
                pass
