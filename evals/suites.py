"""The suites that are fast and always give the same figures, and how they are run side by side."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Final

from evals.report import Report, SuiteReport

SUITES: Final = {
    "market": "evals.market",
    "faults": "evals.faults",
    "parallel": "evals.parallel",
    "ways": "evals.ways",
    "sentences": "evals.sentence_plans",
}
"""Modules with a `run(short)`, by the name of their suite; those that take longest come first."""
_PROCESSES = 2


def measured(names: Sequence[str], short: bool) -> Report:
    """The report of these suites, in the order in which they are listed; each has a process of its own.

    A process that starts fresh knows nothing of the suites before, so that their order changes nothing.
    """
    chosen = [name for name in SUITES if name in names]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, mp_context=spawn, max_tasks_per_child=1) as pool:
        return Report(tuple(pool.map(_run, chosen, [short] * len(chosen))), short)


def _run(name: str, short: bool) -> SuiteReport:
    report: SuiteReport = import_module(SUITES[name]).run(short)
    return report
