"""Past runs without the values that users gave."""

from collections.abc import Iterator

from pydantic import JsonValue

from easynet.core.task_graph import Given, TaskGraph
from easynet.planners.past_run import PastRun

_HIDDEN = "…"
_SHORTEST = 3
"""A shorter value is found everywhere, and says nothing."""


def redacted(run: PastRun) -> PastRun:
    """The run with all values hidden that were given, or written into its plan, in its words as well.

    What else the words say is left: without it there is nothing to learn from.
    """
    text = run.text
    for value in sorted({str(v) for v in _values(run)}, key=len, reverse=True):
        text = text.replace(value, _HIDDEN) if len(value) >= _SHORTEST else text
    return run.model_copy(
        update={
            "text": text,
            "inputs": dict.fromkeys(run.inputs, _HIDDEN),
            "edits": tuple(edit.model_copy(update={"value": _HIDDEN}) for edit in run.edits),
            "caveats": tuple(_HIDDEN for _ in run.caveats),
            "graph": _without_values(run.graph),
        }
    )


def _values(run: PastRun) -> Iterator[JsonValue]:
    yield from run.inputs.values()
    yield from (edit.value for edit in run.edits)
    for subtask in run.graph.subtasks:
        yield from (b.value for b in subtask.arguments.values() if isinstance(b, Given))


def _without_values(graph: TaskGraph) -> TaskGraph:
    subtasks = tuple(
        s.model_copy(
            update={
                "arguments": {
                    name: Given(value=_HIDDEN) if isinstance(b, Given) else b
                    for name, b in s.arguments.items()
                }
            }
        )
        for s in graph.subtasks
    )
    return graph.model_copy(update={"subtasks": subtasks})
