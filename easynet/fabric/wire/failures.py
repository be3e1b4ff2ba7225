"""Errors on their way from a node to a caller."""

import traceback
from types import TracebackType
from typing import Final

from easynet.core.call import Cancelled
from easynet.core.errors import (
    ArgumentMismatch,
    BadData,
    BadFrame,
    CallTimeout,
    EasyNetError,
    FunctionCrashed,
    InputNeeded,
    MissingExtra,
    NodeRefused,
    NodeUnreachable,
    OutcomeUnknown,
    OverBudget,
    Overloaded,
    PrivacyBreach,
    RemoteFailure,
    Unencodable,
    UnknownFunction,
    VersionMismatch,
)
from easynet.fabric.wire.updates import Failure

_FUNCTIONS_OWN: Final = (
    ArgumentMismatch,
    BadData,
    CallTimeout,
    FunctionCrashed,
    MissingExtra,
    Unencodable,
    UnknownFunction,
    VersionMismatch,
)
"""Errors that mean the same at the caller as in a function."""
_NODES_OWN: Final = (
    BadFrame,
    NodeRefused,
    NodeUnreachable,
    OutcomeUnknown,
    OverBudget,
    Overloaded,
    PrivacyBreach,
)
"""Errors that say what became of the call itself. A function that calls others may meet them, too, and they
would then say the wrong thing of its own call."""
_SAME_CLASS_BY_CODE: Final[dict[str, type[EasyNetError]]] = {
    kind.code: kind for kind in (*_FUNCTIONS_OWN, *_NODES_OWN)
}

MAX_MESSAGE_CHARACTERS: Final = 8_000
MAX_TRACEBACK_CHARACTERS: Final = 32_000


def failure_of(error: BaseException, *, raised_in: TracebackType | None = None) -> Failure:
    """What the caller is told about `error`; the traceback starts at `raised_in` where that is given."""
    message = _message(error)
    if isinstance(error, InputNeeded):
        choices = tuple(str(choice) for choice in error.choices)
        return Failure(error.code, "InputNeeded", message, name=str(error.name), choices=choices)
    if type(error) in _FUNCTIONS_OWN and isinstance(error, EasyNetError):
        return Failure(error.code, type(error).__name__, message, hint=str(error.hint))
    if isinstance(error, Cancelled):
        message = message or "the function stopped as if its caller had cancelled it"
    lines = traceback.format_exception(type(error), error, raised_in)
    text = "".join(lines)
    if len(text) > MAX_TRACEBACK_CHARACTERS:
        text = "[...]\n" + text[-MAX_TRACEBACK_CHARACTERS:]
    return Failure(RemoteFailure.code, type(error).__name__, message, text)


def refusal_of(error: EasyNetError) -> Failure:
    """What the caller is told where the node itself, and not the function, has the say."""
    retry_after_s = float(error.retry_after_s) if isinstance(error, Overloaded) else 0.0
    return Failure(
        error.code, type(error).__name__, _message(error), hint=error.hint, retry_after_s=retry_after_s
    )


def error_of(failure: Failure) -> EasyNetError:
    """The error that the caller gets."""
    if failure.code == InputNeeded.code:
        return InputNeeded(failure.name, failure.message, failure.choices)
    if failure.code == Overloaded.code:
        return Overloaded(failure.message, retry_after_s=failure.retry_after_s, hint=failure.hint)
    if kind := _SAME_CLASS_BY_CODE.get(failure.code):
        return kind(failure.message, hint=failure.hint)
    return RemoteFailure(failure.type, failure.message, failure.traceback)


def _message(error: BaseException) -> str:
    try:
        text = error.message if isinstance(error, EasyNetError) else str(error)
    # An exception of a user's own may have a broken __str__.
    except Exception as broken:
        text = f"(its message cannot be shown: {type(broken).__name__})"
    if len(text) > MAX_MESSAGE_CHARACTERS:
        return text[:MAX_MESSAGE_CHARACTERS] + " [...]"
    return text
