"""A language model that says what a test tells it to, and answers as it would write them."""

import json
from collections.abc import Sequence
from typing import Any

from easynet.core.capability import Capability
from easynet.core.errors import ModelError
from easynet.core.ids import CapabilityName
from easynet.core.intent import ParsedIntent, Privacy, Requirements
from easynet.core.language import language_of
from easynet.core.task_graph import FromInput, Given, TaskGraph
from easynet.planners.model_planner import ModelPlanner
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.testing.language_model import Scripted, ScriptedModel
from tests.planners.conftest import SMALL, capability

LINE = (
    capability("load_table(data: File, language?: str) -> Loaded", "Load a table from a file."),
    capability("clean_table(table: RawTable, deep?: bool) -> CleanTable", "Clean a table."),
    capability("describe_table(table: CleanTable, columns?: int) -> Summary", "Describe a table."),
    capability("merge_summaries(parts: list[Summary]) -> Summary", "Merge summaries into one."),
    capability("write_note(text: str) -> Note", "Write a note."),
    capability("delete_everything(confirm: bool) -> Void", "Delete all data."),
)
"""Tables from a file to a summary, and two functions beside them."""


def literal(value: Any) -> dict[str, Any]:
    return {"kind": "literal", "value": value}


def given(name: str) -> dict[str, Any]:
    return {"kind": "input", "name": name}


def result(subtask: str, *path: str) -> dict[str, Any]:
    return {"kind": "output", "subtask": subtask, "path": [*path]}


def results(*subtasks: str) -> dict[str, Any]:
    return {"kind": "outputs", "of": [{"subtask": s, "path": []} for s in subtasks]}


def step(id_: str, function: str, **arguments: dict[str, Any]) -> dict[str, Any]:
    sources = [{"parameter": name, "from": source} for name, source in arguments.items()]
    return {"id": id_, "function": function, "arguments": sources}


LOAD = step("load", "load_table", data=given("data"))
CLEAN = step("clean", "clean_table", table=result("load", "table"))
DESCRIBE = step("describe", "describe_table", table=result("clean"))


def answer(*subtasks: dict[str, Any], **fields: Any) -> str:
    """A whole answer; a plan of these subtasks where nothing else is said."""
    said = {
        "decision": "plan",
        "subtasks": [*subtasks],
        "outputs": [],
        "missing": None,
        "reason": "It fits.",
    }
    return json.dumps({**said, **fields}, ensure_ascii=False)


GOOD = answer(LOAD, CLEAN, DESCRIBE, outputs=["describe"])


def wanted(
    text: str = "describe my table",
    *,
    tools: Sequence[Capability] = LINE,
    avoid: Sequence[str] = (),
    budget: int | None = None,
    privacy: Privacy = Privacy.NORMAL,
    inputs: dict[str, Any] | None = None,
) -> PlanRequest:
    """A request for a plan; the user has given a file, where nothing else is said."""
    needs = Requirements(budget=budget, privacy=privacy)
    given = {"data": "private/sales.csv"} if inputs is None else inputs
    return PlanRequest(
        parsed=ParsedIntent(text=text, language=language_of(text), inputs=given, requirements=needs),
        catalogue=tuple(tools),
        avoid=tuple(map(CapabilityName, avoid)),
    )


def scripted(*answers: str | ModelError | Scripted, **fields: Any) -> ScriptedModel:
    return ScriptedModel(answers, **fields)


async def planned(
    *answers: str | ModelError | Scripted, request: PlanRequest | None = None, **fields: Any
) -> tuple[PlanResult, ScriptedModel]:
    """What the planner makes of a model's answers, and the model with what it was asked."""
    model = scripted(*answers)
    return await ModelPlanner(model, **fields).plan(request or wanted()), model


def bound(graph: TaskGraph | None, subtask: str) -> dict[str, Any]:
    """The arguments of a subtask in short: values, names of inputs, and what is read."""
    assert graph is not None
    found = next(s for s in graph.subtasks if s.id == subtask).arguments
    return {
        name: b.value if isinstance(b, Given) else b.name if isinstance(b, FromInput) else b
        for name, b in found.items()
    }


__all__ = ("LINE", "SMALL")
