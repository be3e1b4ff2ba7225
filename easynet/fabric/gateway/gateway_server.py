"""A gateway's NATS server, and the ways that lead to it."""

from contextlib import AsyncExitStack
from pathlib import Path

from easynet.fabric.access.ways_in import WaysIn
from easynet.fabric.gateway import exclusion
from easynet.fabric.gateway.cluster import Cluster
from easynet.fabric.gateway.gateway_folder import GatewayFolder
from easynet.fabric.gateway.nats_server import NatsServer
from easynet.fabric.gateway.own_address import is_any_host, own_address
from easynet.fabric.gateway.server_config import ServerConfig
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.address import Address
from easynet.settings import Settings


class GatewayServer:
    """The server, the gateway's own connections to it, and what leads this user's processes there."""

    def __init__(
        self,
        folder: GatewayFolder,
        host: str,
        port: int,
        advertise: str,
        cluster: Cluster | None,
        *,
        has_tls: bool,
        ways_in: Path,
        is_default: bool,
    ) -> None:
        """`ways_in` is the data directory of this user, in which its processes look for the gateway."""
        self._host = host
        self._ways_in_dir = ways_in
        self._is_default = is_default
        self.advertise = own_address(advertise) if is_any_host(advertise) else advertise
        """The host by which other machines reach this one."""
        # The others' hosts as well: a server that knows some by name checks all of them by such a name.
        reached_as = self.advertise if cluster else ""
        hosts = cluster.hosts(reached_as) if cluster else ()
        tls = folder.certificates(hosts) if has_tls else None
        self.ca = tls.ca.read_text("utf-8") if tls else ""
        folder.forget_rights()  # what the server is told below is newer
        shut_out = exclusion.revoked(folder.members)
        config = ServerConfig(folder.authority, folder.id, tls, folder.path, shut_out, cluster, reached_as)
        self.nats = NatsServer(config, host, port, binary=Settings().nats_server)
        self._ways_in = WaysIn(folder.authority, self.ca)

    @property
    def address(self) -> Address:
        """Where processes of this machine find it."""
        return self.nats.address

    @property
    def advertised(self) -> str:
        """Where other devices find it."""
        return str(Address(self.advertise, self.nats.port))

    async def start(self, stack: AsyncExitStack) -> None:
        """Run until `stack` is closed; raises ServerNotStarted."""
        await self.nats.start()
        stack.push_async_callback(self.nats.stop)
        control, system = self._ways_in.control(), self._ways_in.system()
        self.control = Connection(
            self.address, lambda: control, name="gateway", stays=True, on_return=self._returned
        )
        await self.control.open()
        stack.push_async_callback(self.control.close)
        self.system = Connection(self.address, lambda: system, name="gateway system", stays=True)
        await self.system.open()
        stack.push_async_callback(self.system.close)

    def publish(self) -> Path:
        """Let this user's processes in, by the file that is returned; raises DataDirectoryUnusable."""
        return self._ways_in.publish(
            self.control.server_id,
            self._host,
            self.nats.port,
            self._ways_in_dir,
            is_default=self._is_default,
        )

    async def _returned(self) -> None:
        """The server crashed and was started again; it has another identity now."""
        self.publish()
