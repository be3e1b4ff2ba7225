"""Long work: a call that outlives its caller, what it is at the moment, and what happens to it."""

from typing import Any, Final, Literal

from easynet.core.capability import Value
from easynet.core.events import Problem
from easynet.core.ids import JobId

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
FINAL_STATES: Final[frozenset[JobState]] = frozenset({"succeeded", "failed", "cancelled"})


class Job(Value):
    """A call that was handed to the gateway, as it stands."""

    id: JobId
    function: str
    """As it was asked for: `train`, or `my-node.train`."""
    state: JobState
    submitted_at: float
    """Unix seconds, by the gateway's clock, as are all times of a job."""
    ended_at: float | None = None
    attempt: int = 1
    """Counts from 1; the next one begins where a node did not bring the last to an end."""
    node: str = ""
    """Where it runs, or ran last."""
    reason: str = ""
    """Why it failed, or why the last attempt came to nothing."""


class _Update(Value):
    seq: int
    """Grows from update to update of one job; to go on after one, give its number."""
    at: float


class JobSubmitted(_Update):
    """The gateway keeps the job from now on, whatever happens to its caller."""

    kind: Literal["submitted"] = "submitted"


class JobStarted(_Update):
    """The job was given to a node. Items that came before this come anew."""

    kind: Literal["started"] = "started"
    attempt: int
    node: str


class JobProgressed(_Update):
    """The function said how far it is. No more than two a second are kept, and the last thousand."""

    kind: Literal["progressed"] = "progressed"
    fraction: float | None
    message: str


class JobYielded(_Update):
    """A generator function gave one item."""

    kind: Literal["yielded"] = "yielded"
    value: Any


class JobPostponed(_Update):
    """The attempt came to nothing, through no fault of the function; another follows."""

    kind: Literal["postponed"] = "postponed"
    attempt: int
    delay_s: float
    problem: Problem


class JobEnded(_Update):
    """The last update of every job."""

    kind: Literal["ended"] = "ended"
    state: Literal["succeeded", "failed", "cancelled"]
    value: Any = None
    """What the function returned."""
    problem: Problem | None = None
    """Where it failed."""


JobUpdate = JobSubmitted | JobStarted | JobProgressed | JobYielded | JobPostponed | JobEnded
