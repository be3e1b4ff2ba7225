"""`easynet invite`: a token with which one device may join a network of one's own."""

import asyncio
import sys
import time
from enum import StrEnum
from typing import Annotated

import typer

from easynet.cli.options import OwnGateway
from easynet.cli.streams import write
from easynet.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class MemberKind(StrEnum):
    """What a device joins as."""

    node = "node"
    client = "client"


Kind = Annotated[
    MemberKind, typer.Argument(metavar="node|client", help="A node offers functions, a client calls them.")
]


@app.command()
def invite(
    kind: Kind,
    name: Annotated[str, typer.Option(metavar="NAME", help="Under which it will be known.")],
    functions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES", help="What a client may call, such as add,gpu-node.my_model. Default: all."
        ),
    ] = None,
    trusted: Annotated[bool, typer.Option("--trusted", help="This node is as good as your own.")] = False,
    rate: Annotated[
        float | None, typer.Option(metavar="N", min=0, help="Messages a second that a client may send.")
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="How long the token is good: 30m, 12h, 7d.")
    ] = "1d",
    gateway: OwnGateway = None,
) -> None:
    """Print the command with which one device joins your network, once and within a time."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.own_gateway import as_owner
    from easynet.core.quantities import parse_duration

    allowed = [word.strip() for words in functions or [] for word in words.split(",") if word.strip()]
    expires_s = parse_duration(expires, "--expires")
    _check(kind, allowed, rate, trusted)
    token = asyncio.run(
        as_owner(
            gateway,
            lambda owner: owner.invite(
                kind.value,
                name,
                functions=allowed,
                trusted=trusted,
                rate=rate or 0.0,
                expires_s=expires_s,
            ),
        )
    )
    may = f" It may call {', '.join(allowed)}, and nothing else." if allowed else ""
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(time.time() + expires_s))
    print(f"The {kind} {name} joins with this, once, until {until}.{may}", file=sys.stderr, flush=True)
    write(f"easynet join {token}")


def _check(kind: MemberKind, functions: list[str], rate: float | None, trusted: bool) -> None:
    """Raise UsageError for what is said of the wrong kind of device."""
    misplaced = [
        option
        for option, is_given, goes_with in (
            ("--functions", bool(functions), MemberKind.client),
            ("--rate", rate is not None, MemberKind.client),
            ("--trusted", trusted, MemberKind.node),
        )
        if is_given and kind is not goes_with
    ]
    if misplaced:
        other = MemberKind.node if kind is MemberKind.client else MemberKind.client
        raise UsageError(
            f"{' and '.join(misplaced)} cannot be said of a {kind}",
            hint=f"It goes with a {other}: easynet invite {other} --name ...",
        )
