"""The suite `parallel`: a whole plan at once against one step at a time, and what each part of it gains.

`python -m evals.parallel [--short]` prints its table; see `evals/README.md`.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Final

from evals.leads import Lead, StepByStep, WholePlan
from evals.market_trial import JobDone, Way, trial
from evals.market_ways import LEARNED, NO_HEDGES, STATIC_AROUND, WAYS
from evals.report import Figure, Measure, Plot, SuiteReport
from evals.simulation.market import CALM, HARSH, HARSHER, Conditions, Market
from evals.simulation.market_jobs import Needs
from evals.simulation.mock_model import FAST, SLOW, Latency
from evals.terminal import show

MEASURES: Final = (
    Measure("jobs", digits=0),
    Measure("step by step", digits=1, unit="s"),
    Measure("whole plan", "lower", tolerance=0.1, unit="s", digits=1),
    Measure("gain", "higher", tolerance=0.1, unit="x"),
    Measure("gain without streaming", unit="x"),
    Measure("calls, step by step", digits=0),
    Measure("tokens, step by step", digits=0),
    Measure("tokens, whole plan", "lower", tolerance=0.1, digits=0),
    Measure("success", "higher", slack=1.0, unit="%", digits=1),
    Measure("success without", unit="%", digits=1),
)
"""The columns. Times are from the request to the last result, the mean of the jobs; the first five rows' gain
is of the whole plan over one step at a time, the last rows' of having something over not having it. Tokens
are those that the model reads and writes for one job; of a plan, in one call."""

_NEEDS: Final[Mapping[str, Needs]] = {
    "map-reduce, 8 wide": [*[[]] * 8, [*range(8)]],
    "diamond": [[], [0], [0], [1, 2]],
    "4 chains of 4": [[] if n < 4 else [n - 4] for n in range(16)],
    "2 chains and a join": [*([] if n < 2 else [n - 2] for n in range(8)), [6, 7]],
    "one chain of 8": [[] if n == 0 else [n - 1] for n in range(8)],
}
_QUIET = replace(CALM, nodes=16, work_s=2.0, speed_spread=0.2)
_SELDOM = 1 / 200
"""Jobs a second: they do not meet."""
_JOBS, _SEEDS, _JOBS_GAIN = 10, (1, 2), 40
_MAX_REPLANS = 5


def run(short: bool) -> SuiteReport:
    """All shapes with two models, and the gains on the market with faults."""
    models, seeds = ((SLOW,), (1,)) if short else ((SLOW, FAST), _SEEDS)
    count, count_gain = (5, 20) if short else (_JOBS, _JOBS_GAIN)
    rows: dict[str, Mapping[str, Figure]] = {
        f"{name}, {model.name}": _compared(needs, model, count, seeds)
        for model in models
        for name, needs in _NEEDS.items()
    }
    shapes = [*rows]
    told = "; ".join(f"{m.name} {m.first_s}, {m.tokens_a_second}" for m in models)
    rows |= _gains(count_gain, seeds)
    return SuiteReport(
        suite="parallel",
        title="a whole plan at once against one step at a time",
        measures=MEASURES,
        rows=rows,
        notes=(
            "LLMCompiler (arXiv 2312.04511) reports up to 3.7 times less latency than ReAct.",
            f"Seconds to the first token and tokens a second: {told}; a token is four characters.",
            "Step by step writes no thoughts and makes no mistakes.",
            "Gains: on the harsh market, 30 subtasks a job, the whole against the whole without one part.",
        ),
        plots=(
            Plot(
                "Gain over one step at a time",
                "bars",
                "graph",
                "times less latency",
                {"": [(label, float(rows[label]["gain"] or 0)) for label in shapes]},
            ),
        ),
    )


def _compared(needs: Needs, latency: Latency, count: int, seeds: Sequence[int]) -> Mapping[str, Figure]:
    steps, whole, late = StepByStep(latency), WholePlan(latency), WholePlan(latency, streamed=False)
    alone, planned, unstreamed = (
        [job for s in seeds for job in _led(Market(s, _QUIET), lead, count, needs)]
        for lead in (steps, whole, late)
    )
    made = count * len(seeds)
    return {
        "jobs": len(planned),
        "step by step": _mean_s(alone),
        "whole plan": _mean_s(planned),
        "gain": _mean_s(alone) / _mean_s(planned),
        "gain without streaming": _mean_s(alone) / _mean_s(unstreamed),
        "calls, step by step": steps.calls / made,
        "tokens, step by step": _tokens(steps) / made,
        "tokens, whole plan": _tokens(whole) / made,
        "success": 100 * fmean(job.is_success for job in planned),
    }


def _led(market: Market, lead: Lead, count: int, needs: Needs) -> Sequence[JobDone]:
    return trial(market, replace(WAYS[LEARNED], lead=lead), count, shape=needs, rate=_SELDOM)


def _tokens(lead: Lead) -> int:
    return lead.usage.input_tokens + lead.usage.output_tokens


def _mean_s(jobs: Sequence[JobDone]) -> float:
    return fmean(job.seconds for job in jobs)


def _gains(count: int, seeds: Sequence[int]) -> dict[str, Mapping[str, Figure]]:
    """What the whole is worth against the whole without each of its parts, on the market with faults."""
    whole = replace(WAYS[LEARNED], lead=WholePlan(SLOW), replans=_MAX_REPLANS)
    static = WAYS[STATIC_AROUND]
    without = {
        "gain of planning a graph": replace(whole, lead=StepByStep(SLOW)),
        "gain of beginning early": replace(whole, lead=WholePlan(SLOW, streamed=False)),
        "gain of late binding": replace(
            whole, steering=static.steering, plan=static.plan, queues_at_nodes=True
        ),
        "gain of hedging": replace(whole, steering=WAYS[NO_HEDGES].steering),
    }
    best = _on(HARSH, whole, count, seeds)
    rows = {name: _gain(best, _on(HARSH, way, count, seeds)) for name, way in without.items()}
    again = replace(whole, attempts=2)
    once = replace(again, replans=0)
    rows["gain of re-planning, one retry"] = _gain(
        *(_on(HARSHER, way, count, seeds) for way in (again, once))
    )
    return rows


def _on(conditions: Conditions, way: Way, count: int, seeds: Sequence[int]) -> list[JobDone]:
    return [job for seed in seeds for job in trial(Market(seed, conditions), way, count)]


def _gain(best: Sequence[JobDone], worse: Sequence[JobDone]) -> Mapping[str, Figure]:
    succeeded, without = (100 * fmean(job.is_success for job in jobs) for jobs in (best, worse))
    return {
        "jobs": len(best),
        "whole plan": _mean_s(best),
        # What fails ends early, so times say nothing where one fails more often.
        "gain": _mean_s(worse) / _mean_s(best) if succeeded == without else None,
        "success": succeeded,
        "success without": without,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a part of it, in seconds")
    show((run(parser.parse_args().short),))
