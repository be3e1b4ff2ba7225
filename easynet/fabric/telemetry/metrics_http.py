"""The HTTP server under the metrics. Needs the extra `metrics`."""

import socket
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

_IDLE_S: Final = 10.0
"""A visitor who says nothing for that long is shown the door: each holds a thread."""


def http_server(host: str, port: int, registry: CollectorRegistry) -> WSGIServer:
    """A server that listens already and answers once it is told to serve; raises OSError."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    server = _SERVERS[family]
    return make_server(host, port, make_wsgi_app(registry), server, _Handler)


class _Server(ThreadingWSGIServer):
    """A server that keeps no log of its own."""

    def server_bind(self) -> None:
        # The inherited one looks up the host's full name, which takes long where nobody serves names.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave visitors alone who hang up in the middle."""


class _Server6(_Server):
    address_family = socket.AF_INET6


_SERVERS: Final = {socket.AF_INET: _Server, socket.AF_INET6: _Server6}


class _Handler(WSGIRequestHandler):
    timeout = _IDLE_S

    def log_message(self, format: str, *args: object) -> None:
        """Keep no log of visits."""
