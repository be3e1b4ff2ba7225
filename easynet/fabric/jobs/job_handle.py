"""One job as its client sees it: left alone, looked at again, taken or cancelled."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, cast

from easynet.core.errors import (
    AccessDenied,
    CallTimeout,
    GatewayError,
    JobCancelled,
    Overloaded,
    ReceiptInvalid,
)
from easynet.core.ids import JobId
from easynet.core.job import (
    Job,
    JobEnded,
    JobPostponed,
    JobProgressed,
    JobStarted,
    JobState,
    JobSubmitted,
    JobUpdate,
    JobYielded,
)
from easynet.core.receipt import Receipt
from easynet.fabric.jobs.job_events import Ended, Postponed, Resumed, Signed, Started, Submitted, ToldEvent
from easynet.fabric.jobs.job_failures import error_for_caller, problem_of
from easynet.fabric.jobs.job_frames import decode_event
from easynet.fabric.jobs.job_questions import JobQuestions
from easynet.fabric.receipts.verification import verify_receipt
from easynet.fabric.wire.updates import Failure, Item, Progress, Result

_WAIT_S: Final = 20.0
_READ_S: Final = 4.0
"""How long a gateway waits for something to happen; with one that dies, a question is lost without a word."""
_RECEIPT_AGAIN_S: Final = 0.1


class JobHandle:
    """One job of this client's."""

    def __init__(self, questions: JobQuestions, job: JobId, *, is_duplicate: bool = False) -> None:
        self._questions = questions
        self.id = job
        self.is_duplicate = is_duplicate
        """Whether it had been submitted before, under the same key."""

    async def state(self) -> JobState:
        """How the job stands; raises JobNotFound."""
        return (await self.details()).state

    async def details(self) -> Job:
        """All that there is to know about the job at the moment; raises JobNotFound."""
        (job,) = await self._questions.ask("list", [self.id])
        return Job.model_validate(job, extra="ignore")

    async def follow(self, after: int = 0) -> AsyncGenerator[JobUpdate]:
        """What happens to the job, from its beginning or after the update of that number, to its end.

        Goes on by itself when the gateway has been away. Raises JobNotFound.
        """
        async with aclosing(self._events(after)) as events:
            async for seq, at, event in events:
                yield await self._update(seq, at, event)

    async def result(self, timeout_s: float | None = None) -> Any:
        """What the function returned, once it has; of a generator function, the list of its items.

        Raises what a call would, JobCancelled, JobNotFound, or CallTimeout where it is not there in time;
        the job goes on then.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._result()
        except TimeoutError:
            raise CallTimeout(
                f"the job {self.id} is not over after {timeout_s:g} s",
                hint="It goes on; ask for its result again later.",
            ) from None

    async def receipt(self, timeout_s: float = 5.0) -> Receipt:
        """What the node signed about the job, which comes a moment after its end.

        Raises CallTimeout where none comes in time, ReceiptInvalid where it does not hold, or JobNotFound.
        """
        try:
            async with asyncio.timeout(timeout_s):
                text = await self._receipt_text()
        except TimeoutError:
            raise CallTimeout(
                f"no receipt of the job {self.id} came within {timeout_s:g} s",
                hint="It comes when the job is over; a node that was lost leaves none.",
            ) from None
        receipt = Receipt.from_json(text)
        verify_receipt(receipt)
        if receipt.facts.call.key != self.id:
            raise ReceiptInvalid(f"the receipt that is kept of the job {self.id} is of another call")
        return receipt

    async def _receipt_text(self) -> str:
        while True:
            if text := str(await self._questions.ask("receipt", [self.id])):
                return text
            await asyncio.sleep(_RECEIPT_AGAIN_S)

    async def cancel(self) -> JobState:
        """See that the job does not go on; the state that it is in then. Raises JobNotFound."""
        return cast("JobState", await self._questions.ask("cancel", [self.id], wait_s=_WAIT_S))

    async def _result(self) -> Any:
        items: list[bytes] = []
        async with aclosing(self._events(0)) as events:
            async for _, _, event in events:
                match event:
                    case Started():
                        items.clear()
                    case Item(value):
                        items.append(value)
                    case Ended(Result(value)):
                        return await self._questions.value(value)
                    case Ended(Failure() as failure):
                        raise error_for_caller(failure)
                    case Ended(None):
                        raise JobCancelled(f"the job {self.id} was cancelled")
                    case _:
                        pass
        return [await self._questions.value(item) for item in items]

    async def _events(self, after: int) -> AsyncGenerator[tuple[int, float, ToldEvent]]:
        while True:
            try:
                content = [self.id, after, _READ_S]
                events, is_over = await self._questions.ask("read", content, wait_s=_READ_S)
            except AccessDenied:
                raise
            except (GatewayError, Overloaded):  # the store stands still for seconds when a gateway dies
                await self._questions.pause()
                continue
            for seq, data in events:
                at, event = decode_event(data)
                after = int(seq)
                if isinstance(event, Resumed | Signed):
                    continue
                yield after, at, event
                if isinstance(event, Ended):
                    return
            if is_over:
                return

    async def _update(self, seq: int, at: float, event: ToldEvent) -> JobUpdate:
        match event:
            case Submitted():
                return JobSubmitted(seq=seq, at=at)
            case Started(attempt, placement):
                return JobStarted(seq=seq, at=at, attempt=attempt, node=placement.node)
            case Progress(fraction, message):
                return JobProgressed(seq=seq, at=at, fraction=fraction, message=message)
            case Item(value):
                return JobYielded(seq=seq, at=at, value=await self._questions.value(value))
            case Postponed():
                problem = problem_of(event.failure)
                return JobPostponed(
                    seq=seq, at=at, attempt=event.attempt, delay_s=event.delay_s, problem=problem
                )
            case Ended(None):
                return JobEnded(seq=seq, at=at, state="cancelled")
            case Ended(Failure() as failure):
                return JobEnded(seq=seq, at=at, state="failed", problem=problem_of(failure))
            case Ended(outcome):
                given = await self._questions.value(outcome.value) if isinstance(outcome, Result) else None
                return JobEnded(seq=seq, at=at, state="succeeded", value=given)
