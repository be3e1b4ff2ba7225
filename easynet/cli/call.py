"""`easynet call`: call one function by its name."""

from pathlib import Path
from typing import Annotated

import typer

from easynet.cli.options import Gateway

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def call(
    function: Annotated[
        str,
        typer.Argument(metavar="FUNCTION", help="On any node, or NODE.FUNCTION on that one."),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VALUE",
            help="JSON, or else a plain text; @FILE sends a file; NAME=VALUE says for which argument.",
        ),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Give up after it, such as 30s or 10m.")
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Add what the node signed about the call to a file."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON in one line, also on a terminal.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave the work to the gateway, and print the job's id.")
    ] = False,
    gateway: Gateway = None,
) -> None:
    """Call a function, and print its result as JSON; of a generator, one line an item as they come.

    A file that comes back is saved here, under its own name or, where that is taken, one beside it.
    """
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.call_arguments import arguments_of
    from easynet.cli.function_call import FunctionCall, run
    from easynet.core.quantities import parse_duration

    wanted = FunctionCall(
        function,
        arguments_of(arguments or []),
        timeout_s=parse_duration(timeout, "--timeout") if timeout is not None else None,
        as_json=json,
        folder=Path.cwd(),
        receipt=receipt,
        is_detached=detach,
    )
    raise typer.Exit(run(wanted, gateway))
