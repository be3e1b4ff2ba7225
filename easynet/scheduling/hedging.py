"""When a second attempt is made beside a slow one, and how often that may be."""

_MOST_SAVED = 10.0


class Hedging:
    """Allows second attempts, as a share of all attempts; one for all runs of a network.

    Dean, Barroso: The tail at scale. Communications of the ACM 56(2), 2013.
    """

    def __init__(self, share: float = 0.95, extra: float = 0.10) -> None:
        """An attempt is slow when it takes longer than this `share` of such attempts do.

        At most `extra` second attempts are made for each attempt, and one more.
        """
        self.share = share
        self._extra = extra
        self._saved = 1.0

    def earn(self) -> None:
        """An attempt was made."""
        self._saved = min(_MOST_SAVED, self._saved + self._extra)

    @property
    def is_affordable(self) -> bool:
        """Whether one more second attempt may be made."""
        return self._saved >= 1.0

    def spend(self) -> None:
        """A second attempt was made."""
        self._saved -= 1.0
