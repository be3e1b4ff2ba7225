"""Recordings without values. A canary in every field tells which ones get through."""

import dataclasses
import json
import types
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, JsonValue

from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, TypeRef
from easynet.core.events import (
    AttemptStarted,
    Event,
    IntentParsed,
    NodesFound,
    PlanMade,
    RunEvent,
    RunFinished,
    RunStarted,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, JobId, NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent, Privacy, Requirements
from easynet.core.redaction import HIDDEN
from easynet.core.task_graph import FromInput, Given, Subtask, TaskGraph
from easynet.execution.recording import Recording
from easynet.execution.redaction import RULES, Rule, neutral, redacted
from easynet.planners.redaction import without_values
from easynet.testing.example_run import example_run

CANARY = "canary"
NAMES = {RunId, SubtaskId, CapabilityName, JobId}
EVENTS: list[type[Event]] = [*get_args(get_args(RunEvent)[0])]


def filled(annotation: Any) -> Any:
    """A value of a type with the canary in every place that takes one."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is JsonValue:
        return {CANARY: [CANARY, 4711]}
    if origin is Annotated:
        return filled(args[0])
    if origin in (Union, types.UnionType):
        return filled(args[0])
    if origin is Literal:
        return args[0]
    if origin is tuple:
        return (filled(args[0]),)
    if origin is dict:
        return {filled(args[0]): filled(args[1])}
    if annotation in NAMES:
        return annotation("ours")
    if annotation is Artifact:
        return Artifact(digest="c" * 64, size_bytes=1, filename=CANARY)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return full(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation))
    return {str: CANARY, NodeId: CANARY, int: 1, float: 1.0, bool: True}[annotation]


def full(model: type[BaseModel]) -> Any:
    """An instance of a model with the canary in every field that has no rule which lets it through."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        match next((r for c in model.__mro__ if (r := RULES.get((c.__name__, name)))), None):
            case Rule.KEPT:
                origin = get_origin(info.annotation)
                fields[name] = {} if origin is dict else () if origin is tuple else "kept"
            case Rule.KEYS_KEPT:
                fields[name] = {"parameter": filled(get_args(info.annotation)[1])}
            case _:
                fields[name] = filled(info.annotation)
    return model.model_construct(None, **fields)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_nothing_that_a_user_gave_or_got_is_left_in_any_field(kind: type[Event]) -> None:
    event = full(kind)
    recording = dataclasses.replace(Recording.of(example_run()), events=(event,))
    hidden = redacted(recording, lambda text, values: HIDDEN)
    text = b"\n".join(hidden.lines()).decode()
    assert CANARY not in text
    assert "4711" not in text
    assert "c" * 64 not in text


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Capability:
        yield annotation
        for info in annotation.model_fields.values():
            yield from models(info.annotation)
    for part in get_args(annotation):
        if not isinstance(part, str):
            yield from models(part)


def test_every_rule_is_about_a_field_that_there_is() -> None:
    found = {(c.__name__, name) for event in EVENTS for c in models(event) for name in c.model_fields}
    assert RULES.keys() <= found


SECRET = "Ada Lovelace"
GRAPH = TaskGraph(
    subtasks=(
        Subtask(
            id=SubtaskId("greet"),
            capability=CapabilityName("greet"),
            arguments={"who": FromInput(name="who"), "how": Given(value="in 12 words")},
        ),
    ),
    outputs=(SubtaskId("greet"),),
)
GREET = Capability(
    name=CapabilityName("greet"),
    description={"en": "Greet."},
    output=TypeRef(name="Greeting", fields={"text": TypeRef(name="str")}),
)
GREETED: JsonValue = {"text": f"Hello {SECRET}", SECRET: [1, 2.5, True, None]}


def greeting(**asked: Any) -> Recording:
    run = RunId("run-1")
    intent = Intent(description=f"greet {SECRET} on 3 May", input_data={"who": SECRET, "count": 42})
    parsed = ParsedIntent(
        text=intent.text, language="en", inputs=intent.input_data, requirements=Requirements(**asked)
    )
    node = NodeId("adas-laptop")
    events: list[RunEvent] = [
        RunStarted(run_id=run, seq=0, at=1.0, intent=intent, version="1", gateway="tls://ada.example:1"),
        IntentParsed(run_id=run, seq=1, at=1.1, parsed=parsed),
        PlanMade(run_id=run, seq=2, at=1.2, graph=GRAPH, planner="catalogue", titles={GREET.name: "Greet"}),
        NodesFound(run_id=run, seq=3, at=1.3, offers={}, capabilities=(GREET,)),
        AttemptStarted(run_id=run, seq=4, at=1.4, subtask=SubtaskId("greet"), attempt=1, node=node),
        SubtaskFinished(
            run_id=run, seq=5, at=2.0, subtask=SubtaskId("greet"), attempt=1, node=node, duration_s=0.5
        ),
        RunFinished(
            run_id=run,
            seq=6,
            at=2.1,
            status="succeeded",
            headline=(f"Hello {SECRET}",),
            outputs={SubtaskId("greet"): GREETED},
            files={f"{SECRET}.txt": Artifact(digest="a" * 64, size_bytes=9, filename=f"{SECRET}.txt")},
            folder="/home/ada/runs",
        ),
    ]
    return Recording.of(events, {SubtaskId("greet"): GREETED})


def test_values_are_hidden_and_words_times_plan_and_outcome_stay(tmp_path: Path) -> None:
    redacted(greeting(), without_values).write(tmp_path / "a.jsonl")
    text = (tmp_path / "a.jsonl").read_text()
    assert not any(word in text for word in ("Ada", "Lovelace", "ada", "42", "words", "a" * 64))
    hidden = Recording.read(tmp_path / "a.jsonl")
    assert hidden.is_redacted
    assert hidden.intent.description == "greet … on … May"
    assert hidden.intent.input_data == {"who": "…", "count": 0}
    assert [e.at for e in hidden.events] == [e.at for e in greeting().events]
    assert hidden.graph.by_id[SubtaskId("greet")].arguments == {
        "who": FromInput(name="who"),
        "how": Given(value="…"),
    }
    assert hidden.ended is not None
    assert hidden.ended.status == "succeeded"
    assert [(f.filename, f.size_bytes) for f in hidden.ended.files.values()] == [("", 9)]


def test_a_result_keeps_its_shape_and_the_fields_that_its_type_declares() -> None:
    hidden = redacted(greeting(), without_values)
    expected = {"text": "…", "…2": [0, 0.0, False, None]}
    assert hidden.results == {"greet": expected}
    assert hidden.ended is not None
    assert hidden.ended.outputs == hidden.results


def test_nodes_have_other_names_that_are_the_same_throughout() -> None:
    events = redacted(Recording.of(example_run()), without_values).events
    before = [e.node for e in example_run() if isinstance(e, SubtaskFinished)]
    after = [e.node for e in events if isinstance(e, SubtaskFinished)]
    assert not {*before} & {*after}
    assert len({*zip(before, after, strict=True)}) == len({*before}) == len({*after})


@pytest.mark.parametrize("asked", [{"privacy": Privacy.HIGH}, {"private": ("who",)}])
def test_where_privacy_was_asked_for_the_words_are_hidden_too(asked: dict[str, Any]) -> None:
    assert redacted(greeting(**asked), without_values).intent.description == "…"


def test_to_redact_twice_is_to_redact_once() -> None:
    once = redacted(greeting(), without_values)
    assert [*redacted(once, without_values).lines()] == [*once.lines()]


def test_a_list_of_records_keeps_the_fields_of_each() -> None:
    many = TypeRef(name="Row", many=True, fields={"a": TypeRef(name="int")})
    assert neutral([{"a": 5, "b": "x"}], many) == [{"a": 0, "…2": "…"}]
    assert json.loads(json.dumps(neutral({"x": ""}))) == {"…1": ""}
