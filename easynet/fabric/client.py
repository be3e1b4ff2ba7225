"""A client: calls functions on a network's nodes."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any

from easynet.core.artifact import Artifact
from easynet.core.call import CallUpdate, Progressed, Returned, Yielded
from easynet.core.capability import Capability
from easynet.core.errors import (
    EasyNetError,
    GatewayUnreachable,
    NodeUnreachable,
    NotStarted,
    UnknownFunction,
    nearest,
)
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.language import Language
from easynet.core.offer import Node, Offer
from easynet.fabric import codec, credentials
from easynet.fabric.address import Address
from easynet.fabric.artifacts import ArtifactStore
from easynet.fabric.catalogue import Candidate, Catalogue, FunctionInfo
from easynet.fabric.connection import Connection, Message
from easynet.fabric.credentials import Login
from easynet.fabric.envelope import Alive, End, Failure, Item, Progress, Result, Update
from easynet.fabric.failures import error_of
from easynet.fabric.inbox import Inbox
from easynet.fabric.names import checked_name
from easynet.fabric.transfer import Transfer
from easynet.settings import Settings


class AsyncClient:
    """Calls functions by name: `"add"` on any node that offers it, `"my-node.add"` on that one."""

    def __init__(self, gateway: str, *, data_dir: Path | None = None) -> None:
        self._address = Address.parse(gateway)
        self._data_dir = data_dir or Settings().data_dir
        self._login: Login | None = None
        self._line: _Line | None = None

    async def connect(self) -> None:
        """Connect to the gateway; raises GatewayUnreachable within three seconds."""
        if self._line is not None:
            return
        entry = credentials.find(self._address, self._data_dir)
        self._login = entry.client
        line = _Line(self._address, self._current_login, ArtifactStore(self._data_dir / "artifacts"))
        await line.open(entry.server_id)
        self._line = line

    async def close(self) -> None:
        """Cancel the calls in flight and leave. Does nothing where it is not connected."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def __aenter__(self) -> "AsyncClient":
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def execute(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function and give its result; of a generator function, the list of its items.

        A path among the arguments is sent as a file; a file that comes back is an `Artifact`, to be taken
        with `download`. Raises RemoteFailure where the function raised.
        """
        items: list[Any] = []
        async with aclosing(self._call(function, args, kwargs)) as updates:
            async for update in updates:
                match update:
                    case Item(value):
                        items.append(await self._value(value))
                    case Result(value):
                        return await self._value(value)
                    case _:
                        pass
        return items

    async def stream(self, function: str, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        """The items of a generator function, as they come; of any other function, its one result."""
        async with aclosing(self._call(function, args, kwargs)) as updates:
            async for update in updates:
                if isinstance(update, Item | Result):
                    yield await self._value(update.value)

    async def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
    ) -> AsyncGenerator[CallUpdate]:
        """The updates of a call at one node; the last is `Returned`.

        Tables, arrays and files in the values are left as references or as undecoded bytes, which can be
        arguments of further calls. Closing the iterator cancels the call.
        """
        line = self._connected()
        checked_name("node", node)
        checked_name("function", capability)
        packed = await line.packed([[], dict(arguments)])
        async with aclosing(line.call(node, capability, packed, key=key, timeout_s=timeout_s)) as updates:
            async for update in updates:
                match update:
                    case Progress(fraction, message):
                        yield Progressed(fraction, message)
                    case Item(value):
                        yield Yielded(codec.decode_opaque(value))
                    case Result(value):
                        yield Returned(codec.decode_opaque(value))
                    case End():
                        yield Returned(None)
                    case _:
                        pass

    async def find(self, capability: CapabilityName) -> list[Offer]:
        """Who offers a capability, by node name."""
        return [c.offer for c in await self._connected().catalogue.candidates(capability)]

    async def capabilities(self) -> list[Capability]:
        """Everything on offer, each capability once, by name."""
        found = await self._connected().catalogue.capabilities()
        return [capability for capability, _ in found.values()]

    async def functions(self, language: Language = "en") -> list[FunctionInfo]:
        """Every function that can be called, by name."""
        return [
            FunctionInfo(
                name, capability.signature, capability.describe(language), nodes, capability.streaming
            )
            for name, (capability, nodes) in (await self._connected().catalogue.capabilities()).items()
        ]

    async def nodes(self) -> list[Node]:
        """Every node on the network, by name."""
        return await self._connected().catalogue.nodes()

    async def upload(self, path: Path) -> Artifact:
        """Send a file to the gateway, to be an argument of calls."""
        transfer = self._connected().transfer
        artifact = await asyncio.to_thread(transfer.store.put_file, path)
        await transfer.push(artifact)
        return artifact

    async def download(self, artifact: Artifact, path: Path) -> None:
        """Write a file that came back from a call to a place of one's own."""
        transfer = self._connected().transfer
        await transfer.pull(artifact)
        await asyncio.to_thread(transfer.store.copy, artifact, path)

    async def read(self, artifact: Artifact) -> bytes:
        """The bytes of a file, or of an encoded value, that came back from a call."""
        transfer = self._connected().transfer
        await transfer.pull(artifact)
        return await asyncio.to_thread(transfer.store.read, artifact)

    def _connected(self) -> "_Line":
        if self._line is None:
            raise GatewayUnreachable(
                f"this client is not connected to {self._address}",
                hint="Use it in `async with AsyncClient(...) as client`, or call connect() first.",
            )
        return self._line

    def _current_login(self) -> Login:
        """The login that the gateway has now, which differs once it was started again."""
        try:
            self._login = credentials.find(self._address, self._data_dir).client
        except GatewayUnreachable:
            if self._login is None:
                raise
        return self._login

    async def _value(self, data: bytes) -> Any:
        return await self._connected().value(data)

    async def _call(
        self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AsyncGenerator[Update]:
        line = self._connected()
        node, dot, name = function.rpartition(".")
        checked_name("function", name)
        if dot:
            checked_name("node", node)
        packed = await line.packed([list(args), kwargs])
        tried: set[NodeId] = set()
        while True:
            chosen = NodeId(node) if dot else await line.choose(CapabilityName(function), tried)
            try:
                async with aclosing(line.call(chosen, CapabilityName(name), packed)) as updates:
                    async for update in updates:
                        yield update
                return
            except NotStarted:
                line.catalogue.forget()
                if dot:
                    raise await line.no_such_node(NodeId(node)) from None
                tried.add(chosen)


class _Line:
    """A client's connection, with what is known and under way on it."""

    def __init__(self, address: Address, login: Any, store: ArtifactStore) -> None:
        self._connection = Connection(
            address,
            login,
            name=f"client.{secrets.token_hex(4)}",
            on_loss=self._lost,
            on_return=self._returned,
        )
        self._inbox = Inbox(self._connection)
        self._turn = 0
        self.catalogue = Catalogue(self._connection)
        self.transfer = Transfer(self._connection, store)

    async def open(self, server_id: str) -> None:
        await self._connection.open(expect=server_id)
        try:
            await self._inbox.open()
            await self._connection.subscribe("net.*.*", self._network_changed)
            await self._connection.flush()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._inbox.close()
        await self._connection.close()

    async def packed(self, arguments: list[Any]) -> bytes:
        """Arguments ready to travel, with their large parts and files at the gateway."""
        store = self.transfer.store
        data = codec.encode(arguments, store.put_bytes, store.put_file, where="arguments")
        if made := codec.references(data):
            await self.transfer.push_all(made)
        return data

    async def value(self, data: bytes) -> Any:
        """A result, with its large parts fetched."""
        if wanted := [a for a in codec.references(data) if not a.filename]:
            await self.transfer.pull_all(wanted)
            return await asyncio.to_thread(codec.decode, data, self.transfer.store.read)
        return codec.decode(data)

    async def call(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: bytes,
        *,
        key: str = "",
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Update]:
        """The updates of a call; a failure is raised as the error that it is."""
        updates = self._inbox.call(node, capability, arguments, key=key, timeout_s=timeout_s)
        async with aclosing(updates):
            async for update in updates:
                if isinstance(update, Failure):
                    raise error_of(update)
                if not isinstance(update, Alive):
                    yield update

    async def choose(self, capability: CapabilityName, tried: set[NodeId]) -> NodeId:
        """The least loaded node that offers a capability, in turn among equals; raises UnknownFunction."""
        found = await self.catalogue.candidates(capability)
        left = [c for c in found if c.offer.node not in tried]
        if not left and tried:
            raise NodeUnreachable(f"no node that offers {capability!r} could be reached")
        if not left:
            raise await self._unknown(capability)
        if len(left) == 1:
            return left[0].offer.node
        self._turn += 1
        turned = left[self._turn % len(left) :] + left[: self._turn % len(left)]
        return min(turned, key=self._load).offer.node

    def _load(self, candidate: Candidate) -> float:
        """The share of a node's capacity in use: this client's own calls at once, others' when reported."""
        busy = max(candidate.running, self._inbox.in_flight(candidate.offer.node))
        return busy / candidate.offer.concurrency

    async def _unknown(self, capability: CapabilityName) -> UnknownFunction:
        names = list(await self.catalogue.capabilities())
        hint = nearest(capability, names) or (
            "The functions on offer are listed by client.functions()." if names else "No node has joined yet."
        )
        return UnknownFunction(f"no node offers a function named {capability!r}", hint=hint)

    async def no_such_node(self, node: NodeId) -> EasyNetError:
        names = [n.name for n in await self.catalogue.nodes()]
        if node in names:
            return NodeUnreachable(f"the node {node!r} does not answer")
        return NodeUnreachable(
            f"no node named {node!r} is on this network", hint=nearest(node, names) or "See client.nodes()."
        )

    async def _network_changed(self, message: Message) -> None:
        self.catalogue.forget()
        match message.subject.split("."):
            case ["net", "gone", name]:
                self._inbox.node_gone(NodeId(name))
            case _:
                pass

    async def _lost(self) -> None:
        self._inbox.connection_lost()

    async def _returned(self) -> None:
        self.catalogue.forget()
        self._inbox.connection_back()
