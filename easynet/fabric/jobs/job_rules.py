"""How patient a gateway is with its jobs, and which errors it takes for the last."""

from dataclasses import dataclass
from typing import Final

from easynet.core.errors import (
    CallTimeout,
    EasyNetError,
    FunctionCrashed,
    NoNodeFound,
    Overloaded,
    RemoteFailure,
    UnknownFunction,
)
from easynet.fabric.jobs.job_events import Ended, Postponed
from easynet.fabric.jobs.job_failures import failure_of
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.wire.updates import Failure

_OWN_FAULTS: Final = (RemoteFailure, FunctionCrashed, CallTimeout)
"""Errors that another node would give as well."""
_NOBODY_NOW: Final = (UnknownFunction, NoNodeFound)
"""Errors of which a job thinks better than a call: whoever offers the function may be starting again."""


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

    def after(self, error: EasyNetError, record: JobRecord) -> Ended | Postponed:
        """What follows from an error: another attempt where that may help and has not been tried enough."""
        failure = failure_of(error)
        may_help = error.retryable or isinstance(error, _NOBODY_NOW)
        if not may_help or isinstance(error, _OWN_FAULTS):
            return Ended(failure)
        if isinstance(error, Overloaded):
            delay_s = min(self.max_delay_s, max(self.first_delay_s, error.retry_after_s))
            return Postponed(record.attempt, delay_s, failure, is_counted=False)
        failed = record.failures + 1
        if failed >= self.max_attempts:
            hint = f"It was tried {failed} times; `easynet jobs follow` shows what went wrong each time."
            return Ended(Failure(failure.code, failure.type, failure.message, hint=hint))
        delay_s = min(self.max_delay_s, self.first_delay_s * 2.0 ** min(failed - 1, 30))
        return Postponed(record.attempt, delay_s, failure)
