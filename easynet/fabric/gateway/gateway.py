"""The gateway: the NATS server, the index of who is on the network, and the store of large values."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from easynet._version import __version__
from easynet.core.clock import Clock, SystemClock
from easynet.core.errors import SettingsError
from easynet.core.offer import Node
from easynet.fabric.access import memberships
from easynet.fabric.access.client_rights import ClientRights
from easynet.fabric.access.ways_in import WaysIn
from easynet.fabric.gateway.artifact_exchange import ArtifactExchange
from easynet.fabric.gateway.cluster import Cluster
from easynet.fabric.gateway.desk import Desk
from easynet.fabric.gateway.gateway_caller import GatewayCaller
from easynet.fabric.gateway.gateway_folder import GatewayFolder
from easynet.fabric.gateway.gateway_server import GatewayServer
from easynet.fabric.gateway.long_work import LongWork
from easynet.fabric.gateway.shared_state import learn_members, states_of_others
from easynet.fabric.gateway.vitals import vitals
from easynet.fabric.jobs.job_history import KEEP_S
from easynet.fabric.jobs.job_peers import JobPeers
from easynet.fabric.telemetry import tracing
from easynet.fabric.telemetry.metrics import GatewayNumbers
from easynet.fabric.transport.gateway_peers import GatewayPeers
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.transfer_service import TransferService
from easynet.fabric.wire.address import is_loopback

_MEETING_S: Final = 2.0
"""How long a gateway waits for those of which it knows that they are there."""


class Gateway:
    """A network's way in. One process owns it and takes its server along when it ends.

    A lasting gateway keeps its keys and its members under the data directory, so that devices that joined
    find it again after a restart; any other is for the processes of this user and machine alone. Beyond the
    loopback interface it speaks TLS.
    """

    def __init__(
        self,
        data_dir: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        lasting: bool = False,
        tls: bool | None = None,
        advertise: str = "",
        is_default: bool = False,
        ways_in: Path | None = None,
        clock: Clock | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        """`advertise` is the host by which other machines reach it, where that is not the one it listens on.

        `tls=None` means: wherever other machines can reach it. `is_default` makes it the one that this user's
        processes mean where they name none. `ways_in` is the data directory in which they look for it, where
        that is not its own. With `cluster` it serves its network together with other gateways, whose keys it
        has been given: see `network_file`.
        """
        if not lasting and not is_loopback(host):
            raise SettingsError(
                f"a gateway at {host!r} is reached from other machines, whose joining has to be remembered",
                hint="Use lasting=True, or host='127.0.0.1'.",
            )
        if cluster is not None and not (lasting and tls is not False):
            raise SettingsError(
                "gateways that serve one network together need lasting keys, and speak TLS",
                hint="Use lasting=True, and leave tls out.",
            )
        self._data_dir = data_dir
        self._cluster = cluster
        self._host = host
        self._port = port
        self._lasting = data_dir / "gateway" if lasting else None
        self._wants_tls = (cluster is not None or not is_loopback(host)) if tls is None else tls
        self._advertise = advertise or host
        self._is_default = is_default
        self._ways_in_dir = ways_in or data_dir
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._server: GatewayServer | None = None
        self._peers: GatewayPeers | None = None
        self._long_work: LongWork | None = None

    @property
    def url(self) -> str:
        """The address that processes of this machine are given; holds no secret."""
        return str(self._running.address)

    @property
    def advertised(self) -> tuple[str, ...]:
        """The addresses by which other devices find this network, this gateway's first."""
        return (self._running.advertised, *(self._peers.addresses if self._peers else ()))

    @property
    def has_tls(self) -> bool:
        return self._wants_tls

    async def nodes(self) -> list[Node]:
        """The nodes that are on the network now, by name."""
        return self._desk.directory.registry.nodes()

    async def numbers(self) -> GatewayNumbers:
        """What the gateway and its server have counted; raises GatewayError."""
        numbers = await vitals(self._running.system, self._desk.rejections)
        return replace(numbers, jobs=self._long_work.counts()) if self._long_work is not None else numbers

    @property
    def _running(self) -> GatewayServer:
        assert self._server is not None, "the gateway has not been started"
        return self._server

    async def start(self) -> None:
        """Serve until `stop`; raises ServerNotStarted or DataDirectoryUnusable."""
        memberships.sweep(self._ways_in_dir)
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server, and take the ways in away. Does nothing where it does not run."""
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def __aenter__(self) -> "Gateway":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        self._folder = GatewayFolder(self._lasting, self._stack)
        self._id = self._folder.id
        self._started_at = float(self._clock.now())
        others = await self._ask_others() if self._cluster else set[str]()
        server = GatewayServer(
            self._folder,
            self._host,
            self._port,
            self._advertise,
            self._cluster,
            has_tls=self._wants_tls,
            ways_in=self._ways_in_dir,
            is_default=self._is_default,
        )
        await server.start(self._stack)
        self._server, self._port = server, server.address.port
        await self._serve(server, others)
        self._stack.callback(server.publish().unlink, missing_ok=True)
        self._folder.remember_gateways(self.advertised)

    async def _ask_others(self) -> set[str]:
        """Know who is shut out before anybody is let in; the ids of the gateways that told."""
        folder = self._folder
        if not (known := folder.known_gateways()):
            return set()
        told = await states_of_others(known, WaysIn(folder.authority, folder.ca).control())
        for state in told.values():
            learn_members(folder.members, state, self._clock.now())
        return set(told)

    async def _serve(self, server: GatewayServer, others: set[str]) -> None:
        store = ArtifactStore(self._data_dir / "artifacts")
        exchange = ArtifactExchange(server.control, store)
        desk = self._desk = Desk(
            server.control,
            server.system,
            self._folder,
            self._clock,
            server.ca,
            advertised=lambda: self.advertised,
            about=self._about,
        )
        transfers = TransferService(server.control, store, self._id, exchange.fetch, desk.key_of)
        await transfers.start()
        self._stack.push_async_callback(transfers.stop)
        if self._cluster is not None:
            await self._join_others(server, exchange, others)
        await desk.open(is_alone=self._cluster is None)
        for duty in desk.duties(self._peers):
            self._stack.push_async_callback(_ended, asyncio.create_task(duty))
        if self._lasting:
            await self._go_on_with_jobs(server, store, exchange)

    async def _join_others(self, server: GatewayServer, exchange: ArtifactExchange, others: set[str]) -> None:
        """Know what the other gateways know, before anybody is answered."""
        shared = self._desk.shared
        self._peers = GatewayPeers(
            server.control, self._id, server.advertised, shared.answer_to_peer, self._meet
        )
        self._peers.answer_by("has", exchange.has)
        self._peers.answer_by("keep", exchange.keep_here)
        shared.peers = exchange.peers = self._peers
        await self._peers.start()
        self._stack.push_async_callback(self._peers.stop)
        await self._peers.wait_for(others, _MEETING_S)

    async def _meet(self, peer: str) -> None:
        await self._desk.shared.meet(peer)
        self._folder.remember_gateways(self.advertised)

    async def _go_on_with_jobs(
        self, server: GatewayServer, store: ArtifactStore, exchange: ArtifactExchange
    ) -> None:
        folder = self._folder
        rights = ClientRights(folder.authority, folder.members, self._clock, server.ca)

        async def keep(value: bytes) -> None:
            await exchange.keep(value, KEEP_S)

        self._long_work = LongWork(
            server.control,
            GatewayCaller(server.address, store, rights),
            rights,
            self._clock,
            tracer=tracing.tracer(),
            others=JobPeers(self._peers, self._cluster.replicas) if self._peers and self._cluster else None,
            keep=keep,
            on_refusal=self._desk.refused,
        )
        self._stack.push_async_callback(self._long_work.stop)
        await self._long_work.start()

    def _about(self) -> list[Any]:
        """What its owner may want to know of a gateway and cannot see from outside."""
        return [
            __version__,
            self._started_at,
            list(self.advertised),
            self._wants_tls,
            str(self._data_dir),
        ]


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
