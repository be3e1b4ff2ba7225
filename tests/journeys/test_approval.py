"""A step that cannot be undone, on a real network: its effect is a line in a file, or there is none."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from easynet import Server
from easynet.core.events import ApprovalAnswered, ApprovalRequested, Replanned, RunEvent, RunFinished
from easynet.core.ids import RunId
from tests.journeys.command import cli_async, events_of
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

BURN = ("burn the archive", "--input", "room=cellar")


@dataclass
class PostOffice:
    """A gateway with a node that burns and sends, and the file in which it notes that."""

    gateway: str
    tally: Path

    @property
    def done(self) -> list[str]:
        return self.tally.read_text().splitlines() if self.tally.exists() else []

    async def easynet(self, *arguments: str) -> list[RunEvent]:
        """The events of a run that a process of its own worked on, where nobody is at the terminal."""
        found = await cli_async(*arguments, "--json", "--gateway", self.gateway)
        assert "Traceback" not in found.stderr, found.stderr
        return events_of(found.stdout)


@pytest.fixture
async def office(own_data_dir: Path, tmp_path: Path) -> AsyncIterator[PostOffice]:
    tally = tmp_path / "tally"
    server = Server()
    await asyncio.to_thread(server.start)
    command = (sys.executable, "-m", "tests.journeys.post_office", server.url, str(tally))
    node = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        assert node.stdout is not None
        assert await node.stdout.readline() == b"ready\n"
        yield PostOffice(server.url, tally)
    finally:
        node.kill()
        await node.wait()
        await asyncio.to_thread(server.stop)


def ending(events: list[RunEvent]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last


def run_of(events: list[RunEvent]) -> RunId:
    return events[0].run_id


async def test_unanswered_it_is_not_done_and_a_yes_in_another_process_has_it_done_once(
    office: PostOffice,
) -> None:
    waiting = await office.easynet(*BURN, "--yes")
    assert ending(waiting).status == "needs_input"
    assert [s.capability for e in waiting if isinstance(e, ApprovalRequested) for s in e.steps] == [
        "burn_archive"
    ]
    still = await office.easynet("runs", "resume", run_of(waiting), "--yes")
    assert (ending(still).status, office.done) == ("needs_input", [])
    agreed = await office.easynet("runs", "resume", run_of(waiting), "--answer", "approve=yes")
    assert ending(agreed).status == "succeeded", ending(agreed).problem
    assert [e.agreed for e in agreed if isinstance(e, ApprovalAnswered)] == [True]
    await office.easynet("runs", "resume", run_of(waiting))
    assert office.done == ["burnt cellar"]


async def test_a_no_ends_the_run_and_it_is_not_done(office: PostOffice) -> None:
    waiting = await office.easynet(*BURN)
    refused = await office.easynet("runs", "resume", run_of(waiting), "--answer", "approve=no")
    assert (ending(refused).status, office.done) == ("cancelled", [])


async def test_named_beforehand_it_is_done_without_a_question(office: PostOffice) -> None:
    events = await office.easynet(*BURN, "--approve", "burn_archive")
    assert ending(events).status == "succeeded", ending(events).problem
    assert (office.done, [e for e in events if isinstance(e, ApprovalRequested)]) == (["burnt cellar"], [])


async def test_a_step_above_the_price_waits_too(office: PostOffice) -> None:
    words = ("write a letter by hand", "--input", "text=hello")
    events = await office.easynet(*words, "--yes", "--approve-above", "2 credits")
    [request] = [e for e in events if isinstance(e, ApprovalRequested)]
    assert [(s.capability, s.price, s.why) for s in request.steps] == [("write_by_hand", 3, ("price",))]
    assert ending(events).status == "needs_input"


async def test_a_process_that_is_killed_while_it_waits_leaves_the_run_waiting(office: PostOffice) -> None:
    """The process asks somebody who never answers, and is killed."""
    script = (
        "import asyncio, sys\n"
        "from easynet import IntelligentNetwork, Intent\n"
        "async def ask(question):\n"
        "    print('asked', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "async def main():\n"
        "    async with IntelligentNetwork(sys.argv[1]) as network:\n"
        "        intent = Intent.from_text('burn the archive', input_data={'room': 'cellar'})\n"
        "        async for event in network.stream(intent, ask=ask, auto_approve=True):\n"
        "            print(event.run_id, flush=True)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, office.gateway, stdout=PIPE)
    assert process.stdout is not None
    said: list[str] = []
    async with within(PATIENCE_S):
        while not said or said[-1] != "asked":
            said.append((await process.stdout.readline()).decode().strip())
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert office.done == []
    resumed = await office.easynet("runs", "resume", said[0])
    assert (ending(resumed).status, office.done) == ("needs_input", [])
    agreed = await office.easynet("runs", "resume", said[0], "--answer", "approve=yes")
    assert (ending(agreed).status, office.done) == ("succeeded", ["burnt cellar"])


async def test_after_a_new_plan_a_step_with_another_source_is_asked_for_again(office: PostOffice) -> None:
    """What was agreed to was to send the letter written by hand."""
    words = ("send the letter", "--input", "text=hello")
    waiting = await office.easynet(*words)
    assert ending(waiting).status == "needs_input", ending(waiting).problem
    again = await office.easynet("runs", "resume", run_of(waiting), "--answer", "approve=yes")
    assert [e.how for e in again if isinstance(e, Replanned)] == ["substitute"]
    assert (ending(again).status, office.done) == ("needs_input", [])
    agreed = await office.easynet("runs", "resume", run_of(waiting), "--answer", "approve=yes")
    assert ending(agreed).status == "succeeded", ending(agreed).problem
    assert office.done == ["hello"]


async def test_the_command_line_says_what_is_asked_and_how_to_agree(office: PostOffice) -> None:
    found = await cli_async(*BURN, "--gateway", office.gateway)
    assert found.returncode == 4
    assert (
        "burn_archive: Burn the archive · cannot be undone · room = cellar · on post-office" in found.stderr
    )
    assert "--answer approve=yes" in found.stdout
    listed = await cli_async("functions", "--gateway", office.gateway)
    assert "Burn the archive. (cannot be undone)" in listed.stdout
