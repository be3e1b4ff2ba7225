"""`docs/quickstart-network.md`, typed line by line: what it shows is what is seen."""

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.machine import Machine
from tests.journeys.terminal import Typed
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent.parent / "docs" / "quickstart-network.md"
PORTS = ("4222", "6222")
ONE_GATEWAY = {"192.168.1.20": "127.0.0.1"}
THREE_GATEWAYS = {f"192.168.1.2{n}": f"127.0.0.{n}" for n in (1, 2, 3)}
"""By addresses of the page, those that stand in for them."""
CLUSTER = "## 6. Three gateways"
LOG = re.compile(r"\d{4}-\d\d-\d\dT\S+ (info|warning) ")
STAYS = ("gateway start", "node serve")
"""Commands that go on until Ctrl-C."""


@dataclass(frozen=True)
class Step:
    """A command of the page, with what it shows."""

    machine: str
    command: str
    shown: tuple[str, ...]


def parts_of_page() -> tuple[str, str]:
    """The page until the section about several gateways, and that one."""
    one, _, several = PAGE.read_text(encoding="utf-8").partition(f"{CLUSTER}\n")
    return one, several


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)


def steps(page: str) -> Iterator[Step]:
    for block in blocks(page, "console"):
        for part in re.split(r"^(?=\w+\$ )", block, flags=re.MULTILINE)[1:]:
            first, *shown = part.rstrip("\n").split("\n")
            machine, _, command = first.partition("$ ")
            yield Step(machine, command, tuple(shown))


class Reader:
    """Somebody who types what the page says, with an address and tokens of their own."""

    def __init__(self, folder: Path, stack: ExitStack, page: str, hosts: Mapping[str, str]) -> None:
        self.machines = {name: Machine.under(folder, name) for name in {s.machine for s in steps(page)}}
        self._folder = folder
        self._stack = stack
        self._running: dict[str, Typed] = {}
        self._token_by_shown: dict[str, str] = {}
        self._real_by_shown = {**dict(zip(PORTS, free_ports(len(PORTS)), strict=True)), **hosts}

    def type(self, step: Step) -> None:
        """Type a command, and find on the screen what the page shows."""
        if step.command == "^C":
            typed = self._running.pop(step.machine)
            typed.process.send_signal(signal.SIGINT)
            said = typed.read_all()
            assert_shown(step, [self._as_on_page(line) for line in said[len(said) - len(step.shown) :]])
            return
        if not step.command.startswith("easynet "):
            self._copy_or_remove(step)
            return
        typed = self._typed(step)
        if any(words in step.command for words in STAYS):
            self._running[step.machine] = typed
            while len(told(typed.lines)) < len(step.shown) and typed.read_line() is not None:
                pass
        else:
            typed.read_all()
        self._remember_tokens(step, typed.lines)
        assert_shown(step, [self._as_on_page(line) for line in typed.lines])

    def look(self, step: Step) -> None:
        """Type a command that only looks, until it shows what the page does: news may be on its way."""
        until = time.monotonic() + PATIENCE_S
        while True:
            lines = [self._as_on_page(line) for line in self._typed(step).read_all()]
            if is_shown(step, lines) or time.monotonic() > until:
                return assert_shown(step, lines)

    def _typed(self, step: Step) -> Typed:
        return self._stack.enter_context(Typed(self.machines[step.machine], self._words(step.command)))

    def python(self, script: str) -> str:
        """What a program prints on the laptop."""
        machine = self.machines["laptop"]
        ran = subprocess.run(
            (sys.executable, "-c", self._really(script)),
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
        _, *words = shlex.split(self._really(command))
        return [*words, "--advertise", "127.0.0.1"] if "gateway start --listen 0.0.0.0" in command else words

    def _copy_or_remove(self, step: Step) -> None:
        here = self.machines[step.machine].folder
        match shlex.split(step.command):
            case ["scp", file, host]:
                shutil.copy(here / file, self.machines[host.rstrip(":")].folder)
            case ["rm", file]:
                (here / file).unlink()
            case _:
                raise AssertionError(f"nobody here can type {step.command!r}")

    def _remember_tokens(self, step: Step, lines: Sequence[str]) -> None:
        shown, seen = (re.findall(r"enj1_\S+|\b[0-9a-f]{24}\b", "\n".join(t)) for t in (step.shown, lines))
        self._token_by_shown.update(zip(shown, seen, strict=True))

    def _really(self, text: str) -> str:
        for shown, real in self._real_by_shown.items():
            text = text.replace(shown, real)
        return text

    def _as_on_page(self, line: str) -> str:
        for shown, real in self._real_by_shown.items():
            line = line.replace(real, shown)
        return line


def free_ports(count: int) -> list[str]:
    """Ports of this machine that nobody uses, at any of its own addresses."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("", 0))
        return [str(probe.getsockname()[1]) for probe in probes]


def told(lines: Sequence[str]) -> list[str]:
    """The lines that are not of a gateway's log."""
    return [line for line in lines if not LOG.match(line)]


def assert_shown(step: Step, seen: Sequence[str]) -> None:
    """What the page shows is on the screen."""
    assert is_shown(step, seen), "\n".join([step.command, *seen, "", *step.shown])


def is_shown(step: Step, seen: Sequence[str]) -> bool:
    """Whether what the page shows is on the screen, in that order; `...` stands for anything.

    The line about the network is left out on most of the page.
    """
    shown, screen = ("\n".join(neutral(line) for line in told(lines)) for lines in (step.shown, seen))
    wanted = re.escape(shown.strip()).replace(r"\.\.\.", ".*")
    return re.fullmatch(rf"\s*{wanted}\s*", screen, flags=re.DOTALL) is not None


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
    page, _ = parts_of_page()
    functions, program = blocks(page, "python")
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack, page, ONE_GATEWAY)
        (reader.machines["gpu"].folder / "my_functions.py").write_text(functions)
        notes = "ask Ana\nbring the long cable and two spare fans\n"
        (reader.machines["laptop"].folder / "notes.txt").write_text(notes)
        for step in steps(page):
            if step.machine == "server" and "gateway status" in step.command:
                assert reader.python(program) == "Good evening, said the GPU\n"
            reader.type(step)


def test_three_gateways_are_started_as_the_page_says_and_one_may_go(tmp_path: Path) -> None:
    first, page = parts_of_page()
    assert page, "the page has no section about several gateways"
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack, page, THREE_GATEWAYS)
        (reader.machines["gpu"].folder / "my_functions.py").write_text(blocks(first, "python")[0])
        for step in steps(page):
            if "gateway status" in step.command:
                reader.look(step)
            else:
                reader.type(step)
