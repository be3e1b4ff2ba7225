"""How well requests in two languages and in both find what they ask for: `python -m evals.languages`."""

import argparse
import asyncio
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from easynet.agents.intent_parser import parse_intent
from easynet.core.capability import Capability, Role
from easynet.core.intent import Intent
from easynet.core.language import Language
from easynet.llm.kept_vectors import KeptVectors
from easynet.llm.sentence_encoder import SentenceEncoder
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import PlanRequest, PlanResult
from evals.scores import mean
from evals.sentence_plans import catalogue

_DATA = Path(__file__).parent / "data" / "bilingual"
_HAN = re.compile(r"[㐀-鿿]")
_FOLDS = ("tune", "held_out", "fresh")
_DEV = "dev"
"""Sentences to develop on, in a file of their own; part of no total."""
_DESCRIBED = ("both", "en", "zh")
_OPEN = frozenset({"planned", "needs_input"})


@dataclass(frozen=True)
class Asked:
    """A request, and what counts as right."""

    text: str
    language: str
    """"en", "zh" or "mixed"."""
    fold: str
    right: tuple[frozenset[str], ...] = ()
    """One set for each deed; any of its capabilities does it. None where nothing here can."""


@dataclass(frozen=True)
class Answer:
    """What the planner made of a request."""

    ranked: tuple[str, ...]
    """The capabilities closest to it."""
    planned: frozenset[str]
    """The steps of its plan."""
    is_accepted: bool
    """There is a plan, or a question towards one."""
    ms: float


@dataclass(frozen=True)
class Figure:
    """One line of the table, in per cent with 95 % intervals."""

    languages: str
    requests: int
    hit_1: str
    hit_3: str
    planned: str


def read(name: str, fold: str) -> list[Asked]:
    """The requests of a file that are in a fold."""
    rows = [json.loads(line) for line in (_DATA / name).read_text("utf-8").splitlines()]
    return [_asked(row) for row in rows if fold in (row["fold"], "all")]


def _asked(row: dict[str, Any]) -> Asked:
    right = row.get("right", [])
    deeds = right if right and isinstance(right[0], list) else [right] if right else []
    return Asked(row["text"], row["language"], row["fold"], tuple(map(frozenset, deeds)))


