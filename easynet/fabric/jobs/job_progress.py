"""How far a job's call is, as often as its client needs to know."""

import asyncio
import contextlib
import math
import secrets

from easynet.core.clock import Clock
from easynet.core.errors import GatewayError
from easynet.fabric.jobs.job_index import JobIndex
from easynet.fabric.jobs.job_record import JobRecord
from easynet.fabric.wire.updates import Progress


class JobProgress:
    """Keeps a call's words of progress, but not all that follow each other too fast."""

    def __init__(self, record: JobRecord, index: JobIndex, clock: Clock, every_s: float) -> None:
        self._record = record
        self._index = index
        self._clock = clock
        self._every_s = every_s
        self._loop = asyncio.get_running_loop()
        self._untold: Progress | None = None
        self._told_at = -math.inf
        self._telling: asyncio.Task[None] | None = None
        self.told = 0
        """Of how many words of progress of the call the client knows."""

    async def tell(self, progress: Progress) -> None:
        """Keep a word of progress, now or, where the last one is too recent, in a moment."""
        if 0 < progress.number <= self.told:
            return  # it is told once more, after the gateway was away
        self.told = progress.number
        wait_s = self._told_at + self._every_s - (self._loop.time() - progress.age_s)
        if wait_s <= 0 and self._untold is not None and progress.age_s:
            await self.tell_last()
        self._untold = progress
        if wait_s <= 0:
            await self.tell_last()
        elif self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_later(wait_s))

    async def _tell_later(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await self.tell_last()

    async def tell_last(self) -> None:
        """Keep the word that waits, if there is one, without waiting any longer."""
        progress, self._untold = self._untold, None
        if progress is not None:
            self._told_at = self._loop.time() - progress.age_s
            at = self._clock.now() - progress.age_s
            with contextlib.suppress(GatewayError):  # there will be more
                await self._index.write(self._record, progress, at, token=secrets.token_hex(16))

    def stop(self) -> None:
        """Keep nothing more."""
        if self._telling is not None:
            self._telling.cancel()
