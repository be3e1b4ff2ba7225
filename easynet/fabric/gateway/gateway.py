"""The gateway: the NATS server, the index of who is on the network, and the store of large values."""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from easynet._version import __version__
from easynet.core.clock import Clock, SystemClock
from easynet.core.errors import (
    BadData,
    EasyNetError,
    ServerNotStarted,
    SettingsError,
)
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node
from easynet.fabric.access import memberships
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.certificates import certificates_in
from easynet.fabric.access.client_rights import ClientRights
from easynet.fabric.access.members import Kind, Members
from easynet.fabric.access.ways_in import WaysIn
from easynet.fabric.gateway import exclusion, folder_lock, long_work
from easynet.fabric.gateway.administration import Administration
from easynet.fabric.gateway.artifact_exchange import ArtifactExchange
from easynet.fabric.gateway.cluster import EVERY_WORD, Cluster, is_for_all, subjects
from easynet.fabric.gateway.directory import Directory
from easynet.fabric.gateway.enrolment import Enrolment
from easynet.fabric.gateway.exclusion import Exclusion
from easynet.fabric.gateway.folder_lock import FolderBusy
from easynet.fabric.gateway.gateway_caller import GatewayCaller
from easynet.fabric.gateway.long_work import LongWork
from easynet.fabric.gateway.nats_server import NatsServer
from easynet.fabric.gateway.network_file import known_gateways, remember_gateways
from easynet.fabric.gateway.node_connections import NodeConnections
from easynet.fabric.gateway.own_address import is_any_host, own_address
from easynet.fabric.gateway.server_config import ServerConfig
from easynet.fabric.gateway.shared_state import SharedState, learn_members, states_of_others
from easynet.fabric.gateway.tickets import Tickets
from easynet.fabric.gateway.vitals import vitals
from easynet.fabric.jobs.job_peers import JobPeers
from easynet.fabric.jobs.job_store import KEEP_S
from easynet.fabric.telemetry.metrics import GatewayNumbers
from easynet.fabric.transport.connection import Connection, Message
from easynet.fabric.transport.gateway_peers import GatewayPeers
from easynet.fabric.transport.questions import answer
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.values.transfer_service import TransferService
from easynet.fabric.wire import codec
from easynet.fabric.wire.address import Address, is_loopback
from easynet.settings import Settings

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
        self._server: NatsServer | None = None
        self._rejections: Counter[str] = Counter()
        self._peers: GatewayPeers | None = None
        self._long_work: LongWork | None = None

    @property
    def url(self) -> str:
        """The address that processes of this machine are given; holds no secret."""
        return str(self._address)

    @property
    def advertised(self) -> tuple[str, ...]:
        """The addresses by which other devices find this network, this gateway's first."""
        return (str(Address(self._advertise, self._port)), *(self._peers.addresses if self._peers else ()))

    @property
    def has_tls(self) -> bool:
        return self._wants_tls

    async def nodes(self) -> list[Node]:
        """The nodes that are on the network now, by name."""
        return self._directory.registry.nodes()

    async def numbers(self) -> GatewayNumbers:
        """What the gateway and its server have counted; raises GatewayError."""
        numbers = await vitals(self._system, self._rejections)
        return replace(numbers, jobs=self._long_work.counts()) if self._long_work is not None else numbers

    @property
    def _address(self) -> Address:
        assert self._server is not None, "the gateway has not been started"
        return self._server.address

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
        lasting = self._lasting
        if lasting:
            self._keep_to_itself(lasting)
        self._authority = Authority.kept_in(lasting) if lasting else Authority.new()
        self._id = _id_kept_in(lasting) if lasting else secrets.token_hex(4)
        self._members = Members(lasting / "members.db" if lasting else None)
        self._connections = NodeConnections()
        self._started_at = float(self._clock.now())
        self._stack.callback(self._members.close)
        others = await self._ask_others() if self._cluster else set[str]()
        await self._start_server()
        await self._connect()
        await self._serve(others)
        self._stack.callback(self._publish_ways_in().unlink, missing_ok=True)
        if lasting:
            remember_gateways(lasting, self.advertised)

    def _keep_to_itself(self, folder: Path) -> None:
        try:
            self._stack.enter_context(folder_lock.hold(folder))
        except FolderBusy as busy:
            raise ServerNotStarted(
                f"a gateway works with {folder} already" + (f": process {busy.pid}" if busy.pid else ""),
                hint="Stop that one first, or give this one a folder of its own.",
            ) from None

    async def _start_server(self) -> None:
        lasting = self._lasting
        # The others' hosts as well: a server that knows some by name checks all of them by such a name.
        reached_as = self._reached_as() if self._cluster else ""
        hosts = self._cluster.hosts(reached_as) if self._cluster else ()
        tls = certificates_in((lasting or self._temporary()) / "tls", hosts) if self._wants_tls else None
        self._ca = tls.ca.read_text("utf-8") if tls else ""
        if lasting:  # what the server is told below is newer
            shutil.rmtree(lasting / "jwt", ignore_errors=True)
        shut_out = exclusion.revoked(self._members)
        config = ServerConfig(self._authority, self._id, tls, lasting, shut_out, self._cluster, reached_as)
        server = NatsServer(config, self._host, self._port, binary=Settings().nats_server)
        self._advertise = self._reached_as()
        await server.start()
        self._server = server
        self._port = server.port
        self._stack.push_async_callback(server.stop)

    def _reached_as(self) -> str:
        """The host by which other machines reach this one."""
        return own_address(self._advertise) if is_any_host(self._advertise) else self._advertise

    def _temporary(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="easynet-gateway-")))

    async def _connect(self) -> None:
        """Open the gateway's own connections: one for its services, one for the server's events."""
        self._ways_in = WaysIn(self._authority, self._ca)
        control, system = self._ways_in.control(), self._ways_in.system()
        self._control = Connection(
            self._address, lambda: control, name="gateway", stays=True, on_return=self._returned
        )
        await self._control.open()
        self._stack.push_async_callback(self._control.close)
        self._system = Connection(self._address, lambda: system, name="gateway system", stays=True)
        await self._system.open()
        self._stack.push_async_callback(self._system.close)

    async def _ask_others(self) -> set[str]:
        """Know who is shut out before anybody is let in; the ids of the gateways that told."""
        assert self._lasting is not None
        if not (known := known_gateways(self._lasting)):
            return set()
        ca = (self._lasting / "tls" / "ca.pem").read_text("utf-8")
        told = await states_of_others(known, WaysIn(self._authority, ca).control())
        for state in told.values():
            learn_members(self._members, state, self._clock.now())
        return set(told)

    async def _serve(self, others: set[str]) -> None:
        control = self._control
        store = ArtifactStore(self._data_dir / "artifacts")
        self._exchange = ArtifactExchange(control, store)
        transfers = TransferService(control, store, self._id, self._exchange.fetch)
        await transfers.start()
        self._stack.push_async_callback(transfers.stop)
        self._directory = Directory(control, self._members, self._clock)
        self._enrolment = Enrolment(
            self._authority, self._members, self._clock, lambda: [*self.advertised], self._ca
        )
        self._tickets = Tickets(
            self._authority,
            self._members,
            self._id,
            lambda: self.advertised,
            self._ca,
            lasts=self._lasting is not None,
        )
        self._administration = Administration(
            self._members,
            self._clock,
            self._tickets.invitation,
            self._shut_out,
            self._directory,
            self._about,
        )
        self._exclusion = Exclusion(self._system, self._authority, self._members, self._clock)
        self._shared = SharedState(self._members, self._directory, self._clock, self._exclusion.announce)
        if self._cluster is not None:
            await self._join_others(others)
        for subject, queue in subjects(self._id, is_alone=self._cluster is None):
            await control.subscribe(subject, self._answer, queue=queue)
        if self._cluster is not None:
            await control.subscribe(EVERY_WORD, self._hear)
        if not self._lasting:
            await control.subscribe(long_work.SUBJECT, self._answer)
        await control.flush()
        events = f"$SYS.ACCOUNT.{self._authority.account_key('NODES')}"
        await self._system.subscribe(f"{events}.CONNECT", self._came)
        await self._system.subscribe(f"{events}.DISCONNECT", self._went)
        await self._system.flush()
        self._keep_on(self._directory.expire_on())
        if self._lasting:
            self._keep_on(self._exclusion.watch())
            await self._go_on_with_jobs(store)

    async def _go_on_with_jobs(self, store: ArtifactStore) -> None:
        rights = ClientRights(self._authority, self._members, self._clock, self._ca)

        def keep(data: bytes) -> None:
            self._exchange.keep(codec.references(data), KEEP_S)

        def count(code: str) -> None:
            self._rejections[code] += 1

        self._long_work = LongWork(
            self._control,
            GatewayCaller(self._address, store, rights),
            rights.allow,
            self._clock,
            others=JobPeers(self._peers, self._cluster.replicas) if self._peers and self._cluster else None,
            keep=keep,
            on_refusal=count,
        )
        self._stack.push_async_callback(self._long_work.stop)
        await self._long_work.start()

    async def _join_others(self, others: set[str]) -> None:
        """Know what the other gateways know, before anybody is answered."""
        self._peers = GatewayPeers(
            self._control, self._id, self.advertised[0], self._shared.answer_to_peer, self._meet
        )
        self._peers.answer_by("has", self._exchange.has)
        self._peers.answer_by("keep", self._exchange.keep_here)
        self._shared.peers = self._exchange.peers = self._peers
        await self._peers.start()
        self._stack.push_async_callback(self._peers.stop)
        await self._peers.wait_for(others, _MEETING_S)

    async def _meet(self, peer: str) -> None:
        await self._shared.meet(peer)
        if self._lasting is not None:
            remember_gateways(self._lasting, self.advertised)

    async def _came(self, message: Message) -> None:
        self._connections.came(message.data)

    async def _went(self, message: Message) -> None:
        """Forget a node at once when its connection ends, so that its callers need not wait for silence."""
        if (left := self._connections.went(message.data)) is not None:
            await self._directory.leave(*left)

    def _keep_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something until the gateway stops."""
        self._stack.push_async_callback(_ended, asyncio.create_task(work))

    async def _hear(self, message: Message) -> None:
        if is_for_all(message.subject):
            await self._answer(message)

    async def _answer(self, message: Message) -> None:
        await answer(self._control, message, self._answer_or_count)

    async def _answer_or_count(self, subject: str, content: Any) -> Any:
        try:
            return await self._answer_to(subject, content)
        except EasyNetError as error:
            self._rejections[error.code] += 1
            raise

    async def _answer_to(self, subject: str, content: Any) -> Any:
        match subject.split("."):
            case ["node", ("charge" | "refund") as what, name]:
                return self._spend(what, NodeId(name), content)
            case ["node", what, name]:
                return await self._shared.answer_to_node(what, name, content)
            case ["reg", "grant", client]:
                return self._tickets.grant(client).token()
            case ["reg", what, _]:
                return self._directory.answer_to_client(what, content)
            case ["enrol", gateway_id, what]:
                answer = self._enrolment.answer_to(gateway_id, what, content)
                if what != "authority":
                    await self._shared.joined(*answer[:2])
                return answer
            case ["job", *_]:
                raise SettingsError(
                    "long work needs a gateway that lasts", hint="Start one: easynet gateway start."
                )
            case ["adm", _, what]:
                answer = await self._administration.answer_to(what, content)
                if what == "drain":
                    self._shared.drained(content)
                return answer
            case _:
                raise BadData(f"nothing answers to {subject!r}")

    def _publish_ways_in(self) -> Path:
        return self._ways_in.publish(
            self._control.server_id, self._host, self._port, self._ways_in_dir, is_default=self._is_default
        )

    async def _returned(self) -> None:
        """The server crashed and was started again; it has another identity now."""
        self._publish_ways_in()

    def _about(self) -> list[Any]:
        """What its owner may want to know of a gateway and cannot see from outside."""
        return [
            __version__,
            self._started_at,
            list(self.advertised),
            self._wants_tls,
            str(self._data_dir),
        ]

    def _spend(self, what: str, node: NodeId, content: Any) -> bool:
        """Count a call, at the price that its node has stated to everybody, against its caller's caps."""
        match what, content:
            case "charge", [str(client), str(function), str(call)]:
                price = self._directory.price(node, CapabilityName(function))
                is_covered = self._members.spending.charge(client, f"{node}/{call}", price)
                self._shared.charged(f"{node}/{call}")
                return is_covered
            case "refund", [str(client), str(call)]:
                self._members.spending.refund(client, f"{node}/{call}")
                self._shared.refunded(client, f"{node}/{call}")
                return True
            case _:
                raise BadData("a charge that cannot be read")

    async def _shut_out(self, kind: Kind) -> None:
        """Members were shut out: let the servers know, and the other gateways."""
        await self._exclusion.announce(kind)
        await self._shared.shut_out()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _id_kept_in(folder: Path) -> str:
    """What names this gateway among those of its network."""
    path = folder / "id"
    with contextlib.suppress(FileExistsError), open(path, "x", encoding="utf-8") as file:
        file.write(secrets.token_hex(4))
    return path.read_text("utf-8")
