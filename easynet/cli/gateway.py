"""`easynet gateway`: run a network of one's own, and see who is on it."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from easynet.cli.options import OwnGateway
from easynet.cli.streams import write, write_json

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
) -> None:
    """Run a gateway until Ctrl-C. Who has joined it finds it again after a restart."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.listen import listen_address
    from easynet.fabric import logs

    host, port = listen_address(listen)
    logs.configure()
    asyncio.run(_serve(host, port, data.absolute() if data else None, advertise, metrics_port))


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
    from easynet.fabric.owner import GatewayStatus

    found = asyncio.run(as_owner(gateway, lambda owner: owner.status()))
    if json:
        write_json(TypeAdapter(GatewayStatus).dump_json(found))
    else:
        write(gateway_status(found))


async def _serve(host: str, port: int, data: Path | None, advertise: str, metrics_port: int | None) -> None:
    # Imported here: they take longest to load.
    from easynet.cli.render_gateway import gateway_started
    from easynet.fabric.gateway import Gateway
    from easynet.fabric.metrics import MetricsServer
    from easynet.settings import Settings

    own = Settings().usable_data_dir()
    gateway = Gateway(
        data or own,
        host,
        port,
        lasting=True,
        advertise=advertise,
        is_default=True,
        ways_in=own,
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
        write(gateway_started(gateway, metrics.port if metrics else None))
        await ended.wait()
