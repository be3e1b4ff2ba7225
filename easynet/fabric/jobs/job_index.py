"""The jobs that a gateway knows, by id and by owner."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Generator
from typing import Final

from easynet.core.errors import BadFrame, GatewayError, Overloaded
from easynet.core.ids import JobId
from easynet.core.job import JobState
from easynet.fabric.jobs.job_events import JobEvent, Order, Signed, Submitted
from easynet.fabric.jobs.job_frames import decode_event, encode_order
from easynet.fabric.jobs.job_history import KEEP_S, MAX_HISTORY_BYTES, JobHistory
from easynet.fabric.jobs.job_queue import MAX_QUEUE_BYTES
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.wire.updates import Item, Progress

_LOOK_EVERY_S: Final = 0.1
"""How old a gateway's knowledge of jobs that another one carries out may be."""
MAX_OPEN: Final = 1000
"""Jobs of one client that are queued or running."""
MAX_KNOWN: Final = 5000
"""Jobs of one client; the first that were over are forgotten first."""


class JobIndex:
    """The jobs that a gateway knows: what the events of its history add up to."""

    def __init__(self, history: JobHistory) -> None:
        self._history = history
        self._followed = 0
        self._told: Callable[[JobRecord], None] | None = None
        self._following = asyncio.Lock()
        self._records: dict[JobId, JobRecord] = {}
        self._by_owner: dict[str, dict[JobId, JobRecord]] = {}
        self._open: Counter[str] = Counter()
        """By owner, the jobs that are not over or are about to be queued."""
        self._open_bytes: Counter[str] = Counter()
        """What they take in the queue."""
        self._kept_bytes: Counter[str] = Counter()
        """By owner, what is kept of its jobs that are over."""

    async def load(self) -> list[JobRecord]:
        """Know what the history says; the jobs whose calls may still run. Raises GatewayError."""
        async for number, job, data in self._history.states():
            self._take(number, job, data)
        return self.running()

    def running(self) -> list[JobRecord]:
        """The jobs whose calls may still run."""
        return [record for record in self._records.values() if record.placement is not None]

    async def follow(self, told: Callable[[JobRecord], None]) -> None:
        """Go on taking note of what happens at any gateway of the network; `told` hears of each change.

        All gateways take note of the same changes in the same order, of their own ones, too.
        """
        self._told = told
        while True:
            with contextlib.suppress(GatewayError):  # it is asked again
                await self.know_all()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def know_all(self) -> None:
        """Know all that has happened until now; raises GatewayError."""
        async with self._following:
            while (found := await self._history.next_state(self._followed)) is not None:
                self._take(*found)

    def _take(self, number: int, job: JobId, data: bytes) -> None:
        if number <= self._followed:
            return
        self._followed = number
        record = self.record(job)
        with contextlib.suppress(BadFrame):  # of a later version; what can be read still counts
            self._fold(record, *decode_event(data))
        if self._told is not None:
            self._told(record)

    def counts(self) -> Counter[JobState]:
        """How many jobs are known, by their state."""
        return Counter(record.state for record in self._records.values() if record.client)

    def record(self, job: JobId) -> JobRecord:
        """What is known of a job, which may be nothing."""
        found = self._records.get(job)
        if found is None:
            found = self._records[job] = JobRecord(job)
        return found

    def owned(self, owner: str, job: str) -> JobRecord | None:
        """A job of that owner's."""
        return self._by_owner.get(owner, {}).get(JobId(job))

    def of(self, owner: str) -> list[JobRecord]:
        """The jobs of an owner, oldest first."""
        return sorted(self._by_owner.get(owner, {}).values(), key=lambda record: record.submitted_at)

    def owners(self) -> list[str]:
        """Whose jobs are not all over."""
        return [owner for owner, count in self._open.items() if count]

    def is_busy(self, owner: str) -> bool:
        """Whether some of its jobs are not over."""
        return bool(self._open[owner])

    @contextlib.contextmanager
    def room_for(self, order: Order) -> Generator[None]:
        """Room for another job while it is made known; raises Overloaded where its owner has had its share.

        An owner's orders may take as much of the queue as is left
        free for the others, so that there is always some room for one that comes later.
        """
        size_bytes = len(encode_order(order))
        if self._open[order.owner] >= MAX_OPEN:
            raise Overloaded(
                f"{MAX_OPEN:,} jobs of {order.client!r} are not over yet",
                retry_after_s=60.0,
                hint="Wait until some are over, or cancel some: easynet jobs cancel JOB.",
            )
        if self._open_bytes[order.owner] + size_bytes > self._free_bytes() - size_bytes:
            raise Overloaded(
                f"the gateway's queue of jobs is full for {order.client!r}: its jobs that are not over take"
                f" {self._open_bytes[order.owner]:,} bytes of it",
                retry_after_s=60.0,
                hint="Wait until some are over, or give large values as files or as tables.",
            )
        self._count(order.owner, 1, size_bytes)
        try:
            yield
        finally:
            self._count(order.owner, -1, -size_bytes)

    def _free_bytes(self) -> int:
        return MAX_QUEUE_BYTES - sum(self._open_bytes.values())

    def _count(self, owner: str, jobs: int, size_bytes: int) -> None:
        self._open[owner] += jobs
        self._open_bytes[owner] += size_bytes
        if not self._open[owner]:
            del self._open[owner], self._open_bytes[owner]

    async def tidy(self, owner: str, now: float, *, coming: int = 0) -> None:
        """Forget what is long over; and what was over first, where an owner has more than its share of jobs.

        Its results may take as much as is left free for those of others, which so never give way to them.
        `coming` more jobs are about to be there. Raises GatewayError.
        """
        mine = self._by_owner.get(owner, {})
        over = sorted((r for r in mine.values() if r.is_over), key=lambda r: r.ended_at or 0.0)
        for record in over:
            is_old = now - (record.ended_at or 0.0) > KEEP_S
            free_bytes = MAX_HISTORY_BYTES - sum(self._kept_bytes.values())
            if is_old or len(mine) + coming > MAX_KNOWN or self._kept_bytes[owner] > free_bytes:
                await self._history.forget(record.id)
                self._forget(record)

    async def tidy_all(self, now: float) -> None:
        """Do so for everybody; raises GatewayError."""
        for owner in list(self._by_owner):
            await self.tidy(owner, now)

    def _forget(self, record: JobRecord) -> None:
        mine = self._by_owner.get(record.owner, {})
        if mine.pop(record.id, None) is not None:
            self._kept_bytes[record.owner] -= record.kept_bytes
            self._records.pop(record.id, None)
        if not mine:
            self._by_owner.pop(record.owner, None)
            self._kept_bytes.pop(record.owner, None)

    async def announce(self, record: JobRecord, order: Order) -> None:
        """Make a job known to its client, whose order is in the queue; raises GatewayError.

        The caller holds the record's lock.
        """
        if self._told is not None:  # another gateway may have announced it, or ended it
            await self.know_all()
        if not record.client:
            size_bytes = len(encode_order(order))
            event = Submitted(order.client, order.owner, order.function, order.digest, size_bytes)
            await self.write(record, event, order.submitted_at, token=f"{order.id} submitted")

    async def write(self, record: JobRecord, event: JobEvent, at: float, *, token: str, nth: int = 0) -> None:
        """Keep an event on disk, then take note of it; raises GatewayError, and may then be tried again."""
        await self._history.write(record.id, event, at, token=token, nth=nth)
        if self._told is not None and not isinstance(event, Progress | Item | Signed):
            await self.know_all()
        else:
            self._fold(record, at, event)

    async def told(self, record: JobRecord) -> int:
        """Of how many words of progress of a job's call its client knows; raises GatewayError."""
        return await self._history.told(record.id) or record.told

    def forget_unknown(self, record: JobRecord) -> None:
        """Forget a job that never came to be."""
        if not record.client and not record.lock.locked():
            self._records.pop(record.id, None)

    def _fold(self, record: JobRecord, at: float, event: JobEvent) -> None:
        was_open = bool(record.client) and not record.is_over
        record.fold(at, event)
        if isinstance(event, Submitted):
            self._records[record.id] = record
            self._by_owner.setdefault(event.owner, {})[record.id] = record
        is_open = bool(record.client) and not record.is_over
        if is_open != was_open:
            sign = 1 if is_open else -1
            self._count(record.owner, sign, sign * record.size_bytes)
        if was_open and not is_open:
            self._kept_bytes[record.owner] += record.kept_bytes
