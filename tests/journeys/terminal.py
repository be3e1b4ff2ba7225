"""Commands at a terminal of 80 columns, as somebody sees them who types them."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Sequence
from types import TracebackType

from tests.journeys.command import COMMAND
from tests.journeys.machine import Machine

_ROWS, _COLUMNS = 40, 80


class Typed:
    """A command that was typed at a terminal which cannot move its cursor; nobody answers its questions."""

    def __init__(self, machine: Machine, arguments: Sequence[str]) -> None:
        own, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            (*COMMAND, *arguments),
            cwd=machine.folder,
            env={**machine.environment, "TERM": "dumb"},
            stdin=subprocess.DEVNULL,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        self._screen = os.fdopen(own, "rb", buffering=0)
        self.lines: list[str] = []
        """What was said until now."""
        self._rest = b""

    def read_line(self) -> str | None:
        """The next line, or None at the end."""
        while b"\n" not in self._rest:
            try:
                more = self._screen.read(4096)
            except OSError:  # how a terminal ends on Linux
                more = b""
            if not more:
                return None
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        self.lines.append(line.decode().rstrip("\r"))
        return self.lines[-1]

    def read_all(self) -> list[str]:
        """All lines, to the command's end."""
        while self.read_line() is not None:
            pass
        self.process.wait(200)
        return self.lines

    def __enter__(self) -> "Typed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(200)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._screen.close()
