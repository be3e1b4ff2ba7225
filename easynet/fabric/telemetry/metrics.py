"""The gateway's metrics over HTTP, for Prometheus to collect."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol
from wsgiref.simple_server import WSGIServer

from easynet.core.errors import EasyNetError, MissingExtra, ServerNotStarted
from easynet.core.offer import Node

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_LOOK_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.1
"""How long stopping may take."""


@dataclass(frozen=True)
class GatewayNumbers:
    """What a gateway counts about itself and its NATS server."""

    connections: int = 0
    """Nodes and clients that are connected now."""
    messages_in: int = 0
    """Messages that the server has taken since it started, and so on for those that follow."""
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    slow_consumers: int = 0
    """Connections that were cut because they did not read."""
    server_memory_bytes: int = 0
    """Memory that the NATS server's process uses now."""
    rejections: Mapping[str, int] = field(default_factory=dict)
    """What was refused since the gateway started, by the reason."""
    jobs: Mapping[str, int] = field(default_factory=dict)
    """Jobs that the gateway keeps now, by their state."""


class MetricsSource(Protocol):
    """Whoever knows the network; asked at each scrape, on the event loop of the server's start."""

    async def nodes(self) -> list[Node]:
        """The nodes that are on the network now, each name once."""
        ...

    async def numbers(self) -> GatewayNumbers:
        """The gateway's own counts."""
        ...


class MetricsServer:
    """Serves a gateway's metrics to whoever reaches its port: names, numbers, and nothing of any call.

    A thread of its own writes them out, so that a long scrape does not hold up the gateway.
    """

    def __init__(
        self,
        source: MetricsSource,
        port: int,
        host: str = "127.0.0.1",
        *,
        timeout_s: float = _LOOK_TIMEOUT_S,
    ) -> None:
        """`timeout_s` is how long a scrape waits for the gateway before it tells that there is no answer."""
        self._source = source
        self._timeout_s = timeout_s
        self._host = host
        self._wanted_port = port
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is served: another than the wanted one where that was 0."""
        return self._server.server_port if self._server is not None else self._wanted_port

    async def start(self) -> None:
        """Serve until `stop`; raises MissingExtra, or ServerNotStarted where the port is not to be had."""
        if find_spec("prometheus_client") is None:
            raise MissingExtra(
                "metrics need the library 'prometheus_client', which is not installed",
                hint="Run: pip install 'easynet-os[metrics]'",
            )
        # Imported here: it needs the extra.
        from easynet.fabric.telemetry.metrics_http import http_server

        registry = self._registry(asyncio.get_running_loop())
        try:
            server = await asyncio.to_thread(http_server, self._host, self._wanted_port, registry)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ServerNotStarted(
                f"metrics cannot be served at {self._host} port {self._wanted_port}: {reason}",
                hint="Choose another port with --metrics-port; 0 takes any that is free.",
            ) from error
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_S,), name="easynet-metrics", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Close the port. Does nothing where it is not served."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        await asyncio.to_thread(server.shutdown)
        await asyncio.to_thread(self._thread.join)
        server.server_close()

    def _registry(self, loop: asyncio.AbstractEventLoop) -> "CollectorRegistry":
        # Imported here: they need the extra.
        from prometheus_client import CollectorRegistry, ProcessCollector

        from easynet.fabric.telemetry.metrics_collector import NetworkCollector

        def look() -> tuple[list[Node], GatewayNumbers] | None:
            """The network as the gateway knows it; `None` where the gateway does not answer."""
            if not loop.is_running():
                return None
            looking = asyncio.run_coroutine_threadsafe(self._look(), loop)
            try:
                return looking.result(self._timeout_s)
            except (EasyNetError, TimeoutError, CancelledError):
                looking.cancel()
                return None

        # Without this option the collector would be left out where single metrics are asked for.
        registry = CollectorRegistry(support_collectors_without_names=True)
        registry.register(NetworkCollector(look))
        ProcessCollector(registry=registry)
        return registry

    async def _look(self) -> tuple[list[Node], GatewayNumbers]:
        return await self._source.nodes(), await self._source.numbers()
