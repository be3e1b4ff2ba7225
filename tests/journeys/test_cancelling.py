"""Runs that another process cancels."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import psutil
import pytest

from easynet.core.events import RUN_EVENT, RunEvent, RunFinished
from easynet.core.ids import RunId
from easynet.execution.journal import SqliteJournal
from tests.journeys.command import cli_async
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

PROMISED_S = 1.0
"""Within which nodes stop work on a run that is cancelled."""


class EndlessRun:
    """The process that works on it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[RunEvent] = []

    async def read_until(self, kind: str) -> RunEvent:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stdout.readline():
                self.events.append(RUN_EVENT.validate_json(line))
                if self.events[-1].kind == kind:
                    return self.events[-1]
        raise AssertionError(f"no {kind} in {[e.kind for e in self.events]}")

    @property
    def id(self) -> RunId:
        return self.events[0].run_id


@asynccontextmanager
async def working(function: str, notes: Path, *run: str) -> AsyncGenerator[EndlessRun]:
    """A process at work on an endless run; killed at the end if it still is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.journeys.endless_run",
        function,
        str(notes),
        *run,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    try:
        yield EndlessRun(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 (other processes do not tell)
        await asyncio.sleep(0.01)


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def asked_to_cancel(data_dir: Path, run: RunId) -> bool:
    with closing(SqliteJournal(data_dir / "journal.db")) as journal:
        return journal.ask_to_cancel(run)


async def test_function_that_cooperates_stops_within_a_second(own_data_dir: Path, notes: Path) -> None:
    async with working("wait_kindly", notes) as run:
        await run.read_until("attempt_started")
        async with asyncio.timeout(PATIENCE_S):
            await until((notes / "begun").exists)
        assert asked_to_cancel(own_data_dir, run.id)
        async with within(PROMISED_S):
            await until((notes / "stopped").exists)
        last = await run.read_until("run_finished")
    assert isinstance(last, RunFinished)
    assert last.status == "cancelled"


async def test_isolated_function_that_loops_for_ever_is_ended_within_a_second(
    own_data_dir: Path, notes: Path
) -> None:
    async with working("loop_for_ever", notes) as run:
        await run.read_until("attempt_started")
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: text_of(notes / "begun") != "")
        looping = psutil.Process(int(text_of(notes / "begun")))
        assert asked_to_cancel(own_data_dir, run.id)
        async with within(PROMISED_S):
            await until(lambda: not looping.is_running())
        last = await run.read_until("run_finished")
    assert isinstance(last, RunFinished)
    assert last.status == "cancelled"


async def test_two_commands_that_cancel_at_once_both_say_so_and_the_run_is_resumed(notes: Path) -> None:
    async with working("wait_kindly", notes) as run:
        await run.read_until("attempt_started")
        said = await asyncio.gather(*(cli_async("runs", "cancel", run.id) for _ in range(2)))
        last = await run.read_until("run_finished")
        assert isinstance(last, RunFinished)
        assert last.status == "cancelled"
    for ended in said:
        assert ended.returncode == 0, ended.stderr
        assert "cancelled" in ended.stdout
        assert f"runs resume {run.id}" in ended.stdout

    (notes / "gate").touch()
    async with working("wait_kindly", notes, run.id) as again:
        last = await again.read_until("run_finished")
    assert isinstance(last, RunFinished)
    assert last.status == "succeeded"


async def test_run_that_waits_for_an_answer_is_cancelled(notes: Path) -> None:
    async with working("ask", notes) as run:
        await run.read_until("question_asked")
        ended = await cli_async("runs", "cancel", run.id)
        last = await run.read_until("run_finished")
    assert ended.returncode == 0, ended.stderr
    assert isinstance(last, RunFinished)
    assert last.status == "cancelled"


async def test_where_nothing_works_on_a_run_the_command_says_how_it_is(notes: Path) -> None:
    async with working("wait_kindly", notes) as run:
        await run.read_until("attempt_started")
        run.process.kill()
        await run.process.wait()
    said = await cli_async("runs", "cancel", run.id)
    assert said.returncode == 2
    assert "interrupted" in said.stderr
    assert f"runs resume {run.id}" in said.stderr
    missing = await cli_async("runs", "cancel", "2000")
    assert missing.returncode == 2
    assert "no run" in missing.stderr
