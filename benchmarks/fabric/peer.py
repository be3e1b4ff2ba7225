"""One engine's client as a process that times calls; run by its path, with the Python that has that engine.

`peer.py easynet GATEWAY DATA_DIR`, `peer.py ray` or `peer.py easyremote`, which needs `easyremote-server` and
`easyremote-node` to run as well. Told `one CALLS`, it gives the median seconds of calls one at a time; told
`many CALLS IN_FLIGHT`, calls per second. The function is no coroutine and gives its argument back.
"""

import asyncio
import importlib
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any, TextIO

EASYREMOTE_PORT = 8766
IP = "127.0.0.1"


@dataclass(frozen=True)
class Engine:
    """How calls are made with one engine."""

    one: Callable[[int], Any]
    """Make a call and wait for the reply."""
    many: Callable[[list[int], int], list[Any]]
    """Make calls with so many in flight, and give the replies in order."""


def echo(value: int) -> int:
    """Give the value back."""
    return value


@contextmanager
def easynet(gateway: str, data_dir: str) -> Generator[Engine]:
    """One call by `Client`, many by `AsyncClient`, through a gateway and a node that run already."""
    library = importlib.import_module("easynet")
    loop = asyncio.new_event_loop()
    client = library.AsyncClient(gateway, data_dir=Path(data_dir))

    async def all_of(numbers: list[int], in_flight: int) -> list[Any]:
        replies: dict[int, Any] = {}
        left = iter(numbers)

        async def take() -> None:
            for number in left:
                replies[number] = await client.execute("n.threaded", number)

        await asyncio.gather(*(take() for _ in range(in_flight)))
        return [replies[number] for number in numbers]

    loop.run_until_complete(client.connect())
    with library.Client(gateway, data_dir=Path(data_dir)) as blocking:
        yield Engine(
            lambda number: blocking.execute("n.threaded", number),
            lambda numbers, in_flight: loop.run_until_complete(all_of(numbers, in_flight)),
        )
    loop.run_until_complete(client.close())
    loop.close()


@contextmanager
def ray() -> Generator[Engine]:
    """An actor in a process of its own; many calls by waiting for the oldest before the next is made."""
    library = importlib.import_module("ray")
    library.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address=IP)

    class Echo:
        def echo(self, value: int) -> int:
            return value

    actor = library.remote(Echo).remote()

    def all_of(numbers: list[int], in_flight: int) -> list[Any]:
        waiting: list[Any] = []
        replies: list[Any] = []
        for number in numbers:
            if len(waiting) == in_flight:
                replies.append(library.get(waiting.pop(0)))
            waiting.append(actor.echo.remote(number))
        return [*replies, *library.get(waiting)]

    yield Engine(lambda number: library.get(actor.echo.remote(number)), all_of)
    library.shutdown()


@contextmanager
def easyremote() -> Generator[Engine]:
    """Its only client blocks: many calls by as many threads."""
    library = importlib.import_module("easyremote")
    client = library.Client(f"{IP}:{EASYREMOTE_PORT}", log_level="error")

    def all_of(numbers: list[int], in_flight: int) -> list[Any]:
        with ThreadPoolExecutor(in_flight) as threads:
            return list(threads.map(lambda number: client.execute("echo", number), numbers))

    yield Engine(lambda number: client.execute("echo", number), all_of)


def easyremote_server(answers: TextIO) -> None:
    """Serve until there is nobody to serve for."""
    library = importlib.import_module("easyremote")
    library.Server(port=EASYREMOTE_PORT, log_level="error").start_background()
    _stay(answers)


def easyremote_node(answers: TextIO) -> None:
    """Offer the function until there is nobody to offer it for."""
    library = importlib.import_module("easyremote")
    node = library.ComputeNode(f"{IP}:{EASYREMOTE_PORT}", node_id="n")
    node.register(echo, name="echo", max_concurrent=64)
    node.serve(blocking=False)
    _stay(answers)


def serve(engine: Engine, answers: TextIO) -> None:
    """Time calls as told, each with a number of its own."""
    numbers = count(1_000_000_000)
    _until_it_works(engine, numbers)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        what, *amounts = line.split()
        if what == "one":
            answer = _seconds_of_one(engine, list(islice(numbers, int(amounts[0]))))
        else:
            calls, in_flight = map(int, amounts)
            answer = _rate(engine, list(islice(numbers, calls)), in_flight)
        print(answer, file=answers, flush=True)


def _seconds_of_one(engine: Engine, numbers: list[int]) -> float:
    times: list[float] = []
    for number in numbers:
        began = time.perf_counter()
        got = engine.one(number)
        times.append(time.perf_counter() - began)
        if got != number:
            raise RuntimeError(f"{got} came back for {number}")
    return median(times)


def _rate(engine: Engine, numbers: list[int], in_flight: int) -> float:
    began = time.perf_counter()
    got = engine.many(numbers, in_flight)
    took = time.perf_counter() - began
    if got != numbers:
        raise RuntimeError("other replies came back than had to")
    return len(numbers) / took


def _until_it_works(engine: Engine, numbers: Iterator[int]) -> None:
    """Wait for what was just started to answer."""
    deadline = time.monotonic() + 30
    while True:
        try:
            engine.one(next(numbers))
            return
        # Each engine has errors of its own for a node that is not there yet.
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _stay(answers: TextIO) -> None:
    print("ready", file=answers, flush=True)
    sys.stdin.read()


def main() -> None:
    """Keep the way to answer free of what the engines print."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    what, *arguments = sys.argv[1:]
    if what in ("easyremote-server", "easyremote-node"):
        {"easyremote-server": easyremote_server, "easyremote-node": easyremote_node}[what](answers)
        os._exit(0)  # its threads would go on
    engines: dict[str, Callable[..., Any]] = {"easynet": easynet, "ray": ray, "easyremote": easyremote}
    with engines[what](*arguments) as engine:
        serve(engine, answers)


if __name__ == "__main__":
    main()
