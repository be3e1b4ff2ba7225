"""Long work as its client sees it: it is kept, told of, thinned out, cancelled, and happens once."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from easynet.core.clock import SystemClock
from easynet.core.errors import (
    AccessDenied,
    BadData,
    CallTimeout,
    GatewayUnreachable,
    JobCancelled,
    JobNotFound,
    NodeUnreachable,
    Overloaded,
    RemoteFailure,
    Unencodable,
)
from easynet.core.job import JobEnded, JobProgressed, JobStarted, JobSubmitted, JobYielded
from easynet.fabric.jobs import job_history, job_index, job_output, job_reader, job_service
from easynet.fabric.jobs.job_client import Jobs
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.wire.updates import End, Item, Progress, Result, Update
from tests.fabric.job_fakes import (
    JobGateway,
    Nodes,
    Rights,
    Server,
    Steps,
    Work,
    decoded,
    encoded,
    looking_at,
    queued,
    until,
    until_empty,
    until_postponed,
    updates_of,
)
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow


async def test_result_is_what_the_function_returned(gateway: JobGateway, nodes: Nodes) -> None:
    job = await gateway.jobs().submit("echo", encoded(["hello"]))
    assert await job.result(PATIENCE_S) == ["hello"]
    assert nodes.clients == {job.id: "ana"}
    assert await job.state() == "succeeded"
    details = await job.details()
    assert (details.function, details.attempt, details.node, details.reason) == ("echo", 1, "one", "")


async def test_result_of_a_generator_is_the_list_of_its_items(gateway: JobGateway) -> None:
    job = await gateway.jobs().submit("count", b"")
    assert await job.result(PATIENCE_S) == [0, 1, 2]
    kinds = [type(update) for update in await updates_of(job)]
    assert kinds == [JobSubmitted, JobStarted, JobYielded, JobYielded, JobYielded, JobEnded]


async def test_failure_of_the_function_is_raised_as_a_call_would(gateway: JobGateway, nodes: Nodes) -> None:
    job = await gateway.jobs().submit("fail", b"")
    with pytest.raises(RemoteFailure, match="ValueError: no such luck") as caught:
        await job.result(PATIENCE_S)
    assert caught.value.remote_traceback == "line 1"
    assert nodes.runs[job.id] == 1
    assert (await job.details()).reason == "no such luck"


async def test_client_that_leaves_and_returns_sees_everything_once_and_in_order(
    gateway: JobGateway, nodes: Nodes
) -> None:
    steps = nodes.functions["steps"] = Steps()
    first = await gateway.jobs().submit("steps", b"")
    seen = []
    steps.allow(2)
    async for update in first.follow():
        seen.append(update)
        if isinstance(update, JobProgressed) and update.message == "step 1":
            break
    steps.allow(3)
    again = gateway.jobs().find(first.id)
    seen += await updates_of(again, after=seen[-1].seq)
    assert [u.message for u in seen if isinstance(u, JobProgressed)] == [f"step {i}" for i in range(4)]
    assert [update.seq for update in seen] == sorted({update.seq for update in seen})
    assert isinstance(seen[0], JobSubmitted)
    assert isinstance(seen[-1], JobEnded)
    assert seen == await updates_of(again)
    assert await again.result(PATIENCE_S) == "done"


async def test_reading_on_after_the_end_ends_at_once(gateway: JobGateway) -> None:
    job = await gateway.jobs().submit("echo", encoded(1))
    last = (await updates_of(job))[-1]
    assert await updates_of(job, after=last.seq) == []


async def test_reader_that_waits_is_told_at_once(gateway: JobGateway, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    job = await gateway.jobs().submit("steps", b"")
    reading = asyncio.create_task(updates_of(job))
    await nodes.began.wait()
    steps.allow(5)
    async with within(2):
        assert isinstance((await reading)[-1], JobEnded)


async def test_following_survives_a_gateway_that_is_away(gateway: JobGateway, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    asked: list[str] = []

    async def flaky(subject: str, content: Any, *, timeout_s: float) -> Any:
        asked.append(subject)
        if len(asked) % 2:
            raise GatewayUnreachable("it is away")
        return await gateway.ask(subject, content, timeout_s=timeout_s)

    job = await Jobs(flaky, "ana", decoded, retry_s=0.0).submit("steps", b"")
    assert asked == ["job.submit.ana"] * 2
    steps.allow(5)
    messages = [u.message for u in await updates_of(job) if isinstance(u, JobProgressed)]
    assert messages == [f"step {i}" for i in range(4)]


async def test_job_submitted_twice_under_one_key_runs_once(gateway: JobGateway, nodes: Nodes) -> None:
    first, second = await asyncio.gather(
        gateway.jobs().submit("echo", b"\x01", key="nightly"),
        gateway.jobs().submit("echo", b"\x01", key="nightly"),
    )
    assert first.id == second.id
    assert sorted([first.is_duplicate, second.is_duplicate]) == [False, True]
    await first.result(PATIENCE_S)
    third = await gateway.jobs().submit("echo", b"\x01", key="nightly")
    assert third.is_duplicate
    assert await third.result(PATIENCE_S) == 1
    assert nodes.runs[first.id] == 1
    other = await gateway.jobs("bob").submit("echo", b"\x01", key="nightly")
    assert other.id != first.id
    assert not other.is_duplicate


async def test_key_of_another_job_is_refused(gateway: JobGateway) -> None:
    await gateway.jobs().submit("echo", b"\x01", key="nightly")
    with pytest.raises(BadData, match="nightly"):
        await gateway.jobs().submit("echo", b"\x02", key="nightly")


async def test_running_job_that_is_cancelled_stops_at_its_node(gateway: JobGateway, nodes: Nodes) -> None:
    job = await gateway.jobs().submit("wait", b"")
    await nodes.began.wait()
    assert await job.cancel() == "cancelled"
    (work,) = nodes.work.values()
    assert work.is_cancelled
    with pytest.raises(JobCancelled):
        await job.result(PATIENCE_S)
    last = (await updates_of(job))[-1]
    assert isinstance(last, JobEnded)
    assert last.state == "cancelled"
    assert await job.cancel() == "cancelled"


async def test_queued_job_that_is_cancelled_never_runs(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 1)
    gateway = await JobGateway.start(server, nodes)
    try:
        busy = await gateway.jobs().submit("wait", b"")
        await nodes.began.wait()
        waiting = await gateway.jobs().submit("echo", b"")
        assert await waiting.state() == "queued"
        assert await waiting.cancel() == "cancelled"
        assert await queued(server) == 1
        assert await busy.cancel() == "cancelled"
        assert await (await gateway.jobs().submit("echo", encoded(1))).result(PATIENCE_S) == 1
        assert nodes.runs[waiting.id] == 0
        assert await waiting.state() == "cancelled"
        await until_empty(server)
    finally:
        await gateway.stop()


async def test_postponed_job_that_is_cancelled_never_runs_again(server: Server, nodes: Nodes) -> None:
    rules = JobRules(max_attempts=5, first_delay_s=0.3)
    gateway = await JobGateway.start(server, nodes, rules=rules)
    try:
        nodes.error = NodeUnreachable("gone")
        job = await gateway.jobs().submit("echo", b"")
        await until_postponed(job, 1)
        assert await job.cancel() == "cancelled"
        nodes.error = None
        await until_empty(server)
        assert nodes.runs[job.id] == 0
    finally:
        await gateway.stop()


async def test_finished_job_stays_as_it_is_when_cancelled(gateway: JobGateway) -> None:
    job = await gateway.jobs().submit("echo", encoded(1))
    await job.result(PATIENCE_S)
    assert await job.cancel() == "succeeded"
    assert await job.result(PATIENCE_S) == 1


async def test_job_that_takes_longer_than_it_may_is_stopped(gateway: JobGateway, nodes: Nodes) -> None:
    for timeout_s in (0.3, 5, 20):  # a slow machine may not have begun it when its time is over
        job = await gateway.jobs().submit("wait", b"", timeout_s=timeout_s)
        with pytest.raises(CallTimeout, match=f"{timeout_s:g} s"):
            await job.result(PATIENCE_S)
        if nodes.work:
            break
    (work,) = nodes.work.values()
    assert work.is_cancelled


async def test_result_that_is_not_there_in_time_leaves_the_job_alone(
    gateway: JobGateway, nodes: Nodes
) -> None:
    steps = nodes.functions["steps"] = Steps()
    job = await gateway.jobs().submit("steps", b"")
    with pytest.raises(CallTimeout, match="not over"):
        await job.result(0.05)
    steps.allow(5)
    assert await job.result(PATIENCE_S) == "done"


async def test_job_of_another_client_is_not_there(gateway: JobGateway) -> None:
    job = await gateway.jobs("ana").submit("wait", b"")
    other = gateway.jobs("bob").find(job.id)
    for attempt in (other.state(), other.cancel(), other.result(PATIENCE_S), updates_of(other)):
        with pytest.raises(JobNotFound, match="bob"):
            await attempt
    assert await gateway.jobs("bob").all() == []
    assert [j.id for j in await gateway.jobs("ana").all()] == [job.id]
    with pytest.raises(JobNotFound):
        await gateway.jobs().find("no-such-job").state()


async def test_function_that_a_client_may_not_call_is_not_called_for_it(server: Server, nodes: Nodes) -> None:
    allowed = {("ana", "echo")}
    nodes.instances.clear()
    rights = Rights(lambda client, function: (client, function) in allowed)
    gateway = await JobGateway.start(server, nodes, rights=rights)
    try:
        with pytest.raises(AccessDenied):
            await gateway.jobs("bob").submit("echo", b"")
        job = await gateway.jobs("ana").submit("echo", b"")
        allowed.clear()  # while it waits for a node
        nodes.instances["one"] = "1"
        with pytest.raises(AccessDenied):
            await job.result(PATIENCE_S)
        assert not nodes.runs
    finally:
        await gateway.stop()


@pytest.mark.parametrize(
    ("subject", "content"),
    [
        ("job.submit.ana", None),
        ("job.submit.ana", []),
        ("job.submit.ana", ["k", "echo", "text", None]),
        ("job.submit.ana", ["", "echo", b"", None]),
        ("job.submit.ana", ["k" * 201, "echo", b"", None]),
        ("job.submit.ana", ["k", "no function.", b"", None]),
        ("job.submit.ana", ["k", "a.b.c", b"", None]),
        ("job.submit.ana", ["k", "*", b"", None]),
        ("job.submit.ana", ["k", "echo", b"x" * (job_service.MAX_ARGUMENT_BYTES + 1), None]),
        ("job.submit.ana", ["k", "echo", b"", "soon"]),
        ("job.submit.ana", ["k", "echo", b"", -1]),
        ("job.submit.ana", ["k", "echo", b"", True]),
        ("job.submit.ana", ["k", "echo", b"", float("nan")]),
        ("job.submit.ana", ["k", "echo", b"", float("inf")]),
        ("job.list.ana", "all"),
        ("job.read.ana", ["x"]),
        ("job.cancel.ana", [1]),
        ("job.burn.ana", []),
        ("job.list", []),
    ],
)
async def test_question_that_cannot_be_meant_is_refused(
    gateway: JobGateway, subject: str, content: Any
) -> None:
    with pytest.raises(BadData):
        await gateway.service.answer_to(subject, content)
    assert await gateway.jobs().all() == []


@pytest.mark.parametrize("asked", [(-1, 0), (2**63, 0), (0, -1), (0, 21), (0, float("nan")), (0, True)])
async def test_reading_what_cannot_be_read_is_refused(gateway: JobGateway, asked: tuple[Any, Any]) -> None:
    job = await gateway.jobs().submit("echo", b"\x01")
    with pytest.raises(BadData):
        await gateway.service.answer_to("job.read.ana", [job.id, *asked])


async def test_client_with_too_many_open_jobs_is_told_so(
    gateway: JobGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_index, "MAX_OPEN", 2)
    for _ in range(2):
        await gateway.jobs().submit("wait", b"")
    with pytest.raises(Overloaded):
        await gateway.jobs().submit("wait", b"")
    assert len(await gateway.jobs().all()) == 2
    await gateway.jobs("bob").submit("echo", b"")


async def test_orders_of_a_client_take_half_of_the_queue_and_leave_room_for_others(
    gateway: JobGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_index, "MAX_QUEUE_BYTES", 100_000)
    mine = gateway.jobs()
    given = await asyncio.gather(
        *(mine.submit("wait", encoded("x" * 9_000)) for _ in range(20)), return_exceptions=True
    )
    refused = [error for error in given if isinstance(error, Overloaded)]
    assert len(refused) == 15
    assert "full for 'ana'" in refused[0].message
    assert refused[0].hint.startswith("Wait until some are over")
    for _ in range(2):
        await gateway.jobs("bob").submit("wait", encoded("x" * 9_000))
    job = next(job for job in given if isinstance(job, JobHandle))
    await job.cancel()
    await mine.submit("wait", encoded("x"))


async def test_client_with_much_to_do_leaves_places_to_others(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 4)
    gateway = await JobGateway.start(server, nodes)
    try:
        long = [await gateway.jobs().submit("wait", b"") for _ in range(10)]
        await until(lambda: len(nodes.runs) == 2)
        assert await (await gateway.jobs("bob").submit("echo", encoded(1))).result(PATIENCE_S) == 1
        assert await (await gateway.jobs("cleo").submit("echo", encoded(2))).result(PATIENCE_S) == 2
        running = [job for job in long if await job.state() == "running"]
        assert len(running) == 2
        await running[0].cancel()
        await until(lambda: len(nodes.runs) == 5)
        for job in long:
            await job.cancel()
    finally:
        await gateway.stop()


async def test_namesake_of_a_client_that_was_shut_out_sees_none_of_its_jobs(
    server: Server, nodes: Nodes
) -> None:
    rights = Rights()
    gateway = await JobGateway.start(server, nodes, rights=rights)
    try:
        job = await gateway.jobs().submit("echo", encoded(1), key="nightly")
        await job.result(PATIENCE_S)
        rights.keys["ana"] = "another-key"
        other = gateway.jobs().find(job.id)
        for attempt in (other.state(), other.cancel(), other.result(PATIENCE_S), updates_of(other)):
            with pytest.raises(JobNotFound, match="ana"):
                await attempt
        assert await gateway.jobs().all() == []
        again = await gateway.jobs().submit("echo", encoded(1), key="nightly")
        assert (again.is_duplicate, again.id == job.id) == (False, False)
        assert await again.result(PATIENCE_S) == 1
    finally:
        await gateway.stop()


async def test_job_of_a_client_that_was_shut_out_is_not_done_for_its_namesake(
    server: Server, nodes: Nodes
) -> None:
    rights = Rights()
    gateway = await JobGateway.start(server, nodes, rights=rights)
    try:
        nodes.error = NodeUnreachable("gone")
        job = await gateway.jobs().submit("echo", b"")
        await until_postponed(job, 1)
        rights.keys["ana"] = "another-key"
        nodes.error = None
        await until_empty(server)
        assert not nodes.runs
        assert gateway.service.counts() == {"failed": 1}
    finally:
        await gateway.stop()


async def test_client_that_waits_too_often_at_once_is_told_so(
    gateway: JobGateway, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_reader, "MAX_READERS", 1)
    job = await gateway.jobs().submit("wait", b"")
    reading = asyncio.create_task(updates_of(job))
    await until(lambda: gateway.service._reader._readers["anas-key"])
    with pytest.raises(Overloaded):
        await gateway.service.answer_to("job.read.ana", [job.id, 0, 0])
    await job.cancel()
    await reading
    await gateway.service.answer_to("job.read.ana", [job.id, 0, 0])


async def test_job_that_gives_more_than_is_kept_fails_and_says_so(
    gateway: JobGateway, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_output, "MAX_ITEMS", 2)
    job = await gateway.jobs().submit("count", b"")
    with pytest.raises(Unencodable, match="2 items"):
        await job.result(PATIENCE_S)
    monkeypatch.setattr(job_output, "MAX_KEPT_BYTES", 10)
    job = await gateway.jobs().submit("echo", encoded("x" * 10))
    with pytest.raises(Unencodable):
        await job.result(PATIENCE_S)


async def test_no_item_is_lost_to_later_ones(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def many(work: Work) -> AsyncGenerator[Update]:
        for i in range(25):
            yield Progress(i / 25, "")
            yield Item(encoded(i))
        yield End()

    monkeypatch.setattr(job_history, "MAX_PER_SUBJECT", 10)
    nodes.functions["many"] = many
    gateway = await JobGateway.start(server, nodes)
    try:
        job = await gateway.jobs().submit("many", b"")
        assert await job.result(PATIENCE_S) == list(range(25))
        assert sum(isinstance(u, JobProgressed) for u in await updates_of(job)) == 10
    finally:
        await gateway.stop()


async def test_progress_is_thinned_out_and_the_last_word_kept(server: Server, nodes: Nodes) -> None:
    is_told = asyncio.Event()

    async def hasty(work: Work) -> AsyncGenerator[Update]:
        for i in range(100):
            yield Progress(i / 100, str(i))
        await is_told.wait()
        yield Progress(0.99, "almost")
        yield Progress(1.0, "at once")
        yield Result(encoded(None))

    nodes.functions["hasty"] = hasty
    gateway = await JobGateway.start(server, nodes, rules=JobRules(progress_every_s=0.2))
    try:
        job = await gateway.jobs().submit("hasty", b"")
        told: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            async for update in job.follow():
                if isinstance(update, JobProgressed):
                    told.append(update.message)
                if "99" in told:
                    is_told.set()
        assert (told[0], told[-1]) == ("0", "at once")
        assert len(told) < 10
    finally:
        await gateway.stop()


async def test_job_that_is_long_over_is_forgotten(
    gateway: JobGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await gateway.jobs().submit("echo", encoded(1))
    await old.result(PATIENCE_S)
    monkeypatch.setattr(job_index, "MAX_KNOWN", 1)
    new = await gateway.jobs().submit("echo", encoded(1))
    with pytest.raises(JobNotFound):
        await old.state()
    assert [job.id for job in await gateway.jobs().all()] == [new.id]


class Later(SystemClock):
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> float:
        return time.time() + self.ahead_s


async def test_result_is_kept_for_a_week_after_the_end_and_then_forgotten(
    server: Server, nodes: Nodes
) -> None:
    clock = Later()
    first = await JobGateway.start(server, nodes, clock=clock)
    job = await first.jobs().submit("echo", encoded(1))
    await job.result(PATIENCE_S)
    await first.stop()
    clock.ahead_s = 6.9 * 24 * 3600
    second = await JobGateway.start(server, nodes, clock=clock)
    assert await second.jobs().find(job.id).result(PATIENCE_S) == 1
    await second.stop()
    clock.ahead_s = 7.1 * 24 * 3600
    third = await JobGateway.start(server, nodes, clock=clock)
    try:
        await until(lambda: not third.service.counts())
        with pytest.raises(JobNotFound):
            await third.jobs().find(job.id).result(PATIENCE_S)
        async with looking_at(server) as js:
            assert (await js.stream_info("JOB_EVENTS")).state.messages == 0
    finally:
        await third.stop()


async def test_results_of_a_client_give_way_to_its_own_later_ones_only(
    gateway: JobGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_index, "MAX_HISTORY_BYTES", 100_000)
    other = await gateway.jobs("bob").submit("echo", encoded("x" * 9_000))
    await other.result(PATIENCE_S)
    mine = []
    for _ in range(8):
        mine.append(await gateway.jobs().submit("echo", encoded("x" * 9_000)))
        await mine[-1].result(PATIENCE_S)
    await until(lambda: len(gateway.service._index.of("anas-key")) == 5)
    for job in mine[3:]:
        assert await job.result(PATIENCE_S) == "x" * 9_000
    with pytest.raises(JobNotFound):
        await mine[0].result(PATIENCE_S)
    assert await other.result(PATIENCE_S) == "x" * 9_000
