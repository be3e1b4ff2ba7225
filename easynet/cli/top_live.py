"""The network's load on the screen: looked at again and again, until somebody has seen enough."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live

from easynet.cli.look import client_of, network_meant, network_name
from easynet.cli.network_load import LoadMeter, NetworkLoad
from easynet.cli.render_live import LiveView
from easynet.cli.render_top import top_json, top_screen, top_text
from easynet.cli.render_wrap import terminal_columns
from easynet.cli.streams import write, write_json
from easynet.core.errors import GatewayUnreachable
from easynet.core.offer import Node
from easynet.fabric.registry import HEARTBEAT_S

Look = Callable[[], Awaitable[list[Node]]]

_REDRAW_S: Final = 1.0
_LEAST_MEASURE_S: Final = 1.25 * HEARTBEAT_S
_PATIENCE_S: Final = 1.5


def show(gateway: str | None, interval_s: float, *, once: bool, as_json: bool) -> None:
    """Show a gateway's network, or an embedded one, until Ctrl-C; once where stdout is no terminal."""
    asyncio.run(_show(gateway, interval_s, once=once, as_json=as_json))


async def _show(gateway: str | None, interval_s: float, *, once: bool, as_json: bool) -> None:
    chosen = network_meant(gateway)
    async with client_of(chosen) as client:
        if once or as_json or not LiveView.suits(sys.stdout):
            load = await measure(client.nodes, interval_s)
            if as_json:
                write_json(json.dumps(top_json(load), ensure_ascii=False).encode())
            else:
                write(top_text(load, terminal_columns()))
        else:
            await Watch(client.nodes, interval_s, network_name(chosen)).run(Console(highlight=False))


async def measure(look: Look, interval_s: float) -> NetworkLoad:
    """The load over one interval, in which each node speaks at least once: rates take two heartbeats."""
    meter, loop = LoadMeter(), asyncio.get_running_loop()
    meter.look(await look(), loop.time())
    await asyncio.sleep(max(interval_s, _LEAST_MEASURE_S))
    return meter.look(await look(), loop.time())


class Watch:
    """A screen of its own with the load of the network, until `q`, Ctrl-C, or the end of the terminal.

    It outlives the gateway: what was seen last stays, marked as old, until the gateway is back.
    """

    def __init__(
        self, look: Look, interval_s: float, network: str, *, patience_s: float = _PATIENCE_S
    ) -> None:
        """`patience_s` is how long an answer may take until the gateway is said to be gone."""
        self._look = look
        self._patience_s = patience_s
        self._interval_s = interval_s
        self._network = network
        self._meter = LoadMeter()
        self._load: NetworkLoad | None = None
        self._shows_functions = True
        self._answered_s = 0.0
        self._is_over = False
        self._changed = asyncio.Event()

    async def run(self, console: Console) -> None:
        """Return once it has been seen enough of."""
        self._answered_s = asyncio.get_running_loop().time()
        looking = asyncio.create_task(self._keep_looking(), name="look at the network")
        looking.add_done_callback(lambda _: self._redraw())
        try:
            with (
                _signals(
                    {signal.SIGINT: self._end, signal.SIGTERM: self._end, signal.SIGWINCH: self._redraw}
                ),
                Live(
                    get_renderable=lambda: self.screen(console.width, console.height),
                    console=console,
                    screen=True,
                    auto_refresh=False,
                ) as live,
                single_keys(self.press, self._end),
            ):
                while not (self._is_over or looking.done()):
                    live.refresh()
                    await self._wait_for_change()
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    def screen(self, width: int, height: int) -> RenderableType:
        """What is to be seen now."""
        late_s = asyncio.get_running_loop().time() - self._answered_s
        return top_screen(
            self._load,
            network=self._network,
            width=width,
            height=height,
            shows_functions=self._shows_functions,
            lost_s=late_s if late_s > self._interval_s + self._patience_s else None,
        )

    def press(self, key: str) -> None:
        """Do what a key says."""
        match key:
            case "q" | "Q":
                self._end()
            case "f" | "F":
                self._shows_functions = not self._shows_functions
                self._redraw()
            case _:
                pass

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # A gateway that is gone is seen by the time since its last answer.
            with contextlib.suppress(GatewayUnreachable):
                nodes = await self._look()
                self._answered_s = loop.time()
                self._load = self._meter.look(nodes, self._answered_s)
                self._redraw()
            await asyncio.sleep(self._interval_s)

    async def _wait_for_change(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REDRAW_S):
                await self._changed.wait()
        self._changed.clear()

    def _redraw(self) -> None:
        self._changed.set()

    def _end(self) -> None:
        self._is_over = True
        self._changed.set()


@contextmanager
def single_keys(on_key: Callable[[str], None], on_end: Callable[[], None]) -> Generator[None]:
    """Hand over each key as it is pressed, where stdin is a terminal; `on_end` hears of that one's end."""
    if not sys.stdin.isatty():
        yield
        return
    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        try:
            pressed = os.read(terminal, 64)
        except OSError:
            pressed = b""
        if not pressed:
            loop.remove_reader(terminal)
            on_end()
        elif not (pressed.startswith(b"\x1b") and len(pressed) > 1):  # an arrow or the like
            for key in pressed.decode("ascii", "ignore"):
                on_key(key)

    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    changed = termios.tcgetattr(terminal)
    changed[6][termios.VSUSP] = b"\0"  # stopped by Ctrl-Z, it would leave the terminal as it is
    termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


@contextmanager
def _signals(handlers: dict[signal.Signals, Callable[[], None]]) -> Generator[None]:
    """Hear signals on the event loop, and leave them as they were found."""
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number, before in former.items():
            loop.remove_signal_handler(number)
            signal.signal(number, before)
