"""A client's line to the network: its connection, with what is known and under way on it."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from functools import partial

from easynet.core.errors import GatewayError
from easynet.core.ids import NodeId
from easynet.fabric.access.memberships import Membership
from easynet.fabric.calling.catalogue import Catalogue
from easynet.fabric.calling.inbox import Inbox
from easynet.fabric.calling.router import Router
from easynet.fabric.jobs.job_client import Jobs
from easynet.fabric.receipts.receipt_book import ReceiptBook
from easynet.fabric.telemetry import tracing
from easynet.fabric.transport.connection import Connection, Message
from easynet.fabric.transport.questions import ask
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire.address import Address


class Line:
    """A client's connection, with what is known and under way on it."""

    def __init__(
        self,
        address: Address,
        enter: Callable[[], Membership],
        store: ArtifactStore,
        *,
        name: str,
        stays: bool = False,
    ) -> None:
        """`enter`, `name` and `stays` are the connection's."""
        self.connection = Connection(
            address,
            enter,
            name=f"{name}.{secrets.token_hex(4)}",
            stays=stays,
            on_loss=self._lost,
            on_return=self._returned,
        )
        self._looks: set[asyncio.Task[None]] = set()
        self.receipts = ReceiptBook(lambda node: self.inbox.peers.key_of(node))
        self.transfer = Transfer(self.connection, store)
        self.inbox = Inbox(self.connection, self.transfer, self.receipts.take)
        self.catalogue = Catalogue(self.connection)
        self.router = Router(self.connection, self.inbox, self.catalogue, self.transfer, tracing.tracer())

    @property
    def jobs(self) -> Jobs:
        """The client's jobs."""
        return Jobs(partial(ask, self.connection), self.connection.member, self.router.value)

    async def open(self, *, expect: str = "") -> None:
        """Connect, to the server whose id is `expect`; raises GatewayUnreachable."""
        await self.connection.open(expect=expect)
        try:
            await self.inbox.open()
            await self.connection.subscribe("net.*.*", self._network_changed)
            await self.connection.flush()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Cancel the calls in flight, and leave."""
        for look in self._looks:
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
        await self.inbox.close()
        await self.catalogue.close()
        await self.connection.close()

    async def _network_changed(self, message: Message) -> None:
        self.catalogue.forget()
        match message.subject.split("."):
            case ["net", "gone", name]:
                self._looks = {task for task in self._looks if not task.done()}
                self._looks.add(asyncio.create_task(self._look_for(NodeId(name))))
            case ["net", "joined", name]:
                self.inbox.node_joined(NodeId(name))
            case _:
                pass

    async def _look_for(self, node: NodeId) -> None:
        """Give up the calls at a node if the gateway says that it is gone.

        The word alone does not suffice: a member can have an answer sent to any subject that a client reads.
        """
        self.inbox.node_joined(node)
        with contextlib.suppress(GatewayError):  # a node that is gone is missed by its silence, too
            if self.inbox.needs(node):
                self.inbox.node_gone(node, but=await self.catalogue.instance_of(node))

    async def _lost(self) -> None:
        self.inbox.connection_lost()

    async def _returned(self) -> None:
        self.catalogue.forget()
        self.router.returned()
        self.inbox.connection_back()
