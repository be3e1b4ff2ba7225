"""`easynet node`: offer functions of one's own to a network."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from easynet.cli.options import OwnGateway
from easynet.cli.streams import write

if TYPE_CHECKING:
    from easynet.fabric.gateway.owner import Owner
    from easynet.fabric.node import ComputeNode

_SHORT_S: Final = 0.3
"""What takes longer is told while it goes on."""

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


class Isolation(StrEnum):
    """Where functions run."""

    thread = "thread"
    process = "process"


@app.callback()
def node() -> None:
    """Offer functions of your own to a network."""


@app.command()
def serve(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.py",
            help="Offers the functions marked with @easynet.contribute, or all public ones. "
            "Without a file: the specialists that ship with EasyNet.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Default: the one under which this device joined, or the host's."),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Calls that run at once. Default: 4, or one a processor."),
    ] = None,
    isolation: Annotated[
        Isolation, typer.Option(help="Where functions run: in the node, or in processes of their own.")
    ] = Isolation.thread,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What such a process may take: 2GB. Linux only.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long a call may run in one: 60s, 2h.")
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Default: the network of your own, or the one joined last."),
    ] = None,
) -> None:
    """Offer the functions of a file, until Ctrl-C.

    Calls that run are finished first; a second Ctrl-C ends them.
    """
    # Imported here: they take longest to load.
    from easynet.cli.node_place import place_for_node
    from easynet.cli.render_node import node_started
    from easynet.cli.served_file import functions_in
    from easynet.fabric.functions.function import function_of
    from easynet.fabric.node import ComputeNode
    from easynet.settings import Settings

    settings = Settings()
    functions = functions_in(file) if file is not None else _specialists()
    place = place_for_node(gateway, name, settings)
    served = ComputeNode(
        place.gateway,
        place.name,
        concurrency=concurrency,
        isolation=isolation.value,
        memory=memory,
        time_limit=time_limit,
        data_dir=settings.usable_data_dir(),
    )
    for known_as, function in functions.items():
        served.register(function, name=known_as)
    offered = [function_of(function, known_as, {}).capability for known_as, function in functions.items()]
    asyncio.run(_serve(served, lambda: write(node_started(served.name, offered, place.gateway))))


@app.command()
def drain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `easynet nodes` lists it.")],
    gateway: OwnGateway = None,
) -> None:
    """Let a node finish what it runs, take nothing new, and leave; wait until it has."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.own_gateway import as_owner

    asyncio.run(as_owner(gateway, lambda owner: _drain(owner, name)))
    write(f"The node {name} has left.")


def _specialists() -> dict[str, Callable[..., Any]]:
    # Imported here: only a node without a file needs them.
    from easynet.core.contribution import contributed
    from easynet.specialists import NODES, functions

    found = [function for group in NODES for function in functions(group)]
    return {mark.name: function for function in found if (mark := contributed(function)) is not None}


async def _serve(node: "ComputeNode", tell: Callable[[], None]) -> None:
    """Serve until Ctrl-C, SIGTERM or the gateway's owner ends it; `tell` says where and what."""
    interrupts: asyncio.Queue[None] = asyncio.Queue()
    async with node:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, interrupts.put_nowait, None)
        tell()
        if await _comes_first(interrupts.get(), node.wait()):
            leaving = asyncio.create_task(node.drain())
            done, _ = await asyncio.wait([leaving], timeout=_SHORT_S)
            if not done:
                print("Finishing what runs. Ctrl-C again ends it at once.", file=sys.stderr, flush=True)
                await _comes_first(interrupts.get(), node.wait())
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
    print(f"{node.name} has left.", file=sys.stderr, flush=True)


async def _comes_first(event: Coroutine[Any, Any, None], other: Coroutine[Any, Any, None]) -> bool:
    """Whether `event` happens before `other`; raises what ends the other."""
    tasks = [asyncio.create_task(event), asyncio.create_task(other)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if not tasks[1].cancelled():
        tasks[1].result()
    return tasks[1].cancelled()


async def _drain(owner: "Owner", name: str) -> None:
    """Ask a node to leave, and tell how it goes until it has."""
    await owner.drain(name)
    told = -1
    while node := next((n for n in (await owner.status()).nodes if n.name == name), None):
        left = node.running + node.waiting
        if left and left != told:
            print(f"{name} finishes {left} call{'s' * (left != 1)}.", file=sys.stderr, flush=True)
        told = left
        await asyncio.sleep(_SHORT_S)
