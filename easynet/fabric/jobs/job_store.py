"""What a gateway keeps of long work, on disk: a queue of orders and a history of events, in JetStream."""

import contextlib
from collections.abc import AsyncGenerator, Generator
from typing import Final

import nats.errors
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, BadRequestError, NotFoundError

from easynet.core.errors import GatewayError, Overloaded
from easynet.core.ids import JobId
from easynet.fabric.jobs.job_events import JobEvent, Order, Signed, decode_event, encode_event, encode_order
from easynet.fabric.wire.updates import Item, Progress

QUEUE: Final = "JOB_ORDERS"
HISTORY: Final = "JOB_EVENTS"
KEEP_S: Final = 7 * 24 * 3600.0
"""How long after a job's end can be read what happened to it."""
_MAX_AGE_S: Final = 60 * 24 * 3600.0
"""A job that takes longer than this, less than `KEEP_S`, loses its beginning."""
MAX_QUEUE_BYTES: Final = 1024**3
MAX_HISTORY_BYTES: Final = 1024**3
MAX_PER_SUBJECT: Final = 1000
"""Of one job's progress, the latest are kept."""
MAX_PENDING: Final = 10_000
"""Orders of one owner that may run or be postponed at the same time; further ones wait behind them."""
_STATES: Final = "jobevents.*.state"
_UNUSED_S: Final = 24 * 3600.0
"""The server forgets how far an owner's orders were handed out, but none of them, when none is asked for."""
_RELEASE_S: Final = 2.0
_DUPLICATES_S: Final = 120.0
_TROUBLE: Final = (OSError, TimeoutError, nats.errors.Error)
_IN_USE_DIFFERENTLY: Final = 10058
_QUEUE_FULL: Final = frozenset({10023, 10047, 10077})


class Delivery:
    """An order that the queue has handed out, and expects to hear about."""

    def __init__(self, message: Msg) -> None:
        self._message = message

    @property
    def data(self) -> bytes:
        return self._message.data

    @property
    def subject(self) -> str:
        """Where the queue hears about it."""
        return self._message.reply

    async def keep(self) -> None:
        """Say that it is still being worked on; raises GatewayError."""
        with _translated():
            await self._message.in_progress()

    async def done(self) -> None:
        """Take it out of the queue for good; raises GatewayError."""
        with _translated():
            await self._message.term()

    async def again(self, delay_s: float) -> None:
        """Give it back, to be handed out again after a while; raises GatewayError."""
        with _translated():
            await self._message.nak(delay_s)


