"""`easynet top`: on a terminal it stays and can be left; elsewhere it says its piece and ends."""

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from rich.console import Console, ConsoleDimensions
from typer.testing import CliRunner

from easynet.cli import top_live
from easynet.cli.app import app
from easynet.cli.top_live import Watch, measure
from easynet.core.errors import AccessDenied, EasyNetError, GatewayUnreachable, InvalidQuantity
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node
from easynet.fabric.telemetry.statistics import CallStatistics
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


INTERVAL_S = 0.02


class Network:
    """A network of one node, that can go away."""

    def __init__(self) -> None:
        self.error: EasyNetError | None = None
        self.hangs = False
        self.looks = 0

    async def nodes(self) -> list[Node]:
        if self.error is not None:
            raise self.error
        if self.hangs:
            await asyncio.Event().wait()
        self.looks += 1
        statistics = CallStatistics()
        for _ in range(10 * self.looks):
            statistics.record(CapabilityName("my_model"), 0.02, False)
        return [
            Node(
                name=NodeId("gpu-node"),
                instance="1",
                concurrency=4,
                statistics=statistics.snapshot(),
                last_seen_at=2.0 * self.looks,
            )
        ]


class Terminal:
    """A real terminal, and a person before it."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.reading = os.fdopen(os.dup(slave), "r", encoding="utf-8")
        self.writing = os.fdopen(slave, "w", encoding="utf-8")
        self.console = Console(file=self.writing, force_terminal=True, width=100, height=20, _environ={})
        self._seen = b""
        self._grew = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        self._seen += os.read(self._master, 65536)
        self._grew.set()

    async def sees(self, text: str) -> None:
        """Wait until `text` comes; what came before it is forgotten."""
        async with asyncio.timeout(PATIENCE_S):
            while text.encode() not in self._seen:
                self._grew.clear()
                await self._grew.wait()
        self._seen = self._seen[self._seen.index(text.encode()) + len(text.encode()) :]

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def manners(self) -> list[object]:
        """How it treats lines, echo and signals."""
        return termios.tcgetattr(self.reading.fileno())

    def hang_up(self) -> None:
        """Close the person's end of it."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        if self._master >= 0:
            self.hang_up()
        self.reading.close()
        with contextlib.suppress(OSError):
            self.writing.close()


@pytest.fixture
async def terminal(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdin", terminal.reading)
    yield terminal
    terminal.close()


@pytest.fixture
def network() -> Network:
    return Network()


Watching = Callable[[], Awaitable[asyncio.Task[None]]]


@pytest.fixture
async def watching(terminal: Terminal, network: Network) -> AsyncIterator[Watching]:
    """Watch the network until its table is on the screen."""
    started: list[asyncio.Task[None]] = []

    async def start() -> asyncio.Task[None]:
        watch = Watch(network.nodes, INTERVAL_S, "nats://10.0.0.1:4222", patience_s=0.05)
        started.append(asyncio.create_task(watch.run(terminal.console)))
        await terminal.sees("gpu-node")
        return started[0]

    yield start
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)


