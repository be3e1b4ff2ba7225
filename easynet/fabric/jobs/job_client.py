"""Long work as its client sees it: handed in, left alone, looked at again, taken or cancelled."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, cast

from easynet.core.errors import (
    AccessDenied,
    CallTimeout,
    EasyNetError,
    FunctionCrashed,
    GatewayError,
    GatewayUnreachable,
    JobCancelled,
    NodeRefused,
    NodeUnreachable,
    NotStarted,
    OutcomeUnknown,
    Overloaded,
    ReceiptInvalid,
    VersionMismatch,
)
from easynet.core.events import Problem
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
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.jobs.job_events import (
    Ended,
    Postponed,
    Resumed,
    Signed,
    Started,
    Submitted,
    ToldEvent,
    decode_event,
)
from easynet.fabric.receipts.receipts import verify_receipt
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.decoding import decode_opaque
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.updates import Failure, Item, Progress, Result

_WAIT_S: Final = 20.0
_READ_S: Final = 4.0
"""How long a gateway waits for something to happen; with one that dies, a question is lost without a word."""
_ANSWER_S: Final = 6.0
_SUBMIT_TRIES: Final = 3
_RECEIPT_AGAIN_S: Final = 0.1
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


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job is kept, beyond what its function is called with."""

    key: str = ""
    """Submitted again under the same key, it is the same job; "" makes it one of its own."""
    timeout_s: float | None = None
    """Seconds from its submission after which it is given up, whether it waits or runs."""


class Ask(Protocol):
    """Puts a question to the gateway; raises the error that it answers with, or GatewayUnreachable."""

    async def __call__(self, subject: str, content: Any, *, timeout_s: float) -> Any: ...


@asynccontextmanager
async def open_jobs(gateway: str, data_dir: Path) -> AsyncGenerator["Jobs"]:
    """The jobs of this device, over a connection of their own; tables and files are left as references.

    Raises GatewayUnreachable.
    """
    address = Address.parse(gateway)
    way_in = WayIn(address, "client", data_dir)
    connection = Connection(address, way_in, name=f"jobs.{secrets.token_hex(4)}")

    async def value(data: bytes) -> Any:
        return decode_opaque(data)

    await connection.open(expect=way_in.server_id)
    try:
        yield Jobs(partial(ask, connection), connection.member, value)
    finally:
        await connection.close()


class Jobs:
    """The jobs of one client at one gateway.

    `value` gives the value that was encoded, with its large parts fetched.
    """

    def __init__(
        self,
        ask: Ask,
        client: str,
        value: Callable[[bytes], Awaitable[Any]],
        *,
        retry_s: float = 1.0,
    ) -> None:
        self._ask = ask
        self._client = client
        self._value = value
        self._retry_s = retry_s

    async def submit(
        self, function: str, arguments: bytes, *, key: str = "", timeout_s: float | None = None
    ) -> "JobHandle":
        """Hand in a call, which from then on survives this client and the gateway's process.

        A key that was used before gives the job that was submitted under it. `timeout_s` counts from now,
        whether the job waits or runs.
        """
        content = [key or secrets.token_hex(16), function, arguments, timeout_s]
        for left in reversed(range(_SUBMIT_TRIES)):
            try:
                id_, is_known = await self.ask("submit", content)
                return JobHandle(self, JobId(str(id_)), is_duplicate=bool(is_known))
            except GatewayUnreachable:
                if not left:
                    raise
                await self.pause()
        raise AssertionError("the last try returns or raises")

    async def all(self) -> list[Job]:
        """The latest jobs, oldest first."""
        return [Job.model_validate(job) for job in await self.ask("list", [])]

    def find(self, job: str) -> "JobHandle":
        """The handle of a job by its id; whether there is one is seen when it is used."""
        return JobHandle(self, JobId(job))

    async def ask(self, what: str, content: list[Any], *, wait_s: float = 0.0) -> Any:
        """The gateway's answer about this client's jobs."""
        return await self._ask(f"job.{what}.{self._client}", content, timeout_s=wait_s + _ANSWER_S)

    async def value(self, data: bytes) -> Any:
        """The value that was encoded."""
        return await self._value(data)

    async def pause(self) -> None:
        """Give a gateway that does not answer time to come back."""
        await asyncio.sleep(self._retry_s)


class JobHandle:
    """One job of this client's."""

    def __init__(self, jobs: Jobs, job: JobId, *, is_duplicate: bool = False) -> None:
        self._jobs = jobs
        self.id = job
        self.is_duplicate = is_duplicate
        """Whether it had been submitted before, under the same key."""

    async def state(self) -> JobState:
        """How the job stands; raises JobNotFound."""
        return (await self.details()).state

    async def details(self) -> Job:
        """All that there is to know about the job at the moment; raises JobNotFound."""
        (job,) = await self._jobs.ask("list", [self.id])
        return Job.model_validate(job)

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
            if text := str(await self._jobs.ask("receipt", [self.id])):
                return text
            await asyncio.sleep(_RECEIPT_AGAIN_S)

    async def cancel(self) -> JobState:
        """See that the job does not go on; the state that it is in then. Raises JobNotFound."""
        return cast("JobState", await self._jobs.ask("cancel", [self.id], wait_s=_WAIT_S))

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
                        return await self._jobs.value(value)
                    case Ended(Failure() as failure):
                        raise _error_of(failure)
                    case Ended(None):
                        raise JobCancelled(f"the job {self.id} was cancelled")
                    case _:
                        pass
        return [await self._jobs.value(item) for item in items]

    async def _events(self, after: int) -> AsyncGenerator[tuple[int, float, ToldEvent]]:
        while True:
            try:
                content = [self.id, after, _READ_S]
                events, is_over = await self._jobs.ask("read", content, wait_s=_READ_S)
            except AccessDenied:
                raise
            except (GatewayError, Overloaded):  # the store stands still for seconds when a gateway dies
                await self._jobs.pause()
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
                return JobYielded(seq=seq, at=at, value=await self._jobs.value(value))
            case Postponed():
                problem = _problem(event.failure)
                return JobPostponed(
                    seq=seq, at=at, attempt=event.attempt, delay_s=event.delay_s, problem=problem
                )
            case Ended(None):
                return JobEnded(seq=seq, at=at, state="cancelled")
            case Ended(Failure() as failure):
                return JobEnded(seq=seq, at=at, state="failed", problem=_problem(failure))
            case Ended(outcome):
                given = await self._jobs.value(outcome.value) if isinstance(outcome, Result) else None
                return JobEnded(seq=seq, at=at, state="succeeded", value=given)


def _error_of(failure: Failure) -> EasyNetError:
    """The error that the call would have raised."""
    if kind := _CALLERS_OWN.get(failure.code):
        return kind(failure.message, hint=failure.hint)
    return error_of(failure)


def _problem(failure: Failure) -> Problem:
    error = _error_of(failure)
    return Problem(code=error.code, message=error.message, hint=error.hint)
