"""Estimates that outlive the process: they begin with what earlier ones observed."""

import logging
from pathlib import Path

from easynet.core.errors import DataDirectoryUnusable
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.observations import Observation, Observations

_LOG = logging.getLogger(__name__)
_AT_ONCE = 500
"""So many observations are written in one transaction; a process that is killed loses no more."""


class KeptEstimates(Estimates):
    """Estimates, and a file from which the next process will know them.

    A file that cannot be used costs no run anything: that is logged once, and from then on what is learned
    is known as long as the process lives.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Learn from the observations in a file; without one, nothing outlives this object."""
        self._new: list[Observation] = []
        self._file: Observations | None = None
        known: list[Observation] = []
        if path is not None:
            try:
                self._file = Observations(path)
                known = self._file.latest()
            except DataDirectoryUnusable as error:
                self._give_up(error)
        super().__init__(known)

    def observe(self, observation: Observation) -> None:
        """Learn from what became of an attempt, and keep it with the next `flush`."""
        super().observe(observation)
        if self._file is not None:
            self._new.append(observation)
            if len(self._new) >= _AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Write what was observed since the last time."""
        new, self._new = self._new, []
        if not new or self._file is None:
            return
        try:
            self._file.add(new)
        except DataDirectoryUnusable as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is left, and close the file. What is observed later is not kept."""
        self.flush()
        self._let_go()

    def _give_up(self, error: DataDirectoryUnusable) -> None:
        _LOG.warning("what is observed of nodes is not kept: %s", error.message)
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
