"""The gateway: the NATS server, the index of who is on the network, and the store of large values."""

import asyncio
import contextlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from easynet.core.clock import Clock, SystemClock
from easynet.core.errors import BadData
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node, Trust
from easynet.fabric import credentials
from easynet.fabric.artifacts import ArtifactStore
from easynet.fabric.connection import Connection, Message
from easynet.fabric.credentials import Credentials
from easynet.fabric.names import connection_name_of, is_name
from easynet.fabric.nats_server import NatsServer
from easynet.fabric.questions import answer
from easynet.fabric.registry import HEARTBEAT_S, Registry
from easynet.fabric.transfer import TransferService
from easynet.settings import Settings

_DISCONNECT: Final = "$SYS.ACCOUNT.NODES.DISCONNECT"


class Gateway:
    """A network's way in, on this machine. One process owns it and takes it along when it ends.

    Nodes that enter have the owner's password, so they are the owner's own.
    """

    def __init__(
        self,
        data_dir: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._server = NatsServer(host, port, binary=Settings().nats_server)
        self._clock = clock or SystemClock()
        self._registry = Registry()
        self._connection: Connection | None = None
        self._transfers: TransferService | None = None
        self._published: Path | None = None
        self._expiry: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The address that nodes and clients are given; holds no secret."""
        return str(self._server.address)

    async def start(self) -> None:
        """Serve until `stop`; raises ServerNotStarted or DataDirectoryUnusable."""
        credentials.sweep(self._data_dir)
        await self._server.start()
        try:
            await self._serve()
        except BaseException:
            await self.stop()
            raise

    async def _serve(self) -> None:
        server = self._server
        connection = Connection(server.address, lambda: server.control, name="gateway")
        await connection.open()
        self._connection = connection
        store = ArtifactStore(self._data_dir / "artifacts")
        self._transfers = TransferService(connection, store)
        await self._transfers.start()
        await connection.subscribe("node.*.*", self._answer)
        await connection.subscribe("reg.*", self._answer)
        await connection.subscribe(_DISCONNECT, self._disconnected)
        await connection.flush()
        self._expiry = asyncio.create_task(self._expire())
        entry = Credentials(connection.server_id, os.getpid(), server.node, server.client)
        self._published = credentials.publish(entry, server.port, self._data_dir)

    async def stop(self) -> None:
        """End the server and remove its credentials. Does nothing where it does not run."""
        if self._published is not None:
            with contextlib.suppress(OSError):
                self._published.unlink()
            self._published = None
        if self._expiry is not None:
            self._expiry.cancel()
            await asyncio.gather(self._expiry, return_exceptions=True)
            self._expiry = None
        if self._transfers is not None:
            await self._transfers.stop()
            self._transfers = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
        await self._server.stop()

    async def __aenter__(self) -> "Gateway":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _answer(self, message: Message) -> None:
        assert self._connection is not None
        await answer(self._connection, message, self._answer_to)

    async def _answer_to(self, subject: str, content: Any) -> Any:
        match subject.split("."):
            case ["node", "claim", name] if is_name(name):
                return self._registry.claim(NodeId(name), str(content), self._clock.now())
            case ["node", "join", name]:
                return await self._join(NodeId(name), content)
            case ["node", "beat", name]:
                instance, running = content
                return self._registry.heartbeat(NodeId(name), str(instance), int(running), self._clock.now())
            case ["node", "leave", name]:
                return await self._leave(NodeId(name), str(content))
            case ["reg", "find"]:
                offers = self._registry.find(CapabilityName(str(content)))
                return [[offer.model_dump(mode="json"), running] for offer, running in offers]
            case ["reg", "functions"]:
                found = self._registry.functions().values()
                return [[capability.model_dump(mode="json"), nodes] for capability, nodes in found]
            case ["reg", "nodes"]:
                return [node.model_dump(mode="json") for node in self._registry.nodes()]
            case _:
                raise BadData(f"nothing answers to {subject!r}")

    async def _join(self, name: NodeId, content: Any) -> None:
        node = Node.model_validate(content)
        names = [capability.name for capability in node.capabilities]
        if node.name != name or not is_name(name) or not all(map(is_name, names)):
            raise BadData(f"{name!r}, or what it offers, has a name that is not allowed")
        if len(set(names)) != len(names):
            raise BadData(f"{name!r} offers two functions of one name")
        self._registry.join(node.model_copy(update={"trust": Trust.OWN}), self._clock.now())
        await self._tell("joined", name)

    async def _leave(self, name: NodeId, instance: str) -> None:
        if self._registry.leave(name, instance):
            await self._tell("gone", name)

    async def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(HEARTBEAT_S / 2)
            if loop.time() - before > HEARTBEAT_S:
                continue  # this process stood still, and has heartbeats to read first
            for name in self._registry.expire(self._clock.now()):
                # Its calls go on: it may only be too busy to speak, which its callers judge by themselves.
                await self._tell("silent", name)

    async def _disconnected(self, message: Message) -> None:
        """Forget a node at once when its connection ends, so that its callers need not wait for silence."""
        try:
            parts = connection_name_of(json.loads(message.data)["client"].get("name", ""))
        except (ValueError, KeyError, AttributeError, TypeError):
            return
        if parts is not None:
            await self._leave(*parts)

    async def _tell(self, what: str, name: NodeId) -> None:
        """Let every client know that a node came or went."""
        if self._connection is not None and self._connection.is_connected:
            await self._connection.publish(f"net.{what}.{name}", b"")
