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
    """List the functions that the network offers, and on which nodes; or show one of them."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.look import nodes_of
    from easynet.cli.render import function_details, functions_list, functions_table, offered
    from easynet.cli.render_wrap import terminal_columns

    nodes = nodes_of(gateway)
    places, width = offered(nodes, name), terminal_columns()
    if json:
        for line in dict.fromkeys(capability.model_dump_json().encode() for _, capability in places):
            write_json(line)
    elif name is not None:
        write(function_details(places, width))
    else:
        write(functions_list(nodes, width) if width else functions_table(nodes))