async def ended(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await task


@pytest.mark.parametrize("leave", ["q", "Q"])
async def test_key_ends_it_and_leaves_the_terminal_as_it_was(
    terminal: Terminal, watching: Watching, leave: str
) -> None:
    before = terminal.manners
    task = await watching()
    assert terminal.manners != before
    terminal.press(leave)
    await ended(task)
    await terminal.sees("\x1b[?1049l")
    assert terminal.manners == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_it_and_is_heard_by_others_again(
    terminal: Terminal, watching: Watching, number: signal.Signals
) -> None:
    before, handler = terminal.manners, signal.getsignal(number)
    task = await watching()
    signal.raise_signal(number)
    await ended(task)
    await terminal.sees("\x1b[?1049l")
    assert terminal.manners == before
    assert signal.getsignal(number) == handler


async def test_numbers_are_kept_up_to_date(terminal: Terminal, network: Network, watching: Watching) -> None:
    await watching()
    await terminal.sees("5.0 calls/s")
    looks = network.looks
    await terminal.sees("5.0 calls/s")
    assert network.looks > looks


async def test_key_hides_and_shows_the_functions(terminal: Terminal, watching: Watching) -> None:
    await watching()
    await terminal.sees("f hide functions")
    terminal.press("f")
    await terminal.sees("f show functions")
    terminal.press("f")
    await terminal.sees("my_model")


async def test_other_keys_do_nothing(terminal: Terminal, watching: Watching) -> None:
    task = await watching()
    terminal.press("\x1b[Bx\x1bOq中\x00")
    await terminal.sees("f hide functions")
    await terminal.sees("f hide functions")
    assert not task.done()


async def test_new_size_is_drawn_at_once(terminal: Terminal, watching: Watching) -> None:
    await watching()
    terminal.console.size = ConsoleDimensions(60, 20)
    signal.raise_signal(signal.SIGWINCH)
    await terminal.sees("Errs")


async def test_gateway_that_goes_away_is_waited_for(
    terminal: Terminal, network: Network, watching: Watching
) -> None:
    task = await watching()
    network.error = GatewayUnreachable("gone")
    await terminal.sees("reconnecting to nats://10.0.0.1:4222")
    await terminal.sees("gpu-node")
    network.error = None
    await terminal.sees("easynet top")
    await terminal.sees(" nats://10.0.0.1:4222")
    assert not task.done()


async def test_gateway_that_does_not_answer_is_told_as_gone(
    terminal: Terminal, network: Network, watching: Watching
) -> None:
    await watching()
    network.hangs = True
    await terminal.sees("reconnecting")


async def test_error_that_waiting_does_not_mend_ends_it(
    terminal: Terminal, network: Network, watching: Watching
) -> None:
    before = terminal.manners
    task = await watching()
    network.error = AccessDenied("revoked")
    with pytest.raises(AccessDenied):
        await ended(task)
    assert terminal.manners == before


async def test_rate_is_measured_between_two_looks(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_live, "_LEAST_MEASURE_S", 0)
    load = await measure(network.nodes, INTERVAL_S)
    assert network.looks == 2
    assert load.load.calls_per_s == pytest.approx(5)


@pytest.fixture
def reached(network: Network, monkeypatch: pytest.MonkeyPatch) -> Network:
    """The network that the command reaches, whatever gateway it is given."""

    @asynccontextmanager
    async def client_of(gateway: str | None) -> AsyncGenerator[Network]:
        yield network

    monkeypatch.setattr(top_live, "client_of", client_of)
    monkeypatch.setattr(top_live, "_LEAST_MEASURE_S", 0)
    return network


@pytest.mark.parametrize("options", [[], ["--once"]])
def test_pipe_gets_one_table(reached: Network, options: list[str]) -> None:
    ran = CliRunner().invoke(app, ["top", "--interval", "20ms", *options])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.startswith("1 node · 0/4 running · 0 waiting · 5.0 calls/s · 0 errors\n\n")
    assert "gpu-node" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert reached.looks == 2


def test_json_is_one_object(reached: Network) -> None:
    ran = CliRunner().invoke(app, ["top", "--interval", "20ms", "--json"])
    [node] = json.loads(ran.stdout)["nodes"]
    assert (node["name"], node["calls_per_s"]) == ("gpu-node", pytest.approx(5))


@pytest.mark.parametrize("interval", ["0", "soon", "-1s"])
def test_interval_that_is_none_is_refused(reached: Network, interval: str) -> None:
    ran = CliRunner().invoke(app, ["top", f"--interval={interval}"])
    assert isinstance(ran.exception, InvalidQuantity)
    assert reached.looks == 0


@pytest.mark.slow
def test_real_network_is_shown() -> None:
    ran = subprocess.run(
        (sys.executable, "-m", "easynet", "top", "--once"), capture_output=True, text=True, timeout=200
    )
    assert (ran.returncode, ran.stderr) == (0, "Network: embedded, on this machine alone\n")
    # No rate is known where the node was kept from saying something between the two looks.
    assert re.search(r"medical +ready +0/\d+ +0 +[0–] +0", ran.stdout)
