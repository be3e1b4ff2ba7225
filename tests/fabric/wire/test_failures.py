"""Errors on their way to the caller."""

import pytest

from easynet.core.call import Cancelled
from easynet.core.errors import (
    ArgumentMismatch,
    BadData,
    CallTimeout,
    EasyNetError,
    InputNeeded,
    MissingExtra,
    OverBudget,
    RemoteFailure,
    Unencodable,
    UnknownFunction,
)
from easynet.fabric.wire.failures import MAX_MESSAGE_CHARACTERS, error_of, failure_of

SAME = [ArgumentMismatch, BadData, CallTimeout, MissingExtra, Unencodable, UnknownFunction]


@pytest.mark.parametrize("kind", SAME)
def test_errors_of_this_project_keep_their_class_and_hint(kind: type[EasyNetError]) -> None:
    error = error_of(failure_of(kind("what happened", hint="do that")))
    assert type(error) is kind
    assert (error.message, error.hint) == ("what happened", "do that")


def test_a_question_keeps_its_name_and_choices() -> None:
    error = error_of(failure_of(InputNeeded("target", "Which column?", ["a", "b"])))
    assert isinstance(error, InputNeeded)
    assert (error.name, error.message, error.choices) == ("target", "Which column?", ("a", "b"))


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


class Custom(BadData):
    """A user's own error."""


@pytest.mark.parametrize(
    "error", [ValueError("no"), OverBudget("no"), Custom("no"), SystemExit("no"), Cancelled("no")]
)
def test_any_other_error_is_a_remote_failure_with_type_message_and_traceback(error: BaseException) -> None:
    caught = raised(error)
    failure = error_of(failure_of(caught, raised_in=caught.__traceback__))
    assert isinstance(failure, RemoteFailure)
    assert (failure.remote_type, failure.remote_message) == (type(error).__name__, "no")
    assert "raise error" in failure.remote_traceback


def test_a_cause_is_part_of_the_traceback() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as outer:
        failure = failure_of(outer, raised_in=outer.__traceback__)
    assert "KeyError: 'inner'" in failure.traceback
    assert "outer" in failure.traceback


def test_a_message_that_cannot_be_shown_or_never_ends_does_not_get_in_the_way() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "cannot be shown" in failure_of(Broken()).message
    assert len(failure_of(ValueError("x" * 10**6)).message) < MAX_MESSAGE_CHARACTERS + 10