class JobStore:
    """Keeps orders until they are done, and events until they are forgotten."""

    def __init__(self, nats: NatsClient, *, ack_wait_s: float = 30.0, replicas: int = 1) -> None:
        self._nats = nats
        self._js = nats.jetstream()
        self._pull_by_owner: dict[str, JetStreamContext.PullSubscription] = {}
        self._replicas = replicas
        self.ack_wait_s = ack_wait_s
        """An order of which nothing is heard for so long is handed out again."""

    async def open(self) -> None:
        """Find or make the queue and the history; raises GatewayError."""
        with _translated():
            await self._lay(
                api.StreamConfig(
                    name=QUEUE,
                    subjects=["orders.*.*"],
                    retention=api.RetentionPolicy.WORK_QUEUE,
                    storage=api.StorageType.FILE,
                    # What was accepted is never dropped for something newer.
                    discard=api.DiscardPolicy.NEW,
                    max_bytes=MAX_QUEUE_BYTES,
                    duplicate_window=_DUPLICATES_S,
                    num_replicas=self._replicas,
                )
            )
            await self._lay(
                api.StreamConfig(
                    name=HISTORY,
                    subjects=["jobevents.*.*"],
                    storage=api.StorageType.FILE,
                    max_age=_MAX_AGE_S,
                    max_bytes=MAX_HISTORY_BYTES,
                    max_msgs_per_subject=MAX_PER_SUBJECT,
                    duplicate_window=_DUPLICATES_S,
                    allow_direct=True,
                    num_replicas=self._replicas,
                )
            )

    async def _lay(self, config: api.StreamConfig) -> None:
        try:
            await self._js.add_stream(config)
        except BadRequestError as error:
            if error.err_code != _IN_USE_DIFFERENTLY:
                raise
            await self._js.update_stream(config)

    async def close(self) -> None:
        """Take no more orders out of the queue."""
        for owner in list(self._pull_by_owner):
            await self.leave(owner)

    async def leave(self, owner: str) -> None:
        """Take no more of an owner's orders out of the queue for now."""
        pull = self._pull_by_owner.pop(owner, None)
        if pull is not None:
            with contextlib.suppress(*_TROUBLE):
                await pull.unsubscribe()

    async def owners(self) -> list[str]:
        """Whose orders are in the queue; raises GatewayError."""
        with _translated():
            info = await self._js.stream_info(QUEUE, subjects_filter="orders.>")
        return list({subject.split(".")[1] for subject in info.state.subjects or {}})

    async def put(self, order: Order) -> bool:
        """Queue an order on disk; False where that was done before. Raises GatewayError or Overloaded."""
        headers = {api.Header.MSG_ID.value: order.id}
        try:
            with _translated():
                ack = await self._js.publish(
                    _subject(order.owner, order.id), encode_order(order), headers=headers
                )
        except GatewayError as error:
            cause = error.__cause__
            if isinstance(cause, APIError) and cause.err_code in _QUEUE_FULL:
                raise Overloaded("the gateway's queue of jobs is full", retry_after_s=60.0) from error
            raise
        return not ack.duplicate

    async def withdraw(self, owner: str, job: JobId) -> None:
        """Take an order out of the queue, whoever has it; raises GatewayError."""
        with _translated():
            await self._js.purge_stream(QUEUE, subject=_subject(owner, job))

    async def take(self, owner: str, timeout_s: float) -> Delivery | None:
        """An owner's next order, or None where there is none within the time; raises GatewayError."""
        try:
            with _translated():
                pull = await self._pull(owner)
                return Delivery((await pull.fetch(1, timeout=timeout_s))[0])
        except GatewayError as error:
            if isinstance(error.__cause__, TimeoutError):
                return None
            await self.leave(owner)  # it may be the server that has forgotten it
            raise

    async def _pull(self, owner: str) -> JetStreamContext.PullSubscription:
        # The queue hands out each owner's orders by themselves, so that none wait behind another's.
        if (found := self._pull_by_owner.get(owner)) is not None:
            return found
        await self._js.add_consumer(
            QUEUE,
            api.ConsumerConfig(
                durable_name=owner,
                filter_subject=_subject(owner, "*"),
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=self.ack_wait_s,
                max_ack_pending=MAX_PENDING,
                max_deliver=-1,
                inactive_threshold=_UNUSED_S,
            ),
        )
        found = self._pull_by_owner[owner] = await self._js.pull_subscribe_bind(owner, stream=QUEUE)
        return found

    async def release(self, delivery: str) -> None:
        """Give back an order that a gateway which is no more had taken; raises GatewayError."""
        with _translated():
            # Asked, not told: a queue whose server has just died hears nothing until another one leads it.
            await self._nats.request(delivery, Msg.Ack.Nak, timeout=_RELEASE_S)

    async def write(self, job: JobId, event: JobEvent, at: float, *, token: str, nth: int = 0) -> int:
        """Keep an event on disk, and give its number; raises GatewayError, and may then be tried again.

        `token` tells a second try from a second event. `nth` counts the items of a job, of which none is
        dropped for later ones.
        """
        match event:
            case Progress():
                kind = "progress"
            case Item():
                kind = f"items-{nth // MAX_PER_SUBJECT}"
            case Signed():
                kind = "receipt"
            case _:
                kind = "state"
        headers = {api.Header.MSG_ID.value: token}
        with _translated():
            ack = await self._js.publish(f"jobevents.{job}.{kind}", encode_event(event, at), headers=headers)
        return ack.seq

    async def read(self, job: JobId, after: int) -> tuple[int, bytes] | None:
        """The first event of a job after a number, if there is one; raises GatewayError."""
        with _translated():
            try:
                found = await self._js.get_msg(
                    HISTORY, seq=after + 1, subject=f"jobevents.{job}.*", direct=True, next=True
                )
            except NotFoundError:
                return None
        return found.seq or 0, found.data or b""

    async def forget(self, job: JobId) -> None:
        """Keep nothing any more of what happened to a job; raises GatewayError."""
        with _translated():
            await self._js.purge_stream(HISTORY, subject=f"jobevents.{job}.*")

    async def told(self, job: JobId) -> int:
        """How many words of progress are known of the call that the last change of state is about.

        0 where none has been kept since; raises GatewayError.
        """
        with _translated():
            try:
                progress = await self._js.get_last_msg(HISTORY, f"jobevents.{job}.progress")
                state = await self._js.get_last_msg(HISTORY, f"jobevents.{job}.state")
            except NotFoundError:
                return 0
        if (progress.seq or 0) < (state.seq or 0):
            return 0
        _, event = decode_event(progress.data or b"")
        return event.number if isinstance(event, Progress) else 0

    async def receipt(self, job: JobId) -> str:
        """What a node signed about a job's last call, "" where that is not known; raises GatewayError."""
        with _translated():
            try:
                found = await self._js.get_last_msg(HISTORY, f"jobevents.{job}.receipt")
            except NotFoundError:
                return ""
        _, event = decode_event(found.data or b"")
        return event.receipt if isinstance(event, Signed) else ""

    async def next_state(self, after: int) -> tuple[int, JobId, bytes] | None:
        """The first change of state of any job after a number, if there is one; raises GatewayError."""
        with _translated():
            try:
                # Not from whichever server has a copy: that may be old.
                found = await self._js.get_msg(HISTORY, seq=after + 1, subject=_STATES, next=True)
            except NotFoundError:
                return None
        return found.seq or 0, JobId((found.subject or "..").split(".")[1]), found.data or b""

    async def states(self) -> AsyncGenerator[tuple[int, JobId, bytes]]:
        """The changes of state of every job with their numbers, oldest first; raises GatewayError."""
        config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE, inactive_threshold=60.0, mem_storage=True)
        with _translated():
            pull = await self._js.pull_subscribe(_STATES, stream=HISTORY, config=config)
            info = await pull.consumer_info()
        left = info.num_pending or 0
        try:
            while left:
                with _translated():
                    messages = await pull.fetch(min(left, 500), timeout=5)
                for message in messages:
                    left = message.metadata.num_pending or 0
                    yield message.metadata.sequence.stream, JobId(message.subject.split(".")[1]), message.data
        finally:
            with contextlib.suppress(*_TROUBLE):
                await pull.unsubscribe()
                await self._js.delete_consumer(HISTORY, info.name)


def _subject(owner: str, job: str) -> str:
    return f"orders.{owner}.{job}"


@contextlib.contextmanager
def _translated() -> Generator[None]:
    """JetStream's failures in this project's words."""
    try:
        yield
    except _TROUBLE as error:
        raise GatewayError(
            f"the gateway's store of jobs does not work: {str(error) or type(error).__name__}",
            hint="Is its disk full? The gateway goes on with its jobs once the store works again.",
        ) from error
