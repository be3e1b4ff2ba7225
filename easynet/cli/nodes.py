"""`easynet nodes`: who is on the network."""

from typing import Annotated

import typer

from easynet.cli.options import Gateway
from easynet.cli.streams import write, write_json

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def nodes(
    json: Annotated[bool, typer.Option("--json", help="Print one node a line, as JSON.")] = False,
    gateway: Gateway = None,
) -> None:
    """List the nodes of the network: of a gateway, or the built-in ones."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.look import nodes_of
    from easynet.cli.render import nodes_table

    found = nodes_of(gateway)
    if json:
        for node in sorted(found, key=lambda n: n.name):
            write_json(node.model_dump_json().encode())
    else:
        write(nodes_table(found))
