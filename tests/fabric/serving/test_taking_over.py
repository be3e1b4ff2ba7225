"""A second call for work that is under way: whose it is then, and who may end it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from easynet.core.call import CallUpdate, Returned, Yielded, check_cancelled
from easynet.core.errors import EasyNetError, GatewayUnreachable, NodeUnreachable, OutcomeUnknown
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.calling.pending_call import FollowedCall
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.serving.reception import Reception
from easynet.fabric.wire.packing import pack
from easynet.fabric.wire.updates import Result, Update
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

KEY = "the same work"


class Work:
    """A function that runs until it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.began = asyncio.Event()
        self.stopped = asyncio.Event()
        self.go_on = asyncio.Event()

    async def run(self) -> str:
        self.runs += 1
        self.began.set()
        try:
            await self.go_on.wait()
            return "done"
        finally:
            self.stopped.set()


@pytest.fixture
async def work(node: ComputeNode) -> Work:
    work = Work()
    node.register(work.run, idempotent=False)
    return work


@pytest.fixture
async def second(gateway: Gateway) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(gateway.url) as client:
        yield client


def reception_of(node: ComputeNode) -> Reception:
    assert node._session is not None
    return node._session._reception


def silence(node: ComputeNode, client: AsyncClient, for_s: float = 31.0) -> None:
    """Let a node believe that a client has said nothing for so long."""
    for caller in reception_of(node)._callers._caller_by_inbox.values():
        if caller.inbox == client._connected().outbox.token:
            caller.heard_at -= for_s


def die(client: AsyncClient) -> None:
    """End a client's calls as its death would: without a word to anybody."""
    client._connected().outbox.abandon_all(GatewayUnreachable("it is dead"))


def calling(client: AsyncClient, function: str = "run") -> AsyncGenerator[CallUpdate]:
    return client.invoke(NodeId("my-node"), CapabilityName(function), {}, key=KEY, timeout_s=60)


async def result(updates: AsyncGenerator[CallUpdate]) -> object:
    async with aclosing(updates):
        async for update in updates:
            if isinstance(update, Returned):
                return update.value
    raise AssertionError("no result")


@asynccontextmanager
async def begun(client: AsyncClient, work: Work) -> AsyncIterator["asyncio.Task[object]"]:
    task = asyncio.create_task(result(calling(client)))
    await work.began.wait()
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError, EasyNetError):
        await task


async def until_followed(node: ComputeNode, calls: int = 2) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(reception_of(node)._calls.by_id) < calls:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_call_goes_on_for_the_second_when_the_first_falls_silent(
    node: ComputeNode, client: AsyncClient, second: AsyncClient, work: Work
) -> None:
    async with begun(client, work), begun(second, work) as waiting:
        await until_followed(node)
        die(client)
        silence(node, client)
        reception_of(node).pulse()
        work.go_on.set()
        assert await waiting == "done"
    assert work.runs == 1


async def test_call_goes_on_for_the_first_when_the_second_falls_silent(
    node: ComputeNode, client: AsyncClient, second: AsyncClient, work: Work
) -> None:
    async with begun(client, work) as waiting, begun(second, work):
        await until_followed(node)
        die(second)
        silence(node, second)
        reception_of(node).pulse()
        work.go_on.set()
        assert await waiting == "done"
    assert work.runs == 1


async def test_call_ends_when_nobody_waits_any_more(
    node: ComputeNode, client: AsyncClient, second: AsyncClient, work: Work
) -> None:
    async with begun(client, work), begun(second, work):
        await until_followed(node)
        for each in (client, second):
            die(each)
            silence(node, each)
        reception_of(node).pulse()
        async with within(1):
            await work.stopped.wait()
        assert not reception_of(node)._calls.by_id


async def test_the_second_can_cancel_and_the_first_only_leaves(
    node: ComputeNode, client: AsyncClient, second: AsyncClient, work: Work
) -> None:
    async with begun(client, work) as first:
        async with begun(second, work):
            await until_followed(node)
            first.cancel()
            async with asyncio.timeout(PATIENCE_S):
                while len(reception_of(node)._calls.by_id) > 1:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            assert not work.stopped.is_set()
        async with within(1):
            await work.stopped.wait()


async def test_both_get_the_result_and_their_calls_are_known(
    node: ComputeNode, client: AsyncClient, second: AsyncClient, work: Work
) -> None:
    async with begun(client, work) as first, begun(second, work) as waiting:
        await until_followed(node)
        for each in (client, second):  # the node says which of them it does not know, and they would fail
            watch = each._connected().watch
            watch.ping_all(asyncio.get_running_loop().time() + 1)
        await client.nodes()
        work.go_on.set()
        assert [await first, await waiting] == ["done", "done"]
    assert work.runs == 1
    assert await result(calling(second)) == "done"


async def again(client: AsyncClient, function: str, instance: str) -> Update:
    """What a call gets that was given to that node process before."""
    outbox = client._connected().outbox
    call = outbox.begin(FollowedCall, NodeId("my-node"), function, pack([[], {}]), key=KEY, instance=instance)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(update := await call.next(), Result):
                if not isinstance(update, Result) and hasattr(update, "code"):
                    break
            return update
    finally:
        outbox.cancel(call)


async def test_call_that_was_sent_before_is_not_begun_by_another_process(
    node: ComputeNode, client: AsyncClient, work: Work
) -> None:
    assert getattr(await again(client, "run", "another"), "code", "") == NodeUnreachable.code
    assert not work.runs


async def test_call_that_was_sent_before_and_is_not_known_is_not_begun_where_it_must_not_run_twice(
    node: ComputeNode, client: AsyncClient, work: Work
) -> None:
    own = reception_of(node)._instance
    assert getattr(await again(client, "run", own), "code", "") == OutcomeUnknown.code
    assert not work.runs


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_stream_whose_reader_is_gone_is_given_anew(
    node: ComputeNode, client: AsyncClient, second: AsyncClient, kind: str
) -> None:
    starts: list[int] = []
    closed: list[int] = []

    async def items() -> AsyncIterator[int]:
        starts.append(len(starts))
        try:
            for i in range(100):
                yield i
        finally:
            closed.append(1)

    def blocking_items() -> Iterator[int]:
        starts.append(len(starts))
        try:
            for i in range(100):
                check_cancelled()
                yield i
        finally:
            closed.append(1)

    node.register(items if kind == "coroutine" else blocking_items, name="items")
    first = calling(client, "items")
    assert isinstance(await anext(first), Yielded)
    with pytest.raises(OutcomeUnknown, match="another reader"):
        await anext(calling(second, "items"))
    die(client)
    silence(node, client, 15)
    async with aclosing(calling(second, "items")) as updates:
        got = [update.value async for update in updates if isinstance(update, Yielded)]
    assert got == list(range(100))
    assert starts == [0, 1]
    assert len(closed) == 2
    async with aclosing(calling(second, "items")) as updates:  # the one that was given up is not remembered
        assert len([update async for update in updates if isinstance(update, Yielded)]) == 100
    await first.aclose()


async def test_stream_that_must_not_run_twice_is_not_given_anew(
    node: ComputeNode, client: AsyncClient, second: AsyncClient
) -> None:
    starts: list[int] = []

    async def items() -> AsyncIterator[int]:
        starts.append(1)
        for i in range(1000):
            yield i

    node.register(items, idempotent=False)
    first = calling(client, "items")
    assert isinstance(await anext(first), Yielded)
    die(client)
    silence(node, client, 15)
    with pytest.raises(OutcomeUnknown, match="must not run twice"):
        await anext(calling(second, "items"))
    assert starts == [1]
    await first.aclose()
