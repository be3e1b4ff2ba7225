"""The suite `market`: jobs on nodes that lie, fail, stall, crash and change; see `evals/README.md`.

`python -m evals.market [--short]` prints its table.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Final

from evals.market_trial import JobDone, Kill, Way, trial
from evals.market_ways import LEARNED, NO_HEDGES, OTHERS, STATICS, WAYS
from evals.report import Figure, Measure, Plot, SuiteReport
from evals.simulation.market import HARSHER, Conditions, Market
from evals.terminal import show

MEASURES: Final = (
    Measure("jobs", digits=0),
    Measure("success", "higher", slack=0.5, unit="%", digits=1),
    Measure("makespan", "lower", tolerance=0.1, unit="x"),
    Measure("spread", digits=2),
    Measure("p50", "lower", tolerance=0.15, unit="s", digits=0),
    Measure("p95", "lower", tolerance=0.2, unit="s", digits=0),
    Measure("p99", "lower", tolerance=0.3, unit="s", digits=0),
    Measure("on time", "higher", slack=1.0, unit="%", digits=1),
    Measure("waste", "lower", slack=1.5, unit="%", digits=1),
    Measure("extra attempts", "lower", slack=1.5, unit="%", digits=1),
    Measure("dollars", "lower", tolerance=0.1),
    Measure("over undisturbed", "lower", tolerance=0.15, unit="x"),
    Measure("re-plans", "lower", slack=0.05),
)
"""The columns. Makespan is over the longest path on the truly fastest node, the mean of the jobs; spread the
deviation of that mean between markets; waste the share of nodes' seconds that gave no result."""

_JOBS, _SEEDS = 100, (1, 2)
_JOBS_KILLED, _SEEDS_KILLED = 24, (1, 2, 3, 4, 5)
_KILL_AT_S, _KILLED = 350.0, 0.3
_MAX_REPLANS = 5
"""As many as `agents.replan_step` allows."""
_IN_SHORT = ("random node", *STATICS, NO_HEDGES, LEARNED)


def run(short: bool) -> SuiteReport:
    """Every way on the same markets; a few of them on one small market where it is to be `short`."""
    count, seeds = (40, (1,)) if short else (_JOBS, _SEEDS)
    rows: dict[str, Mapping[str, Figure]] = {}
    for label, way in WAYS.items():
        if not short or label in _IN_SHORT:
            rows[label] = row([trial(Market(seed), way, count) for seed in seeds])
    for label in () if short else (OTHERS, NO_HEDGES, LEARNED):
        rows[f"harsher: {label}"] = _under(HARSHER, WAYS[label], count, seeds[:1])
    rows |= _limited(count, seeds[:1])
    rows |= _killed(seeds if short else _SEEDS_KILLED)
    judged = [label for label in rows if label == LEARNED or label.endswith((f": {LEARNED}", _AGAIN, _KILL))]
    return SuiteReport(
        suite="market",
        title="jobs of 30 subtasks on a harsh market of 100 nodes",
        measures=MEASURES,
        rows=rows,
        baselines=tuple(label for label in rows if label not in judged),
        notes=_notes(rows),
        plots=_plots(rows),
    )


def row(markets: Sequence[Sequence[JobDone]]) -> dict[str, Figure]:
    """One way's figures, of the jobs of some markets."""
    done = [job for jobs in markets for job in jobs]
    seconds = sorted(job.seconds for job in done)
    means = [fmean(job.seconds / job.least_s for job in jobs) for jobs in markets]
    used, wasted = sum(job.used_s for job in done), sum(job.wasted_s for job in done)
    return {
        "jobs": len(done),
        "success": 100 * fmean(job.is_success for job in done),
        "makespan": fmean(job.seconds / job.least_s for job in done),
        "spread": stdev(means) if len(means) > 1 else None,
        "p50": _quantile(seconds, 0.5),
        "p95": _quantile(seconds, 0.95),
        "p99": _quantile(seconds, 0.99),
        "on time": 100 * fmean(job.is_on_time for job in done),
        "waste": 100 * wasted / (used + wasted),
        "extra attempts": 100 * (sum(job.attempts for job in done) / sum(job.subtasks for job in done) - 1),
        "dollars": fmean(job.credits for job in done) / 100,
        "re-plans": fmean(job.replans for job in done),
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _under(conditions: Conditions, way: Way, count: int, seeds: Sequence[int]) -> dict[str, Figure]:
    return row([trial(Market(seed, conditions), way, count) for seed in seeds])


_ONCE, _AGAIN = "one retry", "one retry, then re-planned"


def _limited(count: int, seeds: Sequence[int]) -> dict[str, Mapping[str, Figure]]:
    """Two attempts at a subtask, and no more; without and with new plans for what is left.

    On the market where 30 % of the nodes are flaky, for on the other hardly anything fails twice.
    """
    once = replace(WAYS[LEARNED], attempts=2)
    again = replace(once, replans=_MAX_REPLANS)
    return {label: _under(HARSHER, way, count, seeds) for label, way in ((_ONCE, once), (_AGAIN, again))}


_KILL = "30 % of nodes killed"


def _killed(seeds: Sequence[int]) -> dict[str, Mapping[str, Figure]]:
    """The same jobs with and without the loss of nodes, those that were under way then or came later."""
    kill, way = Kill(_KILL_AT_S, _KILLED), WAYS[LEARNED]
    calm, hit = ([trial(Market(s), way, _JOBS_KILLED, k) for s in seeds] for k in (None, kill))
    pairs = [
        (a, b) for some, others in zip(calm, hit, strict=True) for a, b in zip(some, others, strict=True)
    ]
    during = [(a, b) for a, b in pairs if a.at <= _KILL_AT_S < a.at + a.seconds]
    later = [(a, b) for a, b in pairs if a.at > _KILL_AT_S]
    return {
        f"{name}, {_KILL}": {
            **row([[b for _, b in some]]),
            "over undisturbed": sum(b.seconds for _, b in some) / sum(a.seconds for a, _ in some),
        }
        for name, some in (("under way", during), ("later", later))
        if some
    }


def _notes(rows: Mapping[str, Mapping[str, Figure]]) -> tuple[str, ...]:
    best = rows[LEARNED]["makespan"]
    assert best is not None
    shorter = (f"{(rows[s]['makespan'] or 0.0) / best:.1f} times than the {s}" for s in STATICS if s in rows)
    return (
        f"Makespans are shorter {', '.join(shorter)}; both plan on advertised speeds.",
        "Makespan: over the longest path on the truly fastest node. On time: within five times the longest "
        "path at the median node's speed. A fifth of each market's jobs warm up and are not counted.",
    )


def _plots(rows: Mapping[str, Mapping[str, Figure]]) -> tuple[Plot, ...]:
    compared = [(label, rows[label]) for label in WAYS if label in rows]
    return tuple(
        Plot(title, "bars", "way", unit, {"": [(n, float(r[key] or 0)) for n, r in compared]}, is_log=is_log)
        for title, key, unit, is_log in (
            ("Makespan", "makespan", "times the least", True),
            ("Waste", "waste", "% of nodes' seconds", False),
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a part of it, in seconds")
    show((run(parser.parse_args().short),))
