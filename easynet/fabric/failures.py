"""Errors on their way from a node to a caller."""

import traceback
from types import TracebackType
from typing import Final

from easynet.core.call import Cancelled
from easynet.core.errors import (
    ArgumentMismatch,
    BadData,
    CallTimeout,
    EasyNetError,
    InputNeeded,
    MissingExtra,
    NodeRefused,
    RemoteFailure,
    Unencodable,
    UnknownFunction,
)
from easynet.fabric.envelope import Failure

_SAME_CLASS_BY_CODE: Final[dict[str, type[EasyNetError]]] = {
    kind.code: kind
    for kind in (
        ArgumentMismatch,
        BadData,
        CallTimeout,
        MissingExtra,
        NodeRefused,
        Unencodable,
        UnknownFunction,
    )
}
"""Errors that mean the same at the caller as at the node."""

MAX_MESSAGE_CHARACTERS: Final = 8_000
MAX_TRACEBACK_CHARACTERS: Final = 32_000


def failure_of(error: BaseException, *, raised_in: TracebackType | None = None) -> Failure:
    """What the caller is told about `error`; the traceback starts at `raised_in` where that is given."""
    message = _message(error)
    if isinstance(error, InputNeeded):
        choices = tuple(str(choice) for choice in error.choices)
        return Failure(error.code, "InputNeeded", message, name=str(error.name), choices=choices)
    if isinstance(error, EasyNetError) and type(error) is _SAME_CLASS_BY_CODE.get(error.code):
        return Failure(error.code, type(error).__name__, message, hint=str(error.hint))
    if isinstance(error, Cancelled):
        message = message or "the function stopped as if its caller had cancelled it"
    lines = traceback.format_exception(type(error), error, raised_in)
    text = "".join(lines)
    if len(text) > MAX_TRACEBACK_CHARACTERS:
        text = "[...]\n" + text[-MAX_TRACEBACK_CHARACTERS:]
    return Failure(RemoteFailure.code, type(error).__name__, message, text)


def error_of(failure: Failure) -> EasyNetError:
    """The error that the caller gets."""
    if failure.code == InputNeeded.code:
        return InputNeeded(failure.name, failure.message, failure.choices)
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
