"""How patient a gateway is with its jobs."""

import pytest

from easynet.core.errors import (
    AccessDenied,
    CallTimeout,
    EasyNetError,
    FunctionCrashed,
    NodeUnreachable,
    Overloaded,
    RemoteFailure,
    UnknownFunction,
)
from easynet.core.ids import JobId
from easynet.fabric.jobs.job_events import Ended, Postponed
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.wire.updates import Failure

RULES = JobRules(max_attempts=8, first_delay_s=1.0, max_delay_s=10.0)


def after(error: EasyNetError, failures: int = 0) -> Ended | Postponed:
    return RULES.after(error, JobRecord(JobId("j"), failures=failures, postponed=failures))


def test_attempts_that_fail_are_made_again_ever_later_up_to_a_limit() -> None:
    followed = [after(NodeUnreachable("gone"), failures) for failures in range(8)]
    delays = [one.delay_s for one in followed if isinstance(one, Postponed)]
    assert delays == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    last = followed[-1]
    assert isinstance(last, Ended)
    assert isinstance(last.outcome, Failure)
    assert last.outcome.hint.startswith("It was tried 8 times")


def test_job_waits_for_a_function_that_nobody_offers_now() -> None:
    assert isinstance(after(UnknownFunction("nobody")), Postponed)


def test_a_busy_node_is_tried_again_when_it_says_and_that_does_not_count() -> None:
    asked = [after(Overloaded("busy", retry_after_s=s), failures=7) for s in (0.1, 5.0, 60.0)]
    postponed = [one for one in asked if isinstance(one, Postponed)]
    assert [(one.delay_s, one.is_counted) for one in postponed] == [(1.0, False), (5.0, False), (10.0, False)]


@pytest.mark.parametrize(
    "error",
    [
        RemoteFailure("KeyError", "'x'"),
        FunctionCrashed("it crashed"),
        CallTimeout("too long"),
        AccessDenied("not you"),
    ],
)
def test_an_error_that_another_attempt_would_meet_again_is_the_last(error: EasyNetError) -> None:
    assert isinstance(after(error), Ended)
