"""The jobs that a gateway knows, by id and by client."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Final

from easynet.core.errors import BadFrame, GatewayError, JobNotFound, Overloaded
from easynet.core.ids import JobId
from easynet.core.job import JobState
from easynet.fabric.jobs.job_events import JobEvent, Order, Submitted, decode_event
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.jobs.job_store import KEEP_S, JobStore
from easynet.fabric.wire.envelope import Item, Progress

_LOOK_EVERY_S: Final = 0.1
"""How old a gateway's knowledge of jobs that another one carries out may be."""
MAX_OPEN: Final = 1000
"""Jobs of one client that are queued or running."""
MAX_KNOWN: Final = 5000
"""Jobs of one client; the first that were over are forgotten first."""


class JobIndex:
    """The jobs that a gateway knows: what the events in its store add up to."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._followed = 0
        self._told: Callable[[JobRecord], None] | None = None
        self._following = asyncio.Lock()
        self._records: dict[JobId, JobRecord] = {}
        self._by_client: dict[str, dict[JobId, JobRecord]] = {}

    async def load(self) -> list[JobRecord]:
        """Know what the store knows; the jobs whose calls may still run. Raises GatewayError."""
        async for number, job, data in self._store.states():
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
            while (found := await self._store.next_state(self._followed)) is not None:
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

    def owned(self, client: str, job: str) -> JobRecord:
        """A job of that client's; raises JobNotFound."""
        record = self._by_client.get(client, {}).get(JobId(job))
        if record is None:
            raise JobNotFound(
                f"{client!r} has no job {job!r}", hint="`easynet jobs` lists the jobs that there are."
            )
        return record

    def of(self, client: str) -> list[JobRecord]:
        """The jobs of a client, oldest first."""
        return sorted(self._by_client.get(client, {}).values(), key=lambda record: record.submitted_at)

    def make_room(self, client: str, now: float) -> None:
        """Forget what is long over; raises Overloaded where too much of the client's is not over."""
        mine = self._by_client.get(client, {})
        over = sorted((r for r in mine.values() if r.is_over), key=lambda r: r.ended_at or 0.0)
        excess = len(mine) + 1 - MAX_KNOWN
        for i, record in enumerate(over):
            if i < excess or now - (record.ended_at or 0.0) > KEEP_S:
                del mine[record.id], self._records[record.id]
        if len(mine) and sum(not record.is_over for record in mine.values()) >= MAX_OPEN:
            raise Overloaded(f"{MAX_OPEN:,} jobs of {client!r} are not over yet", retry_after_s=60.0)

    async def announce(self, record: JobRecord, order: Order) -> None:
        """Make a job known to its client, whose order is in the queue; raises GatewayError.

        The caller holds the record's lock.
        """
        if self._told is not None:  # another gateway may have announced it, or ended it
            await self.know_all()
        if not record.client:
            event = Submitted(order.client, order.function, order.digest)
            await self.write(record, event, order.submitted_at, token=f"{order.id} submitted")

    async def write(self, record: JobRecord, event: JobEvent, at: float, *, token: str, nth: int = 0) -> None:
        """Keep an event on disk, then take note of it; raises GatewayError, and may then be tried again."""
        await self._store.write(record.id, event, at, token=token, nth=nth)
        if self._told is not None and not isinstance(event, Progress | Item):
            await self.know_all()
        else:
            self._fold(record, at, event)

    def forget_unknown(self, record: JobRecord) -> None:
        """Forget a job that never came to be."""
        if not record.client and not record.lock.locked():
            self._records.pop(record.id, None)

    def _fold(self, record: JobRecord, at: float, event: JobEvent) -> None:
        record.fold(at, event)
        if isinstance(event, Submitted):
            self._records[record.id] = record
            self._by_client.setdefault(event.client, {})[record.id] = record
