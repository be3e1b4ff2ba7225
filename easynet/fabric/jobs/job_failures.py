"""What went wrong with a job, as the gateway keeps it and as its client is told."""

from typing import Final

from easynet.core.errors import (
    AccessDenied,
    CallTimeout,
    EasyNetError,
    FunctionCrashed,
    GatewayError,
    GatewayUnreachable,
    InputNeeded,
    NodeRefused,
    NodeUnreachable,
    NotStarted,
    OutcomeUnknown,
    Overloaded,
    RemoteFailure,
    VersionMismatch,
)
from easynet.core.events import Problem
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.updates import Failure

_CALLERS_OWN: Final[dict[str, type[EasyNetError]]] = {
    kind.code: kind
    for kind in (
        AccessDenied,
        CallTimeout,
        FunctionCrashed,
        GatewayError,
        GatewayUnreachable,
        NodeRefused,
        NodeUnreachable,
        NotStarted,
        OutcomeUnknown,
        Overloaded,
        VersionMismatch,
    )
}
"""Errors that do not come from a node, but from whoever calls it."""


def failure_of(error: EasyNetError) -> Failure:
    """What a job's client is told about an error that the gateway met while it made the call."""
    match error:
        case RemoteFailure():
            return Failure(error.code, error.remote_type, error.remote_message, error.remote_traceback)
        case InputNeeded():
            return Failure(
                error.code, type(error).__name__, error.message, name=error.name, choices=error.choices
            )
        case _:
            return Failure(error.code, type(error).__name__, error.message, hint=error.hint)


def error_for_caller(failure: Failure) -> EasyNetError:
    """The error that the call would have raised."""
    if kind := _CALLERS_OWN.get(failure.code):
        return kind(failure.message, hint=failure.hint)
    return error_of(failure)


def problem_of(failure: Failure) -> Problem:
    """What a job's client reads about it."""
    error = error_for_caller(failure)
    return Problem(code=error.code, message=error.message, hint=error.hint)
