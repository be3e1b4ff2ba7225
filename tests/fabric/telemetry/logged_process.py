"""A gateway, a node or a client that logs all it can: `logged_process.py ROLE ARGUMENT...`."""

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path

from easynet.core.errors import AccessDenied, EasyNetError, GatewayError, RemoteFailure
from easynet.fabric.access.grants import Limits
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.telemetry import logs
from tests.patience import PATIENCE_S

ARGUMENT, RESULT, WORDS = "argument-4711", "result-4712", "words-of-an-error-4713"


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def gateway(folder: str) -> None:
    async with Gateway(Path(folder), lasting=True, tls=True) as gateway:
        say(gateway.url)
        await asyncio.to_thread(sys.stdin.read)


async def node(token: str, folder: str) -> None:
    member = await join(token, Path(folder))
    with suppress(EasyNetError):  # it has been used
        await join(token, Path(folder) / "again")
    node = ComputeNode(member.gateways[0], name="gpu", data_dir=Path(folder))

    @node.register
    def keep(value: str) -> str:
        assert value == ARGUMENT
        return RESULT

    @node.register
    def fail(value: str) -> None:
        raise ValueError(f"{WORDS} {value}")

    async with node:
        say("serving")
        await asyncio.to_thread(sys.stdin.read)


async def client(token: str, folder: str) -> None:
    member = await join(token, Path(folder))
    async with AsyncClient(member.gateways[0], data_dir=Path(folder)) as client:
        await use(client)
        part = (await client.grant()).narrow(Limits(functions=("keep",), max_spend=100)).token()
        job = await client.submit("keep", ARGUMENT)
        assert await job.result(PATIENCE_S) == RESULT
        failed = await client.submit("fail", ARGUMENT)
        with suppress(RemoteFailure):
            await failed.result(PATIENCE_S)
        holder = await join(part, Path(folder) / "holder")
        async with AsyncClient(holder.gateways[0], data_dir=Path(folder) / "holder") as other:
            assert await other.execute("keep", ARGUMENT) == RESULT
            with suppress(EasyNetError):
                await other.execute("gpu.fail", ARGUMENT)
        say(part)
        with suppress(AccessDenied, GatewayError):
            while True:
                await client.execute("keep", ARGUMENT)
                await asyncio.sleep(0.02)
        say("shut out")


async def use(client: AsyncClient) -> None:
    assert await client.execute("keep", ARGUMENT) == RESULT
    with suppress(RemoteFailure):
        await client.execute("fail", ARGUMENT)
    with suppress(EasyNetError):
        await client.execute("keep", ARGUMENT, ARGUMENT)
    await client.receipt()


if __name__ == "__main__":
    logs.configure("debug", json=True)
    for name in ("asyncio", "nats"):
        logging.getLogger(name).setLevel("DEBUG")
    match sys.argv[1:]:
        case ["gateway", folder]:
            asyncio.run(gateway(folder))
        case ["node", token, folder]:
            asyncio.run(node(token, folder))
        case ["client", token, folder]:
            asyncio.run(client(token, folder))
        case _:
            raise SystemExit(f"not understood: {sys.argv[1:2]}")
