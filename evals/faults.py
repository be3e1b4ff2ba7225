"""The suite `faults`: recorded intents on mock nodes of which some go wrong, in every way there is."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from evals.report import Figure, Plot, SuiteReport
from evals.run_scores import MEASURES, bars, row
from evals.simulation.faults import FAULTS
from evals.simulation.planning import model_down, modelled, offline
from evals.trial import Trial, a_third, trials


def run(short: bool) -> SuiteReport:
    """Every fault with every recorded intent; a few of these where it is to be `short`."""
    with tempfile.TemporaryDirectory() as folder:
        made = trials(Path(folder), short)
        scores = {label: [t.run() for t in some] for label, some in _matrix(made)}
    rows = {label: row(some) for label, some in scores.items()}
    rows["in total"] = row([*chain.from_iterable(scores.values())])
    return SuiteReport(
        suite="faults",
        title="recorded intents on mock nodes of which some go wrong",
        measures=MEASURES,
        rows=rows,
        notes=_notes(made),
        plots=_plots(rows),
    )


def _matrix(made: Sequence[Trial]) -> Iterator[tuple[str, list[Trial]]]:
    """The rows of the suite with their runs."""

    def each(**changes: Any) -> list[Trial]:
        return [replace(t, **changes) for t in made]

    yield "no fault", each()
    for fault in FAULTS:
        yield fault, each(fault=fault)
    yield "wrong answer, quality asked for", each(fault="wrong answer", wants_quality=True)
    yield "model down", each(planner=model_down)
    yield "no fault, planned by a model", each(planner=modelled)
    yield "no fault, planned offline", [t for t in each(planner=offline) if not t.case.is_hidden]
    some = a_third(made)
    yield "any fault, private data", [replace(t, is_private=True) for t in some if t.case.has_files]
    yield "any fault, nothing may run twice", [replace(t, has_effects=True) for t in some]


def _notes(made: Sequence[Trial]) -> tuple[str, ...]:
    languages = [t.case.intent.language for t in made]
    return (
        f"{len(made)} recorded intents ({languages.count('en')} English, {languages.count('zh')} Chinese) on "
        f"12 nodes; {len(FAULTS)} faults of nodes, each with 40 % of them or with one site of three.",
        "Makespan is over the critical path on the truly fastest nodes (geometric mean), cost over the "
        "cheapest way to do it; both of runs that succeeded. Waste: seconds of attempts without a result.",
    )


def _plots(rows: Mapping[str, Mapping[str, Figure]]) -> tuple[Plot, ...]:
    labels = ["no fault", *FAULTS]
    span = "times the critical path"
    return (
        Plot("Makespan by fault", "bars", "fault", span, {"": bars(rows, labels, "makespan")}, is_log=True),
        Plot("Success by fault", "bars", "fault", "% of runs", {"": bars(rows, labels, "success")}),
        Plot("Waste by fault", "bars", "fault", "% of attempts' seconds", {"": bars(rows, labels, "waste")}),
    )
