"""A small recording made by hand: three functions in a row, of which the first reads a file."""

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.events import IntentParsed, PlanMade, RunEvent, RunFinished, RunStarted, SubtaskFinished
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.task_graph import FromInput, FromSubtask, Subtask, TaskGraph
from easynet.execution.recording import Recording

_RUN = RunId("20261122-114502-9f3a")
_TOOK_S = {"load": 0.1, "count": 0.2, "tell": 0.05}


def capability(name: str, takes: str, gives: str) -> Capability:
    return Capability(
        name=CapabilityName(name),
        description={"en": f"{name} the rows of a table"},
        parameters=(Parameter(name="value", type=TypeRef(name=takes)),),
        output=TypeRef(name=gives),
        price=2,
    )


def _step(name: str, value: FromInput | FromSubtask) -> Subtask:
    return Subtask(id=SubtaskId(name), capability=CapabilityName(name), arguments={"value": value})


GRAPH = TaskGraph(
    subtasks=(
        _step("load", FromInput(name="data")),
        _step("count", FromSubtask(subtask=SubtaskId("load"))),
        _step("tell", FromSubtask(subtask=SubtaskId("count"))),
    ),
    outputs=(SubtaskId("tell"),),
)


def recording() -> Recording:
    intent = Intent.from_text("count the rows of my table", input_data={"data": "/somewhere/rows.csv"})
    parsed = ParsedIntent(text=intent.text, language="en", inputs=intent.input_data)
    finished = [
        SubtaskFinished(
            run_id=_RUN,
            seq=3 + n,
            at=1.0,
            subtask=subtask.id,
            node=NodeId("n"),
            attempt=1,
            duration_s=_TOOK_S[subtask.id],
        )
        for n, subtask in enumerate(GRAPH.subtasks)
    ]
    facts: list[RunEvent] = [
        RunStarted(run_id=_RUN, seq=0, at=0.0, intent=intent, version="0.1.0"),
        IntentParsed(run_id=_RUN, seq=1, at=0.0, parsed=parsed),
        PlanMade(run_id=_RUN, seq=2, at=0.0, graph=GRAPH, planner="catalogue", titles={}),
        *finished,
        RunFinished(run_id=_RUN, seq=6, at=1.0, status="succeeded"),
    ]
    functions = (
        capability("load", "File", "Rows"),
        capability("count", "Rows", "Count"),
        capability("tell", "Count", "str"),
    )
    return Recording.of(facts, {SubtaskId("tell"): "7 rows"}, functions)
