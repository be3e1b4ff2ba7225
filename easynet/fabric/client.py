"""A client: calls functions on a network's nodes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any

from easynet.core.artifact import Artifact
from easynet.core.call import CallUpdate, Progressed, Returned, Yielded
from easynet.core.capability import Capability
from easynet.core.errors import GatewayUnreachable, UsageError
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy
from easynet.core.job import Job
from easynet.core.language import Language
from easynet.core.offer import Node, Offer
from easynet.core.receipt import Receipt
from easynet.fabric.access.grants import Grant
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.calling.catalogue import FunctionInfo
from easynet.fabric.calling.line import Line
from easynet.fabric.calling.trusted_nodes import TrustedNodes
from easynet.fabric.jobs.job_client import JobOptions
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.receipts.receipt_book import ReceiptBook
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.decoding import decode_opaque
from easynet.fabric.wire.updates import End, Item, Progress, Result
from easynet.settings import Settings

_last_call: ContextVar[str] = ContextVar("easynet_last_call", default="")
"""The id of the call that this task made last."""


class AsyncClient:
    """Calls functions by name: `"add"` on any node that offers it, `"my-node.add"` on that one."""

    def __init__(
        self, gateway: str, *, data_dir: Path | None = None, trusted_nodes: Sequence[str] | None = None
    ) -> None:
        """`trusted_nodes` are those of the settings where none are given."""
        self._address = Address.parse(gateway)
        self._trusted = TrustedNodes(Settings().trusted_nodes if trusted_nodes is None else trusted_nodes)
        self._data_dir = data_dir or Settings().data_dir
        self._line: Line | None = None

    async def connect(self) -> None:
        """Connect to the gateway; raises GatewayUnreachable within three seconds."""
        if self._line is not None:
            return
        way_in = WayIn(self._address, "client", self._data_dir)
        store = ArtifactStore(self._data_dir / "artifacts")
        line = Line(self._address, way_in, store, name="client", trusted=self._trusted)
        await line.open(expect=way_in.server_id)
        way_in.learn(line.connection.cluster)
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
        with `download`. Where no node was named and one does not answer, another is tried, unless the
        function must not run twice: OutcomeUnknown is raised then. Raises RemoteFailure where the function
        raised, and Overloaded where every node has as much to do as it accepts.
        """
        line = self._line or self._connected()
        return await line.router.execute(function, args, kwargs, _last_call.set)

    async def stream(self, function: str, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        """The items of a generator function, as they come; of any other function, its one result."""
        follower = self._connected().follower
        async with aclosing(follower.stream(function, args, kwargs, _last_call.set)) as items:
            async for item in items:
                yield item

    async def submit(self, function: str, /, *args: Any, **kwargs: Any) -> JobHandle:
        """Hand a call in at the gateway, which sees that it is carried out, whatever happens to this client.

        The arguments are those of `execute`. Raises SettingsError at a gateway that does not last.
        """
        return await self.submit_with(JobOptions(), function, *args, **kwargs)

    async def submit_with(
        self, options: JobOptions, function: str, /, *args: Any, **kwargs: Any
    ) -> JobHandle:
        """As `submit`, under a key of one's own or with a limit of time."""
        line = self._connected()
        arguments = await line.marshaller.packed(args, kwargs)
        return await line.jobs.submit(function, arguments, key=options.key, timeout_s=options.timeout_s)

    async def jobs(self) -> list[Job]:
        """The latest jobs of this client and of others of its name, oldest first."""
        return await self._connected().jobs.all()

    def job(self, job_id: str) -> JobHandle:
        """A job by its id; whether there is one is seen when it is used."""
        return self._connected().jobs.find(job_id)

    async def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncGenerator[CallUpdate]:
        """The updates of a call at one node; the last is `Returned`.

        Tables, arrays and files in the values are left as references or as undecoded bytes, which can be
        arguments of further calls. Closing the iterator cancels the call. A second call with the same key
        gets the result of the first one, for ten minutes after its end. Raises PrivacyBreach, before anything
        is sent, where `privacy` is high and the node may not see private data.
        """
        updates = self._connected().follower.invoke(
            node, capability, arguments, key=key, timeout_s=timeout_s, privacy=privacy
        )
        async with aclosing(updates):
            async for update in updates:
                match update:
                    case Progress(fraction, message):
                        yield Progressed(fraction, message)
                    case Item(value):
                        yield Yielded(decode_opaque(value))
                    case Result(value):
                        yield Returned(decode_opaque(value))
                    case End():
                        yield Returned(None)
                    case _:
                        pass

    @property
    def receipts(self) -> ReceiptBook:
        """The latest receipts, which nodes send a moment after their results."""
        return self._connected().receipts

    async def receipt(self, call_id: str = "", timeout_s: float = 5.0) -> Receipt:
        """The receipt of a call, by default of the last one that this task made.

        Raises CallTimeout where none comes in time, and ReceiptInvalid where one came that does not hold.
        """
        call_id = call_id or _last_call.get()
        if not call_id:
            raise UsageError("no call was made here yet", hint="Make one, and ask for its receipt then.")
        return await self.receipts.receipt(call_id, timeout_s)

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

    async def grant(self) -> Grant:
        """All that this client may do. Narrowed, it can be handed on: `grant.narrow(limits).token()`."""
        return await self._connected().catalogue.grant()

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

    def _connected(self) -> "Line":
        if self._line is None:
            raise GatewayUnreachable(
                f"this client is not connected to {self._address}",
                hint="Use it in `async with AsyncClient(...) as client`, or call connect() first.",
            )
        return self._line
