"""The suite `ways`: the same faults, and runs executed without hedging, without re-planning, by a static
plan, and by other ways to choose a node."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from evals.report import Plot, SuiteReport
from evals.run_scores import MEASURES, bars, row
from evals.simulation import policies
from evals.simulation.chance import Chance
from evals.simulation.stack import DEFAULT, Way
from evals.trial import a_third, trials

_WAYS: Final[Mapping[str, Way]] = {
    "default": DEFAULT,
    "no hedging": Way(hedges=False),
    "no re-planning": Way(max_replans=0),
    "one attempt": Way(attempts=1),
    "one attempt, no re-planning": Way(attempts=1, max_replans=0),
    "static plan": Way(policy=policies.StaticPlan, hedges=False),
    "fastest advertised": Way(policy=policies.FastestAdvertised, hedges=False),
    "cheapest": Way(policy=policies.Cheapest, hedges=False),
    "round robin": Way(policy=policies.RoundRobin, hedges=False),
    "random node": Way(policy=lambda: policies.RandomNode(Chance("random node")), hedges=False),
}
_IN_SHORT = ("default", "no hedging", "one attempt", "one attempt, no re-planning", "static plan")


def run(short: bool) -> SuiteReport:
    """A third of the matrix of faults and recorded intents, in each way."""
    with tempfile.TemporaryDirectory() as folder:
        some = a_third(trials(Path(folder), short))
        rows = {
            label: row([replace(t, way=way).run() for t in some])
            for label, way in _WAYS.items()
            if not short or label in _IN_SHORT
        }
    labels, span = [*rows], "times the critical path"
    return SuiteReport(
        suite="ways",
        title="the default way to execute runs beside others, with every fault",
        measures=MEASURES,
        rows=rows,
        baselines=tuple(label for label in rows if label != "default"),
        notes=("A third of the matrix of faults and intents. Other ways to choose a node do not hedge.",),
        plots=(
            Plot("Makespan", "bars", "way", span, {"": bars(rows, labels, "makespan")}, is_log=True),
            Plot("Success", "bars", "way", "% of runs", {"": bars(rows, labels, "success")}),
        ),
    )
