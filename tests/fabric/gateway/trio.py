"""Three gateways of one network, on addresses that stand in for three machines."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from easynet.core.errors import BadData
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.network_file import export_network, import_network
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire.address import Address

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Trio:
    """Three gateways, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.proxies: list[str] = []
        """Where the gateways find each other, where that is not directly."""
        self._listens: dict[int, str] = {}
        self.data = [folder / name for name in ("one", "two", "three")]
        self.urls = [f"{host}:{free_port(host)}" for host in HOSTS]
        self.routes = [f"{host}:{free_port(host)}" for host in HOSTS]
        self.processes: list[subprocess.Popen[str] | None] = [None, None, None]
        Authority.kept_in(self.data[0] / "gateway")
        export_network(self.data[0] / "gateway", folder / "network.json")
        for data in self.data[1:]:
            import_network(folder / "network.json", data / "gateway")

    def start_all(self) -> None:
        for i in range(3):
            self.begin(i)
        for i in range(3):
            self.await_ready(i)

    def port(self, i: int) -> int:
        """Where a gateway listens."""
        return Address.parse(self.urls[i]).port

    def listen_everywhere(self, i: int) -> None:
        """Have a gateway listen on all addresses, and say by which of them others find it."""
        self._listens[i] = f"0.0.0.0:{self.port(i)}"

    def end_all(self) -> None:
        for i in range(3):
            self.end(i)

    def begin(self, i: int) -> None:
        peers = [route for j, route in enumerate(self.proxies or self.routes) if j != i]
        options = {
            "data": str(self.data[i]),
            "listen": self._listens.get(i, self.urls[i]),
            "advertise": Address.parse(self.urls[i]).host if i in self._listens else "",
            "cluster": f"0.0.0.0:{Address.parse(self.routes[i]).port}"
            if i in self._listens
            else self.routes[i],
            "peers": peers,
            "proxy": self.proxies[i] if self.proxies else "",
        }
        self.processes[i] = subprocess.Popen(
            [sys.executable, "-m", "tests.fabric.gateway_process", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def await_ready(self, i: int) -> None:
        process = self.processes[i]
        assert process is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def start(self, i: int) -> None:
        self.begin(i)
        self.await_ready(i)

    def end(self, i: int, number: signal.Signals = signal.SIGKILL) -> None:
        process, self.processes[i] = self.processes[i], None
        if process is not None:
            os.kill(process.pid, number)
            process.communicate()

    def processes_of(self, i: int) -> list[psutil.Process]:
        """All processes of one gateway."""
        process = self.processes[i]
        assert process is not None
        own = psutil.Process(process.pid)
        return [own, *own.children(recursive=True)]

    async def gateway_of(self, job: str) -> int:
        """The gateway that carries a job out."""
        authority, key = Authority.kept_in(self.data[0] / "gateway"), Identity.generate()
        ca = (self.data[0] / "gateway" / "tls" / "ca.pem").read_text()
        way_in = Membership(
            kind="owner", name="gateway", jwt=authority.control_jwt(key.public), seed=key.seed, ca=ca
        )
        connection = Connection(Address.parse(self.urls[0]), lambda: way_in, name="test")
        await connection.open()
        try:
            ids = [(data / "gateway" / "id").read_text() for data in self.data]
            for i, id_ in enumerate(ids):
                with contextlib.suppress(BadData):  # it has just been started
                    if await ask(connection, f"peer.{id_}.has-job", job):
                        return i
            raise AssertionError("no gateway has the job")
        finally:
            await connection.close()

    def owner(self, i: int) -> Owner:
        return Owner(self.urls[i], data_dir=self.data[i])

    def client(self, i: int) -> AsyncClient:
        return AsyncClient(self.urls[i], data_dir=self.data[i])

    def node(self, i: int, name: str) -> ComputeNode:
        return ComputeNode(self.urls[i], name=name, data_dir=self.data[i])
