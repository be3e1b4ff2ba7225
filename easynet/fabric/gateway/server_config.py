"""The configuration of a gateway's NATS server, as the text of its file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from easynet.fabric.access.accounts import ACCOUNTS, Account
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.certificates import TlsFiles
from easynet.fabric.access.identity import Identity
from easynet.fabric.gateway.cluster import Cluster

MAX_PAYLOAD_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class ServerConfig:
    """What a NATS server is told before it starts."""

    authority: Authority
    name: str = "gateway"
    """The server's name, which differs between the gateways of a network."""
    tls: TlsFiles | None = None
    lasting: Path | None = None
    """A folder for what must outlive the server: durable work, and who is shut out."""
    revoked: Mapping[Account, Mapping[str, int]] | None = None
    """By account, the keys that are shut out, each with the Unix second from which on it is."""
    cluster: Cluster | None = None
    """Its place among the gateways of a network, which speak TLS to each other."""
    advertise: str = ""
    """The host by which other machines reach it; of use in a cluster alone."""

    def text(self, host: str, port: int, folder: Path, log: Path) -> str:
        """The file's text for a server at an address (port 0 for any), which writes into `folder`."""
        lines = [
            f'listen: "{_host_and_port(host, port or -1)}"',
            f"server_name: {json.dumps(self.name)}",
            f"max_payload: {MAX_PAYLOAD_BYTES}",
            "max_pending: 256MB",
            'write_deadline: "10s"',
            # Under a flood, messages to the victim are dropped; otherwise it would be cut off as too slow.
            "no_fast_producer_stall: true",
            # A connection whose other end has gone without a word is noticed within 12 s.
            'ping_interval: "3s"',
            "ping_max: 2",
            f"ports_file_dir: {json.dumps(str(folder))}",
            f"log_file: {json.dumps(str(log))}",
            *self._tls(),
            *self._cluster(),
            *self._accounts(),
        ]
        return "\n".join(lines) + "\n"

    def _tls(self) -> list[str]:
        if self.tls is None:
            return []
        # TLS comes before the first byte, so that nobody in between can talk a client out of it.
        return [
            "tls {",
            *_lines(cert_file=self.tls.certificate, key_file=self.tls.key, handshake_first=True),
            "}",
        ]

    def _cluster(self) -> list[str]:
        """The way to the other gateways. Both ends show a certificate of the network's own authority."""
        if self.cluster is None or self.tls is None:
            return []
        at = self.cluster.listen
        tls = _lines(cert_file=self.tls.certificate, key_file=self.tls.key, ca_file=self.tls.ca, verify=True)
        routes = [f"tls://{_host_and_port(peer.host, peer.port)}" for peer in self.cluster.peers]
        reached = self.cluster.reached_by(self.advertise)
        return [
            f"client_advertise: {json.dumps(_bracketed(self.advertise))}",
            "cluster {",
            "  name: easynet",
            f"  listen: {json.dumps(_host_and_port(at.host, at.port))}",
            f"  advertise: {json.dumps(_host_and_port(reached.host, reached.port))}",
            f"  routes: {json.dumps(routes)}",
            # A gateway that has gone without a word is noticed within 6 s.
            '  ping_interval: "2s"',
            "  ping_max: 2",
            "  tls {",
            *(f"  {line}" for line in tls),
            "    timeout: 3",
            "  }",
            "}",
        ]

    def _accounts(self) -> list[str]:
        authority = self.authority
        revoked = self.revoked or {}
        entry = authority.entry_jwt(Identity.generate().public)
        lines = [
            f"operator: {authority.operator_jwt()}",
            f"system_account: {authority.account_key('SYS')}",
            f"default_sentinel: {entry}",
            "resolver_preload: {",
            *(f"  {authority.account_key(a)}: {self._account_jwt(a, revoked.get(a))}" for a in ACCOUNTS),
            "}",
        ]
        if self.lasting is None:
            return [*lines, "resolver: MEMORY"]
        return [
            *lines,
            f"resolver: {{ type: full, dir: {json.dumps(str(self.lasting / 'jwt'))} }}",
            f"jetstream {{ store_dir: {json.dumps(str(self.lasting / self._jobs_folder()))} }}",
        ]

    def _jobs_folder(self) -> str:
        # A server of a cluster drops what it kept while it was alone, so it does not get to see it.
        return "jetstream" if self.cluster is None else "jetstream-cluster"

    def _account_jwt(self, account: Account, revoked: Mapping[str, int] | None) -> str:
        """Dated in a cluster by what it says, so that one who knows less does not replace the others'."""
        at = max((revoked or {}).values(), default=1)
        return self.authority.account_jwt(account, revoked, issued_at=at if self.cluster else 0)


def _lines(**options: object) -> list[str]:
    return [
        f"  {key}: {json.dumps(value if isinstance(value, bool) else str(value))}"
        for key, value in options.items()
    ]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host_and_port(host: str, port: int) -> str:
    return f"{_bracketed(host)}:{port}"
