"""A node's side of spending: calls of clients whose grant limits it are counted before they run."""

from collections.abc import Awaitable, Callable
from typing import Any

from easynet.core.errors import OverBudget
from easynet.fabric.wire.names import METERED


def is_metered(client: str) -> bool:
    """Whether a client may spend only so much. The gateway gave it that id, and the server vouches for it."""
    return client.startswith(METERED)


class Meter:
    """Has the gateway count calls against what their callers may spend."""

    def __init__(self, ask: Callable[[str, Any], Awaitable[Any]]) -> None:
        """`ask` puts a question of the node's to its gateway."""
        self._ask = ask

    async def charge(self, client: str, function: str, run: str) -> None:
        """Count one run of a function at the price that everybody was told.

        Raises OverBudget or GatewayError.
        """
        if not await self._ask("charge", [client, function, run]):
            raise OverBudget(
                f"what this grant may spend does not suffice for a call of {function}",
                hint="Ask whoever gave it to you for one with more credits.",
            )

    async def refund(self, client: str, run: str) -> None:
        """Take back what was counted for a run that came to nothing; raises GatewayError."""
        await self._ask("refund", [client, run])
