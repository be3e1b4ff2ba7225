"""One call of one function in the foreground."""

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from easynet.agents.wording import printable
from easynet.cli.call_arguments import CallArguments
from easynet.cli.look import client_of, network_meant
from easynet.cli.render_call import for_people, short_traceback, to_json
from easynet.cli.streams import write, write_json
from easynet.core.artifact import Artifact
from easynet.core.capability import Capability
from easynet.core.errors import (
    ArgumentMismatch,
    CallTimeout,
    DataDirectoryUnusable,
    NodeRefused,
    NodeUnreachable,
    Overloaded,
    RemoteFailure,
    UnknownFunction,
    UsageError,
    nearest,
)
from easynet.core.offer import Node
from easynet.core.quantities import format_duration
from easynet.fabric.client import AsyncClient
from easynet.fabric.jobs.job_client import JobOptions


@dataclass(frozen=True)
class FunctionCall:
    """What is to be called, and what becomes of the result."""

    function: str
    """`function` or `node.function`."""
    arguments: CallArguments
    timeout_s: float | None
    as_json: bool
    folder: Path
    """Where files that come back are saved."""
    receipt: Path | None = None
    """Where the node's signed statement of the call is added."""
    is_detached: bool = False
    """Whether the gateway sees to the rest, and nobody waits for it here."""


def run(call: FunctionCall, gateway: str | None) -> int:
    """Make the call and print what comes of it; returns the exit code."""
    # Imported here: the errors' exit codes are wanted once only.
    from easynet.cli.exits import SUCCEEDED, explain

    try:
        asyncio.run(_run(call, gateway))
    except RemoteFailure as error:
        code = explain(error)
        for line in short_traceback(error.remote_traceback):
            print(line, file=sys.stderr)
        return code
    return SUCCEEDED


async def _run(call: FunctionCall, gateway: str | None) -> None:
    if call.is_detached and call.receipt is not None:
        raise UsageError("a receipt comes when the work is done", hint="Leave out --receipt or --detach.")
    async with client_of(network_meant(gateway)) as client:
        if call.is_detached:
            await _hand_in(call, client, gateway)
            return
        try:
            async with asyncio.timeout(call.timeout_s):
                await _call(call, client)
        except TimeoutError as error:
            if call.timeout_s is None:
                raise
            raise CallTimeout(
                f"{call.function} did not finish within {format_duration(call.timeout_s)}"
            ) from error


async def _call(call: FunctionCall, client: AsyncClient) -> None:
    """Make the call, and keep its receipt where that is wanted, also where the function failed."""
    with added_to(call.receipt) as file:
        try:
            await _show_results(call, client)
        except RemoteFailure:
            await _keep_receipt(client, file)
            raise
        except Overloaded as error:
            raise Overloaded(
                f"{call.function} has to wait: {error.message}",
                retry_after_s=error.retry_after_s,
                hint=f"{error.hint} Or add --detach, and the gateway waits for a place.",
            ) from error
        await _keep_receipt(client, file)


async def _keep_receipt(client: AsyncClient, file: TextIO | None) -> None:
    if file is None:
        return
    receipt = await client.receipt()
    file.write(f"{receipt.to_json()}\n")
    said = f"Signed by {receipt.facts.offer.node}. To check it: easynet receipts verify {file.name}"
    print(printable(said), file=sys.stderr, flush=True)


async def _hand_in(call: FunctionCall, client: AsyncClient, gateway: str | None) -> None:
    """Leave the work to the gateway, and tell how to come back to it."""
    _, args, kwargs = await _meant(call, client)
    job = await client.submit_with(JobOptions(timeout_s=call.timeout_s), call.function, *args, **kwargs)
    where = f" --gateway {gateway}" if gateway else ""
    print(f"To follow it: easynet jobs follow {job.id}{where}", file=sys.stderr, flush=True)
    write(job.id)


