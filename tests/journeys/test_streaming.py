"""A run that is killed while its plan still streams, and goes on from what was finished."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from easynet.core.events import RUN_EVENT, PlanMade, RunEvent, SubtaskFinished
from easynet.core.result import replay
from easynet.execution.journal import SqliteJournal
from tests.journeys.command import events_of
from tests.journeys.test_replanning import calls

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "tests.journeys.streaming_run")


def test_killed_while_it_is_planned_a_run_keeps_what_was_finished(own_data_dir: Path, tmp_path: Path) -> None:
    tally = str(tmp_path / "tally")
    seen: list[RunEvent] = []
    with subprocess.Popen((*COMMAND, tally), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(RUN_EVENT.validate_json(line))
            if isinstance(seen[-1], SubtaskFinished):
                break
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    for child in children:  # the node would go on looking for its gateway
        with suppress(psutil.NoSuchProcess):
            child.kill()
    assert [e.is_complete for e in seen if isinstance(e, PlanMade)] == [False]

    resumed = subprocess.run((*COMMAND, tally, seen[0].run_id), capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    events_of(resumed.stdout)

    journal = SqliteJournal(own_data_dir / "journal.db")
    result = replay(journal.events(seen[0].run_id))
    journal.close()
    assert result.ok, result.problem
    assert result.output == "abc"
    assert result.is_plan_complete
    assert calls(Path(tally)) == {"sort_letters": 1, "set_by_hand": 1, "print_page": 1}
