"""A user on a machine of their own: a home, a folder to work in, and commands that are typed there."""

import os
import signal
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.command import COMMAND

GATEWAY = ("gateway", "start", "--listen")


@dataclass(frozen=True)
class Machine:
    """Where one user types commands."""

    folder: Path

    @classmethod
    def under(cls, folder: Path, name: str) -> "Machine":
        (folder / name).mkdir()
        return cls(folder / name)

    @property
    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "EASYNET_DATA_DIR": str(self.folder / "data"), "COLUMNS": "80"}

    def run(
        self, *arguments: str, stdin: str = "", timeout: float = 200
    ) -> "subprocess.CompletedProcess[str]":
        """Run `easynet` to its end; nobody is at the terminal."""
        return subprocess.run(
            (*COMMAND, *arguments),
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def must(self, *arguments: str, stdin: str = "") -> str:
        """What a command prints that has to succeed."""
        ended = self.run(*arguments, stdin=stdin)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    @contextmanager
    def running(self, *arguments: str) -> Generator["Running"]:
        """A command that stays; killed at the end if it still runs."""
        process = subprocess.Popen(
            (*COMMAND, *arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Running(process)
        finally:
            process.kill()
            process.communicate()


@dataclass(frozen=True)
class Running:
    """A command at work."""

    process: "subprocess.Popen[str]"

    def line_with(self, words: str) -> str:
        """The first line on stdout from now on that has these words in it."""
        assert self.process.stdout is not None
        seen: list[str] = []
        for line in self.process.stdout:
            seen.append(line)
            if words in line:
                return line.rstrip("\n")
        raise AssertionError(f"{words!r} was not said; {''.join(seen)!r} and {self.process.communicate()}")

    def gateway(self) -> str:
        """The address at which this gateway is reached, once it says so."""
        return self.line_with("Gateway at ").split()[2].rstrip(",")

    def end(self, by: signal.Signals = signal.SIGINT, timeout: float = 200) -> tuple[int, str]:
        """The exit code, and what was still said on stderr, after Ctrl-C or another signal."""
        self.process.send_signal(by)
        return self.wait(timeout)

    def wait(self, timeout: float = 200) -> tuple[int, str]:
        """The exit code, and what was still said on stderr."""
        _, stderr = self.process.communicate(timeout=timeout)
        return self.process.returncode, stderr
