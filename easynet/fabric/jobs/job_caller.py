"""What the gateway's jobs need of whoever makes their calls, and how patient they are with it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from easynet.fabric.jobs.job_events import Placement
from easynet.fabric.wire.envelope import Update


class JobCaller(Protocol):
    """Makes the calls that jobs ask for."""

    def call(
        self, function: str, arguments: bytes, *, client: str, key: str, at: Placement | None = None
    ) -> AsyncGenerator[Placement | Update]:
        """The updates of a call: a `Placement` before each time that it is sent to a node, then the node's.

        It is made in the name of `client`, whose rights and whose money it takes. Closing the iterator
        cancels the call. Where a node already runs a call of that `key`, or has lately ended one, the call
        attaches to it, and a generator's items come from the first again. With `at` the call goes to that
        node process and no other; raises NodeUnreachable where it is not there.
        """
        ...

    async def leave(self) -> None:
        """End all iterators with GatewayUnreachable, and leave the calls to go on at their nodes."""
        ...


@dataclass(frozen=True, slots=True)
class JobRules:
    """How patient a gateway is with its jobs."""

    max_attempts: int = 20
    """After so many attempts that came to nothing, a job has failed."""
    first_delay_s: float = 1.0
    """Before the second attempt; doubles from one to the next."""
    max_delay_s: float = 60.0
    resume_s: float = 15.0
    """How long a node may take to come back after a gateway has started again."""
    progress_every_s: float = 0.5
    """Words of progress that follow each other faster are thinned out."""
