"""Carries out the orders in a gateway's queue, several at once."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from easynet.core.clock import Clock
from easynet.core.errors import BadFrame, GatewayError
from easynet.core.ids import JobId
from easynet.fabric.jobs.job_caller import JobCaller, JobRules
from easynet.fabric.jobs.job_events import decode_order
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_peers import JobPeers
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_store import Delivery, JobStore
from easynet.fabric.jobs.running_job import RunningJob

MAX_RUNNING: Final = 256
_TAKE_S: Final = 5.0
_TROUBLE_S: Final = 0.5

_log = logging.getLogger(__name__)


class JobWorker:
    """Carries out the orders in a gateway's queue, several at once."""

    def __init__(
        self,
        store: JobStore,
        index: JobIndex,
        caller: JobCaller,
        is_allowed: Callable[[str, str], bool],
        clock: Clock,
        rules: JobRules,
        others: JobPeers | None = None,
        keep: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._others = others
        self._keep = keep
        self._index = index
        self._caller = caller
        self._is_allowed = is_allowed
        self._clock = clock
        self._rules = rules
        self._running: dict[JobId, RunningJob] = {}
        self._task_by_job: dict[JobId, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(MAX_RUNNING)
        self._working: asyncio.Task[None] | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Take orders from now on."""
        self._working = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Take no more, and leave the calls to go on at their nodes."""
        self._is_stopping = True
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
            self._working = None
        await self._caller.leave()
        tasks = list(self._task_by_job.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def has(self, job: JobId) -> bool:
        """Whether the order is being carried out."""
        return job in self._running

    def see(self, record: JobRecord) -> None:
        """Something has happened to a job, at this gateway or another one: what is over is not carried on."""
        running = self._running.get(record.id)
        if running is not None and record.is_over:
            running.cancel()

    async def cancel(self, job: JobId) -> bool:
        """End the work on an order, and wait for it; False where there is none."""
        running = self._running.get(job)
        if running is not None:
            running.cancel()
            await asyncio.wait([self._task_by_job[job]])
        return running is not None

    async def _work(self) -> None:
        while True:
            await self._slots.acquire()
            delivery = None
            try:
                delivery = await self._store.take(_TAKE_S)
            except GatewayError:
                # A wait that is cancelled on a closed connection is told as a failure of the connection.
                if self._is_stopping:
                    return
                await self._mend()
            finally:
                if delivery is None or not await self._begin(delivery):
                    self._slots.release()

    async def _mend(self) -> None:
        """Wait a moment, and see that the store is as it should be."""
        await asyncio.sleep(_TROUBLE_S)
        with contextlib.suppress(GatewayError):
            await self._store.open()

    async def _begin(self, delivery: Delivery) -> bool:
        """Carry out an order; False where nothing is to be done about it now."""
        try:
            order = decode_order(delivery.data)
        except BadFrame as error:
            _log.warning("an order was dropped from the queue: %s", error)
            with contextlib.suppress(GatewayError):
                await delivery.done()
            return False
        if (running := self._running.get(order.id)) is not None:
            running.delivered_again(delivery)
            return False
        record = self._index.record(order.id)
        if self._others is not None and await self._is_elsewhere(record, delivery):
            return False
        running = RunningJob(
            order,
            delivery,
            record,
            index=self._index,
            ack_wait_s=self._store.ack_wait_s,
            caller=self._caller,
            is_allowed=self._is_allowed,
            clock=self._clock,
            rules=self._rules,
            keep=self._keep,
        )
        self._running[order.id] = running
        task = asyncio.create_task(running.run(), name=f"job {order.id}")
        self._task_by_job[order.id] = task
        task.add_done_callback(lambda ended: self._ended(order.id, ended))
        return True

    async def _is_elsewhere(self, record: JobRecord, delivery: Delivery) -> bool:
        """Whether another gateway carries the order out, to which it is left."""
        assert self._others is not None
        with contextlib.suppress(GatewayError):
            if record.placement is not None and await self._others.have(record.id):
                await delivery.again(self._store.ack_wait_s)
                return True
        return False

    def _ended(self, job: JobId, task: asyncio.Task[None]) -> None:
        del self._running[job]
        del self._task_by_job[job]
        self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the job %s stopped for a mistake of the gateway's", job, exc_info=error)
