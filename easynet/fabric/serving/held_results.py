"""Results at a node that their clients have not got yet."""

from dataclasses import dataclass
from typing import Final

from easynet.fabric.values.held_values import HeldValues

KEPT_S: Final = 60.0
"""Since the client last wanted something of it."""


@dataclass(slots=True)
class _Held:
    values: HeldValues
    wanted_at: float


class HeldResults:
    """The large values of results, by call. Times are the caller's."""

    def __init__(self) -> None:
        self._held_by_call: dict[tuple[str, str], _Held] = {}

    def add(self, client: str, call: str, values: HeldValues, now: float) -> None:
        """Keep the values of a call's result for its client."""
        self._held_by_call[client, call] = _Held(values, now)

    def share(self, client: str, call: str, other: str, now: float) -> None:
        """Another call of the client's has the same result."""
        if (held := self._held_by_call.get((client, call))) is not None:
            self.add(client, other, held.values, now)

    def find(self, client: str, call: str, now: float) -> HeldValues | None:
        """The values of a call of this client's, if they are here still."""
        held = self._held_by_call.get((client, call))
        if held is None:
            return None
        held.wanted_at = now
        return held.values

    def done(self, client: str, call: str) -> None:
        """The client has all that it needs."""
        held = self._held_by_call.pop((client, call), None)
        if held is not None and all(held.values is not other.values for other in self._held_by_call.values()):
            held.values.release()

    def forget(self, now: float) -> None:
        """Let go of what nobody has wanted for long."""
        for (client, call), held in [*self._held_by_call.items()]:
            if now - held.wanted_at > KEPT_S:
                self.done(client, call)
