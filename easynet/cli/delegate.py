"""`easynet delegate`: hand on a part of what one may do oneself."""

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from easynet.cli.options import Gateway
from easynet.cli.streams import write

if TYPE_CHECKING:
    from easynet.fabric.access.grants import Grant, Limits

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def delegate(
    functions: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="What may be called: add,gpu-node.my_model. Default: all."),
    ] = None,
    max_spend: Annotated[
        int | None, typer.Option(metavar="CREDITS", min=0, help="What all its holders together may spend.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long it is good: 30m, 12h, 7d. Default: for ever.")
    ] = None,
    from_token: Annotated[
        str | None,
        typer.Option("--from", metavar="TOKEN", help="Narrow this grant, without asking anybody."),
    ] = None,
    gateway: Gateway = None,
) -> None:
    """Print the command with which somebody gets a part of your rights on a network, and no more."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.core.quantities import parse_duration
    from easynet.fabric.access.grants import Grant, Limits

    names = tuple(word.strip() for words in functions or [] for word in words.split(",") if word.strip())
    until = time.time() + parse_duration(expires, "--expires") if expires else None
    limits = Limits(names, max_spend, until)
    whole = Grant.parse(from_token) if from_token else asyncio.run(_own_grant(gateway))
    part = whole.narrow(limits)
    print(_explained(limits), file=sys.stderr, flush=True)
    write(f"easynet join {part.token()}")


async def _own_grant(gateway: str | None) -> "Grant":
    # Imported here: narrowing a grant needs no network.
    from easynet.cli.look import client_of, network_meant

    async with client_of(network_meant(gateway)) as client:
        return await client.grant()


def _explained(limits: "Limits") -> str:
    may = f"call {', '.join(limits.functions)}" if limits.functions else "call what you may call"
    spend = f", for {limits.max_spend} credits in all" if limits.max_spend is not None else ""
    until = ""
    if limits.expires_at is not None:
        until = time.strftime(", until %Y-%m-%d %H:%M UTC", time.gmtime(limits.expires_at))
    return f"Whoever has this may {may}{spend}{until}. Give it to nobody else."
