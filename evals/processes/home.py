"""A user's home with a network of real processes in it, each started as its documentation says."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from easynet.core.events import RUN_EVENT, RunEvent
from easynet.settings import inherited_environment

ALMANAC = Path(__file__).with_name("almanac.py")


class Home:
    """Where commands are typed. At its end all that still run are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def environment(self) -> Mapping[str, str]:
        return {**inherited_environment(), "EASYNET_DATA_DIR": str(self.data), "COLUMNS": "110"}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A command at work; the story on its stderr is not told."""
        process = subprocess.Popen(
            (sys.executable, "-m", "easynet", *arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._stack.callback(_end, process)
        return process

    def start_gateway(self) -> str:
        """The address of a gateway that is up."""
        return _line_with("Gateway at ", self.start("gateway", "start", "--listen", "127.0.0.1:0")).split()[
            2
        ][:-1]

    def start_node(self, name: str, gateway: str, concurrency: int = 2) -> "subprocess.Popen[str]":
        """A node that serves the almanac's functions."""
        node = self.start(
            "node",
            "serve",
            str(ALMANAC),
            "--name",
            name,
            "--concurrency",
            str(concurrency),
            "--gateway",
            gateway,
        )
        _line_with(f"The node {name} offers", node)
        return node

    def say(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        return subprocess.run(
            (sys.executable, "-m", "easynet", *arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def events_of(process: "subprocess.Popen[str]") -> Iterator[RunEvent]:
    """The events of a run that was started with `--json`, as they happen."""
    assert process.stdout is not None
    return map(RUN_EVENT.validate_json, process.stdout)


def _line_with(words: str, process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise RuntimeError(f"{process.args!r} ended before it said {words!r}")


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
