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
from easynet.fabric.calling.failover import Failover
from easynet.fabric.calling.follower import Follower
from easynet.fabric.calling.inbox import Inbox
from easynet.fabric.calling.marshaller import Marshaller
from easynet.fabric.calling.node_choice import NodeChoice
from easynet.fabric.calling.node_watch import NodeWatch
from easynet.fabric.calling.outbox import Outbox
from easynet.fabric.calling.recovery import Recovery
from easynet.fabric.calling.router import Router
from easynet.fabric.calling.trusted_nodes import TrustedNodes
from easynet.fabric.jobs.job_client import Jobs
from easynet.fabric.receipts.receipt_book import ReceiptBook
from easynet.fabric.telemetry import tracing
from easynet.fabric.telemetry.traced_questions import ask_traced
from easynet.fabric.transport.connection import Connection, Message
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
        trusted: TrustedNodes | None = None,
    ) -> None:
        """`enter`, `name` and `stays` are the connection's. `trusted` are the user's trusted nodes."""
        self.connection = Connection(
            address,
            enter,
            name=f"{name}.{secrets.token_hex(4)}",
            stays=stays,
            on_loss=self._lost,
            on_return=self._returned,
        )
        self._looks: set[asyncio.Task[None]] = set()
        self.receipts = ReceiptBook(lambda node: self.outbox.peers.key_of(node))
        self.transfer = Transfer(self.connection, store)
        self.outbox = Outbox(self.connection, self.transfer)
        self._inbox = Inbox(self.connection, self.outbox, self.receipts.take)
        self._recovery = Recovery(self.outbox)
        self.watch = NodeWatch(self.connection, self.outbox, self._recovery)
        self.tracer = tracing.tracer()
        self.catalogue = Catalogue(self.connection, self.tracer, trusted or TrustedNodes(()))
        self.nodes = NodeChoice(self.catalogue, self.outbox.peers)
        self.marshaller = Marshaller(self.transfer, self.outbox.values)
        failover = Failover(self.outbox, self.catalogue)
        parts = self.connection, self.outbox, self.catalogue, self.nodes, failover, self.marshaller
        self.router = Router(*parts, self.tracer)
        self.follower = Follower(*parts, self.tracer)

    @property
    def jobs(self) -> Jobs:
        """The client's jobs."""
        return Jobs(
            partial(ask_traced, self.tracer, self.connection), self.connection.member, self.marshaller.value
        )

    async def open(self, *, expect: str = "") -> None:
        """Connect, to the server whose id is `expect`; raises GatewayUnreachable."""
        await self.connection.open(expect=expect)
        try:
            self.outbox.open()
            await self._inbox.open()
            self.watch.open()
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
        self.outbox.is_closed = True
        await self.watch.close()
        await self._recovery.close()
        await self.outbox.close()
        await self.catalogue.close()
        await self.connection.close()

    async def _network_changed(self, message: Message) -> None:
        self.catalogue.forget()
        match message.subject.split("."):
            case ["net", ("gone" | "silent") as what, name]:
                self._looks = {task for task in self._looks if not task.done()}
                self._looks.add(asyncio.create_task(self._look_for(NodeId(name), what)))
            case ["net", "joined", name]:
                self.outbox.peers.doubt(NodeId(name))
            case _:
                pass

    async def _look_for(self, node: NodeId, what: str) -> None:
        """Give up the calls at a node if the gateway says that it is gone, or the latest if it is silent.

        The word alone does not suffice: a member can have an answer sent to any subject that a client reads.
        """
        self.outbox.peers.doubt(node)
        with contextlib.suppress(GatewayError):  # a node that is gone is missed by its silence, too
            if self.outbox.waits_for(node):
                instance = await self.catalogue.instance_of(node)
                if what == "gone":
                    self.watch.node_gone(node, but=instance)
                elif not instance:
                    self.watch.node_silent(node)

    async def _lost(self) -> None:
        self._recovery.connection_lost()

    async def _returned(self) -> None:
        self.catalogue.forget()
        self._recovery.connection_back()
