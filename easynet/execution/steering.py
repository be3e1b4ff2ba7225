"""What decides where attempts go: shared by all runs of a network, which so learn from each other."""

from dataclasses import dataclass, field

from easynet.execution.load import Load
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.hedging import Hedging
from easynet.scheduling.policy import LearnedPolicy, Policy


@dataclass(frozen=True)
class Steering:
    """How offers are chosen, and what is learned from what became of it."""

    estimates: Estimates = field(default_factory=Estimates)
    policy: Policy | None = None
    """By default that of the estimates."""
    hedging: Hedging | None = field(default_factory=Hedging)
    """None where no second attempts are made beside slow ones."""
    load: Load = field(default_factory=Load)

    @property
    def chooser(self) -> Policy:
        return self.policy or LearnedPolicy(self.estimates)
