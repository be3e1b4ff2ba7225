"""How far a call says that it is, told to its caller no more often than is of use."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from easynet.fabric.wire.updates import Progress

EVERY_S: Final = 0.1
_MAX_CHARACTERS: Final = 2000


class ProgressReport:
    """Takes reports from any thread, and sends the latest of them every tenth of a second."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[Progress], None]) -> None:
        self._loop = loop
        self._send = send
        self._latest: Progress | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at = 0.0
        self._sent = 0

    def take(self, fraction: float | None, message: str) -> None:
        """Note a report; may be called from any thread."""
        text = str(message)[:_MAX_CHARACTERS]
        progress = Progress(None if fraction is None else float(fraction), text)
        with contextlib.suppress(RuntimeError):  # the node has stopped, but not yet this thread
            self._loop.call_soon_threadsafe(self._note, progress)

    def _note(self, progress: Progress) -> None:
        self._latest = progress
        if self._timer is None:
            wait_s = max(0.0, self._sent_at + EVERY_S - time.monotonic())
            self._timer = self._loop.call_later(wait_s, self.send)

    def send(self) -> None:
        """Send the latest report, if it has not been sent."""
        self.stop()
        progress, self._latest = self._latest, None
        if progress is not None:
            self._sent_at = time.monotonic()
            self._sent += 1
            self._send(Progress(progress.fraction, progress.message, self._sent))

    def stop(self) -> None:
        """Send nothing more by itself."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
