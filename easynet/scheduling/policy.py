"""Which offer a ready subtask is given to: the one with the lowest score."""

from dataclasses import dataclass
from typing import Protocol

from easynet.core.ids import SubtaskId
from easynet.core.offer import Offer

_DOUBT = 1.5
"""How much an offer that may fail is shunned beyond the time that its failures cost on average."""
_QUEUE = 2.0
"""How much a second's wait for a busy node is shunned beyond the second: what it runs may be a straggler.
Chosen on simulated markets, see `evals/README.md`."""
PRICE_S = 0.02
"""The seconds that one credit is worth."""


class Policy(Protocol):
    """Scores offers; the lowest is taken, and waited for where it has no free slot."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        """`outstanding_s` is how long the node will still be busy with what it was given.

        `advised` says that the schedule gave the subtask to this node.
        """
        ...


class Learned(Protocol):
    """What past attempts teach about offers."""

    def seconds(self, offer: Offer) -> float:
        """How long the offer will take."""
        ...

    def success(self, offer: Offer) -> float:
        """How likely it succeeds, above 0 and at most 1."""
        ...


@dataclass(frozen=True)
class LearnedPolicy:
    """The time until the result, as past attempts let expect it, and a little for the price."""

    estimates: Learned
    price_s: float = PRICE_S
    """The seconds that one credit is worth."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        seconds = _QUEUE * outstanding_s + self.estimates.seconds(offer)
        risk = float(self.estimates.success(offer) ** _DOUBT)
        return seconds / risk + self.price_s * offer.price
