"""Learning in a process of its own."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from easynet.core.ids import RunId
from easynet.planners import experience_fitting
from easynet.planners.experience_file import load, save
from easynet.planners.experience_fitting import renew
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import Fitted, ModelFile, Offered
from easynet.planners.past_run import PastRun
from easynet.settings import inherited_environment
from tests.patience import PATIENCE_S
from tests.planners.experience_world import TOOLS, asked, history, past

pytestmark = pytest.mark.slow


OFFERED = Offered(catalogue=TOOLS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "experience.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteExperience]:
    opened = SqliteExperience(path)
    yield opened
    opened.close()


def fill(store: SqliteExperience, runs: list[PastRun]) -> None:
    for run in runs:
        store.add(run)


def test_a_model_is_fitted_once_for_the_same_lessons(store: SqliteExperience, path: Path) -> None:
    fill(store, history(24))
    assert renew(path, OFFERED)
    assert not renew(path, OFFERED)
    made = load(ModelFile(path).path)
    assert made is not None
    assert {*made.runs} == store.ids()


def test_a_model_is_fitted_anew_when_a_twentieth_of_its_lessons_has_changed(
    store: SqliteExperience, path: Path
) -> None:
    fill(store, history(40))
    assert renew(path, OFFERED)
    fill(store, [past(100 + i, "cancel my ticket", "cancel_train") for i in range(2)])
    assert not renew(path, OFFERED)
    fill(store, [past(200, "cancel my ticket", "cancel_train")])
    assert ModelFile(path).may_be_outdated(store.version())
    assert renew(path, OFFERED)
    assert not ModelFile(path).may_be_outdated(store.version())


def test_few_lessons_make_no_model(store: SqliteExperience, path: Path) -> None:
    fill(store, [*history(4), *(past(50 + i, "x", "pay_bill", failed="pay_bill") for i in range(9))])
    assert not renew(path, OFFERED)
    assert not ModelFile(path).path.exists()


def test_a_damaged_model_is_fitted_anew(store: SqliteExperience, path: Path) -> None:
    fill(store, history(12))
    ModelFile(path).path.write_bytes(b"damaged")
    assert renew(path, OFFERED)
    assert load(ModelFile(path).path) is not None


def test_what_is_forgotten_while_a_model_is_fitted_is_in_none(
    store: SqliteExperience, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, history(12))

    def forget_and_save(made: Fitted, to: Path) -> None:
        store.forget(run=RunId("run-0003"))
        save(made, to)

    monkeypatch.setattr(experience_fitting, "save", forget_and_save)
    renew(path, OFFERED)
    assert not ModelFile(path).path.exists()


def test_who_comes_second_leaves_it_to_the_first(store: SqliteExperience, path: Path) -> None:
    fill(store, history(12))
    with open(ModelFile(path).path.with_suffix(".lock"), "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not renew(path, OFFERED)
    assert renew(path, OFFERED)


@pytest.mark.slow
def test_two_processes_that_fit_at_once_leave_one_whole_model(store: SqliteExperience, path: Path) -> None:
    fill(store, history(24))
    processes = [ModelFile(path).renew(OFFERED) for _ in range(2)]
    for process in processes:
        assert process is not None
        assert process.wait(PATIENCE_S * 5) == 0
    assert load(ModelFile(path).path) is not None


@pytest.mark.slow
def test_a_process_killed_while_fitting_leaves_the_way_free(store: SqliteExperience, path: Path) -> None:
    fill(store, history(24))
    kept = ModelFile(path)
    process = kept.renew(OFFERED)
    assert process is not None
    assert kept.renew(OFFERED) is None, "one at a time"
    process.kill()
    process.wait(PATIENCE_S * 5)
    again = kept.renew(OFFERED)
    assert again is not None
    assert again.wait(PATIENCE_S * 5) == 0
    assert kept.load() is not None


async def test_a_model_of_runs_that_are_forgotten_or_foreign_is_not_used(
    store: SqliteExperience, path: Path
) -> None:
    fill(store, history(24))
    renew(path, OFFERED)
    kept = ModelFile(path)
    foreign = kept.path.read_bytes()
    store.forget()
    fill(store, [past(900 + i, f"water the plants {i}", "pay_bill") for i in range(3)])
    kept.path.write_bytes(foreign)
    result = await ExperiencePlanner(store, kept).plan(asked("look for a hotel in Ulm and reserve a room"))
    assert result.status == "unsupported"


async def test_planning_from_disk_is_the_same_as_where_it_was_learned(
    store: SqliteExperience, path: Path
) -> None:
    fill(store, history(24))
    renew(path, OFFERED)
    for text in (
        "find a train from Bonn to Ulm and book a seat for me",
        "mail",
        "cancel my train ticket to Lima",
    ):
        here = await ExperiencePlanner(store).plan(asked(text))
        assert await ExperiencePlanner(store, ModelFile(path)).plan(asked(text)) == here


class NoFitting(ModelFile):
    """A model file for which nothing is fitted in the background; it counts how often it was asked to."""

    asked_for = 0

    def renew(self, offered: Offered) -> "subprocess.Popen[bytes] | None":
        self.asked_for += 1
        return None


async def test_with_no_model_yet_the_latest_lessons_serve_and_the_rest_is_begun(
    store: SqliteExperience, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.planners.experience_planner._AT_ONCE", 16)
    fill(store, history(48))
    kept = NoFitting(path)
    planner = ExperiencePlanner(store, kept)
    result = await planner.plan(asked("find a train from Bonn to Ulm and book a seat for me"))
    assert result.status == "planned"
    assert kept.asked_for == 1
    assert planner._fitted is not None
    assert planner._fitted.runs == tuple(f"run-{i:04d}" for i in range(32, 48))
    renew(path, OFFERED)
    await planner.plan(asked("find a train from Bonn to Rome and book a seat for me"))
    assert kept.asked_for == 1, "what is on disk by then serves"


# ── without NumPy ───────────────────────────────────────────────────────────────────────────────

COLD = """
import asyncio, sys, time
from pathlib import Path
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import ModelFile
from tests.planners.experience_world import asked

path = Path(sys.argv[1])
planner = ExperiencePlanner(SqliteExperience(path), ModelFile(path))
result = asyncio.run(planner.plan(asked(sys.argv[2])))
print(result.status, result.similar_runs, *sorted({"numpy", "scipy"} & {*sys.modules}))
"""


def cold(path: Path, text: str) -> str:
    """What a fresh process says to a request, and which of the large libraries it had to load for it."""
    done = subprocess.run(
        [sys.executable, "-c", COLD, str(path), text],
        env=inherited_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_a_promoted_plan_needs_neither_numpy_nor_a_model(store: SqliteExperience, path: Path) -> None:
    fill(store, [*history(24), *(past(100 + i, f"cancel my ticket {i}", "cancel_train") for i in range(3))])
    renew(path, OFFERED)
    assert cold(path, "cancel my ticket 99") == "planned 3"


@pytest.mark.slow
def test_without_history_nothing_large_is_loaded(store: SqliteExperience, path: Path) -> None:
    assert cold(path, "cancel my ticket 99") == "unsupported 0"
    fill(store, history(4))
    assert cold(path, "cancel my ticket 99") == "unsupported 0"
