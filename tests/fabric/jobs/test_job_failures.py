"""What went wrong with a job, as its client is told."""

import pytest

from easynet.core.errors import EasyNetError, InputNeeded, NodeUnreachable, Overloaded, RemoteFailure
from easynet.fabric.jobs.job_failures import error_for_caller, failure_of, problem_of
from easynet.fabric.wire.failures import error_of


@pytest.mark.parametrize(
    "error", [RemoteFailure("KeyError", "'x'", "line 1"), InputNeeded("target", "Which?", ["a", "b"])]
)
def test_error_of_the_function_is_told_as_the_node_would(error: EasyNetError) -> None:
    again = error_of(failure_of(error))
    assert (type(again), again.message, vars(again)) == (type(error), error.message, vars(error))


def test_error_of_the_gateway_keeps_its_code_and_hint() -> None:
    failure = failure_of(NodeUnreachable("gone", hint="wait"))
    assert (failure.code, failure.message, failure.hint) == ("node_unreachable", "gone", "wait")


@pytest.mark.parametrize(
    "error", [NodeUnreachable("gone", hint="wait"), Overloaded("busy"), RemoteFailure("KeyError", "'x'")]
)
def test_client_gets_the_error_that_its_call_would_have_raised(error: EasyNetError) -> None:
    failure = failure_of(error)
    again = error_for_caller(failure)
    assert (type(again), again.message, again.hint) == (type(error), error.message, error.hint)
    assert (problem_of(failure).code, problem_of(failure).message) == (error.code, error.message)
