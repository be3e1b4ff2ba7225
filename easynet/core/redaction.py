"""What a run's events tell outside of the process that works on it: the same, without private values.

| field | is hidden |
|---|---|
| values of private inputs, and what was assumed in their place | wholly |
| literals that were taken from private inputs or words | wholly |
| words, questions, progress, problems, reasons, the headline, outputs | such values, wherever they stand |

What was made of private data is not hidden: it is what the user asked for. The journal on the user's own disk
keeps everything: without it, a run could not be resumed. `execution.redaction` hides all, for recordings.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, assert_never

from pydantic import JsonValue

from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AttemptCancelled,
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    Event,
    IntentParsed,
    ModelAnswered,
    ModelFellBack,
    MoneyReserved,
    MoneySettled,
    NodesFound,
    PlanMade,
    Problem,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    ScheduleMade,
    SubtaskFinished,
)
from easynet.core.intent import Intent, ParsedIntent, Privacy
from easynet.core.privacy import PrivateData, is_private, leaves
from easynet.core.task_graph import Given, Subtask, TaskGraph

HIDDEN = "…"
_SHORTEST = 3
"""A shorter value is found inside of other words, and hidden only where it is a word of its own."""

E = TypeVar("E", bound=Event)


class Redaction:
    """Takes a run's events in order, and gives them without what is private.

    What is private is known once the intent is understood; what comes before is held back until then.
    """

    def __init__(self) -> None:
        self._held: list[RunEvent] = []
        self._parsed: ParsedIntent | None = None
        self._private: PrivateData | None = None
        self._values: dict[str, str] = {}
        """What is private, by how it is looked for: in small letters and with single spaces."""

    def all(self, events: Iterable[RunEvent]) -> Iterator[RunEvent]:
        """A whole run."""
        for event in events:
            yield from self.take(event)
        yield from self._release()

    def value(self, value: Any) -> Any:
        """A result without the private values that stand in its texts."""
        if not self._is_private:
            return value
        match value:
            case str():
                return self._text(value)
            case dict():
                return {self.value(k): self.value(v) for k, v in value.items()}
            case list():
                return [*map(self.value, value)]
            case _:
                return value

    def recall(self, events: Iterable[RunEvent]) -> None:
        """Know what was told before, without telling it again."""
        for event in events:
            self.take(event)
        self._held.clear()

    def take(self, event: RunEvent) -> list[RunEvent]:
        """The events that may be told now, in order."""
        if isinstance(event, IntentParsed):
            self._parsed, self._private = event.parsed, PrivateData(event.parsed)
            self._learn(v for n, v in event.parsed.inputs.items() if self._is_hidden(n))
        elif isinstance(event, PlanMade):
            self._learn(b.value for s in event.graph.subtasks for _, b in self._literals(s))
        self._held.append(event)
        waits = self._parsed is None and not isinstance(event, RunFinished)
        return [] if waits else self._release()

    def _release(self) -> list[RunEvent]:
        held, self._held = self._held, []
        if self._parsed is None:
            # The run ended before it was understood: all that was given counts as private.
            self._learn(v for e in held if isinstance(e, RunStarted) for v in e.intent.input_data.values())
        return [self._redacted(e) for e in held]

    def _learn(self, values: Iterable[JsonValue]) -> None:
        for value in values:
            self._values |= {_folded(t): t for leaf in leaves(value) for t in _ways_to_say(leaf)}

    # ── what is private ─────────────────────────────────────────────────────────────────────────

    @property
    def _is_private(self) -> bool:
        return self._parsed is None or is_private(self._parsed)

    def _is_hidden(self, name: str) -> bool:
        """Whether an input is private; all are as long as nothing is known."""
        return self._private is None or self._private.input(name) is Privacy.HIGH

    def _literals(self, subtask: Subtask) -> Iterator[tuple[str, Given]]:
        """The literals of a subtask that are private, by parameter."""
        if self._private is None or not self._is_private:
            return
        for name, binding in subtask.arguments.items():
            if isinstance(binding, Given) and self._private.literal(binding.value) is Privacy.HIGH:
                yield name, binding

    # ── events ──────────────────────────────────────────────────────────────────────────────────

    def _redacted(self, event: RunEvent) -> RunEvent:
        if not self._is_private:
            return event
        match event:
            case RunStarted():
                return _with(event, intent=self._intent(event.intent))
            case IntentParsed():
                return _with(event, parsed=self._understood(event.parsed))
            case PlanMade():
                assumed = {n: HIDDEN if self._is_hidden(n) else v for n, v in event.assumed.items()}
                caveats = tuple(map(self._text, event.caveats))
                return _with(event, graph=self._plan(event.graph), assumed=assumed, caveats=caveats)
            case QuestionAsked() | ApprovalRequested():
                return _with(event, question=self._question(event.question))
            case AttemptProgressed():
                return _with(event, message=self._text(event.message))
            case AttemptFailed():
                return _with(event, problem=self._problem(event.problem))
            case Replanned():
                return _with(event, reason=self._text(event.reason))
            case ModelFellBack():
                return _with(event, reason=self._text(event.reason))
            case RunFinished():
                return self._ending(event)
            case (
                NodesFound()
                | ScheduleMade()
                | ApprovalAnswered()
                | AttemptStarted()
                | AttemptCancelled()
                | SubtaskFinished()
                | ModelAnswered()
                | MoneyReserved()
                | MoneySettled()
            ):
                return event
            case _:
                assert_never(event)

    def _intent(self, intent: Intent) -> Intent:
        return intent.model_copy(
            update={
                "goal": self._text(intent.goal),
                "description": self._text(intent.description),
                "input_data": {n: HIDDEN if self._is_hidden(n) else v for n, v in intent.input_data.items()},
            }
        )

    def _understood(self, parsed: ParsedIntent) -> ParsedIntent:
        return parsed.model_copy(update={"text": self._text(parsed.text), "inputs": told_inputs(parsed)})

    def _plan(self, graph: TaskGraph) -> TaskGraph:
        return graph.model_copy(update={"subtasks": tuple(map(self._subtask, graph.subtasks))})

    def _subtask(self, subtask: Subtask) -> Subtask:
        hidden = {name: Given(value=HIDDEN) for name, _ in self._literals(subtask)}
        return subtask.model_copy(update={"arguments": {**subtask.arguments, **hidden}})

    def _question(self, question: Question) -> Question:
        choices = tuple(map(self._text, question.choices))
        return question.model_copy(update={"text": self._text(question.text), "choices": choices})

    def _problem(self, problem: Problem) -> Problem:
        said = {"message": self._text(problem.message), "hint": self._text(problem.hint)}
        return problem.model_copy(update=said)

    def _ending(self, event: RunFinished) -> RunFinished:
        problem = None if event.problem is None else self._problem(event.problem)
        headline, outputs = tuple(map(self._text, event.headline)), self.value(event.outputs)
        return _with(event, problem=problem, headline=headline, outputs=outputs)

    def _text(self, text: str) -> str:
        """The text without private values; a longer one goes before those that are in it."""
        words = _folded(text)
        # Far more may be private than stands in one text; a pattern of all of it would take long to match.
        found = [value for folded, value in self._values.items() if folded in words]
        if not found:
            return text
        pattern = "|".join(map(pattern_of, sorted(found, key=len, reverse=True)))
        return re.sub(pattern, HIDDEN, text, flags=re.IGNORECASE)


def told_inputs(parsed: ParsedIntent) -> dict[str, JsonValue]:
    """An intent's inputs, the private ones hidden."""
    private = PrivateData(parsed)
    return {n: HIDDEN if private.input(n) is Privacy.HIGH else v for n, v in parsed.inputs.items()}


def _with(event: E, **fields: object) -> E:
    return event.model_copy(update=fields)


def _folded(text: str) -> str:
    return " ".join(text.split()).lower()


def pattern_of(value: str) -> str:
    """A value however it is spaced; a short one as a whole word, where words have spaces between them."""
    found = r"\s+".join(map(re.escape, value.split()))
    return rf"(?<![a-z0-9_]){found}(?![a-z0-9_])" if len(value) < _SHORTEST and value.isascii() else found


def _ways_to_say(leaf: str) -> Iterator[str]:
    """A text; where it is a path, also the file's name, with its ending and without."""
    if leaf.strip():
        yield leaf
    name = re.split(r"[/\\]", leaf.rstrip("/\\"))[-1]
    if name != leaf and name.strip():
        yield name
        yield name.partition(".")[0] or name
