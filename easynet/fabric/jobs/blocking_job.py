"""A job for code without `async`."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol, TypeVar

from easynet.core.ids import JobId
from easynet.core.job import Job, JobState, JobUpdate
from easynet.core.receipt import Receipt
from easynet.fabric.jobs.job_handle import JobHandle

T = TypeVar("T")


class Wait(Protocol):
    """Does something on the client's event loop, and waits for it; raises UsageError once that is closed."""

    def __call__(self, work: Callable[[], Awaitable[T]]) -> T: ...


class BlockingJob:
    """One job of a `Client`'s. It goes on when the client is closed."""

    def __init__(self, handle: JobHandle, wait: Wait) -> None:
        self._handle = handle
        self._wait = wait

    @property
    def id(self) -> JobId:
        """By which any client of the same name finds it again."""
        return self._handle.id

    @property
    def is_duplicate(self) -> bool:
        """Whether it had been submitted before, under the same key."""
        return self._handle.is_duplicate

    def state(self) -> JobState:
        """How the job stands; raises JobNotFound."""
        return self._wait(self._handle.state)

    def details(self) -> Job:
        """All that there is to know about the job at the moment; raises JobNotFound."""
        return self._wait(self._handle.details)

    def result(self, timeout_s: float | None = None) -> Any:
        """What the function returned, once it has; of a generator function, the list of its items.

        Raises what a call would, JobCancelled, JobNotFound, or CallTimeout where it is not there in time;
        the job goes on then.
        """
        return self._wait(lambda: self._handle.result(timeout_s))

    def follow(self, after: int = 0) -> Generator[JobUpdate]:
        """What happens to the job, from its beginning or after the update of that number, to its end."""
        updates = self._handle.follow(after)
        try:
            while True:
                try:
                    update = self._wait(updates.__anext__)
                except StopAsyncIteration:
                    return
                yield update
        finally:
            self._wait(updates.aclose)

    def receipt(self, timeout_s: float = 5.0) -> Receipt:
        """What the node signed about the job, which comes a moment after its end.

        Raises CallTimeout where none comes in time, ReceiptInvalid where it does not hold, or JobNotFound.
        """
        return self._wait(lambda: self._handle.receipt(timeout_s))

    def cancel(self) -> JobState:
        """See that the job does not go on; the state that it is in then. Raises JobNotFound."""
        return self._wait(self._handle.cancel)
