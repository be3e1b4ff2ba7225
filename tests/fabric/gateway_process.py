"""A gateway in a process of its own, which can be killed: `python -m tests.fabric.gateway_process JSON`."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

from easynet.core.clock import SystemClock
from easynet.core.errors import GatewayError
from easynet.fabric.address import Address
from easynet.fabric.client import AsyncClient
from easynet.fabric.cluster import QUEUE, Cluster
from easynet.fabric.connection import Message
from easynet.fabric.gateway import Gateway
from easynet.fabric.job_peers import JobPeers
from easynet.fabric.jobs import JobService
from easynet.fabric.questions import answer
from tests.fabric.job_fakes import QUICK
from tests.fabric.test_jobs_network import NetworkCaller


async def serve(data: str, listen: str, cluster: str, peers: list[str]) -> None:
    at = Address.parse(listen)
    place = Cluster(Address.parse(cluster), tuple(map(Address.parse, peers)))
    async with Gateway(Path(data), at.host, at.port, lasting=True, cluster=place) as gateway:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        jobs = asyncio.create_task(serve_jobs(gateway, Path(data), place.replicas))
        ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait({jobs, ended}, return_when=asyncio.FIRST_COMPLETED)
        if jobs.done():
            jobs.result()
        jobs.cancel()


async def serve_jobs(gateway: Gateway, data: Path, replicas: int) -> None:
    control, peers = gateway._control, gateway._peers
    assert peers is not None
    async with AsyncClient(gateway.url, data_dir=data) as client:
        service = JobService(
            control._nats,
            NetworkCaller(client),
            lambda *_: True,
            SystemClock(),
            rules=QUICK,
            others=JobPeers(peers, replicas),
        )
        while True:
            with contextlib.suppress(GatewayError):  # until more than half of the gateways are there
                await service.start()
                break
            await asyncio.sleep(0.1)

        tasks: set[asyncio.Task[None]] = set()

        async def receive(message: Message) -> None:
            task = asyncio.create_task(answer(control, message, service.answer_to))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        await control.subscribe("job.*.*", receive, queue=QUEUE)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(**json.loads(sys.argv[1])))
