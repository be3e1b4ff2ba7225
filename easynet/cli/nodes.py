"""`easynet nodes`: who is on the network."""

import typer

from easynet.cli.options import Gateway
from easynet.cli.streams import write

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def nodes(gateway: Gateway = None) -> None:
    """List the nodes of the network: of a gateway, or the built-in ones."""
    from easynet.cli.look import nodes_of
    from easynet.cli.render import nodes_table

    write(nodes_table(nodes_of(gateway)))
