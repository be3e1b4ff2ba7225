"""Whether a call that came to nothing at one node goes to another one."""

from typing import Final

from easynet.core.errors import (
    EasyNetError,
    GatewayUnreachable,
    NodeRefused,
    NodeUnreachable,
    NotStarted,
    OutcomeUnknown,
    Overloaded,
)
from easynet.fabric.calling.catalogue import Catalogue
from easynet.fabric.calling.outbox import Outbox
from easynet.fabric.calling.pending_call import PendingCall
from easynet.fabric.calling.target import Target

NEVER_RAN: Final = (NotStarted, NodeRefused, Overloaded)
"""After which a call may go anywhere."""


class Failover:
    """Knows which calls may be made a second time."""

    def __init__(self, outbox: Outbox, catalogue: Catalogue) -> None:
        self._outbox = outbox
        self._catalogue = catalogue

    def final(self, target: Target, call: PendingCall | None, error: EasyNetError) -> EasyNetError | None:
        """The error that the caller gets, or None where the call goes to another node."""
        if isinstance(error, NEVER_RAN):
            return error if target.node is not None else None
        if (
            call is None
            or self._outbox.is_closed
            or not isinstance(error, NodeUnreachable | GatewayUnreachable)
        ):
            return error
        once = call.peer.once
        may_run_twice = (
            call.function not in once if once is not None else self._catalogue.is_idempotent(target.function)
        )
        if not may_run_twice:
            unknown = OutcomeUnknown(
                f"{error.message}; {call.peer.node}.{call.function} may have run, and must not run twice",
                hint="Find out whether it had its effect before you call it again.",
            )
            unknown.__cause__ = error
            return unknown
        return error if target.node is not None or isinstance(error, GatewayUnreachable) else None
