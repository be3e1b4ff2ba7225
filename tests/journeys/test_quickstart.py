"""`docs/quickstart-network.md`, typed line by line: what it shows is what is seen."""

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.machine import Machine
from tests.journeys.terminal import Typed

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent.parent / "docs" / "quickstart-network.md"
ADDRESS, PORT = "192.168.1.20", "4222"
STAYS = ("gateway start", "node serve")
"""Commands that go on until Ctrl-C."""


@dataclass(frozen=True)
class Step:
    """A command of the page, with what it shows."""

    machine: str
    command: str
    shown: tuple[str, ...]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def steps() -> Iterator[Step]:
    for block in blocks("console"):
        for part in re.split(r"^(?=\w+\$ )", block, flags=re.MULTILINE)[1:]:
            first, *shown = part.rstrip("\n").split("\n")
            machine, _, command = first.partition("$ ")
            yield Step(machine, command, tuple(shown))


class Reader:
    """Somebody who types what the page says, with an address and tokens of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.machines = {name: Machine.under(folder, name) for name in ("server", "gpu", "laptop")}
        self._stack = stack
        self._running: dict[str, Typed] = {}
        self._token_by_shown: dict[str, str] = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])

    def type(self, step: Step) -> None:
        """Type a command, and find on the screen what the page shows."""
        if step.command == "^C":
            typed = self._running.pop(step.machine)
            typed.process.send_signal(signal.SIGINT)
            assert_shown(step, [self._as_on_page(line) for line in typed.read_all()[-len(step.shown) :]])
            return
        typed = self._stack.enter_context(Typed(self.machines[step.machine], self._words(step.command)))
        if any(words in step.command for words in STAYS):
            self._running[step.machine] = typed
            while len(typed.lines) < len(step.shown) and typed.read_line() is not None:
                pass
        else:
            typed.read_all()
        self._remember_tokens(step, typed.lines)
        assert_shown(step, [self._as_on_page(line) for line in typed.lines])

    def python(self, script: str) -> str:
        """What a program prints on the laptop."""
        machine = self.machines["laptop"]
        script = script.replace(f"{ADDRESS}:{PORT}", f"127.0.0.1:{self.port}")
        ran = subprocess.run(
            (sys.executable, "-c", script),
            env=machine.environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def _words(self, command: str) -> list[str]:
        for shown, token in self._token_by_shown.items():
            command = command.replace(shown, token)
        easynet, *words = shlex.split(command.replace(f":{PORT}", f":{self.port}"))
        assert easynet == "easynet"
        return [*words, "--advertise", "127.0.0.1"] if "gateway start" in command else words

    def _remember_tokens(self, step: Step, lines: Sequence[str]) -> None:
        shown, seen = (re.findall(r"enj1_\S+|\b[0-9a-f]{24}\b", "\n".join(t)) for t in (step.shown, lines))
        self._token_by_shown.update(zip(shown, seen, strict=True))

    def _as_on_page(self, line: str) -> str:
        return line.replace(f"127.0.0.1:{self.port}", f"{ADDRESS}:{PORT}").replace(self.port, PORT)


def assert_shown(step: Step, seen: Sequence[str]) -> None:
    """What the page shows is on the screen, in that order; `...` stands for anything.

    The line about the network is left out on most of the page.
    """
    shown, screen = ("\n".join(neutral(line) for line in lines) for lines in (step.shown, seen))
    wanted = re.escape(shown.strip()).replace(r"\.\.\.", ".*")
    assert re.fullmatch(rf"\s*{wanted}\s*", screen, flags=re.DOTALL), f"{step.command}\n{screen}\n{shown}"


def neutral(line: str) -> str:
    """A line without what differs each time."""
    if line.startswith("Network: "):
        return ""
    line = re.sub(r"enj1_\S+", "TOKEN", line)
    line = re.sub(r"\b[0-9a-f]{24}\b", "JOB", line)
    line = re.sub(r"^\d\d:\d\d:\d\d  ", "TIME  ", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE", line)
    line = re.sub(r"^EasyNet \S+, since .*", "EasyNet, since then", line)
    return re.sub(r"^Data in .*", "Data there", line).rstrip()


def test_page_is_typed_as_it_stands(tmp_path: Path) -> None:
    functions, program = blocks("python")
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        (reader.machines["gpu"].folder / "my_functions.py").write_text(functions)
        notes = "ask Ana\nbring the long cable and two spare fans\n"
        (reader.machines["laptop"].folder / "notes.txt").write_text(notes)
        for step in steps():
            if step.machine == "server" and "gateway status" in step.command:
                assert reader.python(program) == "Good evening, said the GPU\n"
            reader.type(step)
