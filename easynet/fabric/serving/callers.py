"""The clients that have calls at a node, and whether they are still there."""

from dataclasses import dataclass, field
from typing import Final

from easynet.fabric.serving.metering import is_metered

GONE_AFTER_S: Final = 30.0
"""A client that has said nothing for so long does not wait any more; it speaks every five seconds."""
_FORGET_AFTER_S: Final = 60.0
_MAX_CALLERS: Final = 20_000
"""Client processes that are remembered; with more than that, those without calls are forgotten at once."""


@dataclass(slots=True)
class Caller:
    """One client process."""

    client: str
    """Its id, for which the gateway vouches."""
    inbox: str
    heard_at: float
    token: str = ""
    """The last part of the subject on which it hears whether the node lives; "" where it has not said."""
    easynet: str = ""
    """The version of EasyNet that it runs; "" where it has not said."""
    calls: set[str] = field(default_factory=set[str])
    """The ids of its calls here."""
    is_metered: bool = False
    """Whether its calls are counted before they run."""
    prefix: str = field(init=False)
    """Of the subjects on which it hears of its calls."""

    def __post_init__(self) -> None:
        self.prefix = f"re.{self.client}.{self.inbox}."


class Callers:
    """The clients of one node. Times are the caller's."""

    def __init__(self) -> None:
        self._caller_by_inbox: dict[tuple[str, str], Caller] = {}

    def heard(self, client: str, inbox: str, now: float) -> Caller:
        """The client, which has just said something."""
        found = self._caller_by_inbox.get((client, inbox))
        if found is None:
            found = Caller(client, inbox, now, is_metered=is_metered(client))
            if len(self._caller_by_inbox) >= _MAX_CALLERS:
                waiting = {key: caller for key, caller in self._caller_by_inbox.items() if caller.calls}
                self._caller_by_inbox = waiting
            self._caller_by_inbox[client, inbox] = found
        found.heard_at = now
        return found

    def here(self, client: str, inbox: str, now: float) -> Caller | None:
        """The client, where it was heard of lately."""
        found = self._caller_by_inbox.get((client, inbox))
        return found if found is not None and now - found.heard_at <= GONE_AFTER_S else None

    def waiting(self) -> list[Caller]:
        """Those that have calls here."""
        return [caller for caller in self._caller_by_inbox.values() if caller.calls]

    def gone(self, now: float) -> list[Caller]:
        """Those that have calls here and were silent for too long; others are forgotten in time."""
        for key, caller in list(self._caller_by_inbox.items()):
            if not caller.calls and now - caller.heard_at > _FORGET_AFTER_S:
                del self._caller_by_inbox[key]
        return [caller for caller in self.waiting() if now - caller.heard_at > GONE_AFTER_S]

    def all_heard(self, now: float) -> None:
        """Nobody could be heard until now."""
        for caller in self._caller_by_inbox.values():
            caller.heard_at = now
