"""Carries out the orders in a gateway's queue, several at once."""

import asyncio
import contextlib
import logging
from typing import Final

from easynet.core.clock import Clock
from easynet.core.errors import BadFrame, GatewayError
from easynet.core.ids import JobId
from easynet.fabric.jobs.job_caller import JobCaller, JobRights, KeepValues
from easynet.fabric.jobs.job_events import Order
from easynet.fabric.jobs.job_frames import decode_order
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_peers import JobPeers
from easynet.fabric.jobs.job_queue import Delivery
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.jobs.job_slots import JobSlots
from easynet.fabric.jobs.job_store import JobStore
from easynet.fabric.jobs.running_job import RunningJob

MAX_RUNNING: Final = 512
"""Jobs of all clients together; see `JobSlots` for one client's."""
_TAKE_S: Final = 5.0
_CANCEL_AGAIN_S: Final = 0.1
_LINGER_S: Final = 60.0
"""How long the orders of an owner are asked for of whom none is known: one may have to be settled again."""
_LATER_S: Final = 1.0
_TROUBLE_S: Final = 0.5

_log = logging.getLogger(__name__)


class JobWorker:
    """Carries out the orders in a gateway's queue, several at once."""

    def __init__(
        self,
        store: JobStore,
        index: JobIndex,
        caller: JobCaller,
        rights: JobRights,
        clock: Clock,
        rules: JobRules,
        others: JobPeers | None,
        keep: KeepValues,
    ) -> None:
        self._store = store
        self._others = others
        self._keep = keep
        self._index = index
        self._caller = caller
        self._rights = rights
        self._clock = clock
        self._rules = rules
        self._running: dict[JobId, RunningJob] = {}
        self._task_by_job: dict[JobId, asyncio.Task[None]] = {}
        self._receipts: set[asyncio.Task[None]] = set()
        self._slots = JobSlots(MAX_RUNNING)
        self._task_by_owner: dict[str, asyncio.Task[None]] = {}
        self._is_stopping = False

    def attend(self, owner: str) -> None:
        """Take that owner's orders from now on, until there are none."""
        task = self._task_by_owner.get(owner)
        if (task is None or task.done()) and not self._is_stopping:
            self._task_by_owner[owner] = asyncio.create_task(self._work(owner), name=f"jobs of {owner}")

    async def stop(self) -> None:
        """Take no more, and leave the calls to go on at their nodes."""
        self._is_stopping = True
        working = list(self._task_by_owner.values())
        while left := [task for task in working if not task.done()]:
            for task in left:
                task.cancel()  # again and again: one that meets an answer on its way in is lost with it
            await asyncio.wait(left, timeout=_CANCEL_AGAIN_S)
        await asyncio.gather(*working, return_exceptions=True)
        await self._caller.leave()
        tasks = [*self._task_by_job.values(), *self._receipts]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def has(self, job: JobId) -> bool:
        """Whether the order is being carried out."""
        return job in self._running

    def see(self, record: JobRecord) -> None:
        """Something has happened to a job, at this gateway or another one: what is over is not carried on."""
        if not record.is_over:
            if record.owner:
                self.attend(record.owner)
        elif (running := self._running.get(record.id)) is not None:
            running.cancel()

    async def cancel(self, job: JobId) -> bool:
        """End the work on an order, and wait for it; False where there is none."""
        running = self._running.get(job)
        if running is not None:
            running.cancel()
            await asyncio.wait([self._task_by_job[job]])
        return running is not None

    async def _work(self, owner: str) -> None:
        loop = asyncio.get_running_loop()
        last_at = loop.time()
        while loop.time() - last_at < _LINGER_S or self._index.is_busy(owner):
            await self._slots.wait(owner)
            try:
                delivery = await self._store.queue.take(owner, _TAKE_S)
            except GatewayError:
                # A wait that is cancelled on a closed connection is told as a failure of the connection.
                if self._is_stopping:
                    return
                await self._mend()
                continue
            if delivery is not None:
                last_at = loop.time()
                await self._begin(delivery)
        # From here on it may be attended to anew, while nothing has been awaited since it was found idle.
        del self._task_by_owner[owner]
        await self._store.queue.leave(owner)

    async def _mend(self) -> None:
        """Wait a moment, and see that the store is as it should be."""
        await asyncio.sleep(_TROUBLE_S)
        with contextlib.suppress(GatewayError):
            await self._store.open()

    async def _begin(self, delivery: Delivery) -> None:
        """Carry out an order, unless it is carried out already."""
        try:
            order = decode_order(delivery.data)
        except BadFrame as error:
            _log.warning("an order was dropped from the queue: %s", error)
            with contextlib.suppress(GatewayError):
                await delivery.done()
            return
        if (running := self._running.get(order.id)) is not None:
            running.delivered_again(delivery)
            return
        record = self._index.record(order.id)
        if self._others is not None and await self._is_elsewhere(record, delivery):
            return
        if not self._slots.take(order.owner):  # others were faster
            with contextlib.suppress(GatewayError):
                await delivery.again(_LATER_S)
            return
        running = RunningJob(
            order,
            delivery,
            record,
            index=self._index,
            ack_wait_s=self._store.queue.ack_wait_s,
            caller=self._caller,
            rights=self._rights,
            clock=self._clock,
            rules=self._rules,
            keep=self._keep,
        )
        self._running[order.id] = running
        task = asyncio.create_task(running.run(), name=f"job {order.id}")
        self._task_by_job[order.id] = task
        task.add_done_callback(lambda ended: self._ended(order, ended))

    async def _is_elsewhere(self, record: JobRecord, delivery: Delivery) -> bool:
        """Whether another gateway carries the order out, to which it is left."""
        assert self._others is not None
        with contextlib.suppress(GatewayError):
            if record.placement is not None and await self._others.have(record.id):
                await delivery.again(self._store.queue.ack_wait_s)
                return True
        return False

    def _ended(self, order: Order, task: asyncio.Task[None]) -> None:
        running = self._running.pop(order.id)
        if not self._is_stopping:
            # Others need not wait for the place until the receipt has come.
            signed = asyncio.create_task(running.keep_receipt())
            self._receipts.add(signed)
            signed.add_done_callback(self._receipts.discard)
        del self._task_by_job[order.id]
        self._slots.give_back(order.owner)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the job %s stopped for a mistake of the gateway's", order.id, exc_info=error)
