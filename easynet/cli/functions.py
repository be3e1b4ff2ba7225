"""`easynet functions`: what can be called."""

import typer

from easynet.cli.options import Gateway
from easynet.cli.streams import write

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def functions(gateway: Gateway = None) -> None:
    """List the functions that the network offers, and on which nodes."""
    from easynet.cli.look import nodes_of
    from easynet.cli.render import functions_table

    write(functions_table(nodes_of(gateway)))
