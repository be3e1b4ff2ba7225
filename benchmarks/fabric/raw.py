"""The floor: the same work by hand with nats-py. Its worker runs as `python -m benchmarks.fabric.raw URL`.

A plain server with one account, no passwords and, like a gateway on loopback, no TLS. The worker has one
subscription and starts a task for each message, as it must where functions may wait; the task reads the value
with msgpack, writes it with msgpack and publishes it to the reply subject. The caller uses `request`. Both
leave out the checking of subjects, as EasyNet does.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgpack
from nats.aio.client import Client
from nats.aio.msg import Msg

from benchmarks.fabric.program import orders
from easynet.fabric.gateway.nats_server import START_TIMEOUT_S, nats_server_binary

CHUNK_BYTES = 128 * 1024
CREDITS = 16
"""Chunks on their way at once."""
TIMEOUT_S = 30.0
pack = cast("Callable[[Any], bytes]", msgpack.packb)
_FLIPPED = bytes(range(255, -1, -1))


def flipped(data: bytes) -> bytes:
    """The same bytes, each turned into its counterpart."""
    return data.translate(_FLIPPED)


@asynccontextmanager
async def plain_server() -> AsyncGenerator[str]:
    """A NATS server with nothing configured, and its address."""
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(nats_server_binary(), "--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir", folder),
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield await asyncio.to_thread(_address_in, Path(folder))
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def connected(url: str) -> Client:
    """A connection to a plain server."""
    client = Client()
    await client.connect(url, skip_subject_validation=True, pending_size=16 * 1024 * 1024)
    return client


async def echo_in_chunks(client: Client, data: bytes) -> bytes:
    """The flipped bytes, sent and received in chunks, some of them on their way at once."""
    back = bytearray(len(data))
    offsets = iter(range(0, len(data), CHUNK_BYTES))

    async def take() -> None:
        for offset in offsets:
            reply = await client.request("flip", data[offset : offset + CHUNK_BYTES], timeout=TIMEOUT_S)
            back[offset : offset + CHUNK_BYTES] = reply.data

    async with asyncio.TaskGroup() as group:
        for _ in range(CREDITS):
            group.create_task(take())
    return bytes(back)


def _address_in(folder: Path) -> str:
    """The address in the file that the server writes once it listens."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        for found in folder.glob("*.ports"):
            with contextlib.suppress(ValueError):  # it is still being written
                return str(json.loads(found.read_text())["nats"][0])
        time.sleep(0.005)
    raise RuntimeError("the plain NATS server did not start")


async def _work(url: str) -> None:
    client = await connected(url)
    tasks: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def echo(message: Msg) -> None:
        await message.respond(pack(msgpack.unpackb(message.data)))

    async def flip(message: Msg) -> None:
        await message.respond(flipped(message.data))

    async def take_echo(message: Msg) -> None:
        start(echo(message))

    async def take_flip(message: Msg) -> None:
        start(flip(message))

    await client.subscribe("echo", cb=take_echo)
    await client.subscribe("flip", cb=take_flip)
    await client.flush()
    async for _ in orders("ready"):
        pass
    await client.close()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
