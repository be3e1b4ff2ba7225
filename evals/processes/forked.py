"""Commands in processes of their own that are at work at once: forked from one that has imported everything.

Such a process shares nothing with its parent but what was imported; it is killed, and dies, like any other.
"""

import gc
import os
import pty
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from easynet.llm.sentence_encoder import SentenceEncoder

_NEEDED = (
    "easynet.cli.do",
    "easynet.cli.runs",
    "easynet.cli.session",
    "easynet.agents.orchestrator",
    "easynet.agents.reporter",
    "easynet.planning",
)
_POLL_S = 0.005


def load() -> None:
    """Import what the commands need, and load the weights that they plan with, once for all of them."""
    for name in _NEEDED:
        import_module(name)
    if SentenceEncoder.is_installed():
        SentenceEncoder().embed(["primes"])
    gc.freeze()  # else every child copies what the collector touches


@dataclass
class Forked:
    """A command at work."""

    pid: int
    out: Path
    """What it has printed on stdout."""
    err: Path
    began: float
    """On the monotonic clock."""
    terminal: int | None = None
    """Where somebody could answer it."""
    code: int | None = None
    """Its exit code once it has ended; -9 where it was killed."""

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        at_terminal: bool = False,
    ) -> "Forked":
        """Begin `easynet` with these arguments; `at_terminal` it may ask, and nobody answers."""
        name = f"{time.monotonic_ns()}"
        out, err = folder / f"{name}.out", folder / f"{name}.err"
        sys.stdout.flush()
        terminal: int | None = None
        if at_terminal:
            pid, terminal = pty.fork()
        else:
            pid = os.fork()
        if pid == 0:
            _become(arguments, folder, environment, out, None if at_terminal else err)
        return cls(pid, out, err, time.monotonic(), terminal)

    def wait(self, at_most_s: float) -> bool:
        """Whether it ended within this time."""
        ends = time.monotonic() + at_most_s
        while self.code is None:
            self._drain()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self._close()
            elif (left := ends - time.monotonic()) <= 0:
                return False
            else:
                time.sleep(min(_POLL_S, left))
        return True

    def kill(self) -> float:
        """End it by SIGKILL, if it has not ended; the seconds for which it was at work."""
        lasted = time.monotonic() - self.began
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
            self._close()
        return lasted

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def _drain(self) -> None:
        """Read the terminal, so that nobody waits for room on it."""
        if self.terminal is not None:
            os.set_blocking(self.terminal, False)
            with suppress(OSError):  # nothing there now, or nobody any more
                os.read(self.terminal, 65536)

    def _close(self) -> None:
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None


def _become(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], out: Path, err: Path | None
) -> None:
    """Be the command, in the child; never returns."""
    code = 1
    try:
        os.chdir(folder)
        os.environ.update(environment)
        _redirect(out, 1)
        if err is not None:
            _redirect(err, 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin, sys.stdout, sys.stderr = (
            open(n, "w" if n else "r", encoding="utf-8", closefd=False)  # noqa: SIM115  # for good
            for n in range(3)
        )
        sys.argv = ["easynet", *arguments]
        from easynet.cli.app import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(path: Path, number: int) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(opened, number)
    os.close(opened)
