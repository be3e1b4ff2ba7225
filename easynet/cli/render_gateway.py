"""Gateways, for people."""

import time
from collections.abc import Iterable
from pathlib import Path

from easynet.agents.wording import columns, one_line
from easynet.cli.look import bare
from easynet.cli.render_table import members_table, nodes_table
from easynet.core.quantities import format_duration
from easynet.fabric.wire.address import Address
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import GatewayStatus


def gateway_started(gateway: Gateway, metrics_port: int | None) -> str:
    """Where a gateway listens, and what to type next."""
    address = Address.parse(gateway.advertised[0])
    if address.is_loopback and not gateway.has_tls:
        reach = f"Gateway at {bare(str(address))}, for this machine only. Ctrl-C ends it."
    else:
        reach = f"Gateway at {bare(str(address))}, with TLS. Ctrl-C ends it."
    lines = [reach]
    if metrics_port is not None:
        lines.append(f"Metrics at http://127.0.0.1:{metrics_port}/metrics, for this machine only.")
    lines += ["", "Let others in, each with a token, from another terminal on this machine:"]
    lines += _commands(
        ("easynet invite node --name gpu-node", "a machine that offers functions"),
        ("easynet invite client --name ana", "somebody who calls them"),
    )
    if address.is_loopback and not gateway.has_tls:
        lines += ["To be reached from other machines, start it so instead:"]
        lines += _commands((f"easynet gateway start --listen 0.0.0.0:{address.port}", ""))
    return "\n".join(lines)


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
