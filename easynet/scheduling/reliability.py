"""How likely calls succeed, learned from how attempts ended."""

from easynet.core.ids import CapabilityName, NodeId
from easynet.scheduling.recent import Recent

_KEPT, _KEPT_OF_ALL = 0.98, 0.998
"""What an attempt still counts after the next one of this function at this node, and after any other."""
_PRIOR, _PRIOR_FAILURES = 4.25, 0.25
"""What is thought of calls before the first one, as if so many had been seen."""
_OTHERS = 0.5
"""What an attempt at one function of a node counts for its others."""


class _Tally:
    """Successes and failures, the older the less."""

    __slots__ = ("failures", "successes")

    def __init__(self) -> None:
        self.successes = 0.0
        self.failures = 0.0

    def add(self, success: bool, kept: float) -> tuple[float, float]:
        """Count one more attempt; returns by how much the two have changed."""
        successes = self.successes * kept + success
        failures = self.failures * kept + (not success)
        changed = successes - self.successes, failures - self.failures
        self.successes, self.failures = successes, failures
        return changed


_NOTHING = _Tally()


class Reliability:
    """The chance of success: the mean of a Beta distribution, by function at a node.

    Before anything is known of a function at a node it is that of the node's other functions; before
    anything is known of the node it is that of all attempts. One more failure never makes any chance larger.
    """

    def __init__(self) -> None:
        self._all = _Tally()
        self._nodes: Recent[NodeId, _Tally] = Recent(20_000, _Tally)
        self._offers: Recent[tuple[NodeId, CapabilityName], _Tally] = Recent(50_000, _Tally)

    def at_all(self) -> float:
        """The chance of any attempt; it changes with every one."""
        expected = (_PRIOR - _PRIOR_FAILURES) / _PRIOR
        return (_PRIOR * expected + self._all.successes) / (_PRIOR + self._all.successes + self._all.failures)

    def own(self, node: NodeId, capability: CapabilityName) -> tuple[float, float]:
        """What the node's own attempts say: the chance is the first and the second times that of any attempt.

        It changes with attempts at this node alone.
        """
        own, whole = self._offers.get((node, capability), _NOTHING), self._nodes.get(node, _NOTHING)
        # Rounding, or a node that was forgotten, may leave less than nothing.
        successes = _OTHERS * max(0.0, whole.successes - own.successes)
        failures = _OTHERS * max(0.0, whole.failures - own.failures)
        seen_elsewhere = _PRIOR + successes + failures
        seen = _PRIOR + own.successes + own.failures
        return (_PRIOR * successes / seen_elsewhere + own.successes) / seen, _PRIOR**2 / seen_elsewhere / seen

    def learn(self, node: NodeId, capability: CapabilityName, success: bool) -> None:
        """An attempt ended so."""
        self._all.add(success, _KEPT_OF_ALL)
        successes, failures = self._offers.renew((node, capability)).add(success, _KEPT)
        # The sum over its functions, so that what is known of one does not fade as another is called.
        whole = self._nodes.renew(node)
        whole.successes += successes
        whole.failures += failures
