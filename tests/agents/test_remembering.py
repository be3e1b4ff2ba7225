"""What a run hands on: to the planner the observed tool graph, and at its end itself."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from easynet.agents.orchestrator import Orchestrator
from easynet.core.capability import Capability
from easynet.core.events import PassedOver, PlanMade, RunEvent
from easynet.core.ids import CapabilityName
from easynet.core.intent import Intent
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.past_run import PastRun
from easynet.planners.planner import PlanRequest, PlanResult
from tests.agents.test_orchestrator import Desk

LINKS = frozenset({(CapabilityName("pick_leaves"), CapabilityName("taste_coffee"))})


class Learned:
    """A planner that says where its plan comes from, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[PlanRequest] = []

    async def plan(self, request: PlanRequest) -> PlanResult:
        self.requests.append(request)
        result = await CataloguePlanner().plan(request.model_copy(update={"links": frozenset()}))
        passed = PassedOver(planner="model", status="timed_out", why="it was too slow")
        return result.model_copy(
            update={"planner": "experience", "similar_runs": 4, "passed_over": (passed,), "assumed": {"a": 1}}
        )


class Memory:
    """What was handed on to be remembered."""

    def __init__(self) -> None:
        self.runs: list[PastRun | None] = []
        self.kinds: list[list[str]] = []

    async def remember(self, events: Sequence[RunEvent], catalogue: Sequence[Capability]) -> None:
        self.kinds.append([e.kind for e in events])
        self.runs.append(PastRun.of(events, catalogue))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        yield Desk(tmp_path / "runs", orchestrator)


def with_memory(desk: Desk) -> tuple[Learned, Memory]:
    planner, memory = Learned(), Memory()
    assembly = desk._assembly
    assembly._services = replace(
        assembly._services, planner=planner, links=lambda _: LINKS, remember=memory.remember
    )
    return planner, memory


async def test_a_plan_tells_where_it_came_from_and_the_planner_gets_the_tool_graph(desk: Desk) -> None:
    planner, _ = with_memory(desk)
    await desk.run(Intent.from_text("brew a cup of tea"))
    [made] = [e for e in desk.events if isinstance(e, PlanMade)]
    assert (made.planner, made.similar_runs, made.assumed) == ("experience", 4, {"a": 1})
    assert [p.planner for p in made.passed_over] == ["model"]
    assert planner.requests[0].links == LINKS


async def test_the_report_says_where_the_plan_came_from(desk: Desk) -> None:
    with_memory(desk)
    result = await desk.run(Intent.from_text("brew a cup of tea"))
    assert result.report is not None
    page = result.report.read_text("utf-8")
    assert "Planned as 4 similar past runs were" in page
    assert "--input a=VALUE" in page


async def test_a_run_is_handed_on_after_its_last_event_with_what_was_offered(desk: Desk) -> None:
    _, memory = with_memory(desk)
    await desk.run(Intent.from_text("brew a cup of tea"))
    assert memory.kinds[0][-1] == "run_finished"
    assert memory.runs[0] is not None
    assert memory.runs[0].schemas.keys() == {*memory.runs[0].graph.capabilities}


async def test_a_run_that_fails_is_handed_on_with_what_failed(desk: Desk) -> None:
    _, memory = with_memory(desk)
    result = await desk.run(Intent.from_text("break an expensive vase"))
    assert result.status == "failed"
    assert [run and (run.outcome, run.failed) for run in memory.runs] == [("failed", "break_vase")]


async def test_a_run_without_a_plan_teaches_nothing(desk: Desk) -> None:
    _, memory = with_memory(desk)
    await desk.run(Intent.from_text("asdf qwer zxcv"))
    assert memory.runs == [None]
