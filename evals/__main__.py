"""Plan every sentence with the default planner, and count: `python -m evals`."""

import asyncio
import statistics
import time

from easynet.agents.intent_parser import parse_intent
from easynet.core.capability import Capability
from easynet.core.contribution import contributed
from easynet.core.intent import Intent
from easynet.core.language import language_of
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.specialists import NODES, functions
from evals.sentences import NOT_OURS, SENTENCES


def catalogue(examples: bool) -> tuple[Capability, ...]:
    """The built-in capabilities, with or without their example sentences."""
    found = [c for node in NODES for f in functions(node) if (c := contributed(f)) is not None]
    return tuple(c if examples else c.model_copy(update={"examples": ()}) for c in found)


async def planned(text: str, offered: tuple[Capability, ...], **inputs: str) -> tuple[PlanResult, float]:
    """The plan for a sentence, and the milliseconds it took."""
    began = time.perf_counter()
    parsed = parse_intent(Intent.from_text(text, input_data=inputs))
    result = await CataloguePlanner().plan(PlanRequest(parsed=parsed, catalogue=offered))
    return result, (time.perf_counter() - began) * 1000


async def main() -> None:
    times: list[float] = []
    for name, offered in (("with examples", catalogue(True)), ("without examples", catalogue(False))):
        hits: dict[str, list[bool]] = {"en": [], "zh": []}
        for text, wanted in SENTENCES:
            result, took = await planned(text, offered, data="a.csv")
            times.append(took)
            hits[language_of(text)].append(result.graph is not None and wanted in result.graph.outputs)
        for language, right in hits.items():
            print(f"wanted step among the results, {language}, {name:<17} {sum(right):3d} of {len(right)}")
    refused = [(await planned(text, catalogue(True)))[0].status == "unsupported" for text in NOT_OURS]
    print(f"foreign requests refused                                {sum(refused):3d} of {len(refused)}")
    print(f"milliseconds per plan, median                           {statistics.median(times):6.1f}")


if __name__ == "__main__":
    asyncio.run(main())