def described(language: str) -> tuple[Capability, ...]:
    """The built-in capabilities, described in one language only, or in both."""
    if language == "both":
        return catalogue(examples=True)
    kept: Language = "zh" if language == "zh" else "en"

    def of(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(t for t in texts if bool(_HAN.search(t)) is (kept == "zh"))

    return tuple(
        c.model_copy(
            update={
                "description": {kept: c.description[kept]},
                "tags": of(c.tags),
                "examples": of(c.examples),
            }
        )
        for c in catalogue(examples=True)
    )


async def answered(
    planner: CataloguePlanner, asked: Asked, offered: tuple[Capability, ...], *, with_file: bool
) -> Answer:
    """What the planner makes of a request, as a user's run would ask it."""
    parsed = parse_intent(Intent.from_text(asked.text, input_data={"data": "a.csv"} if with_file else {}))
    began = time.perf_counter()
    result = await planner.plan(PlanRequest(parsed=parsed, catalogue=offered))
    ms = (time.perf_counter() - began) * 1000
    return Answer(_work(result, offered), _steps(result), result.status in _OPEN, ms)


def _work(result: PlanResult, offered: Sequence[Capability]) -> tuple[str, ...]:
    role = {c.name: c.role for c in offered}
    return tuple(name for name in result.nearest if role[name] is not Role.SAMPLE)


def _steps(result: PlanResult) -> frozenset[str]:
    return frozenset(result.graph.capabilities) if result.graph else frozenset()


def is_found(asked: Asked, names: Iterable[str]) -> bool:
    """Whether every deed is done by one of the names."""
    found = {*names}
    return all(right & found for right in asked.right)


def figure(name: str, pairs: Sequence[tuple[Asked, Answer]]) -> Figure:
    """The figures of some requests that ask for one thing each."""

    def per_cent(right: Iterable[bool]) -> str:
        return str(mean([float(is_right) for is_right in right]))

    return Figure(
        name,
        len(pairs),
        per_cent(is_found(q, a.ranked[:1]) for q, a in pairs),
        per_cent(is_found(q, a.ranked[:3]) for q, a in pairs),
        per_cent(is_found(q, a.planned) for q, a in pairs),
    )


async def measured(planner: CataloguePlanner, fold: str, verbose: bool) -> dict[str, Any]:
    """All figures of a fold with one planner."""
    own = read("dev.jsonl", fold) if fold == _DEV else []
    requests = [q for q in own if q.right] or read("requests.jsonl", fold)
    strangers = [q for q in own if not q.right] or read("foreign.jsonl", fold)
    lines: list[Figure] = []
    times: list[float] = []
    for language in _DESCRIBED:
        offered = described(language)
        await answered(planner, requests[0], offered, with_file=True)
        pairs = [(q, await answered(planner, q, offered, with_file=True)) for q in requests]
        times += [a.ms for _, a in pairs]
        for asked in ("en", "zh", "mixed"):
            part = [(q, a) for q, a in pairs if q.language == asked]
            lines.append(figure(f"{asked} over {language}", part))
        lines.append(figure(f"all over {language}", pairs))
        if verbose:
            _tell(language, pairs)
    offered = described("both")
    several = [(q, await answered(planner, q, offered, with_file=True)) for q in read("several.jsonl", fold)]
    foreign = {
        name: [(q, await answered(planner, q, offered, with_file=is_given)) for q in strangers]
        for name, is_given in (("without a file", False), ("with a file", True))
    }
    if verbose:
        _tell("several", several)
        for name, pairs in foreign.items():
            _tell(f"foreign {name}", [(q, a) for q, a in pairs if a.is_accepted])
    return {
        "one deed": [asdict(line) for line in lines],
        "several deeds, all planned": str(mean([float(is_found(q, a.planned)) for q, a in several])),
        "foreign requests accepted": {
            name: str(mean([float(a.is_accepted) for _, a in pairs])) for name, pairs in foreign.items()
        },
        "ms per plan, median": round(statistics.median(times), 1),
    }


def _tell(name: str, pairs: Sequence[tuple[Asked, Answer]]) -> None:
    for asked, answer in pairs:
        if not asked.right or not is_found(asked, answer.planned) or not is_found(asked, answer.ranked[:1]):
            found = "planned" if asked.right and is_found(asked, answer.planned) else "NOT PLANNED"
            print(f"  {name}: {asked.text} → {', '.join(answer.ranked)}; {found}", file=sys.stderr)


def _print(planner: str, fold: str, found: dict[str, Any]) -> None:
    print(f"\n{planner}, fold {fold}\n\n| requests over descriptions | n | hit@1 | hit@3 | planned |")
    print("|---|---|---|---|---|")
    for x in found["one deed"]:
        print(f"| {x['languages']} | {x['requests']} | {x['hit_1']} | {x['hit_3']} | {x['planned']} |")
    print(f"\nseveral deeds, all of them planned: {found['several deeds, all planned']}")
    for name, share in found["foreign requests accepted"].items():
        print(f"foreign requests accepted, {name}: {share}")
    print(f"ms per plan, median: {found['ms per plan, median']}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--fold", choices=(*_FOLDS, "all", _DEV), nargs="*", default=[*_FOLDS, "all"])
    parser.add_argument("--verbose", action="store_true", help="tell each request that went wrong, on stderr")
    options = parser.parse_args()
    planners = {"words alone": CataloguePlanner()}
    if SentenceEncoder.is_installed():
        encoder = SentenceEncoder()
        planners["with the extra semantic"] = CataloguePlanner(encoder, KeptVectors(encoder))
    found = {
        name: {fold: await measured(planner, fold, options.verbose) for fold in options.fold}
        for name, planner in planners.items()
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        print(json.dumps({"planners": found, "MB at most": round(peak)}, ensure_ascii=False, indent=1))
        return
    for name, folds in found.items():
        for fold, figures in folds.items():
            _print(name, fold, figures)
    print(f"\n{peak:.0f} MB at most")


if __name__ == "__main__":
    asyncio.run(main())
