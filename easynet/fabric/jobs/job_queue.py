"""The orders that wait, or are worked on, in a gateway's queue on disk."""

import contextlib
from typing import Final

from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError

from easynet.core.errors import GatewayError, Overloaded
from easynet.core.ids import JobId
from easynet.fabric.jobs.job_events import Order
from easynet.fabric.jobs.job_frames import encode_order
from easynet.fabric.jobs.job_streams import DUPLICATES_S, TROUBLE, lay, translated

QUEUE: Final = "JOB_ORDERS"
MAX_QUEUE_BYTES: Final = 1024**3
MAX_PENDING: Final = 10_000
"""Orders of one owner that may run or be postponed at the same time; further ones wait behind them."""
_UNUSED_S: Final = 24 * 3600.0
"""The server forgets how far an owner's orders were handed out, but none of them, when none is asked for."""
_RELEASE_S: Final = 2.0
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
        with translated():
            await self._message.in_progress()

    async def done(self) -> None:
        """Take it out of the queue for good; raises GatewayError."""
        with translated():
            await self._message.term()

    async def again(self, delay_s: float) -> None:
        """Give it back, to be handed out again after a while; raises GatewayError."""
        with translated():
            await self._message.nak(delay_s)


class JobQueue:
    """Keeps orders until they are done."""

    def __init__(self, nats: NatsClient, ack_wait_s: float, replicas: int) -> None:
        self._nats = nats
        self._js = nats.jetstream()
        self._pull_by_owner: dict[str, JetStreamContext.PullSubscription] = {}
        self._replicas = replicas
        self.ack_wait_s = ack_wait_s
        """An order of which nothing is heard for so long is handed out again."""

    async def open(self) -> None:
        """Find or make it; raises GatewayError."""
        config = api.StreamConfig(
            name=QUEUE,
            subjects=["orders.*.*"],
            retention=api.RetentionPolicy.WORK_QUEUE,
            storage=api.StorageType.FILE,
            # What was accepted is never dropped for something newer.
            discard=api.DiscardPolicy.NEW,
            max_bytes=MAX_QUEUE_BYTES,
            duplicate_window=DUPLICATES_S,
            num_replicas=self._replicas,
        )
        with translated():
            await lay(self._js, config)

    async def close(self) -> None:
        """Take no more orders out of the queue."""
        for owner in list(self._pull_by_owner):
            await self.leave(owner)

    async def leave(self, owner: str) -> None:
        """Take no more of an owner's orders out of the queue for now."""
        pull = self._pull_by_owner.pop(owner, None)
        if pull is not None:
            with contextlib.suppress(*TROUBLE):
                await pull.unsubscribe()

    async def owners(self) -> list[str]:
        """Whose orders are in the queue; raises GatewayError."""
        with translated():
            info = await self._js.stream_info(QUEUE, subjects_filter="orders.>")
        return list({subject.split(".")[1] for subject in info.state.subjects or {}})

    async def put(self, order: Order) -> bool:
        """Queue an order on disk; False where that was done before. Raises GatewayError or Overloaded."""
        headers = {api.Header.MSG_ID.value: order.id}
        try:
            with translated():
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
        with translated():
            await self._js.purge_stream(QUEUE, subject=_subject(owner, job))

    async def take(self, owner: str, timeout_s: float) -> Delivery | None:
        """An owner's next order, or None where there is none within the time; raises GatewayError."""
        try:
            with translated():
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
        with translated():
            # Asked, not told: a queue whose server has just died hears nothing until another one leads it.
            await self._nats.request(delivery, Msg.Ack.Nak, timeout=_RELEASE_S)


def _subject(owner: str, job: str) -> str:
    return f"orders.{owner}.{job}"
