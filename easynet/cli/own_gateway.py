"""The gateway that the user of this machine runs here, and may administer."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from easynet.core.errors import GatewayUnreachable, UsageError
from easynet.fabric.access import memberships
from easynet.fabric.gateway.owner import Owner
from easynet.settings import Settings

T = TypeVar("T")


async def as_owner(gateway: str | None, work: Callable[[Owner], Awaitable[T]]) -> T:
    """The result of some work at the gateway that is meant."""
    async with Owner(own_gateway(gateway)) as owner:
        return await work(owner)


def own_gateway(named: str | None) -> str:
    """The gateway that is named, or the only one; raises GatewayUnreachable or UsageError."""
    if named is not None:
        return named
    mine = [str(address) for address, local in memberships.running(Settings().data_dir) if local.is_default]
    match mine:
        case [only]:
            return only
        case []:
            raise GatewayUnreachable(
                "no gateway of yours runs on this machine",
                hint="Start one with `easynet gateway start`. What others run is seen with `easynet nodes`.",
            )
        case _:
            raise UsageError(
                f"several gateways of yours run on this machine: {', '.join(mine)}",
                hint="Say which one you mean with --gateway.",
            )
