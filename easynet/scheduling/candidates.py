"""Which offers may be used at all: hard filters, never part of a score."""

from collections.abc import Sequence
from dataclasses import dataclass

from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.privacy import may_see


@dataclass(frozen=True)
class Candidates:
    """The offers of a capability that may be used for some data."""

    offers: tuple[Offer, ...]
    reason: str = ""
    """Why there is none, as a sentence; empty where there are some."""


def eligible(offers: Sequence[Offer], label: Privacy) -> Candidates:
    """Keep the offers whose nodes may be given data of this label, in their order."""
    if not offers:
        return Candidates((), "No node offers it.")
    kept = tuple(o for o in offers if may_see(o.trust, label))
    if kept:
        return Candidates(kept)
    names = ", ".join(sorted(o.node for o in offers)[:3])
    return Candidates(
        (), f"Private data goes to your own nodes and those you trust only; it is offered by others: {names}."
    )
