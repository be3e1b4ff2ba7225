"""What attempts show about nodes is known to the next run, and to the next process."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from easynet.agents.orchestrator import Orchestrator
from easynet.core.events import ScheduleMade
from easynet.core.intent import Intent
from easynet.scheduling.kept_estimates import KeptEstimates
from easynet.scheduling.observations import Observations
from tests.agents.test_orchestrator import Desk

TEA = Intent.from_text("brew a cup of tea")


@pytest.fixture
async def orchestrator(tmp_path: Path) -> AsyncIterator[Orchestrator]:
    async with Orchestrator(tmp_path / "checkpoints.db") as opened:
        yield opened


async def expected_s(tmp_path: Path, orchestrator: Orchestrator, estimates: KeptEstimates) -> float:
    """What the schedule of a run says it will take, in a journal of its own."""
    desk = Desk(tmp_path / "runs", orchestrator, estimates=estimates)
    assert (await desk.run(TEA)).ok
    made = next(e for e in desk.events if isinstance(e, ScheduleMade))
    return made.schedule.duration_s


async def test_the_next_run_is_scheduled_by_what_this_one_took(
    tmp_path: Path, orchestrator: Orchestrator
) -> None:
    """The nodes claim a second a call, and take no time."""
    estimates = KeptEstimates()
    first = await expected_s(tmp_path, orchestrator, estimates)
    second = await expected_s(tmp_path, orchestrator, estimates)
    assert first >= 1.0
    assert second < first / 2


async def test_what_a_run_showed_is_in_the_file_when_it_has_ended(
    tmp_path: Path, orchestrator: Orchestrator
) -> None:
    path = tmp_path / "observations.db"
    with closing(KeptEstimates(path)) as estimates, closing(Observations(path)) as file:
        await expected_s(tmp_path, orchestrator, estimates)
        estimates.flush()
        outcomes = [o.outcome for o in file.latest()]
    assert outcomes
    assert {*outcomes} == {"succeeded"}
