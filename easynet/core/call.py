"""One call of one function: what the function may tell and ask while it runs, and what its caller sees.

A node opens a `CallContext` around each call. The function reaches it with `progress`, `scratch_dir`,
`check_cancelled` and `call_key`, from any thread, without being handed anything. Outside a call they do
nothing harmful, so a contributed function stays an ordinary function.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class Cancelled(BaseException):
    """The caller no longer wants the result. Not an `Exception`, so that functions do not swallow it."""


# Not frozen: one is made for every call, and freezing triples the time that takes.
@dataclass(slots=True)
class CallContext:
    """What a node gives to the function it is running."""

    report: Callable[[float | None, str], None]
    scratch: Callable[[], Path]
    """Gives the call's folder, which is made when it is first asked for."""
    is_cancelled: Callable[[], bool]
    key: str = ""
    """The same for all attempts at the same piece of work."""


_current: ContextVar[CallContext | None] = ContextVar("easynet_call", default=None)


@contextmanager
def call_context(context: CallContext) -> Generator[None]:
    """Make `context` the current call for the code inside."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def begin_call(context: CallContext) -> None:
    """Make `context` the current call for the rest of this task, which runs nothing else."""
    _current.set(context)


def progress(fraction: float | None, message: str = "") -> None:
    """Tell the caller how far the current call is; `fraction` lies between 0 and 1.

    Also a point where a cancelled call stops, by raising `Cancelled`.
    """
    context = _current.get()
    if context is not None:
        check_cancelled()
        context.report(fraction, message)


def check_cancelled() -> None:
    """Raise `Cancelled` when the caller has given up on the current call."""
    context = _current.get()
    if context is not None and context.is_cancelled():
        raise Cancelled


def scratch_dir() -> Path:
    """An empty folder for the current call; it is removed after the result has been taken out of it.

    Outside a call, the current folder: a function tried by hand leaves its files where the user is.
    """
    context = _current.get()
    return context.scratch() if context is not None else Path.cwd()


def call_key() -> str:
    """The key of the current call: the same for every attempt at one piece of work, "" outside a call.

    A function with an outside effect hands it on, so that the effect happens once.
    """
    context = _current.get()
    return context.key if context is not None else ""


@dataclass(frozen=True)
class Progressed:
    """The function said how far it is."""

    fraction: float | None
    message: str


@dataclass(frozen=True)
class Yielded:
    """A generator function gave one item."""

    value: Any


@dataclass(frozen=True)
class Returned:
    """The function returned; the last update of a call."""

    value: Any


CallUpdate = Progressed | Yielded | Returned
