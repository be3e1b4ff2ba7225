"""A node's reception without a network around it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import FunctionStatistics
from easynet.fabric.access.identity import Identity
from easynet.fabric.functions.function import Function, function_of
from easynet.fabric.functions.places import EventLoop
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.receipts.receipt_signer import ReceiptSigner
from easynet.fabric.serving.call_records import CallRecords
from easynet.fabric.serving.metering import Meter
from easynet.fabric.serving.reception import Reception
from easynet.fabric.serving.services import Limits, Services
from easynet.fabric.serving.surroundings import Surroundings
from easynet.fabric.telemetry.statistics import CallStatistics
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.served_values import NodeValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.calls import Call, encode_call
from easynet.fabric.wire.packing import pack
from easynet.fabric.wire.updates import Update, decode_pieces, decode_update, update_of
from tests.patience import PATIENCE_S

INBOX = "i" * 32


class RecordedConnection(Connection):
    """A connection that nobody has opened; keeps what was sent."""

    def __init__(self) -> None:
        super().__init__(Address.parse("127.0.0.1:1"), lambda: None, name="recorded")
        self.updates: list[tuple[str, Update]] = []
        self._came = asyncio.Event()

    def send(self, subject: str, data: bytes, *, reply: str = "") -> None:
        self._take(subject, decode_update(data))

    def send_together(self, subject: str, piece: bytes) -> None:
        for id_, frame in decode_pieces(piece):
            self._take(id_, update_of(frame))

    async def publish(self, subject: str, data: bytes, *, reply: str = "") -> None:
        if not subject.endswith(".receipts"):
            self._take(subject, decode_update(data))

    def _take(self, subject: str, update: Update) -> None:
        self.updates.append((subject.rsplit(".", 1)[-1], update))
        self._came.set()

    async def answer(self, id_: str) -> Update:
        """The latest that a call was told, once it was told something."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := [update for to, update in self.updates if to == id_]):
                self._came.clear()
                await self._came.wait()
        return found[-1]


class Served:
    """The functions of one node, called by messages."""

    def __init__(
        self,
        folder: Path,
        *functions: Callable[..., Any],
        ask: Callable[[str, Any], Awaitable[Any]] | None = None,
        limits: Limits | None = None,
        on_work: Callable[[], None] = lambda: None,
        idempotent: bool = True,
    ) -> None:
        self.connection = RecordedConnection()
        self.statistics = CallStatistics()
        self.function_by_name: dict[str, Function] = {
            function.__name__: function_of(function, None, {"idempotent": idempotent})
            for function in functions
        }
        place = EventLoop()
        self.services = Services("n", self.function_by_name, lambda _: place, limits or Limits(4, 4, 16))
        identity = Identity.generate()
        self.receipts = ReceiptSigner(identity, NodeId("n"), self._drop)
        around = Surroundings(
            "n",
            asyncio.get_running_loop(),
            self.connection,
            NodeValues(Transfer(self.connection, ArtifactStore(folder / "artifacts"))),
            ScratchFolders(folder / "scratch"),
            None,
            Meter(ask or _never),
        )
        records = CallRecords(self.statistics, self.receipts)
        self.reception = Reception(
            "instance", identity.public, self.services, records, around, on_work=on_work
        )
        self._numbers = itertools.count()

    async def _drop(self, subject: str, data: bytes) -> None: ...

    def call(self, function: str, *args: Any, client: str = "local", key: str = "") -> str:
        """Have a call arrive; gives its id."""
        id_ = f"{next(self._numbers):032x}"
        message = encode_call(Call(id_, INBOX, pack([[*args], {}]), key=key))
        self.reception.receive(f"fn.n.{client}.call.{function}", "", message, False)
        return id_

    def counted(self, function: str) -> FunctionStatistics | None:
        return self.statistics.snapshot().get(CapabilityName(function))

    async def close(self) -> None:
        self.reception.refuse_all()
        async with asyncio.timeout(PATIENCE_S):
            await self.reception.idle()
        await self.receipts.close()


async def _never(what: str, content: Any) -> Any:
    raise AssertionError("nobody is to be asked")
