"""Past runs without the values that users gave."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from pydantic import JsonValue

from easynet.core.numerals import NUMBER
from easynet.core.redaction import HIDDEN, pattern_of
from easynet.core.task_graph import Given, TaskGraph
from easynet.planners.files import files_in
from easynet.planners.past_run import PastRun

_NUMBER = re.compile(
    rf"\d+(?:[.,:/-]\d+)*|(?<![a-z])(?!(?:an?|one)\b){NUMBER}|\b(?:thousand|[mb]illion)s?\b", re.IGNORECASE
)
_QUOTED = re.compile(
    r"\"[^\"]+\"|“[^”]+”|‘[^’]+’|「[^」]+」|『[^』]+』|《[^》]+》|`[^`]+`|(?<!\w)'[^']+'(?!\w)"
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+|\w+://\S+")


def redacted(run: PastRun) -> PastRun:
    """The run with all values hidden that were given, or written into its plan.

    In its words, these values are hidden, and all numbers, files, addresses and quoted text. What else the
    words say is left: without it there is nothing to learn from.
    """
    return run.model_copy(
        update={
            "text": without_values(run.text, _values(run)),
            "inputs": dict.fromkeys(run.inputs, HIDDEN),
            "edits": tuple(edit.model_copy(update={"value": HIDDEN}) for edit in run.edits),
            "caveats": tuple(HIDDEN for _ in run.caveats),
            "graph": _without_values(run.graph),
        }
    )


def without_values(text: str, values: Iterable[JsonValue]) -> str:
    """The text with these values hidden in it, and all numbers, files, addresses and quoted text.

    Overlapping parts become one.
    """
    written = {*chain.from_iterable(map(_written, values))}
    given = [re.compile(pattern_of(v), re.IGNORECASE) for v in (*written, *files_in(text)) if v.strip()]
    spans = sorted(m.span() for p in (_NUMBER, _QUOTED, _ADDRESS, *given) for m in p.finditer(text))
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        if start >= end:
            parts += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join((*parts, text[end:]))


def _written(value: JsonValue) -> Iterator[str]:
    """The texts that a value is made of, as words may have them."""
    if isinstance(value, dict):
        yield from value
        yield from chain.from_iterable(map(_written, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_written, value))
    elif isinstance(value, str):
        yield value
        name = re.split(r"[/\\]", value.rstrip("/\\"))[-1]
        yield name
        yield name.partition(".")[0]
    elif value is not None and not isinstance(value, bool):
        yield str(value)


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
                    name: Given(value=HIDDEN) if isinstance(b, Given) else b
                    for name, b in s.arguments.items()
                }
            }
        )
        for s in graph.subtasks
    )
    return graph.model_copy(update={"subtasks": subtasks})
