"""Past runs beside the built-in functions: their descriptions plan well, and a history must not spoil it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from easynet.agents.intent_parser import parse_intent
from easynet.core.ids import RunId
from easynet.core.intent import Intent
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_recorder import Recorder, judged
from easynet.planners.experience_upkeep import Links, ModelFile, Offered
from easynet.planners.past_run import PastRun, schema_of
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.planner_chain import PlannerChain
from evals.requests import DATA, load, past_run
from evals.sentence_plans import catalogue
from evals.sentences import NOT_OURS, SENTENCES

CATALOGUE = catalogue(True)
LEARNED, ASKED = SENTENCES[::2], SENTENCES[1::2]


def request(text: str, links: Links = frozenset()) -> PlanRequest:
    parsed = parse_intent(Intent.from_text(text, input_data={"data": "a.csv"}))
    return PlanRequest(parsed=parsed, catalogue=CATALOGUE, links=links)


def right(result: PlanResult, wanted: str) -> bool:
    return result.graph is not None and wanted in result.graph.outputs


async def own_runs() -> list[PastRun]:
    """Half of the sentences, each planned by its words, as runs that went well."""
    runs: list[PastRun] = []
    for text, wanted in LEARNED:
        asked = request(text)
        result = await CataloguePlanner().plan(asked)
        if result.graph is None or not right(result, wanted):
            continue
        run = PastRun(
            id=RunId(f"own-{len(runs):03d}"),
            at=float(len(runs)),
            text=asked.parsed.text,
            language=asked.parsed.language,
            inputs=asked.parsed.inputs,
            graph=result.graph,
            planner="catalogue",
            outcome="succeeded",
            schemas={c.name: schema_of(c) for c in CATALOGUE if c.name in result.graph.capabilities},
        )
        runs.append(await judged(run, Offered(catalogue=CATALOGUE), CataloguePlanner()))
    return runs


def others() -> Sequence[PastRun]:
    """Runs of other functions, which are not offered here."""
    return [past_run(example, i) for i, example in enumerate(load(DATA).examples[:20])]


@pytest.mark.slow
@pytest.mark.parametrize("with_others", [False, True])
async def test_a_history_of_the_built_in_functions_spoils_no_plan(with_others: bool, tmp_path: Path) -> None:
    store = MemoryExperience([*await own_runs(), *(others() if with_others else ())])
    links = Recorder(store, ModelFile(tmp_path / "e.db"), CataloguePlanner()).links(CATALOGUE)
    learned = PlannerChain({"experience": ExperiencePlanner(store), "catalogue": CataloguePlanner()})
    for text, wanted in ASKED:
        by_words = await CataloguePlanner().plan(request(text))
        assert right(await learned.plan(request(text, links)), wanted) >= right(by_words, wanted), text


@pytest.mark.slow
async def test_foreign_requests_are_still_refused(tmp_path: Path) -> None:
    store = MemoryExperience(await own_runs())
    learned = PlannerChain({"experience": ExperiencePlanner(store), "catalogue": CataloguePlanner()})
    for text in NOT_OURS:
        parsed = parse_intent(Intent.from_text(text))
        result = await learned.plan(PlanRequest(parsed=parsed, catalogue=CATALOGUE))
        assert result.status == "unsupported", text
