"""Options that several commands share."""

from typing import Annotated

import typer

Gateway = Annotated[
    str | None,
    typer.Option("--gateway", help="A gateway's address instead of an embedded network."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one event a line on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to the plan beforehand.")]
