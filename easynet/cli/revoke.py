"""`easynet revoke`: shut a device out of a network of one's own."""

import asyncio
from typing import Annotated

import typer

from easynet.cli.invite import Kind
from easynet.cli.options import OwnGateway
from easynet.cli.streams import write

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def revoke(
    kind: Kind,
    name: Annotated[str, typer.Argument(help="As `easynet gateway status` lists it.")],
    gateway: OwnGateway = None,
) -> None:
    """Shut a device out, at once and for good. It can come back with a new token only."""
    # Imported here: a mistyped option should not wait for them.
    from easynet.cli.own_gateway import as_owner

    asyncio.run(as_owner(gateway, lambda owner: owner.revoke(kind.value, name)))
    write(f"The {kind} {name} is shut out.")
