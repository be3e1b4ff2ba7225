"""Gateways, for people."""

import shlex
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from easynet.agents.wording import columns, one_line
from easynet.cli.look import bare
from easynet.cli.render_table import members_table, nodes_table
from easynet.core.quantities import format_duration
from easynet.fabric.gateway.cluster import Cluster
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.own_address import is_any_host
from easynet.fabric.gateway.owner import GatewayStatus
from easynet.fabric.wire.address import Address

CLUSTER_PORT: Final = 6222
"""Where gateways wait for each other, if nobody says otherwise."""


def gateway_started(gateway: Gateway, metrics_port: int | None, cluster: Cluster | None = None) -> str:
    """Where a gateway listens, and what to type next."""
    address = Address.parse(gateway.advertised[0])
    if address.is_loopback and not gateway.has_tls:
        reach = f"Gateway at {bare(str(address))}, for this machine only. Ctrl-C ends it."
    else:
        reach = f"Gateway at {bare(str(address))}, with TLS. Ctrl-C ends it."
    lines = [reach]
    if metrics_port is not None:
        lines.append(f"Metrics at http://127.0.0.1:{metrics_port}/metrics, for this machine only.")
    if cluster is not None:
        lines += ["", *other_gateways(cluster, gateway.advertised)]
    lines += ["", "Let others in, each with a token, from another terminal on this machine:"]
    lines += _commands(
        ("easynet invite node --name gpu-node", "a machine that offers functions"),
        ("easynet invite client --name ana", "somebody who calls them"),
    )
    if address.is_loopback and not gateway.has_tls:
        lines += ["To be reached from other machines, start it so instead:"]
        lines += _commands((f"easynet gateway start --listen 0.0.0.0:{address.port}", ""))
    return "\n".join(lines)


def other_gateways(cluster: Cluster, advertised: Sequence[str]) -> Iterator[str]:
    """With which gateways this one serves its network, and what to type where one is still missing."""
    own, *others = map(Address.parse, advertised)
    here = cluster.reached_by(own.host)
    if others:
        yield f"It serves its network together with {', '.join(sorted(map(_typed, others)))}."
    there = {address.host for address in others}
    missing = [peer for peer in cluster.peers if peer.host not in there]
    if cluster.peers and not missing:
        return
    yield f"It waits for {'more' if others else 'other'} gateways of its network at {_typed(here)}:"
    yield "  easynet gateway export network.json   here; take the file to the other machine"
    if not cluster.peers:
        yield "Start this one again with --peers, for only gateways that know each other keep jobs together:"
    for peer in missing or [Address("HOST", here.port)]:
        known = [here, *(other for other in cluster.peers if other != peer)]
        yield f"On {peer.host}, where --network may be left out after the first time:"
        yield (
            f"  easynet gateway start --network network.json {_place(cluster, peer, own.port)}"
            f" --peers {','.join(map(_typed, known))}"
        )


def _place(cluster: Cluster, peer: Address, port: int) -> str:
    """Where another gateway listens, in the manner of this one."""
    if is_any_host(cluster.listen.host):
        return f"--listen 0.0.0.0:{port} --advertise {peer.host} --cluster 0.0.0.0:{peer.port}"
    return f"--listen {_typed(Address(peer.host, port))} --cluster {_typed(peer)}"


def _typed(address: Address) -> str:
    return bare(str(address))


def further_gateway(file: str, known: Sequence[str]) -> str:
    """The command for another gateway of a network, of which those at `known` are."""
    peers = ",".join(_typed(Address(Address.parse(text).host, CLUSTER_PORT)) for text in known)
    return (
        f"easynet gateway start --network {shlex.quote(file)} --listen 0.0.0.0:4222"
        f" --cluster 0.0.0.0:{CLUSTER_PORT} --peers {peers or f'HOST:{CLUSTER_PORT}'}"
    )


def gateway_status(status: GatewayStatus) -> str:
    """A gateway, the nodes that are there, and who has joined."""
    since = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(status.started_at))} UTC"
    where = ", ".join(bare(address) for address in status.gateways)
    up = format_duration(max(1.0, time.time() - status.started_at))
    lines = [
        f"Gateway at {where}, {'with' if status.tls else 'without'} TLS",
        f"EasyNet {one_line(status.version)}, since {since} ({up})",
        f"Data in {short(Path(status.folder))}",
        "",
        nodes_table(status.nodes),
        "",
        members_table(status.members, status.nodes),
    ]
    return "\n".join(lines)


def short(path: Path) -> str:
    """A path with `~` for the user's own folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _commands(*commands: tuple[str, str]) -> Iterable[str]:
    """Commands, each with what it is for."""
    width = max(columns(command) for command, _ in commands)
    for command, purpose in commands:
        yield f"  {command}{' ' * (width - columns(command))}   {purpose}".rstrip()
