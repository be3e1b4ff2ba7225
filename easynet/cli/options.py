"""Options that several commands share."""

from typing import Annotated

import typer

Gateway = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        metavar="HOST:PORT",
        help="The network to use, or embedded. Default: EASYNET_GATEWAY, your own, or the one joined last.",
    ),
]
OwnGateway = Annotated[
    str | None,
    typer.Option(
        "--gateway", metavar="HOST:PORT", help="Which of your gateways here, where you run several."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one event a line on stdout.")]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Agree beforehand that others' nodes see the data. Steps that cannot be undone still ask.",
    ),
]
Approve = Annotated[
    list[str] | None,
    typer.Option(
        "--approve",
        metavar="FUNCTION",
        help="Agree beforehand to a function that cannot be undone or costs much. Repeatable.",
    ),
]
Budget = Annotated[str | None, typer.Option(help='At most this much, such as "$5".')]
Deadline = Annotated[str | None, typer.Option(help='At most this long, such as "10 minutes".')]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A language model that plans: openai:NAME, anthropic:NAME or http://HOST/v1#NAME. "
        "Default: EASYNET_MODEL.",
    ),
]
