"""Calls from a client to a node through a real gateway."""

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easynet.core.artifact import Artifact
from easynet.core.call import (
    CallUpdate,
    Progressed,
    Returned,
    Yielded,
    check_cancelled,
    progress,
    scratch_dir,
)
from easynet.core.errors import (
    ArgumentMismatch,
    BadData,
    CallTimeout,
    GatewayUnreachable,
    InputNeeded,
    NodeRefused,
    NodeUnreachable,
    Overloaded,
    RemoteFailure,
    Unencodable,
    UnknownFunction,
    UsageError,
)
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Trust
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.decoding import Opaque
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

MY_NODE = NodeId("my-node")
Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


async def add_later(a: int, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


def invoke(client: AsyncClient, function: str, timeout_s: float = 20, **arguments: Any) -> Any:
    key = secrets.token_hex(8)
    return client.invoke(MY_NODE, CapabilityName(function), arguments, key=key, timeout_s=timeout_s)


async def offers(client: AsyncClient, capability: str, at_least: int) -> bool:
    return len(await client.find(CapabilityName(capability))) >= at_least


async def test_a_function_is_called_by_name_and_by_node(
    node: ComputeNode, client: AsyncClient, until: Until
) -> None:
    node.register(add)
    node.register(add_later)
    assert await client.execute("my-node.add", 2, b=3) == 5
    assert await client.execute("my-node.add", a=2) == 3
    assert await client.execute("my-node.add_later", 2, 3) == 5
    await until(lambda: client.find(CapabilityName("add")))
    assert await client.execute("add", 2, 3) == 5


async def test_what_is_registered_after_the_start_is_announced(
    node: ComputeNode, client: AsyncClient, until: Until
) -> None:
    node.register(add, price=3, zh="相加")
    await until(lambda: client.find(CapabilityName("add")))
    [offer] = await client.find(CapabilityName("add"))
    assert (offer.node, offer.price, offer.trust) == ("my-node", 3, Trust.OWN)
    [info] = await client.functions("zh")
    assert (info.signature, info.description) == ("add(a: int, b: int = 1) -> int", "相加")
    assert info.nodes == ("my-node",)
    assert [c.name for c in await client.capabilities()] == ["add"]


async def test_an_exception_arrives_with_type_message_and_traceback(
    node: ComputeNode, client: AsyncClient
) -> None:
    @node.register
    def fail(x: int) -> float:
        return 1 / x

    @node.register
    async def fail_later() -> None:
        raise asyncio.CancelledError("by itself")

    @node.register
    def leave() -> None:
        raise SystemExit("bye")

    with pytest.raises(RemoteFailure) as caught:
        await client.execute("my-node.fail", 0)
    assert caught.value.remote_type == "ZeroDivisionError"
    assert caught.value.remote_message == "division by zero"
    assert "return 1 / x" in caught.value.remote_traceback
    assert "easynet/fabric" not in caught.value.remote_traceback
    for function, kind in (("fail_later", "CancelledError"), ("leave", "SystemExit")):
        with pytest.raises(RemoteFailure, match=kind):
            await client.execute(f"my-node.{function}")
    assert await client.execute("my-node.fail", 1) == 1


async def test_errors_of_this_project_keep_their_class(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def load(kind: str) -> None:
        if kind == "bad":
            raise BadData("an empty file", hint="Give another one.")
        raise InputNeeded("target", "Which column?", ["a", "b"])

    with pytest.raises(BadData) as bad:
        await client.execute("my-node.load", "bad")
    assert bad.value.hint == "Give another one."
    with pytest.raises(InputNeeded) as needed:
        await client.execute("my-node.load", "ask")
    assert needed.value.choices == ("a", "b")


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((), {}, "needs 'a'"),
        ((1, 2, 3), {}, "3 were given"),
        ((1,), {"c": 1}, "no argument 'c'"),
        ((1,), {"a": 1}, "twice"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_before_the_call(
    node: ComputeNode, client: AsyncClient, args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    called = threading.Event()

    @node.register
    def add(a: int, b: int = 1) -> int:
        called.set()
        return a + b

    with pytest.raises(ArgumentMismatch, match=says):
        await client.execute("my-node.add", *args, **kwargs)
    assert not called.is_set()


async def test_an_unknown_function_names_the_nearest(
    node: ComputeNode, client: AsyncClient, until: Until
) -> None:
    with pytest.raises(UnknownFunction) as caught:
        await client.execute("anything")
    assert caught.value.hint
    node.register(add, name="train_model")
    await until(client.functions)
    for function in ("train_modl", "my-node.train_modl"):
        with pytest.raises(UnknownFunction) as caught:
            await client.execute(function)
        assert "'train_model'" in caught.value.hint


async def test_an_absent_node_is_told_at_once_with_the_nearest(
    node: ComputeNode, client: AsyncClient
) -> None:
    with pytest.raises(NodeUnreachable) as caught:
        async with within(2):
            await client.execute("my-nod.add", 1)
    assert "'my-node'" in caught.value.hint


@pytest.mark.parametrize("name", ["a b", "n.*", "n.>", "", ".", "a.b.c", "n.cancel.x", "\n"])
async def test_a_name_that_cannot_be_is_refused_before_anything_is_sent(
    client: AsyncClient, node: ComputeNode, name: str
) -> None:
    with pytest.raises(UsageError):
        await client.execute(name)


async def test_a_result_that_cannot_travel_is_named(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def model() -> Any:
        return {"model": [1, threading.Lock()]}

    with pytest.raises(Unencodable) as caught:
        await client.execute("my-node.model")
    assert "result['model'][1] is a" in str(caught.value)
    with pytest.raises(Unencodable, match=r"arguments\[0\]\[0\]"):
        await client.execute("my-node.model", object())


async def test_generators_stream(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def count(n: int) -> Iterator[int]:
        yield from range(n)

    @node.register
    async def count_later(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    node.register(add)
    for function in ("my-node.count", "my-node.count_later"):
        assert [i async for i in client.stream(function, 4)] == [0, 1, 2, 3]
        assert await client.execute(function, 300) == list(range(300))
        assert await client.execute(function, 0) == []
    assert [i async for i in client.stream("my-node.add", 4)] == [5]


async def test_a_stream_waits_for_its_consumer_and_ends_with_it(
    node: ComputeNode, client: AsyncClient
) -> None:
    made: list[int] = []
    ended = threading.Event()

    @node.register
    def endless() -> Iterator[int]:
        try:
            while True:
                made.append(len(made))
                yield made[-1]
        finally:
            ended.set()

    async with aclosing(client.stream("my-node.endless")) as items:
        async for item in items:
            if item == 100:
                break
        for _ in range(5):
            await client.nodes()
        assert len(made) < 250
    assert await asyncio.to_thread(ended.wait, PATIENCE_S)


async def test_an_exception_in_a_stream_comes_after_its_items(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def two() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("three")

    stream = client.stream("my-node.two")
    assert [await anext(stream), await anext(stream)] == [1, 2]
    with pytest.raises(RemoteFailure, match="three"):
        await anext(stream)


async def test_updates_of_a_call_end_with_its_result(node: ComputeNode, client: AsyncClient) -> None:
    half_is_told = threading.Event()

    @node.register
    def work() -> str:
        progress(0.5, "half")
        half_is_told.wait(PATIENCE_S)
        progress(0.9, "nearly")
        return "done"

    @node.register
    def items() -> Iterator[int]:
        yield 1

    updates: list[CallUpdate] = []
    async for update in invoke(client, "work"):
        updates.append(update)
        half_is_told.set()
    assert updates == [Progressed(0.5, "half"), Progressed(0.9, "nearly"), Returned("done")]
    assert [u async for u in invoke(client, "items")] == [Yielded(1), Returned(None)]


async def test_progress_is_limited_but_the_last_word_arrives(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def work() -> None:
        for i in range(1, 10_001):
            progress(i / 10_000, str(i))

    told = [u.message async for u in invoke(client, "work") if isinstance(u, Progressed)]
    assert len(told) < 100
    assert told[-1] == "10000"


async def test_a_call_that_takes_too_long_is_ended_on_both_sides(
    node: ComputeNode, client: AsyncClient
) -> None:
    began, stopped = threading.Event(), threading.Event()

    @node.register
    def slow() -> None:
        began.set()
        try:
            while True:
                check_cancelled()
                time.sleep(0.005)
        finally:
            stopped.set()

    for timeout_s in (0.2, 5, 20):  # a slow machine may not have begun it when its time is over
        with pytest.raises(CallTimeout, match=f"within {timeout_s:g} s"):
            async for _ in invoke(client, "slow", timeout_s=timeout_s):
                pass
        if began.is_set():
            break
    assert await asyncio.to_thread(stopped.wait, PATIENCE_S)


async def test_a_cancelled_call_stops_the_function(node: ComputeNode, client: AsyncClient) -> None:
    began, stopped = threading.Event(), threading.Event()

    @node.register
    def busy() -> None:
        began.set()
        try:
            while True:
                check_cancelled()
                time.sleep(0.005)
        finally:
            stopped.set()

    @node.register
    async def busy_later() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    for function in ("busy", "busy_later"):
        began.clear()
        stopped.clear()
        call = asyncio.create_task(client.execute(f"my-node.{function}"))
        assert await asyncio.to_thread(began.wait, PATIENCE_S)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await asyncio.to_thread(stopped.wait, PATIENCE_S)


async def test_a_client_that_closes_cancels_its_calls(gateway: Gateway, node: ComputeNode) -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    @node.register
    async def wait() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    client = AsyncClient(gateway.url)
    await client.connect()
    call = asyncio.create_task(client.execute("my-node.wait"))
    await asyncio.wait_for(began.wait(), PATIENCE_S)
    await client.close()
    with pytest.raises(GatewayUnreachable, match="closed"):
        await call
    async with within(5):
        await stopped.wait()


async def test_a_waiting_call_that_is_cancelled_never_runs(gateway: Gateway, client: AsyncClient) -> None:
    began, go_on, ran = threading.Event(), threading.Event(), list[int]()
    async with ComputeNode(gateway.url, name="my-node", concurrency=1) as node:

        @node.register
        def work(i: int) -> None:
            ran.append(i)
            began.set()
            go_on.wait(PATIENCE_S)

        first = asyncio.create_task(client.execute("my-node.work", 1))
        second = asyncio.create_task(client.execute("my-node.work", 2))
        third = asyncio.create_task(client.execute("my-node.work", 3))
        await asyncio.to_thread(began.wait, PATIENCE_S)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await client.nodes()
        go_on.set()
        await asyncio.gather(first, third)
    assert ran == [1, 3]


async def test_no_more_calls_run_at_once_than_the_node_says(gateway: Gateway, client: AsyncClient) -> None:
    running = most = 0
    lock = threading.Lock()
    async with ComputeNode(gateway.url, name="my-node", concurrency=2) as node:

        @node.register
        def work() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1

        await asyncio.gather(*[client.execute("my-node.work") for _ in range(10)])
        [info] = await client.nodes()
        assert info.concurrency == 2
    assert most == 2


async def test_a_node_that_has_too_much_to_do_says_when_to_come_again(
    gateway: Gateway, client: AsyncClient
) -> None:
    go_on = threading.Event()
    async with ComputeNode(gateway.url, name="my-node", concurrency=1, queue=1) as node:
        node.register(go_on.wait, name="work")
        calls = [asyncio.create_task(client.execute("my-node.work", PATIENCE_S)) for _ in range(3)]
        done, _ = await asyncio.wait(calls, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        [refused] = [call.exception() for call in done]
        assert isinstance(refused, Overloaded)
        assert 0 < refused.retry_after_s < 60
        go_on.set()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_calls_are_spread_over_nodes_by_load(
    gateway: Gateway, client: AsyncClient, until: Until
) -> None:
    ran: list[str] = []
    gate, full = asyncio.Event(), asyncio.Event()

    def where(name: str) -> Any:
        async def where() -> str:
            ran.append(name)
            if len(ran) == 4:
                full.set()
            await gate.wait()
            return name

        return where

    async with (
        ComputeNode(gateway.url, name="small", concurrency=1) as small,
        ComputeNode(gateway.url, name="large", concurrency=3) as large,
    ):
        for node in (small, large):
            node.register(where(node.name))
        await until(lambda: offers(client, "where", 2))
        calls = [asyncio.create_task(client.execute("where")) for _ in range(4)]
        await asyncio.wait_for(full.wait(), PATIENCE_S)
        gate.set()
        assert sorted(await asyncio.gather(*calls)) == ["large", "large", "large", "small"]


async def test_a_large_array_makes_the_round_trip(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    async def double(x: Any) -> Any:
        return {"x": x * 2, "n": 1}

    array = np.random.default_rng(0).random(2_621_440)  # 20 MiB
    result = await client.execute("my-node.double", array)
    np.testing.assert_array_equal(result["x"], array * 2)


async def test_tables_pass_through_a_process_that_does_not_look_into_them(
    node: ComputeNode, client: AsyncClient
) -> None:
    @node.register
    def make(n: int) -> dict[str, Any]:
        return {"table": pd.DataFrame({"x": range(n)}), "rows": n}

    @node.register
    def total(table: Any) -> int:
        return int(table["x"].sum())

    for n, kind in ((10, Opaque), (100_000, Artifact)):
        [made] = [u async for u in invoke(client, "make", n=n)]
        assert isinstance(made, Returned)
        assert isinstance(made.value["table"], kind)
        [summed] = [u async for u in invoke(client, "total", table=made.value["table"])]
        assert summed == Returned(n * (n - 1) // 2)


async def test_files_go_in_and_come_out(node: ComputeNode, client: AsyncClient, tmp_path: Path) -> None:
    seen: list[Path] = []

    @node.register
    def shout(files: dict[str, list[Path]]) -> dict[str, Path]:
        [source] = files["in"]
        seen.append(source)
        source.write_text(source.read_text() + "!")
        target = scratch_dir() / "shouted.txt"
        assert list(scratch_dir().iterdir()) == []
        target.write_text(source.read_text().upper())
        return {"out": target}

    source = tmp_path / "源.txt"
    source.write_text("hello")
    uploaded = await client.upload(source)
    for given in (source, uploaded):
        result = await client.execute("my-node.shout", {"in": [given]})
        assert result["out"].filename == "shouted.txt"
        await client.download(result["out"], tmp_path / "result.txt")
        assert (tmp_path / "result.txt").read_text() == "HELLO!"
        assert await client.read(result["out"]) == b"HELLO!"
    assert source.read_text() == "hello"
    assert seen[0].name == "源.txt"
    assert not seen[0].exists()


async def test_a_result_without_its_file_is_named(node: ComputeNode, client: AsyncClient) -> None:
    node.register(lambda: Path("nowhere.csv"), name="lose")
    with pytest.raises(Unencodable, match=r"nowhere\.csv"):
        await client.execute("my-node.lose")


async def test_a_node_that_stops_tells_its_callers(gateway: Gateway, client: AsyncClient) -> None:
    began = asyncio.Event()
    node = ComputeNode(gateway.url, name="my-node")

    @node.register
    async def wait() -> None:
        began.set()
        await asyncio.sleep(60)

    await node.start()
    call = asyncio.create_task(client.execute("my-node.wait"))
    await asyncio.wait_for(began.wait(), PATIENCE_S)
    await node.stop()
    with pytest.raises((NodeRefused, NodeUnreachable)):
        async with within(5):
            await call
    assert await client.nodes() == []


async def test_a_call_passes_by_a_node_that_is_gone(
    gateway: Gateway, client: AsyncClient, until: Until
) -> None:
    async with ComputeNode(gateway.url, name="stays") as stays:
        stays.register(add)
        goes = ComputeNode(gateway.url, name="goes")
        goes.register(add)
        await goes.start()
        await until(lambda: offers(client, "add", 2))
        await goes.stop()
        assert [await client.execute("add", i) for i in range(6)] == [1, 2, 3, 4, 5, 6]
