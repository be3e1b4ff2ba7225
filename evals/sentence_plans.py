"""The suite `sentences`: every sentence over the built-in functions is planned with the default planner."""

import asyncio
from functools import cache

from easynet.agents.intent_parser import parse_intent
from easynet.core.capability import Capability
from easynet.core.contribution import contributed
from easynet.core.intent import Intent
from easynet.core.language import language_of
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.specialists import NODES, functions
from evals.report import Figure, Measure, SuiteReport
from evals.sentences import NOT_OURS, SENTENCES

_SHORT = 3
"""A short suite plans each third sentence."""
_MEASURES = (
    Measure("requests", digits=0),
    Measure("right", "higher", slack=0.1, unit="%", digits=1),
)


@cache
def catalogue(examples: bool) -> tuple[Capability, ...]:
    """The built-in capabilities, with or without their example sentences."""
    found = [c for node in NODES for f in functions(node) if (c := contributed(f)) is not None]
    return tuple(c if examples else c.model_copy(update={"examples": ()}) for c in found)


def run(short: bool) -> SuiteReport:
    """How often the wanted step is among a plan's results, and how often foreign requests are refused."""
    return asyncio.run(_measured(_SHORT if short else 1))


async def _measured(every: int) -> SuiteReport:
    rows: dict[str, dict[str, Figure]] = {}
    for name, offered in (("with examples", catalogue(True)), ("without examples", catalogue(False))):
        hits: dict[str, list[bool]] = {"en": [], "zh": []}
        for text, wanted in SENTENCES[::every]:
            graph = (await _planned(text, offered, data="a.csv")).graph
            hits[language_of(text)].append(graph is not None and wanted in graph.outputs)
        for language, label in (("en", "English"), ("zh", "Chinese")):
            rows[f"wanted step among the results, {label}, {name}"] = _row(hits[language])
    foreign = [await _planned(text, catalogue(True)) for text in NOT_OURS[::every]]
    rows["foreign requests refused"] = _row([r.status == "unsupported" for r in foreign])
    return SuiteReport("sentences", "Sentences over the built-in functions", _MEASURES, rows)


async def _planned(text: str, offered: tuple[Capability, ...], **inputs: str) -> PlanResult:
    parsed = parse_intent(Intent.from_text(text, input_data=inputs))
    return await CataloguePlanner().plan(PlanRequest(parsed=parsed, catalogue=offered))


def _row(right: list[bool]) -> dict[str, Figure]:
    return {"requests": len(right), "right": 100 * sum(right) / len(right)}
