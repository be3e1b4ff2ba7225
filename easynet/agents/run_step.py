"""A step of a run: its attempts, and what they come to."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from easynet.core.events import Problem
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.schedule import Assignment

Outcome = Literal[
    "prepared", "running", "succeeded", "confirmed", "failed", "asked", "answered", "superseded", "stopped"
]
"""`prepared`: money was set aside, nothing was sent; `confirmed`: it came to the result of another attempt;
`asked`: it ended with a question, which is `answered` later; `superseded`: another attempt was faster;
`stopped`: the run ended first."""
Reason = Literal["first", "retry", "hedge", "opinion"]
"""Why there was an attempt: see `AttemptStarted`."""

_PAUSE = re.compile(r"[:;.] |[：；。]")

NOWHERE = NodeId("")
_NAMELESS = CapabilityName("")

State = Literal["waiting", "running", "asking", "succeeded", "failed", "stopped"]

_QUESTIONS: frozenset[Outcome] = frozenset({"asked", "answered"})


@dataclass
class Attempt:
    """One try of one step on one node; times are in seconds on the run's own clock."""

    number: int
    node: NodeId = NOWHERE
    started_s: float = 0.0
    ended_s: float | None = None
    outcome: Outcome = "prepared"
    reason: Reason = "first"
    problem: Problem | None = None
    will_retry: bool = False
    fraction: float | None = None
    message: str = ""
    reserved: int = 0
    paid: int = 0
    returned: int = 0

    def end(self, at_s: float, outcome: Outcome) -> None:
        self.ended_s, self.outcome = at_s, outcome


@dataclass
class Step:
    """A subtask with all that is known of it so far."""

    id: SubtaskId
    description: str
    """What it does, in the user's language; at worst the name of its function."""
    capability: CapabilityName = _NAMELESS
    planned: Assignment | None = None
    attempts: dict[int, Attempt] = field(default_factory=dict[int, Attempt])
    duration_s: float | None = None
    """Of the attempt that succeeded, as its node measured it."""
    is_current: bool = True
    """Part of the plan as it stands; False after a new plan left it out."""
    is_irreversible: bool = False
    """Its effect cannot be undone."""

    @property
    def title(self) -> str:
        """The description up to its first pause: "Clean a table: turn text into ..." is "Clean a table"."""
        first = _PAUSE.split(self.description.strip(), maxsplit=1)[0]
        return first.rstrip(".。") or self.description

    @property
    def estimate(self) -> int | None:
        """Credits that it was expected to cost; what it did cost where it ran before that was known."""
        if self.planned is not None:
            return self.planned.price
        return self.paid if self.state == "succeeded" else None

    @property
    def sent(self) -> list[Attempt]:
        """The attempts that reached a node, in order."""
        return [a for _, a in sorted(self.attempts.items()) if a.outcome != "prepared"]

    @property
    def tries(self) -> list[Attempt]:
        """The attempts but for those that ended with a question: to ask is not to fail."""
        return [a for a in self.sent if a.outcome not in _QUESTIONS]

    @property
    def winner(self) -> Attempt | None:
        """The attempt whose result is the step's."""
        return next((a for a in self.sent if a.outcome == "succeeded"), None)

    @property
    def running(self) -> Attempt | None:
        return next((a for a in self.sent if a.outcome == "running"), None)

    @property
    def state(self) -> State:
        outcomes = [a.outcome for a in self.sent]
        if "succeeded" in outcomes:
            return "succeeded"
        if "running" in outcomes:
            return "running"
        match outcomes[-1] if outcomes else "answered":
            case "asked":
                return "asking"
            case "answered":
                return "waiting"
            case "failed":
                return "waiting" if self.sent[-1].will_retry else "failed"
            case _:
                return "stopped"

    @property
    def node(self) -> NodeId:
        """Where it ran, runs, or is expected to run; "" where nobody knows yet."""
        last = self.winner or (self.sent[-1] if self.sent else None)
        return last.node if last else self.planned.node if self.planned else NOWHERE

    @property
    def paid(self) -> int:
        return sum(a.paid for a in self.attempts.values())

    def attempt(self, number: int) -> Attempt:
        return self.attempts.setdefault(number, Attempt(number))

    def answer(self) -> None:
        """What it asked is answered."""
        for attempt in self.attempts.values():
            if attempt.outcome == "asked":
                attempt.outcome = "answered"

    def close(self, at_s: float, outcome: Outcome, confirmed_by: Collection[NodeId] = ()) -> None:
        """No attempt is running any longer; those on nodes that confirmed a result ended with that."""
        for attempt in self.attempts.values():
            if attempt.outcome == "running":
                attempt.end(at_s, "confirmed" if attempt.node in confirmed_by else outcome)
