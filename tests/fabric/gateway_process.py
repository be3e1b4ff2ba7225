"""A gateway in a process of its own, which can be killed: `python -m tests.fabric.gateway_process JSON`."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from easynet.fabric.gateway.cluster import Cluster
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.wire.address import Address


@dataclass(frozen=True)
class ClusterBehind(Cluster):
    """A gateway's place in a cluster where the others find it through a proxy of the test's."""

    proxy: str = ""

    def reached_by(self, advertise: str) -> Address:
        return Address.parse(self.proxy)


async def serve(
    data: str,
    listen: str,
    cluster: str = "",
    peers: tuple[str, ...] = (),
    proxy: str = "",
    advertise: str = "",
) -> None:
    at = Address.parse(listen)
    place = Cluster(Address.parse(cluster), tuple(map(Address.parse, peers))) if cluster else None
    if place is not None and proxy:
        place = ClusterBehind(place.listen, place.peers, proxy)
    async with Gateway(Path(data), at.host, at.port, lasting=True, cluster=place, advertise=advertise):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(**json.loads(sys.argv[1])))
