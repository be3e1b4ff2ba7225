"""Runs that are cancelled: their nodes stop, soon, and they can be gone on with."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from easynet import IntelligentNetwork, Intent
from easynet.core.events import AttemptStarted, RunEvent, RunFinished
from easynet.core.result import replay
from easynet.fabric.access.gateway_choice import EMBEDDED
from tests.journeys.command import COMMAND, events_of
from tests.patience import PATIENCE_S, Stopwatch, undisturbed

pytestmark = pytest.mark.slow

PROMISED_S = 1.0
"""`dig_pit` asks now and then whether it is still wanted, `fill_pit` never does."""


@asynccontextmanager
async def quarry(gateway: str, folder: Path, isolation: str) -> AsyncGenerator[Path]:
    """A node in a process of its own; gives the file in which its functions say that they work."""
    signs = folder / "signs"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.journeys.quarry", gateway, isolation, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield signs
    finally:
        process.kill()
        await process.wait()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # it happens in another process
            await asyncio.sleep(0.005)


def is_at_work(signs: Path) -> bool:
    return signs.exists() and bool(signs.read_text())


def pid_at_work(signs: Path) -> int:
    return int(json.loads(signs.read_text().splitlines()[-1])["pid"])


async def is_still(signs: Path, is_isolated: bool) -> None:
    """Return once the function has stopped: its process is gone, or it says that it ended."""
    if is_isolated:
        pid = pid_at_work(signs)
        await until(lambda: not psutil.pid_exists(pid))
    else:
        await until(lambda: "stopped" in signs.read_text())


Cancel = Callable[[IntelligentNetwork, str], Awaitable[None]]


@pytest.mark.parametrize(("goal", "isolation"), [("dig_pit", "thread"), ("fill_pit", "process")])
async def test_nodes_stop_within_a_second_of_a_cancelled_run(
    own_data_dir: Path, tmp_path: Path, goal: str, isolation: str
) -> None:
    async def attempt() -> None:
        (tmp_path / "signs").unlink(missing_ok=True)
        async with IntelligentNetwork(EMBEDDED) as network, quarry(network.url, tmp_path, isolation) as signs:
            events: list[RunEvent] = []

            intent = Intent(goal=goal, description="work", input_data={"signs": str(signs)})

            async def follow() -> None:
                async for event in network.stream(intent):
                    events.append(event)

            run = asyncio.create_task(follow())
            await until(lambda: is_at_work(signs))
            with Stopwatch() as watch:
                await network.cancel(events[0].run_id)
                await is_still(signs, isolation == "process")
            await run
            assert watch.seconds < PROMISED_S
            last = events[-1]
            assert isinstance(last, RunFinished)
            assert last.status == "cancelled"
            signs.with_name("enough").touch()  # so that it ends soon this time
            resumed = [e async for e in network.resume(events[0].run_id)]
            assert resumed[-1].kind == "run_finished"
            assert replay(network.events(events[0].run_id)).ok
        signs.with_name("enough").unlink()

    await undisturbed(attempt, gap_s=0.3)


@pytest.mark.parametrize(("goal", "isolation"), [("dig", "thread"), ("fill", "process")])
async def test_nodes_stop_within_a_second_of_ctrl_c(
    own_data_dir: Path, tmp_path: Path, goal: str, isolation: str
) -> None:
    async def attempt() -> None:
        (tmp_path / "signs").unlink(missing_ok=True)
        async with IntelligentNetwork(EMBEDDED) as network, quarry(network.url, tmp_path, isolation) as signs:
            command = await asyncio.create_subprocess_exec(
                *COMMAND,
                f"{goal} a pit in the quarry",
                "--input",
                f"signs={signs}",
                "--gateway",
                network.url,
                "--json",
                stdout=PIPE,
            )
            try:
                await until(lambda: is_at_work(signs))
                with Stopwatch() as watch:
                    command.send_signal(signal.SIGINT)
                    await is_still(signs, isolation == "process")
                assert watch.seconds < PROMISED_S
                stdout, _ = await command.communicate()
            finally:
                if command.returncode is None:
                    command.kill()
                    await command.wait()
            assert command.returncode == 130
            events = events_of(stdout.decode())
            last = events[-1]
            assert isinstance(last, RunFinished)
            assert last.status == "cancelled"
            assert any(isinstance(e, AttemptStarted) for e in events)

    await undisturbed(attempt, gap_s=0.3)
