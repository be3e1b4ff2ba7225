"""`easynet functions`: what can be called."""

from typing import Annotated

import typer

from easynet.cli.options import Gateway
from easynet.cli.streams import write, write_json

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def functions(
    name: Annotated[str | None, typer.Argument(help="A function, to see all there is about it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one function a line, as JSON.")] = False,
    gateway: Gateway = None,
) -> None:
    """List the functions that the network offers, and on which nodes; or show one of them.

    Those that this device may not call are marked.
    """
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.look import nodes_and_rights
    from easynet.cli.render import (
        function_details,
        functions_json,
        functions_list,
        functions_table,
        offered,
    )
    from easynet.cli.render_wrap import terminal_columns

    nodes, rights = nodes_and_rights(gateway)
    places, width = offered(nodes, name), terminal_columns()
    if json:
        for line in functions_json(places, rights):
            write_json(line)
    elif name is not None:
        write(function_details(places, width, rights=rights))
    else:
        write(functions_list(nodes, width, rights=rights) if width else functions_table(nodes, rights=rights))
