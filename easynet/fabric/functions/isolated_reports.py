"""A function's progress reports on their way out of its process."""

import threading
import time
from typing import Final

from easynet.fabric.functions.isolated_frames import Channel
from easynet.fabric.wire.updates import Progress, Update

_EVERY_S: Final = 0.05
_MAX_CHARACTERS: Final = 2000


class Reports:
    """Sends what one call gives, and of its progress no more than somebody could watch.

    A function may report in its innermost loop: the node is not to spend its time on that. The last report
    always arrives, and before the call's end.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._held: Progress | None = None
        self._timer: threading.Timer | None = None
        self._sent_at = 0.0
        self._is_open = True

    def report(self, fraction: float | None, message: str) -> None:
        """Take a progress report from any thread."""
        report = Progress(None if fraction is None else float(fraction), str(message)[:_MAX_CHARACTERS])
        with self._lock:
            if not self._is_open:  # a thread that has outlived its call
                return
            self._held = report
            wait_s = self._sent_at + _EVERY_S - time.monotonic()
            if wait_s <= 0:
                self._send_held()
            elif self._timer is None:
                self._timer = threading.Timer(wait_s, self._send_later)
                self._timer.daemon = True
                self._timer.start()

    def send(self, update: Update) -> None:
        """Send anything else."""
        with self._lock:
            self._channel.send(update)

    def close(self) -> None:
        """Send what is held, and nothing afterwards."""
        with self._lock:
            self._is_open = False
            if self._timer is not None:
                self._timer.cancel()
            self._send_held()

    def _send_later(self) -> None:
        with self._lock:
            self._timer = None
            if self._is_open:
                self._send_held()

    def _send_held(self) -> None:
        if self._held is not None:
            self._channel.send(self._held)
            self._held, self._sent_at = None, time.monotonic()
