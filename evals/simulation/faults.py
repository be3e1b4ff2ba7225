"""What may go wrong with nodes, and with which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from easynet.core.offer import Trust
from evals.simulation.away_nodes import (
    CrashesAfter,
    CrashesBefore,
    CrashesDuring,
    CutOff,
    Flapping,
    Lost,
    RepliesLate,
)
from evals.simulation.faulty_node import Occasion
from evals.simulation.lying_nodes import (
    AnswersInWrongForm,
    AnswersWrong,
    OverstatesItsSpeed,
    RaisesItsPrice,
    RepliesTwice,
)
from evals.simulation.node import MockNode
from evals.simulation.slow_nodes import Frozen, Slow

AFFECTED: Final = 0.4
"""The share of nodes that a fault has."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault, and whom it befalls."""

    around: Callable[[MockNode, Occasion], MockNode]
    by_site: bool = False
    """It befalls all nodes of one site, and no others."""
    spares_own: bool = False
    """It befalls no nodes of the user's own: whom one trusts is not asked twice."""

    def befall(self, nodes: Sequence[MockNode], occasion: Occasion) -> list[MockNode]:
        """The nodes, with those in whose place faulty ones stand."""
        chance = occasion.chance
        if self.by_site:
            sites = sorted({n.site for n in nodes})
            lost = sites[int(chance.share("site") * len(sites))]
            return [self.around(n, occasion) if n.site == lost else n for n in nodes]
        able = [n for n in nodes if not (self.spares_own and n.trust is Trust.OWN)]
        drawn = sorted(able, key=lambda n: chance.share("befalls", n.name))
        struck = {n.name for n in drawn[: round(AFFECTED * len(nodes))]}
        return [self.around(n, occasion) if n.name in struck else n for n in nodes]


FAULTS: Final = {
    "crash before": Fault(CrashesBefore),
    "crash during": Fault(CrashesDuring),
    "crash after": Fault(CrashesAfter),
    "slow": Fault(Slow),
    "frozen": Fault(Frozen),
    "wrong answer": Fault(AnswersWrong, spares_own=True),
    "wrong type": Fault(AnswersInWrongForm),
    "lying price": Fault(RaisesItsPrice),
    "lying speed": Fault(OverstatesItsSpeed),
    "flapping": Fault(Flapping),
    "partition": Fault(CutOff),
    "duplicate reply": Fault(RepliesTwice),
    "late reply": Fault(RepliesLate),
    "group lost": Fault(Lost, by_site=True),
}
"""By the name that reports show."""
