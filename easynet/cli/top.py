"""`easynet top`: how busy the network is, kept up to date."""

from typing import Annotated

import typer

from easynet.cli.options import Gateway

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def top(
    once: Annotated[
        bool, typer.Option("--once", help="Watch for one interval, print one table and exit.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The same as one object of JSON.")] = False,
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="Between two looks at the network.")
    ] = "2s",
    gateway: Gateway = None,
) -> None:
    """Watch the nodes of the network: their load, calls, errors and durations, the busiest first."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.top_live import show
    from easynet.core.quantities import parse_duration

    show(gateway, parse_duration(interval, "--interval"), once=once, as_json=json)
