"""How well plans are learned from past runs: `python -m evals.plans`."""

import argparse
import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from easynet.core.intent import ParsedIntent
from easynet.core.language import language_of
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_recorder import judged
from easynet.planners.experience_upkeep import Offered
from easynet.planners.planner import Planner, PlanRequest, PlanResult
from easynet.planners.planner_chain import PlannerChain
from evals.requests import DATA, Example, Suite, load, past_run
from evals.scores import Score, mean, score

_FOLD = 500
_SIZES = (0, 50, 100, 200, 500, 1000, None)


@dataclass(frozen=True)
class Measured:
    """One planner over some requests."""

    scores: Sequence[Score]
    is_seen: Sequence[bool]
    """Whether a past run has used just these tools."""
    by_experience: int
    fit_s: float
    """Of processor time, over all threads."""
    plan_ms: float


async def measured(suite: Suite, past: Sequence[Example], asked: Sequence[Example]) -> Measured:
    """Plan what is asked with the planners that users get, after these past runs."""
    offered = Offered(catalogue=suite.catalogue, links=suite.links)
    by_words = CataloguePlanner()
    runs = [await judged(past_run(example, i), offered, by_words) for i, example in enumerate(past)]
    store = MemoryExperience(runs)
    planner = PlannerChain({"experience": ExperiencePlanner(store), "catalogue": CataloguePlanner()})
    began = time.process_time()
    await _plan(planner, suite, asked[0])
    fit_s = time.process_time() - began
    scores: list[Score] = []
    times: list[float] = []
    by_experience = 0
    for example in asked:
        began = time.perf_counter()
        result = await _plan(planner, suite, example)
        times.append((time.perf_counter() - began) * 1000)
        by_experience += result.planner == ExperiencePlanner.name
        scores.append(score(result.graph, example.chain))
    sets = {frozenset(example.chain) for example in past}
    seen = [frozenset(example.chain) in sets for example in asked]
    return Measured(scores, seen, by_experience, fit_s, statistics.median(times))


async def _plan(planner: Planner, suite: Suite, example: Example) -> PlanResult:
    parsed = ParsedIntent(text=example.text, language=language_of(example.text))
    return await planner.plan(PlanRequest(parsed=parsed, catalogue=suite.catalogue, links=suite.links))


def line(name: str, scores: Sequence[Score]) -> str:
    """A row of the table."""
    nodes, links = mean([s.nodes for s in scores]), mean([s.links for s in scores])
    return f"| {name} | {len(scores)} | {nodes} | {links} | {mean([float(s.is_right) for s in scores])} |"


def folds(suite: Suite, seed: int | None) -> tuple[list[Example], list[Example]]:
    """Past runs in a fixed random order, and the requests: the last 500, or others of those before them."""
    past, dev = [*suite.examples[:-_FOLD]], [*suite.examples[-_FOLD:]]
    order = np.random.default_rng(seed or 0).permutation(len(past))
    mixed = [past[i] for i in order]
    return (mixed, dev) if seed is None else (mixed[_FOLD:], mixed[:_FOLD])


def seen_links(suite: Suite, past: Sequence[Example]) -> Suite:
    """The suite with the tool graph that a network has to begin with: what these runs have shown."""
    return replace(suite, links=frozenset(pair for example in past for pair in pairwise(example.chain)))


def held_out(examples: Sequence[Example], seed: int = 0) -> tuple[list[Example], list[Example]]:
    """All requests of some tool sets, about 500, and the others: what is asked was never seen."""
    sets = sorted({tuple(sorted({*e.chain})) for e in examples})
    order = np.random.default_rng(seed).permutation(len(sets))
    by_set: dict[tuple[str, ...], list[Example]] = {}
    for example in examples:
        by_set.setdefault(tuple(sorted({*example.chain})), []).append(example)
    asked: list[Example] = []
    for number in order:
        if len(asked) < _FOLD:
            asked += by_set[sets[number]]
    chosen = {frozenset(e.chain) for e in asked}
    return [e for e in examples if frozenset(e.chain) not in chosen], asked


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with tools, graph and requests")
    parser.add_argument("--sizes", type=int, nargs="*", help="numbers of past runs; -1 for all")
    parser.add_argument(
        "--inner", type=int, help="seed: measure on 500 requests before the dev fold, for making choices"
    )
    parser.add_argument(
        "--seen-links", action="store_true", help="no tool graph but the links that the past runs have shown"
    )
    options = parser.parse_args()
    suite = load(options.data)
    past, asked = folds(suite, options.inner)
    sizes = [None if n < 0 else n for n in options.sizes] if options.sizes else _SIZES
    print("| past runs | requests | node F1 | link F1 | accuracy |\n|---|---|---|---|---|")
    for size in sizes:
        used = past if size is None else past[:size]
        found = await measured(seen_links(suite, used) if options.seen_links else suite, used, asked)
        print(line(f"{len(used)}", found.scores))
        for name, wanted in (("seen", True), ("never seen", False)):
            part = [s for s, is_seen in zip(found.scores, found.is_seen, strict=True) if is_seen is wanted]
            if used and part:
                print(line(f"{len(used)}, tool set {name}", part))
        print(
            f"  {len(used)} past runs: {found.by_experience} of {len(asked)} by experience,"
            f" {found.plan_ms:.0f} ms per plan (median), {found.fit_s:.1f} s of processor time to fit",
            file=sys.stderr,
        )
    if not options.sizes:
        kept, unseen = held_out([*past, *asked] if options.inner is None else past)
        found = await measured(suite, kept, unseen)
        print(line(f"{len(kept)}, all requests of tool sets held out", found.scores))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {peak:.0f} MB at most, with Python, libraries and data", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