async def _meant(call: FunctionCall, client: AsyncClient) -> tuple[Capability, list[Any], dict[str, Any]]:
    """The function with the arguments as it takes them; raises ArgumentMismatch, too."""
    nodes = await client.nodes()
    capability = wanted(call.function, nodes)
    if not call.is_detached:
        check_somebody_stays(call.function, nodes)
    args, kwargs = call.arguments.values_for(capability)
    if problem := capability.mismatch(tuple(args), kwargs):
        raise ArgumentMismatch(problem, hint=f"See: easynet functions {capability.name}")
    return capability, args, kwargs


async def _show_results(call: FunctionCall, client: AsyncClient) -> None:
    capability, args, kwargs = await _meant(call, client)
    if not capability.streaming:
        await _show(call, await client.execute(call.function, *args, **kwargs), client, is_item=False)
        return
    async with aclosing(client.stream(call.function, *args, **kwargs)) as items:
        async for item in items:
            await _show(call, item, client, is_item=True)


def wanted(function: str, nodes: list[Node]) -> Capability:
    """What `function` or `node.function` means here; raises UnknownFunction or NodeUnreachable."""
    node_name, dot, name = function.rpartition(".")
    there = [node for node in nodes if not dot or node.name == node_name]
    if dot and not there:
        raise NodeUnreachable(
            f"no node named {node_name!r} is on this network",
            hint=nearest(node_name, [str(n.name) for n in nodes]) or "easynet nodes lists those that are.",
        )
    offered = {str(c.name): c for node in there for c in node.capabilities}
    if name not in offered:
        who = node_name if dot else "no node"
        raise UnknownFunction(
            f"{who} offers {'no' if dot else 'a'} function named {name!r}",
            hint=nearest(name, [*offered]) or "easynet functions lists what is offered.",
        )
    return offered[name]


def check_somebody_stays(function: str, nodes: list[Node]) -> None:
    """Raise NodeRefused where all nodes that `function` or `node.function` means are about to leave."""
    node_name, dot, name = function.rpartition(".")
    there = [
        node
        for node in nodes
        if (not dot or node.name == node_name) and any(c.name == name for c in node.capabilities)
    ]
    if there and all(node.draining for node in there):
        names = printable(", ".join(node.name for node in there))
        raise NodeRefused(
            f"{names} is leaving: it finishes what it has, and takes nothing new",
            hint="Call again when it is back; or add --detach, and the gateway waits for it.",
        )


async def _show(call: FunctionCall, value: Any, client: AsyncClient, *, is_item: bool) -> None:
    """Print a result or an item, with the files in it saved."""
    saved: dict[Artifact, str] = {}
    for artifact in _artifacts(value):
        if artifact not in saved:
            path = new_file(call.folder, artifact.filename)
            await client.download(artifact, path)
            saved[artifact] = path.name
            print(f"Saved {printable(path.name)}", file=sys.stderr, flush=True)
    if call.as_json or not sys.stdout.isatty():
        write_json(to_json(value, saved).encode())
    else:
        write(for_people(value, saved, is_item=is_item))


def _artifacts(value: Any) -> list[Artifact]:
    match value:
        case Artifact():
            return [value]
        case dict():
            return [a for item in value.values() for a in _artifacts(item)]
        case list():
            return [a for item in value for a in _artifacts(item)]
        case _:
            return []


@contextmanager
def added_to(path: Path | None) -> Generator[TextIO | None]:
    """A file to add lines to, opened before anything is called; raises DataDirectoryUnusable."""
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise DataDirectoryUnusable(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        yield file


def new_file(folder: Path, name: str) -> Path:
    """A file that was not there before, under that name or one beside it.

    Without the leading dots that would hide it or make it a program's settings: a stranger chose the name.
    """
    harmless = Path(name.lstrip(".-") or "file")
    for number in range(10_000):
        path = folder / (f"{harmless.stem}-{number}{harmless.suffix}" if number else harmless.name)
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            continue
        except OSError as error:
            raise DataDirectoryUnusable(f"cannot write {path}: {error.strerror or error}") from error
        return path
    raise DataDirectoryUnusable(f"{folder} has ten thousand files named like {harmless} already")
