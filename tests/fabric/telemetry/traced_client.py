"""A client for tests of traces: `traced_client.py GATEWAY FILE`; prints the trace of each thing it does."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from opentelemetry import trace

from easynet.core.errors import RemoteFailure, UnknownFunction
from easynet.core.ids import CapabilityName
from easynet.fabric.client import AsyncClient
from easynet.fabric.telemetry.tracing import tracer
from tests.patience import PATIENCE_S

SECRET = "secret-4711"


async def fail(client: AsyncClient) -> None:
    with suppress(RemoteFailure):
        await client.execute("one.fail", SECRET)


async def miss(client: AsyncClient) -> None:
    with suppress(UnknownFunction):
        await client.execute("nothing")


def marked(file: Path) -> int:
    """The process that has begun a call, or 0."""
    return int(file.read_text() or 0) if file.exists() else 0


async def move(client: AsyncClient, marks: Path) -> None:
    """End the node that has a call, which goes on at the other one."""
    call = asyncio.create_task(client.execute("wait", str(marks)))
    async with asyncio.timeout(100):
        while not (pid := marked(marks)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGTERM)  # drains
    while not call.done():
        await asyncio.sleep(0.1)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)  # ends
    await call


async def collect(client: AsyncClient) -> None:
    assert [item async for item in client.stream("numbers", 3)] == [0, 1, 2]


async def work(client: AsyncClient) -> None:
    job = await client.submit("one.train", SECRET)
    assert await job.result(PATIENCE_S) == SECRET


async def main(url: str, marks: Path) -> None:
    own = tracer()
    assert own is not None
    stories: dict[str, Callable[[AsyncClient], Awaitable[object]]] = {
        "call": lambda c: c.execute("add", 2, 3),
        "again": lambda c: c.execute("one.add", 2, 3),
        "error": fail,
        "unknown": miss,
        "stream": collect,
        "find": lambda c: c.find(CapabilityName("add")),
        "job": work,
        "failover": lambda c: move(c, marks),
    }
    traces: dict[str, str] = {}
    async with AsyncClient(url) as client:
        async with asyncio.timeout(100):
            while len(await client.nodes()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        for name, story in stories.items():
            with own.span(name):
                context = trace.get_current_span().get_span_context()
                traces[name] = f"{context.trace_id:032x}"
                await story(client)
    sys.stdout.write(json.dumps(traces))


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
