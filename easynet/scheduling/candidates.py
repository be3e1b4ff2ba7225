"""Which offers may be used at all: hard filters, never part of a score."""

from collections.abc import Sequence
from dataclasses import dataclass

from easynet.core.intent import Privacy, Requirements
from easynet.core.offer import Offer, Trust


@dataclass(frozen=True)
class Candidates:
    """The offers of a capability that meet the requirements."""

    offers: tuple[Offer, ...]
    reason: str = ""
    """Why there is none, as a sentence; empty where there are some."""


def eligible(offers: Sequence[Offer], requirements: Requirements) -> Candidates:
    """Keep the offers that meet `requirements`, in their order."""
    if not offers:
        return Candidates((), "No node offers it.")
    if requirements.privacy is not Privacy.HIGH:
        return Candidates(tuple(offers))
    own = tuple(o for o in offers if o.trust is Trust.OWN)
    if own:
        return Candidates(own)
    names = ", ".join(sorted(o.node for o in offers)[:3])
    return Candidates((), f"High privacy allows your own nodes only, and it is offered by others: {names}.")
