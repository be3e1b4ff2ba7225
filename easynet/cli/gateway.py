"""`easynet gateway`: run a network of one's own, and see who is on it."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from easynet.cli.options import OwnGateway
from easynet.cli.streams import write, write_json

if TYPE_CHECKING:
    from easynet.fabric.gateway.cluster import Cluster

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def gateway() -> None:
    """Run a network of your own, and see who is on it."""


@app.command()
def start(
    listen: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT", help="Where to listen. 0.0.0.0:4222 lets other machines in, always with TLS."
        ),
    ] = "127.0.0.1:4222",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep keys, members and large values.")
    ] = None,
    advertise: Annotated[
        str, typer.Option(metavar="HOST", help="The name or address by which other machines reach this one.")
    ] = "",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Serve metrics for Prometheus there, on this machine."
        ),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Become a gateway of the network that `gateway export` wrote to FILE."
        ),
    ] = None,
    cluster: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to wait for the network's other gateways.")
    ] = "",
    peers: Annotated[
        str, typer.Option(metavar="HOST:PORT,...", help="Where those wait, with commas between.")
    ] = "",
) -> None:
    """Run a gateway until Ctrl-C. Who has joined it finds it again after a restart."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.listen import listen_address
    from easynet.fabric.gateway.cluster import read_cluster
    from easynet.fabric.telemetry import logs

    host, port = listen_address(listen)
    place = read_cluster(cluster, peers)
    logs.configure()
    folder = data.absolute() if data else None
    asyncio.run(_serve(host, port, folder, advertise, metrics_port, place, network))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, which only you can read.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the gateway keeps its keys.")
    ] = None,
) -> None:
    """Write your network's keys to a file, to run a further gateway of it on another machine."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.render_gateway import further_gateway
    from easynet.fabric.gateway.network_file import export_network, known_gateways
    from easynet.settings import Settings

    folder = (data or Settings().data_dir) / "gateway"
    export_network(folder, file)
    print(
        f"Whoever has {file} is your network: it lets anybody in and reads everything."
        " Take it to the other machine by a way that you trust, and delete it afterwards.",
        file=sys.stderr,
        flush=True,
    )
    write(further_gateway(file.name, known_gateways(folder)))


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="The same as one object of JSON.")] = False,
    gateway: OwnGateway = None,
) -> None:
    """Show your gateway, its nodes, and who has joined."""
    # Imported here: a mistyped option should not wait for them.
    from pydantic import TypeAdapter

    from easynet.cli.own_gateway import as_owner
    from easynet.cli.render_gateway import gateway_status
    from easynet.fabric.gateway.owner import GatewayStatus

    found = asyncio.run(as_owner(gateway, lambda owner: owner.status()))
    if json:
        write_json(TypeAdapter(GatewayStatus).dump_json(found))
    else:
        write(gateway_status(found))


async def _serve(
    host: str,
    port: int,
    data: Path | None,
    advertise: str,
    metrics_port: int | None,
    cluster: "Cluster | None",
    network: Path | None,
) -> None:
    # Imported here: they take longest to load.
    from easynet.cli.render_gateway import gateway_started
    from easynet.fabric.gateway.gateway import Gateway
    from easynet.fabric.gateway.network_file import import_network
    from easynet.fabric.telemetry.metrics import MetricsServer
    from easynet.settings import Settings

    own = Settings().usable_data_dir()
    if network is not None:
        import_network(network, (data or own) / "gateway")
    gateway = Gateway(
        data or own,
        host,
        port,
        lasting=True,
        advertise=advertise,
        is_default=True,
        ways_in=own,
        cluster=cluster,
    )
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gateway)
        metrics = None
        if metrics_port is not None:
            metrics = MetricsServer(gateway, metrics_port)
            await metrics.start()
            stack.push_async_callback(metrics.stop)
        write(gateway_started(gateway, metrics.port if metrics else None, cluster))
        await ended.wait()
