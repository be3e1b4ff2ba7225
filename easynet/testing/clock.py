"""A clock that a test moves."""


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, at: float = 1_800_000_000.0) -> None:
        self._at = at

    def now(self) -> float:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += seconds
