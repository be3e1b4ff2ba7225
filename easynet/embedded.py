"""The embedded network: a gateway in this process and one worker process, for as long as it is needed."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from easynet.core.errors import SettingsError
from easynet.fabric.gateway.gateway import Gateway
from easynet.settings import inherited_environment

WORKER = (sys.executable, "-m", "easynet.worker")
_START_TIMEOUT_S = 30.0
_RESTARTS = 3
"""A worker that keeps dying is not started for ever; runs then fail with the reason."""


class EmbeddedNetwork:
    """A gateway on loopback with the built-in specialists, private to one process.

    The worker is started again when it dies, so that a crash in one function costs one attempt.
    """

    def __init__(self, data_dir: Path, worker: Sequence[str] = WORKER) -> None:
        self._data_dir = data_dir
        self._command = tuple(worker)
        self._gateway = Gateway(data_dir)
        self._worker: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return self._gateway.url

    async def __aenter__(self) -> Self:
        await self._gateway.start()
        try:
            self._worker = await self._spawn()
        except BaseException:
            await self._gateway.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="worker supervisor")
        return self

    async def ready(self) -> None:
        """Return once the specialists have joined."""
        if self._worker is None or self._worker.stdout is None:
            raise SettingsError("the embedded network has not been started")
        happened = "ended while it was starting"
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while line := await self._worker.stdout.readline():
                    if line.strip() == b"ready":
                        return
        except TimeoutError:
            happened = f"was not ready after {_START_TIMEOUT_S:g} seconds"
        raise SettingsError(
            f"the worker process {happened}",
            hint=f"Run it by hand to see why: {' '.join(self._command)} {self.url}",
        )

    async def __aexit__(self, *_: object) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._worker is not None:
            await _end(self._worker)
        await self._gateway.stop()

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            self.url,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**inherited_environment(), "EASYNET_DATA_DIR": str(self._data_dir)},
            # Ctrl-C is for the command line, which then cancels what runs here.
            start_new_session=True,
        )

    async def _supervise(self) -> None:
        for _ in range(_RESTARTS):
            assert self._worker is not None
            await self._worker.wait()
            await _end(self._worker)
            self._worker = await self._spawn()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a worker by closing its standard input, which it obeys at once."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(2):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
