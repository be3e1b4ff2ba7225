"""What happened to jobs, read by their clients, who may wait for more."""

import asyncio
import contextlib
from collections import Counter
from typing import Any, Final

from easynet.core.errors import BadData, JobNotFound, Overloaded
from easynet.core.ids import JobId
from easynet.fabric.jobs.job_history import JobHistory
from easynet.fabric.jobs.job_record import JobRecord

MAX_READERS: Final = 100
"""Questions of one client that wait for something to happen."""
MAX_WAIT_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.5
_BATCH_EVENTS: Final = 256
_BATCH_BYTES: Final = 1024 * 1024


class JobReader:
    """Reads what happened to jobs, and waits for what happens."""

    def __init__(self, history: JobHistory, *, looks_again: bool) -> None:
        """`looks_again` says that progress comes without a word of it, from other gateways."""
        self._history = history
        self._looks_again = looks_again
        self._readers: Counter[str] = Counter()

    async def read(self, record: JobRecord, after: int, wait_s: float) -> tuple[list[Any], bool]:
        """What happened after an event, waiting for it where need be; and whether that was all for ever.

        Raises BadData, Overloaded, GatewayError, or JobNotFound where nothing is kept any more.
        """
        if not 0 <= after < 2**63 or isinstance(wait_s, bool) or not 0 <= wait_s <= MAX_WAIT_S:
            raise BadData(f"an event is waited for at most {MAX_WAIT_S:g} s, and their numbers start at 0")
        if self._readers[record.owner] >= MAX_READERS:
            raise Overloaded(f"{record.client!r} reads {MAX_READERS} jobs at once already")
        self._readers[record.owner] += 1
        try:
            # Both are looked at before the reading, lest what happens during it be missed.
            changed, is_over = record.changed, record.is_over
            events = await self._events(record.id, after)
            if not events and is_over and not after:
                raise JobNotFound(f"what the job {record.id} gave is not kept any more")
            if not events and not is_over:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        events = await self._happened(record, after, changed)
            return events, is_over and not events
        finally:
            self._readers[record.owner] -= 1
            if not self._readers[record.owner]:
                del self._readers[record.owner]

    async def _happened(self, record: JobRecord, after: int, changed: asyncio.Event) -> list[Any]:
        """What happens next. Progress at another gateway is looked for."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S if self._looks_again else None):
                    await changed.wait()
            events = await self._events(record.id, after)
            if events or changed.is_set():
                return events

    async def _events(self, job: JobId, after: int) -> list[Any]:
        events: list[Any] = []
        size = 0
        while len(events) < _BATCH_EVENTS and size < _BATCH_BYTES:
            found = await self._history.read(job, after)
            if found is None or (events and size + len(found[1]) > _BATCH_BYTES):
                break
            after, data = found
            size += len(data)
            events.append([after, data])
        return events
