"""What a gateway keeps of long work: the order that a client gave, and what happened to it."""

import hashlib
from dataclasses import dataclass

from easynet.core.ids import JobId, NodeId
from easynet.fabric.wire.packing import pack
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result


@dataclass(frozen=True, slots=True)
class Order:
    """A job as its client asked for it."""

    id: JobId
    client: str
    """Who asked for it: a name, which another one may have some day."""
    owner: str
    """Whose it is: that client's key."""
    function: str
    arguments: bytes
    submitted_at: float
    timeout_s: float | None = None
    """Seconds from its submission after which the result is of no use."""
    trace: str = ""
    """The trace context that it was asked for in (W3C traceparent), or ""."""

    @property
    def digest(self) -> str:
        """Tells an order that is given twice from another one that claims the same key."""
        asked = pack([self.function, self.arguments, self.timeout_s])
        return hashlib.sha256(asked).hexdigest()


@dataclass(frozen=True, slots=True)
class Placement:
    """The node process that a call goes to."""

    node: NodeId
    instance: str
    """Differs at each start of the node."""
    idempotent: bool
    """Whether the function may run twice."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The order is in the queue."""

    client: str
    owner: str
    function: str
    digest: str
    size_bytes: int
    """What it takes in the queue."""


@dataclass(frozen=True, slots=True)
class Started:
    """A call is about to go to a node."""

    attempt: int
    placement: Placement
    delivery: str
    """Where the queue hears about the order, so that a gateway that starts again need not wait for it."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The call went on at its node while no gateway listened to it, and one does again."""

    delivery: str
    """As when it was started."""
    told: int
    """How many words of progress the call had said of which its client knows."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """The attempt came to nothing, and another follows."""

    attempt: int
    delay_s: float
    failure: Failure
    is_counted: bool = True
    """False where a node was merely too busy."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows."""

    outcome: Result | End | Failure | None
    """None where the job was cancelled."""
    kept_bytes: int = 0
    """What the job's items and its result take."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A node has stated what it did for the job. Comes a moment after the end."""

    receipt: str
    """As JSON."""


ToldEvent = Submitted | Started | Progress | Item | Postponed | Ended
"""What a job's client is told of."""
JobEvent = ToldEvent | Resumed | Signed


def job_id(owner: str, key: str) -> JobId:
    """The id of the job that a client submits under a key of its own making: the same each time."""
    return JobId(hashlib.sha256(pack([owner, key])).hexdigest()[:24])
