"""What must hold of a run that was killed and resumed: from its journal and its nodes' notes."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from easynet.core.events import (
    ApprovalRequested,
    AttemptStarted,
    IntentParsed,
    MoneyReserved,
    MoneySettled,
    PlanMade,
    QuestionAsked,
    RunEvent,
    RunFinished,
    SubtaskFinished,
    paid_by,
)
from easynet.core.ids import SubtaskId
from easynet.core.result import replay
from easynet.core.task_graph import TaskGraph


@dataclass(frozen=True)
class Call:
    """A beginning or an end of a call, as the node that ran it noted it."""

    function: str
    key: str
    what: str
    at: float

    @classmethod
    def noted_in(cls, path: Path, run: str) -> "list[Call]":
        """The notes about one run."""
        lines = path.read_text().splitlines() if path.exists() else []
        notes = [json.loads(line) for line in lines]
        return [
            cls(n["function"], n["key"], n["what"], n["at"]) for n in notes if n["key"].startswith(f"{run}/")
        ]


@dataclass(frozen=True)
class Kill:
    """A moment at which a process that worked on the run was killed."""

    at: float
    """Unix seconds."""
    events: Sequence[RunEvent]
    """All that was in the journal afterwards."""

    @property
    def finished(self) -> frozenset[SubtaskId]:
        return frozenset(e.subtask for e in self.events if isinstance(e, SubtaskFinished))

    @property
    def under_way(self) -> frozenset[SubtaskId]:
        return frozenset(e.subtask for e in self.events if isinstance(e, AttemptStarted)) - self.finished


@dataclass(frozen=True)
class Story:
    """A run with all that befell it."""

    kills: Sequence[Kill]
    events: Sequence[RunEvent]
    """The journal in the end."""
    calls: Sequence[Call]
    once: frozenset[str]
    """Functions that must not run twice."""
    budget: int
    price: int | None
    """What the whole of it costs, where that is known."""
    output: str
    """What its result must say."""

    @property
    def ending(self) -> RunFinished:
        last = self.events[-1]
        assert isinstance(last, RunFinished), "a run that was resumed has ended"
        return last

    @property
    def is_honest(self) -> bool:
        """Whether it ended because nobody knows if something happened that must not happen twice."""
        problem = self.ending.problem
        return (
            self.ending.status == "failed" and problem is not None and "must not run twice" in problem.message
        )

    def complaints(self) -> Iterator[str]:
        """What does not hold."""
        yield from self._about_the_end()
        yield from self._about_repetition()
        yield from self._about_money()
        yield from self._about_what_was_known()

    def _about_the_end(self) -> Iterator[str]:
        replay(self.events)  # raises where events are missing or the end is not the last
        if self.ending.status == "succeeded":
            said = [*map(str, self.ending.outputs.values()), *self.ending.headline]
            if not any(self.output in text for text in said):
                yield f"its result is {said}"
        elif not self.is_honest:
            yield f"it ended {self.ending.status}: {self.ending.problem}"
        elif not any(k.under_way & self.once for k in self.kills):
            yield "it says that something may have happened, and nothing of the kind was under way"

    def _about_repetition(self) -> Iterator[str]:
        times = Counter(e.subtask for e in self.events if isinstance(e, SubtaskFinished))
        yield from (f"{subtask} finished {n} times" for subtask, n in times.items() if n > 1)
        for kill in self.kills:
            later = self.events[len(kill.events) :]
            for event in later:
                if isinstance(event, AttemptStarted) and event.subtask in kill.finished:
                    yield f"{event.subtask} was finished and was sent again"
            for call in self.calls:
                if call.what == "began" and call.at > kill.at and call.function in kill.finished:
                    yield f"{call.function} was finished and ran again"
        ran = Counter(call.function for call in self.calls if call.what == "began")
        yield from (f"{name} ran {ran[name]} times" for name in self.once if ran[name] > 1)
        if self.ending.status == "succeeded" and self.calls:
            plan = _plan(self.events)
            missing = {s.capability for s in plan.subtasks if not ran[s.capability]} if plan else set[str]()
            yield from (f"{name} never ran" for name in sorted(missing))

    def _about_money(self) -> Iterator[str]:
        amounts: dict[tuple[SubtaskId, int], int] = {}
        open_: dict[tuple[SubtaskId, int], int] = {}
        paid = 0
        for event in self.events:
            paid += paid_by(event)
            if isinstance(event, MoneyReserved):
                amounts[event.subtask, event.attempt] = open_[event.subtask, event.attempt] = event.amount
            elif isinstance(event, MoneySettled):
                open_.pop((event.subtask, event.attempt), None)
            if paid + sum(open_.values()) > self.budget:
                yield f"{paid} paid and {sum(open_.values())} set aside of {self.budget}"
        if open_:
            yield f"{open_} is still set aside"
        due = sum(amounts[e.subtask, e.attempt] for e in self.events if isinstance(e, SubtaskFinished))
        if paid != due or (self.ending.status == "succeeded" and paid != (self.price or paid)):
            yield f"{paid} paid where {due} was due, and {self.price} for all of it"

    def _about_what_was_known(self) -> Iterator[str]:
        end = _plan(self.events)
        for kill in self.kills:
            before = _plan(kill.events)
            if before is not None and before != end:
                yield "the plan is another one"
            later = self.events[len(kill.events) :]
            known = {name for e in kill.events for name in known_inputs(e)}
            for event in later:
                if isinstance(event, QuestionAsked) and event.question.name in known:
                    yield f"{event.question.name} was asked for again"
                if isinstance(event, ApprovalRequested) and kill.under_way | kill.finished:
                    yield "it was agreed to, and agreement was asked for again"


def known_inputs(event: RunEvent) -> Collection[str]:
    """The inputs that a run knows by this event."""
    return event.parsed.inputs.keys() if isinstance(event, IntentParsed) else ()


def _plan(events: Sequence[RunEvent]) -> TaskGraph | None:
    return next((e.graph for e in reversed(events) if isinstance(e, PlanMade)), None)
