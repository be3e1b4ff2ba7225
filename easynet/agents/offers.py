"""Whose offers a run may use."""

from collections.abc import Sequence

from easynet.agents.work import State, Work
from easynet.core.ids import CapabilityName
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.privacy import given_public_data, is_private, may_see
from easynet.core.task_graph import TaskGraph
from easynet.planners.run_state import Failure
from easynet.tools.node_discovery import discover


async def offers_of(
    state: State, work: Work, capabilities: Sequence[CapabilityName], graphs: Sequence[TaskGraph]
) -> dict[CapabilityName, tuple[Offer, ...]]:
    """The offers that the run may use: strangers' nodes where agreed to, or where no trusted one can.

    Where an intent keeps something private, and these graphs give a capability nothing else, only those that
    may see it.
    """
    parsed, discovery = work.memory.parsed, work.services.discovery
    assert parsed is not None
    public = {*capabilities}
    if is_private(parsed):
        public &= given_public_data(graphs, parsed, work.memory.catalogue)
    offers = {
        **await discover(discovery, [c for c in capabilities if c in public], Privacy.NORMAL),
        **await discover(discovery, [c for c in capabilities if c not in public], Privacy.HIGH),
    }
    if uses_others(state, work):
        return {name: offers[name] for name in capabilities}
    return {name: trusted(offers[name]) or offers[name] for name in capabilities}


def trusted(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Those of nodes that may see all of the user's data: nobody has to be asked before they do."""
    return tuple(o for o in offers if may_see(o.trust, Privacy.HIGH))


def uses_others(state: State, work: Work) -> bool:
    """Whether somebody agreed that nodes see the data which are not the user's own."""
    return work.auto_approve or work.memory.may_use_others or state.get("approved", False)


def failures(state: State) -> list[Failure]:
    """What failed for good since the run was started or resumed."""
    return [Failure.model_validate(f) for f in state.get("failures", [])]
