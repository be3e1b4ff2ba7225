"""What a gateway knows of a job: what its events add up to."""

import asyncio
from dataclasses import dataclass, field

from easynet.core.ids import JobId
from easynet.core.job import FINAL_STATES, Job, JobState
from easynet.fabric.jobs.job_events import Ended, JobEvent, Placement, Postponed, Resumed, Started, Submitted
from easynet.fabric.wire.updates import End, Failure, Result


@dataclass
class JobRecord:
    """One job as it stands, and a way to wait for what happens next."""

    id: JobId
    client: str = ""
    """Who asked for it; "" until its order is known to be in the queue."""
    owner: str = ""
    """Whose it is: that client's key."""
    function: str = ""
    digest: str = ""
    size_bytes: int = 0
    """What its order takes in the queue."""
    state: JobState = "queued"
    submitted_at: float = 0.0
    ended_at: float | None = None
    failures: int = 0
    """Attempts that came to nothing and count."""
    postponed: int = 0
    """Attempts that came to nothing."""
    node: str = ""
    placement: Placement | None = None
    """Where a call may still run of which no end is known."""
    delivery: str = ""
    """Where the queue hears about the order of that call."""
    told: int = 0
    """Of how many words of progress of that call its client knew when it was last resumed."""
    kept_bytes: int = 0
    """What is kept of its items and its result, once it is over."""
    reason: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is decided whether the job exists, starts or is cancelled."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the next event, and another one takes its place."""

    @property
    def is_over(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def attempt(self) -> int:
        return self.postponed + 1

    def fold(self, at: float, event: JobEvent) -> None:
        """Take note of an event, and wake whoever waits for one. What follows the end changes nothing."""
        match event:
            case _ if self.is_over:
                pass
            case Submitted():
                self.client, self.owner = event.client, event.owner
                self.function, self.digest = event.function, event.digest
                self.size_bytes, self.submitted_at = event.size_bytes, at
            case Started():
                self.state, self.placement, self.delivery = "running", event.placement, event.delivery
                self.node, self.told = event.placement.node, 0
            case Resumed():
                self.delivery, self.told = event.delivery, event.told
            case Postponed():
                self.state, self.placement = "queued", None
                self.postponed += 1
                self.failures += event.is_counted
                self.reason = event.failure.message
            case Ended(outcome, kept_bytes):
                self.placement, self.ended_at, self.kept_bytes = None, at, kept_bytes
                self._end(outcome)
            case _:
                pass
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def _end(self, outcome: Result | End | Failure | None) -> None:
        match outcome:
            case None:
                self.state, self.reason = "cancelled", ""
            case Failure():
                self.state, self.reason = "failed", outcome.message
            case _:
                self.state, self.reason = "succeeded", ""

    def summary(self) -> Job:
        """The job for its client to see."""
        return Job(
            id=self.id,
            function=self.function,
            state=self.state,
            submitted_at=self.submitted_at,
            ended_at=self.ended_at,
            attempt=self.attempt,
            node=self.node,
            reason=self.reason,
        )
