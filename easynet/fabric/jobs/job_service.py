"""Long work at the gateway: takes orders, sees that they are carried out, tells their clients."""

import asyncio
import contextlib
import math
from collections import Counter
from typing import Any, Final

from nats.aio.client import Client as NatsClient

from easynet.core.clock import Clock
from easynet.core.errors import AccessDenied, BadData, GatewayError, JobNotFound
from easynet.core.job import JobState
from easynet.fabric.jobs.job_caller import JobCaller, JobRights, KeepValues
from easynet.fabric.jobs.job_events import Ended, Order, job_id
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_peers import JobPeers
from easynet.fabric.jobs.job_reader import JobReader
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.jobs.job_store import JobStore
from easynet.fabric.jobs.job_worker import JobWorker
from easynet.fabric.wire.names import is_name

MAX_ARGUMENT_BYTES: Final = 1024 * 1024
"""Of arguments that travel inside an order; large values are references to artifacts."""
MAX_KEY_CHARACTERS: Final = 200
MAX_LISTED: Final = 500
_LOOK_EVERY_S: Final = 0.5
_TIDY_EVERY_S: Final = 3600.0
_CANCEL_S: Final = 15.0


class JobService:
    """Keeps the jobs of a gateway's clients, and makes their calls.

    Orders and events are on disk before anybody is told of them, so a gateway that was killed goes on where
    it was. Jobs belong to the key of the client that asked for them. What a client may do is looked at again
    before each call.
    """

    def __init__(
        self,
        nats: NatsClient,
        caller: JobCaller,
        rights: JobRights,
        clock: Clock,
        *,
        ack_wait_s: float = 30.0,
        rules: JobRules | None = None,
        others: JobPeers | None = None,
        keep: KeepValues | None = None,
    ) -> None:
        """`others` are the network's other gateways, which share the jobs."""
        keep = keep or _keep_nothing
        self._store = JobStore(nats, ack_wait_s=ack_wait_s, replicas=others.replicas if others else 1)
        self._others = others
        self._following: asyncio.Task[None] | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._rights = rights
        self._clock = clock
        self._index = JobIndex(self._store.history)
        self._worker = JobWorker(
            self._store, self._index, caller, rights, clock, rules or JobRules(), others, keep
        )
        self._keep = keep
        self._reader = JobReader(self._store.history, looks_again=others is not None)

    async def start(self) -> None:
        """Know what there was, and go on with it; raises GatewayError."""
        await self._store.open()
        await self._index.load()
        await self._take_over()
        if self._others is not None:
            self._following = asyncio.create_task(self._index.follow(self._worker.see))
            self._others.serve(self._worker.has, self._worker.cancel, self._take_over_for_certain)
        await self._attend_all()
        self._tidying = asyncio.create_task(self._tidy_on())

    async def stop(self) -> None:
        """Leave everything as it is, for the next start; calls go on at their nodes."""
        for task in (self._following, self._tidying):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._worker.stop()
        await self._store.close()

    async def _tidy_on(self) -> None:
        """Forget what is long over from time to time."""
        while True:
            with contextlib.suppress(GatewayError):
                await self._index.tidy_all(self._clock.now())
            await asyncio.sleep(_TIDY_EVERY_S)

    async def _take_over_for_certain(self) -> None:
        """As `_take_over`, however long the store stands still because that gateway died."""
        while True:
            try:
                await self._attend_all()
                return await self._take_over()
            except GatewayError:
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _take_over(self) -> None:
        """Have the jobs handed out again whose gateway is gone; the queue would notice in half a minute."""
        if self._others is not None:
            if not self._others.is_first:
                return
            await self._index.know_all()  # its last words included
        for record in self._index.running():
            if not await self._is_anywhere(record):
                await self._store.queue.release(record.delivery)

    async def _attend_all(self) -> None:
        """Work on whatever is in the queue, also where a gateway died before it could make it known."""
        for owner in {*await self._store.queue.owners(), *self._index.owners()}:
            self._worker.attend(owner)

    async def _is_anywhere(self, record: JobRecord) -> bool:
        return self._worker.has(record.id) or (
            self._others is not None and await self._others.have(record.id)
        )

    def counts(self) -> Counter[JobState]:
        """How many jobs are known, by their state."""
        return self._index.counts()

    async def answer_to(self, subject: str, content: Any, trace: str = "") -> Any:
        """The answer to a client's question on `job.<what>.<client>`; may take 20 s. Raises EasyNetError.

        `trace` is the trace context of the question, in which a job is carried out.
        """
        match subject.split("."), content:
            case ["job", "submit", client], [str(key), str(function), bytes(arguments), timeout_s]:
                return await self._submit(client, key, function, arguments, timeout_s, trace)
            case ["job", "read", client], [str(job), int(after), int() | float() as wait_s]:
                return await self._reader.read(await self._owned(client, job), after, wait_s)
            case ["job", "list", client], []:
                if self._others is not None:
                    await self._index.know_all()
                return self._list(client)
            case ["job", "list", client], [str(job)]:
                return [(await self._owned(client, job)).summary().model_dump(mode="json")]
            case ["job", "receipt", client], [str(job)]:
                return await self._store.history.receipt((await self._owned(client, job)).id)
            case ["job", "cancel", client], [str(job)]:
                return await self._cancel(await self._owned(client, job))
            case _:
                raise BadData("a question about a job that cannot be read")

    async def _submit(
        self, client: str, key: str, function: str, arguments: bytes, timeout_s: Any, trace: str
    ) -> tuple[str, bool]:
        """The job's id, and whether it had been submitted before."""
        _check(key, function, arguments)
        owner = self._rights.key_of(client)
        now, timeout_s = self._clock.now(), _checked_timeout(timeout_s)
        order = Order(job_id(owner, key), client, owner, function, arguments, now, timeout_s, trace)
        if not self._rights.allow(client, function):
            raise AccessDenied(f"{client!r} may not call {function!r}", hint="Ask the gateway's owner.")
        await self._keep(arguments)
        record = self._index.record(order.id)
        try:
            async with record.lock:
                if not record.client:
                    await self._index.tidy(owner, now, coming=1)
                    with self._index.room_for(order):
                        is_new = await self._store.queue.put(order)
                        self._worker.attend(owner)
                        await self._index.announce(record, order)
                    return order.id, not is_new
        finally:
            # Where the order did arrive in the queue after all, its delivery makes the job known.
            if not self._worker.has(order.id):
                self._index.forget_unknown(record)
        if record.digest != order.digest:
            raise BadData(
                f"the key {key!r} belongs to another job, {order.id}",
                hint="Give each piece of work a key of its own.",
            )
        return order.id, True

    async def _owned(self, client: str, job: str) -> JobRecord:
        """A job of that client's, which another gateway may have announced a moment ago."""
        owner = self._rights.key_of(client)
        if self._index.owned(owner, job) is None and self._others is not None:
            await self._index.know_all()
        record = self._index.owned(owner, job)
        if record is None:
            raise JobNotFound(
                f"{client!r} has no job {job!r}", hint="`easynet jobs` lists the jobs that there are."
            )
        return record

    def _list(self, client: str) -> list[dict[str, Any]]:
        latest = self._index.of(self._rights.key_of(client))[-MAX_LISTED:]
        return [record.summary().model_dump(mode="json") for record in latest]

    async def _cancel(self, record: JobRecord) -> JobState:
        """Cancel where that is still possible; the state that the job is in then."""
        try:
            async with asyncio.timeout(_CANCEL_S):
                while not record.is_over:
                    if await self._worker.cancel(record.id):
                        continue
                    if self._others is not None and await self._others.cancel(record.id):
                        await self._index.know_all()
                        continue
                    await self._cancel_queued(record)
        except TimeoutError:
            raise GatewayError(f"the job {record.id} does not end", hint="Try again.") from None
        return record.state

    async def _cancel_queued(self, record: JobRecord) -> None:
        async with record.lock:
            if self._worker.has(record.id) or record.is_over:
                return
            # The event first: an order whose job is over is not carried out, whatever happens now.
            await self._index.write(record, Ended(None), self._clock.now(), token=f"{record.id} cancelled")
        await self._store.queue.withdraw(record.owner, record.id)


async def _keep_nothing(_: bytes) -> None:
    """For a gateway whose jobs have no large values."""


def _check(key: str, function: str, arguments: bytes) -> None:
    """Raise BadData for an order that cannot be meant."""
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise BadData(f"a job's key has 1 to {MAX_KEY_CHARACTERS} characters")
    node, dot, name = function.rpartition(".")
    if not is_name(name) or (dot and not is_name(node)):
        raise BadData(f"{function[:200]!r} cannot be the name of a function")
    if len(arguments) > MAX_ARGUMENT_BYTES:
        raise BadData(
            f"the arguments of a job take {len(arguments):,} bytes, more than {MAX_ARGUMENT_BYTES:,}",
            hint="Give large values as files.",
        )


def _checked_timeout(timeout_s: Any) -> float | None:
    if timeout_s is None:
        return None
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 0 < timeout_s < math.inf:
        raise BadData(f"{timeout_s!r:.50} is not a number of seconds")
    return float(timeout_s)
