"""What the gateway's jobs need of whoever makes their calls."""

from collections.abc import AsyncGenerator
from typing import Protocol

from easynet.fabric.jobs.job_events import Placement
from easynet.fabric.wire.updates import Update


class JobRights(Protocol):
    """What the clients of a network may do at this moment."""

    def key_of(self, client: str) -> str:
        """What the client of that name is known by; raises AccessDenied where there is none now.

        A name may be given to another one when its client has been shut out; a key is nobody else's. It is a
        word that may be a part of a subject.
        """
        ...

    def allow(self, client: str, function: str) -> bool:
        """Whether a client may call `node.function`, or `function` at any node."""
        ...


class KeepValues(Protocol):
    """Has the large values stay, for as long as jobs do, that an encoded value refers to."""

    async def __call__(self, value: bytes, /) -> None:
        """Raises BadData where there are too many of them."""
        ...


class JobCaller(Protocol):
    """Makes the calls that jobs ask for."""

    def call(
        self,
        function: str,
        arguments: bytes,
        *,
        client: str,
        key: str,
        at: Placement | None = None,
        trace: str = "",
    ) -> AsyncGenerator[Placement | Update]:
        """The updates of a call: a `Placement` before each time that it is sent to a node, then the node's.

        It is made in the name of `client`, whose rights and whose money it takes. Closing the iterator
        cancels the call. Where a node already runs a call of that `key`, or has lately ended one, the call
        attaches to it, and a generator's items come from the first again. With `at` the call goes to that
        node process and no other; raises NodeUnreachable where it is not there. `trace` is the trace context
        that the call belongs to.
        """
        ...

    async def receipt(self, key: str) -> str | None:
        """What the node signed, as JSON, about the call that was made last under a key.

        It comes a moment after the call's end; None where none comes.
        """
        ...

    async def leave(self) -> None:
        """End all iterators with GatewayUnreachable, and leave the calls to go on at their nodes."""
        ...
