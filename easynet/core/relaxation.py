"""What a run that does not fit its limits would have to be allowed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relaxation:
    """Limits with which the rest of a run is possible; one that is `None` can stay as it is."""

    budget: int | None = None
    """Credits for the whole run, what it has paid already included."""
    time_s: float | None = None
    """Seconds that the rest of the run takes."""
