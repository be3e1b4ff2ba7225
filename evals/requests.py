"""Requests with the plans that are right for them, and the capabilities that they are made of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, RunId, SubtaskId
from easynet.core.task_graph import FromSubtask, Subtask, TaskGraph
from easynet.planners.past_run import PastRun

DATA = Path(__file__).parent / "data" / "ultratool"
_OUTCOME = TypeRef(name="Outcome")
_CONTEXT = "context"

Chain = tuple[CapabilityName, ...]


@dataclass(frozen=True)
class Example:
    """A sentence and the plan that is right for it."""

    text: str
    chain: Chain


@dataclass(frozen=True)
class Suite:
    """Everything that a planner is measured on."""

    catalogue: tuple[Capability, ...]
    links: frozenset[tuple[CapabilityName, CapabilityName]]
    examples: Sequence[Example]


def load(folder: Path) -> Suite:
    """Read `tool_desc.json`, `graph_desc.json` and `train.jsonl` of a folder.

    The tools come without parameters. Each is offered as a function that may take what another has found, so
    that a plan says which step follows which.
    """
    tools: list[dict[str, Any]] = json.loads((folder / "tool_desc.json").read_text("utf-8"))["nodes"]
    links: list[dict[str, Any]] = json.loads((folder / "graph_desc.json").read_text("utf-8"))["links"]
    lines = (folder / "train.jsonl").read_text("utf-8").splitlines()
    return Suite(
        tuple(_capability(t["id"], t["desc"]) for t in tools),
        frozenset((CapabilityName(x["source"]), CapabilityName(x["target"])) for x in links),
        [_example(json.loads(line)) for line in lines],
    )


def past_run(example: Example, number: int) -> PastRun:
    """The example as a run that went well."""
    return PastRun(
        id=RunId(f"run-{number:05d}"),
        at=float(number),
        text=example.text,
        language="en",
        graph=_graph(example.chain),
        planner="user",
        outcome="succeeded",
    )


def _capability(name: str, description: str) -> Capability:
    return Capability(
        name=CapabilityName(name),
        description={"en": description},
        parameters=(Parameter(name=_CONTEXT, type=_OUTCOME, required=False),),
        output=_OUTCOME,
    )


def _example(row: dict[str, Any]) -> Example:
    """Of a row, the words and the plan alone: `task_steps` names the tools, and is no input."""
    return Example(row["user_request"].strip(), tuple(CapabilityName(n["task"]) for n in row["task_nodes"]))


def _graph(chain: Chain) -> TaskGraph:
    ids = [SubtaskId(f"step_{i}") for i in range(len(chain))]
    subtasks = tuple(
        Subtask(
            id=id_,
            capability=name,
            arguments={_CONTEXT: FromSubtask(subtask=ids[i - 1])} if i else {},
        )
        for i, (id_, name) in enumerate(zip(ids, chain, strict=True))
    )
    return TaskGraph(subtasks=subtasks, outputs=(ids[-1],))
