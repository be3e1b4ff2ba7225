"""Long work survives its gateway, its queue and its node, and does not happen twice."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import pytest
from nats.js import api

from easynet.core.errors import (
    ArgumentMismatch,
    CallTimeout,
    GatewayError,
    NodeUnreachable,
    OutcomeUnknown,
    Overloaded,
    RemoteFailure,
    UnknownFunction,
)
from easynet.core.ids import JobId
from easynet.core.job import JobEnded, JobPostponed, JobProgressed, JobStarted, JobYielded
from easynet.fabric.jobs import job_history, job_index, job_queue
from easynet.fabric.jobs.job_rules import JobRules
from easynet.fabric.wire.updates import End, Item, Update
from tests.fabric.job_fakes import (
    QUICK,
    JobGateway,
    Nodes,
    Server,
    Steps,
    Work,
    encoded,
    looking_at,
    queued,
    until,
    until_empty,
    until_postponed,
    updates_of,
)
from tests.patience import PATIENCE_S, undisturbed, within

pytestmark = pytest.mark.slow


async def test_job_of_a_node_that_dies_goes_to_another(gateway: JobGateway, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    job = await gateway.jobs().submit("steps", b"")
    await nodes.began.wait()
    nodes.instances["two"] = "2"
    nodes.die("one")
    steps.allow(5)
    assert await job.result(PATIENCE_S) == "done"
    updates = await updates_of(job)
    starts = [(u.attempt, u.node) for u in updates if isinstance(u, JobStarted)]
    assert starts == [(1, "one"), (2, "two")]
    (postponed,) = [u for u in updates if isinstance(u, JobPostponed)]
    assert (postponed.attempt, postponed.problem.code) == (1, "node_unreachable")


async def test_items_of_an_attempt_that_came_to_nothing_are_not_in_the_result(
    gateway: JobGateway, nodes: Nodes
) -> None:
    more = asyncio.Event()

    async def halting(work: Work) -> AsyncGenerator[Update]:
        yield Item(encoded("first"))
        await more.wait()
        yield Item(encoded("second"))
        yield End()

    nodes.functions["halting"] = halting
    job = await gateway.jobs().submit("halting", b"")
    async for update in job.follow():
        if isinstance(update, JobYielded):
            break
    nodes.instances["two"] = "2"
    nodes.die("one")
    more.set()
    assert await job.result(PATIENCE_S) == ["first", "second"]


async def test_job_that_no_node_finishes_fails_with_the_reason(gateway: JobGateway, nodes: Nodes) -> None:
    nodes.instances.clear()
    job = await gateway.jobs().submit("echo", b"")
    with pytest.raises(NodeUnreachable, match="nobody took the call") as caught:
        await job.result(PATIENCE_S)
    assert "3 times" in caught.value.hint
    assert sum(isinstance(u, JobPostponed) for u in await updates_of(job)) == QUICK.max_attempts - 1


async def test_busy_nodes_are_no_reason_to_give_up(gateway: JobGateway, nodes: Nodes) -> None:
    nodes.error = Overloaded("full", retry_after_s=0.01)
    job = await gateway.jobs().submit("echo", encoded(1))
    await until_postponed(job, QUICK.max_attempts + 1)
    assert await job.state() == "queued"
    nodes.error = None
    assert await job.result(PATIENCE_S) == 1


@pytest.mark.parametrize(
    "error", [OutcomeUnknown("who knows"), ArgumentMismatch("what?", hint="ask"), CallTimeout("late")]
)
async def test_errors_that_another_attempt_would_not_mend_end_the_job(
    gateway: JobGateway, nodes: Nodes, error: Exception
) -> None:
    nodes.error = error
    job = await gateway.jobs().submit("echo", b"")
    with pytest.raises(type(error), match=str(error).replace("?", r"\?")):
        await job.result(PATIENCE_S)
    assert not [u for u in await updates_of(job) if isinstance(u, JobPostponed)]


async def test_function_that_nobody_offers_for_a_moment_is_waited_for(
    gateway: JobGateway, nodes: Nodes
) -> None:
    nodes.error = UnknownFunction("no node offers it")
    job = await gateway.jobs().submit("echo", encoded(1))
    await until_postponed(job, 1)
    nodes.error = None
    assert await job.result(PATIENCE_S) == 1


async def test_mistake_in_the_gateway_ends_one_job_and_no_other(gateway: JobGateway, nodes: Nodes) -> None:
    job = await gateway.jobs().submit("missing", b"")
    with pytest.raises(Exception, match="KeyError"):
        await job.result(PATIENCE_S)
    assert await (await gateway.jobs().submit("echo", encoded(1))).result(PATIENCE_S) == 1


async def test_gateway_that_is_killed_goes_on_without_a_second_run(server: Server, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    first = await JobGateway.start(server, nodes)
    job = await first.jobs().submit("steps", b"")
    steps.allow(2)
    async for update in job.follow():
        if isinstance(update, JobProgressed) and update.message == "step 1":
            break
    await first.kill()
    second = await JobGateway.start(server, nodes)
    try:
        steps.allow(3)
        assert await second.jobs().find(job.id).result(PATIENCE_S) == "done"
        updates = await updates_of(second.jobs().find(job.id))
        assert [u.attempt for u in updates if isinstance(u, JobStarted)] == [1]
        told = [u.message for u in updates if isinstance(u, JobProgressed)]
        assert told == [f"step {i}" for i in range(4)]
        assert nodes.runs[job.id] == 1
    finally:
        await second.stop()


async def test_what_was_said_while_gateways_were_away_is_told_once(server: Server, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    gateway = await JobGateway.start(server, nodes)
    job = await gateway.jobs().submit("steps", b"")
    await nodes.began.wait()
    for i in range(4):
        await gateway.kill()
        steps.allow(1)
        (work,) = nodes.work.values()
        await until(partial(has_said, work, i + 1))
        gateway = await JobGateway.start(server, nodes)
        await until(partial(has_told, gateway, job.id, i + 1))
    steps.allow(1)
    try:
        updates = await updates_of(gateway.jobs().find(job.id))
        assert [u.message for u in updates if isinstance(u, JobProgressed)] == [f"step {i}" for i in range(4)]
        assert len([u for u in updates if isinstance(u, JobStarted)]) == 1
        assert nodes.runs[job.id] == 1
    finally:
        await gateway.stop()


async def test_items_that_come_anew_follow_a_new_start(server: Server, nodes: Nodes) -> None:
    more = asyncio.Event()

    async def halting(work: Work) -> AsyncGenerator[Update]:
        yield Item(encoded("first"))
        await more.wait()
        yield Item(encoded("second"))
        yield End()

    nodes.functions["halting"] = halting
    first = await JobGateway.start(server, nodes)
    job = await first.jobs().submit("halting", b"")
    async for update in job.follow():
        if isinstance(update, JobYielded):
            break
    await first.kill()
    second = await JobGateway.start(server, nodes)
    try:
        more.set()
        again = second.jobs().find(job.id)
        assert await again.result(PATIENCE_S) == ["first", "second"]
        kinds = [type(u) for u in await updates_of(again)]
        assert kinds[1:] == [JobStarted, JobYielded, JobStarted, JobYielded, JobYielded, JobEnded]
    finally:
        await second.stop()


async def test_job_goes_on_when_gateway_and_server_are_killed_together(server: Server, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    first = await JobGateway.start(server, nodes)
    running = await first.jobs().submit("steps", b"", key="a")
    await nodes.began.wait()
    nodes.functions["later"] = Steps()
    server.kill()
    await first.kill()
    await server.start()
    second = await JobGateway.start(server, nodes)
    try:
        again = await second.jobs().submit("steps", b"", key="a")
        assert again.is_duplicate
        steps.allow(5)
        assert await again.result(PATIENCE_S) == "done"
        assert nodes.runs[running.id] == 1
    finally:
        await second.stop()


async def test_order_that_nobody_speaks_for_any_more_is_delivered_again(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> None:
        """A word of release that is lost."""

    steps = nodes.functions["steps"] = Steps()
    first = await JobGateway.start(server, nodes, ack_wait_s=0.5)
    job = await first.jobs().submit("steps", b"")
    await nodes.began.wait()
    await first.kill()
    monkeypatch.setattr(job_queue.JobQueue, "release", silent)
    second = await JobGateway.start(server, nodes, ack_wait_s=0.5)
    try:
        steps.allow(5)
        assert await second.jobs().find(job.id).result(PATIENCE_S) == "done"
    finally:
        await second.stop()


async def test_order_that_is_delivered_again_while_it_is_worked_on_is_not_begun_twice(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: object) -> None:
        """A word that is lost."""

    monkeypatch.setattr(job_queue.Delivery, "keep", silent)
    gateway = await JobGateway.start(server, nodes, ack_wait_s=0.2)
    steps = nodes.functions["steps"] = Steps()
    try:
        job = await gateway.jobs().submit("steps", b"")
        async with asyncio.timeout(PATIENCE_S), looking_at(server) as js:
            while _deliveries(await js.consumer_info("JOB_ORDERS", "anas-key")) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        steps.allow(5)
        assert await job.result(PATIENCE_S) == "done"
        assert len([u for u in await updates_of(job) if isinstance(u, JobStarted)]) == 1
        await until_empty(server)
    finally:
        await gateway.stop()


async def test_order_that_was_queued_before_the_gateway_died_is_not_queued_twice(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.error = Overloaded("full", retry_after_s=60)  # it stays in the queue
    gateway = await JobGateway.start(server, nodes, rules=JobRules())

    async def lost(*_: object) -> None:
        raise GatewayError("the store broke")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(job_index.JobIndex, "announce", lost)
            with pytest.raises(GatewayError):
                await gateway.jobs().submit("echo", b"", key="nightly")
        job = await gateway.jobs().submit("echo", b"", key="nightly")
        assert job.is_duplicate
        assert await queued(server) == 1
        assert [j.id for j in await gateway.jobs().all()] == [job.id]
    finally:
        await gateway.stop()


async def test_order_that_its_gateway_died_over_is_carried_out_by_the_next(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 0)
    first = await JobGateway.start(server, nodes)

    async def lost(*_: object) -> None:
        raise GatewayError("it is being killed")

    with monkeypatch.context() as patch:
        patch.setattr(job_index.JobIndex, "announce", lost)
        with pytest.raises(GatewayError):
            await first.jobs().submit("echo", encoded(1), key="nightly")
    await first.kill()
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 10)
    second = await JobGateway.start(server, nodes)
    try:
        await until_empty(server)
        (job,) = await second.jobs().all()
        assert await second.jobs().find(job.id).result(PATIENCE_S) == 1
    finally:
        await second.stop()


async def test_gateway_stops_at_once_though_a_cancellation_meets_an_answer_and_is_lost(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking, lost, take = list[str](), asyncio.Event(), job_queue.JobQueue.take

    async def take_on(queue: job_queue.JobQueue, owner: str, timeout_s: float) -> job_queue.Delivery | None:
        taking.append(owner)
        try:
            return await take(queue, owner, 60)
        except asyncio.CancelledError:
            if lost.is_set():
                raise
            lost.set()
            return await take(queue, owner, 60)
        finally:
            taking.pop()

    monkeypatch.setattr(job_queue.JobQueue, "take", take_on)
    gateway = await JobGateway.start(server, nodes)
    await (await gateway.jobs().submit("echo", encoded(1))).result(PATIENCE_S)
    await until(lambda: taking)
    async with within(5):
        await gateway.stop()
    assert lost.is_set()


async def test_node_may_take_a_moment_to_come_back_after_the_gateway(server: Server, nodes: Nodes) -> None:
    nodes.idempotent = False
    steps = nodes.functions["steps"] = Steps()
    first = await JobGateway.start(server, nodes)
    job = await first.jobs().submit("steps", b"")
    await nodes.began.wait()
    await first.kill()
    away = nodes.instances.pop("one")
    second = await JobGateway.start(server, nodes, rules=JobRules(resume_s=PATIENCE_S))
    try:
        following = asyncio.create_task(second.jobs().find(job.id).result(PATIENCE_S))
        await until(lambda: nodes.refused)
        nodes.instances["one"] = away
        steps.allow(5)
        assert await following == "done"
        assert nodes.runs[job.id] == 1
    finally:
        await second.stop()


async def test_order_is_kept_by_a_gateway_that_works_on_it(server: Server, nodes: Nodes) -> None:
    gateway = await JobGateway.start(server, nodes, ack_wait_s=0.6)
    steps = nodes.functions["steps"] = Steps()

    async def keep_it() -> None:
        nodes.began.clear()
        job = await gateway.jobs().submit("steps", b"")
        await nodes.began.wait()
        async with looking_at(server) as js:
            before = _deliveries(await js.consumer_info("JOB_ORDERS", "anas-key"))
            await asyncio.sleep(1.2)  # twice what the queue waits
            steps.allow(5)
            await job.result(PATIENCE_S)
            assert _deliveries(await js.consumer_info("JOB_ORDERS", "anas-key")) == before
        assert len([u for u in await updates_of(job) if isinstance(u, JobStarted)]) == 1

    try:
        await undisturbed(keep_it, gap_s=0.1)
    finally:
        await gateway.stop()


async def test_effect_is_not_risked_twice_when_the_node_went_while_the_gateway_was_down(
    server: Server, nodes: Nodes
) -> None:
    nodes.idempotent = False
    nodes.functions["steps"] = Steps()
    first = await JobGateway.start(server, nodes)
    job = await first.jobs().submit("steps", b"")
    await nodes.began.wait()
    await first.kill()
    nodes.die("one")
    nodes.instances["one"] = "started again"
    second = await JobGateway.start(server, nodes)
    try:
        with pytest.raises(OutcomeUnknown, match="'one'"):
            await second.jobs().find(job.id).result(PATIENCE_S)
        assert nodes.runs[job.id] == 1
    finally:
        await second.stop()


async def test_idempotent_job_goes_elsewhere_when_its_node_went_while_the_gateway_was_down(
    server: Server, nodes: Nodes
) -> None:
    steps = nodes.functions["steps"] = Steps()
    first = await JobGateway.start(server, nodes)
    job = await first.jobs().submit("steps", b"")
    await nodes.began.wait()
    await first.kill()
    nodes.die("one")
    nodes.instances["two"] = "2"
    second = await JobGateway.start(server, nodes)
    try:
        steps.allow(5)
        assert await second.jobs().find(job.id).result(PATIENCE_S) == "done"
        assert (await second.jobs().find(job.id).details()).node == "two"
    finally:
        await second.stop()


async def test_job_cancelled_just_before_the_gateway_died_does_not_run(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 1)
    first = await JobGateway.start(server, nodes)
    busy = await first.jobs().submit("wait", b"")
    await nodes.began.wait()
    waiting = await first.jobs().submit("echo", b"")

    async def never(*_: object) -> None:
        await first.kill()

    with monkeypatch.context() as patch:
        patch.setattr(job_queue.JobQueue, "withdraw", never)
        await waiting.cancel()
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 10)
    second = await JobGateway.start(server, nodes)
    try:
        assert await second.jobs().find(waiting.id).state() == "cancelled"
        await second.jobs().find(busy.id).cancel()
        await until_empty(server)
        assert await (await second.jobs().submit("echo", encoded(1))).result(PATIENCE_S) == 1
        assert nodes.runs[waiting.id] == 0
    finally:
        await second.stop()


async def test_queue_that_is_full_refuses_and_goes_on(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "MAX_QUEUE_BYTES", 4096)
    gateway = await JobGateway.start(server, nodes)
    try:
        with pytest.raises(Overloaded, match="full"):
            await gateway.jobs().submit("echo", b"x" * 8192)
        assert await gateway.jobs().all() == []
        assert await (await gateway.jobs().submit("echo", encoded(1))).result(PATIENCE_S) == 1
    finally:
        await gateway.stop()


async def test_settings_of_an_earlier_version_are_brought_up_to_date(
    server: Server, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(job_history, "MAX_PER_SUBJECT", 10)
        await (await JobGateway.start(server, nodes)).stop()
    await (await JobGateway.start(server, nodes)).stop()
    async with looking_at(server) as js:
        info = await js.stream_info("JOB_EVENTS")
    assert info.config.max_msgs_per_subject == 1000


async def test_bytes_in_the_queue_that_are_no_order_are_dropped(server: Server, gateway: JobGateway) -> None:
    async with looking_at(server) as js:
        await js.publish("orders.anas-key.x", b"not an order")
    assert await (await gateway.jobs().submit("echo", encoded(1))).result(PATIENCE_S) == 1
    await until_empty(server)


async def test_everything_that_ended_is_known_after_a_restart(server: Server, nodes: Nodes) -> None:
    first = await JobGateway.start(server, nodes)
    good = await first.jobs().submit("echo", encoded(7), key="a")
    bad = await first.jobs().submit("fail", b"", key="b")
    await good.result(PATIENCE_S)
    with pytest.raises(RemoteFailure):
        await bad.result(PATIENCE_S)
    before = await first.jobs().all()
    await first.stop()
    second = await JobGateway.start(server, nodes)
    try:
        assert await second.jobs().all() == before
        assert await second.jobs().find(good.id).result(PATIENCE_S) == 7
        assert (await second.jobs().submit("echo", encoded(7), key="a")).is_duplicate
    finally:
        await second.stop()


async def test_server_that_comes_back_finds_its_gateway_at_work(server: Server, nodes: Nodes) -> None:
    steps = nodes.functions["steps"] = Steps()
    gateway = await JobGateway.start(server, nodes, ack_wait_s=1.0)
    try:
        job = await gateway.jobs().submit("steps", b"")
        await nodes.began.wait()
        server.kill()
        steps.allow(3)
        await server.start()
        steps.allow(2)
        assert await job.result(PATIENCE_S) == "done"
        assert nodes.runs[job.id] == 1
        assert await (await gateway.jobs().submit("echo", encoded(1))).result(PATIENCE_S) == 1
    finally:
        await gateway.stop()


def has_said(work: Work, words: int) -> bool:
    """Whether a function has told so much of its progress."""
    return len(work.updates) == words


def has_told(gateway: JobGateway, job: JobId, words: int) -> bool:
    """Whether a gateway has taken note of so much progress."""
    running = gateway.service._worker._running.get(job)
    return running is not None and running._progress.told == words


def _deliveries(info: api.ConsumerInfo) -> int:
    assert info.delivered is not None
    return info.delivered.consumer_seq
