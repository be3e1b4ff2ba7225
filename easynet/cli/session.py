"""One run in the foreground: its events on the screen, its questions answered, Ctrl-C heard."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from easynet.cli.exits import CANCELLED, result_exit_code
from easynet.cli.look import announce
from easynet.cli.render import Story, print_result
from easynet.cli.streams import write_json
from easynet.core.errors import UsageError
from easynet.core.events import RUN_EVENT, IntentParsed, Question, RunEvent, RunFinished, RunStarted
from easynet.core.ids import RunId
from easynet.core.language import Language, say
from easynet.core.redaction import Redaction
from easynet.fabric.access.gateway_choice import choose_gateway
from easynet.network import IntelligentNetwork
from easynet.settings import Settings

Start = Callable[[IntelligentNetwork], AsyncGenerator[RunEvent]]


class Session:
    """Shows one run to a person or to a program, to its end."""

    def __init__(self, *, gateway: str | None, as_json: bool, model: str | None = None) -> None:
        self._gateway = gateway
        self._model = model
        self._as_json = as_json
        self._story = None if as_json else Story()
        self._redaction = Redaction()
        self._language: Language = "en"

    def run(self, start: Start) -> int:
        """Follow the run that `start` begins to its end; returns the exit code."""
        return asyncio.run(self._follow(start))

    async def ask(self, question: Question) -> str | None:
        """The answer of the person at the terminal, or `None` where there is nobody."""
        if self._story is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        self._story.pause()
        print("> ", end="", file=sys.stderr, flush=True)
        return (await _line_from_terminal()).strip() or None

    async def _follow(self, start: Start) -> int:
        run: RunId | None = None
        chosen = choose_gateway(self._gateway, Settings())
        announce(chosen, tells_of_embedded=False)
        async with IntelligentNetwork(chosen.address, model=self._model) as network:
            try:
                async with aclosing(start(network)) as events:
                    async for event in events:
                        if run is None:
                            run = event.run_id
                            _on_interrupt(network, run, self._end_at_once)
                            self._recall(network.events(run)[: event.seq])
                            self._say_if_over(event)
                        self._show(event)
            finally:
                if self._story is not None:
                    self._story.close()
            assert run is not None, "a run has at least one event"
            result = network.result(run)
            if not self._as_json:
                print_result(result, self._language)
            return result_exit_code(result)

    def _end_at_once(self, *_: object) -> None:
        """End as by SIGKILL, which a run outlives: it can be resumed, and its processes end by themselves."""
        if self._story is not None:
            self._story.close()
        os._exit(CANCELLED)

    def _say_if_over(self, first: RunEvent) -> None:
        if isinstance(first, RunFinished) and not self._as_json:
            told = say(self._language, "had finished already; its result:", "已经完成，结果如下：")
            print(f"{first.run_id} {told}", file=sys.stderr)

    def _recall(self, earlier: Sequence[RunEvent]) -> None:
        """Know what happened in a resumed run, without telling it again."""
        for event in earlier:
            self._learn_language(event)
        self._redaction.recall(earlier)
        if self._story is not None:
            self._story.recall(earlier)

    def _learn_language(self, event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            self._language = event.intent.language
        elif isinstance(event, IntentParsed):
            self._language = event.parsed.language

    def _show(self, event: RunEvent) -> None:
        self._learn_language(event)
        if self._story is None:
            for told in self._redaction.take(event):
                write_json(RUN_EVENT.dump_json(told))
        else:
            self._story.show(event)


def _on_interrupt(network: IntelligentNetwork, run: RunId, end_at_once: Callable[..., None]) -> None:
    """Cancel the run at the first Ctrl-C or SIGTERM, and end the process at the second."""
    loop = asyncio.get_running_loop()
    cancelling: list[asyncio.Task[None]] = []  # the loop itself holds tasks weakly

    def interrupted() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            # Not the loop's: the loop may be what somebody has lost patience with.
            signal.signal(number, end_at_once)
        cancelling.append(asyncio.create_task(network.cancel(run)))

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, interrupted)


async def _line_from_terminal() -> str:
    """A line typed by the user, without a thread that Ctrl-C could not end."""
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline()


def named_values(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`["data=sales.csv"]` as a mapping; raises UsageError for anything that is not NAME=VALUE."""
    named: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (equals and name.strip() and value):
            raise UsageError(
                f"{option} {pair!r} is not of the form NAME=VALUE",
                hint=f"For example: {option} data=sales.csv",
            )
        if name.strip() in named:
            raise UsageError(f"{option} {name.strip()} was given twice", hint="Give each name once.")
        named[name.strip()] = value
    return named
