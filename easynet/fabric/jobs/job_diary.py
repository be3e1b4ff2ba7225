"""What a gateway writes of the job that it carries out."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from easynet.core.clock import Clock
from easynet.core.errors import GatewayError
from easynet.fabric.jobs.job_events import JobEvent, Order
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_record import JobRecord

T = TypeVar("T")

_STORE_RETRY_S: Final = 1.0


class JobDiary:
    """Writes what happens to one job for certain, however long the store takes to work again."""

    def __init__(self, record: JobRecord, index: JobIndex, clock: Clock) -> None:
        self._record = record
        self._index = index
        self._clock = clock

    async def announce(self, order: Order) -> None:
        """Have the job known to its client. The caller holds the record's lock."""
        await _persistently(lambda: self._index.announce(self._record, order))

    async def write(self, event: JobEvent, *, nth: int = 0) -> None:
        """Keep an event that happens now; `nth` counts the job's items."""
        at, token = self._clock.now(), secrets.token_hex(16)
        await _persistently(lambda: self._index.write(self._record, event, at, token=token, nth=nth))

    async def told(self) -> int:
        """Of how many words of progress of the job's call its client knows."""
        return await _persistently(lambda: self._index.told(self._record))


async def _persistently(work: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await work()
        except GatewayError:
            await asyncio.sleep(_STORE_RETRY_S)
