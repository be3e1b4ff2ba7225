"""Whose offers a run may use."""

from collections.abc import Sequence

from easynet.agents.work import State, Work
from easynet.core.ids import CapabilityName
from easynet.core.offer import Offer, Trust
from easynet.planners.run_state import Failure
from easynet.tools.node_discovery import discover


async def offers_of(
    state: State, work: Work, capabilities: Sequence[CapabilityName]
) -> dict[CapabilityName, tuple[Offer, ...]]:
    """The offers that the run may use: others' nodes where agreed to, or where no own one can."""
    assert work.memory.parsed is not None
    privacy = work.memory.parsed.requirements.privacy
    offers = await discover(work.services.discovery, capabilities, privacy)
    if work.auto_approve or state.get("approved"):
        return offers
    return {name: _own(found) or found for name, found in offers.items()}


def failures(state: State) -> list[Failure]:
    """What failed for good since the run was started or resumed."""
    return [Failure.model_validate(f) for f in state.get("failures", [])]


def _own(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    return tuple(o for o in offers if o.trust is Trust.OWN)
