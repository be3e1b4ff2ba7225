"""`easynet join`: become a member of somebody's network."""

import asyncio
import sys
from typing import Annotated

import typer

from easynet.cli.streams import write
from easynet.core.errors import TokenRejected

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_LONGEST_TOKEN = 64 * 1024


@app.command()
def join(
    token: Annotated[
        str, typer.Argument(metavar="TOKEN", help="As `easynet invite` printed it; - reads it from stdin.")
    ],
) -> None:
    """Join a network with a token that its owner gave you. The key is made here and stays here."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.render_join import joined
    from easynet.fabric.gateway.enrolment import join as join_network
    from easynet.settings import Settings

    membership = asyncio.run(join_network(_word(token), Settings().usable_data_dir()))
    write(joined(membership))


def _word(token: str) -> str:
    """The token alone, also where the whole command that holds it came by a pipe."""
    if token != "-":
        return token
    words = sys.stdin.read(_LONGEST_TOKEN).split()
    if not words:
        raise TokenRejected("there is no token on stdin", hint="For example: easynet join - < token.txt")
    return "".join(words).removeprefix("easynetjoin")
