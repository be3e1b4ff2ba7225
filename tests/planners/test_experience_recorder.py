"""What becomes of runs that have ended."""

import json
import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.errors import DataDirectoryUnusable
from easynet.core.events import IntentParsed, PlanMade, RunEvent, RunFinished, RunStarted
from easynet.core.ids import CapabilityName, RunId
from easynet.core.intent import Intent, ParsedIntent
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience import Link
from easynet.planners.experience_file import FORMAT
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_recorder import Recorder, judged, opened
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import HEADER, ModelFile, Offered
from easynet.planners.past_run import Edit, PastRun
from easynet.planners.planner import PlanRequest, PlanResult
from tests.planners.experience_world import TOOLS, chain, past

OUTCOME = TypeRef(name="Outcome")


class Idle(ModelFile):
    """A model file that is never renewed; it keeps what it was asked to learn beside."""

    def __init__(self, store: Path) -> None:
        super().__init__(store)
        self.asked: list[Offered] = []

    def renew(self, offered: Offered) -> "subprocess.Popen[bytes] | None":
        self.asked.append(offered)
        return None


class Broken(MemoryExperience):
    """A store whose disk is full and cannot be read either."""

    def add(self, run: PastRun) -> None:
        raise DataDirectoryUnusable("the disk is full")

    def links(self) -> Sequence[Link]:
        raise DataDirectoryUnusable("the disk is gone")


def ended(run: str, text: str, *names: str) -> list[RunEvent]:
    place = {"run_id": RunId(run), "at": 1.0}
    return [
        RunStarted(**place, seq=0, intent=Intent.from_text(text), version="0"),
        IntentParsed(**place, seq=1, parsed=ParsedIntent(text=text, language="en")),
        PlanMade(**place, seq=2, graph=chain(*names), planner="x", titles={}),
        RunFinished(**place, seq=3, status="succeeded"),
    ]


async def test_a_run_is_kept_and_one_that_is_resumed_replaced(tmp_path: Path) -> None:
    store = MemoryExperience()
    recorder = Recorder(store, Idle(tmp_path / "e.db"), CataloguePlanner())
    await recorder.record(ended("a", "book a train", "book_train"), TOOLS)
    await recorder.record(ended("a", "book a hotel", "book_hotel"), TOOLS)
    assert [r.text for r in store.runs()] == ["book a hotel"]


async def test_a_run_that_cannot_be_kept_is_logged_and_fails_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(Broken(), Idle(tmp_path / "e.db"), CataloguePlanner())
    with caplog.at_level(logging.WARNING):
        await recorder.record(ended("a", "book a train", "book_train"), TOOLS)
        assert recorder.links(TOOLS) == frozenset()
    assert "the disk is full" in caplog.text
    assert "book a train" not in caplog.text


class Wrong(CataloguePlanner):
    """A planner with a mistake in it."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        raise RecursionError(request.parsed.text)


async def test_a_mistake_in_a_planner_is_logged_and_fails_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(MemoryExperience(), Idle(tmp_path / "e.db"), Wrong())
    with caplog.at_level(logging.WARNING):
        await recorder.record(ended("a", "book a train", "book_train"), TOOLS)
    assert "a run was not remembered: RecursionError" in caplog.text
    assert "book a train" not in caplog.text


@pytest.mark.parametrize("version", ["x", None, [], 1.5, True])
async def test_a_model_whose_header_is_wrong_is_learned_anew(tmp_path: Path, version: object) -> None:
    store, model = MemoryExperience(), Idle(tmp_path / "e.db")
    for i in range(5):
        store.add(past(i, "book a train", "book_train"))
    with ZipFile(model.path, "w") as archive:
        archive.writestr(HEADER, json.dumps({"format": FORMAT, "version": version, "runs": []}))
    await Recorder(store, model, CataloguePlanner()).record(ended("a", "book a train", "book_train"), TOOLS)
    assert len(store.runs()) == 6
    assert len(model.asked) == 1


def test_a_file_that_is_no_database_is_logged_and_runs_are_kept_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "experience.db").write_bytes(b"not a database at all" * 100)
    store = opened(tmp_path / "experience.db")
    assert isinstance(store, MemoryExperience)
    assert "past runs are not kept" in caplog.text


async def test_learning_is_begun_once_there_is_enough_to_learn(tmp_path: Path) -> None:
    model = Idle(tmp_path / "e.db")
    recorder = Recorder(MemoryExperience(), model, CataloguePlanner())
    for i in range(6):
        await recorder.record(ended(str(i), "book a train", "search_train", "book_train"), TOOLS)
    assert len(model.asked) == 2
    assert model.asked[-1].links == {("search_train", "book_train")}


# ── the observed tool graph ─────────────────────────────────────────────────────────────────────


def function(name: str, *takes: Parameter, gives: str = "Outcome") -> Capability:
    return Capability(
        name=CapabilityName(name), description={"en": name}, parameters=takes, output=TypeRef(name=gives)
    )


@pytest.mark.parametrize(
    ("parameter", "is_told"),
    [
        (Parameter(name="context", type=OUTCOME, required=False), True),
        (Parameter(name="context", type=TypeRef(name="str")), True),
        (Parameter(name="context", type=OUTCOME), False),
        (Parameter(name="other", type=OUTCOME, required=False), False),
    ],
    ids=["may read it", "a plain value", "types say so anyway", "reads it no more"],
)
def test_links_are_told_where_types_do_not_say_them(
    tmp_path: Path, parameter: Parameter, is_told: bool
) -> None:
    store = MemoryExperience([past(1, "x", "search_train", "book_train")])
    recorder = Recorder(store, Idle(tmp_path / "e.db"), CataloguePlanner())
    catalogue = [function("search_train"), function("book_train", parameter)]
    assert bool(recorder.links(catalogue)) is is_told
    assert recorder.links(catalogue[:1]) == frozenset()


# ── whether descriptions say as much ────────────────────────────────────────────────────────────


async def test_a_plan_that_words_lead_to_is_told_from_one_that_they_do_not() -> None:
    offered = Offered(catalogue=TOOLS)
    by_words = await judged(past(1, "cancel a train ticket", "cancel_train"), offered, CataloguePlanner())
    assert by_words.by_words
    not_so = await judged(past(2, "cancel a train ticket", "pay_bill"), offered, CataloguePlanner())
    assert not not_so.by_words


async def test_words_do_not_suffice_where_something_had_to_be_asked() -> None:
    run = past(1, "weather report of a city", "read_weather").model_copy(update={"inputs": {"city": "Ulm"}})
    offered = Offered(catalogue=TOOLS)
    assert (await judged(run, offered, CataloguePlanner())).by_words
    answered = run.model_copy(update={"edits": (Edit(kind="answered", name="city", value="Ulm"),)})
    assert not (await judged(answered, offered, CataloguePlanner())).by_words


async def test_what_is_kept_survives_the_process(tmp_path: Path) -> None:
    store = opened(tmp_path / "experience.db")
    await Recorder(store, Idle(tmp_path / "e.db"), CataloguePlanner()).record(
        ended("a", "book a train", "book_train"), TOOLS
    )
    store.close()
    again = SqliteExperience(tmp_path / "experience.db")
    assert [r.id for r in again.runs()] == ["a"]
    again.close()
