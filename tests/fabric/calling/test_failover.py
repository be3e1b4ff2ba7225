"""Calls whose node, gateway or client goes away under them."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from easynet.core.errors import (
    GatewayUnreachable,
    NodeRefused,
    NodeUnreachable,
    OutcomeUnknown,
    Overloaded,
    UnknownFunction,
)
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.receipt import Receipt
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.receipts.verification import verify_receipt
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
Process = subprocess.Popen[bytes]
NODE = Path(__file__).parents[1] / "node_process.py"
GATEWAY = """
import asyncio, sys
from pathlib import Path
from easynet.fabric.gateway.gateway import Gateway

async def main():
    async with Gateway(Path(sys.argv[1]), port=int(sys.argv[2]), lasting=True) as gateway:
        print(gateway.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def spawn() -> AsyncIterator[Callable[..., Process]]:
    processes: list[Process] = []

    def start(*command: object) -> Process:
        process = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def marks(tmp_path: Path) -> list[tuple[str, str]]:
    """What the nodes' functions noted: the node's name and the call's key, each time that one began."""
    path = tmp_path / "marks"
    if not path.exists():
        return []
    words = [line.split() for line in path.read_text().splitlines()]
    return [(node, word) for node, word in words]


async def begun(tmp_path: Path, until: Until, count: int) -> None:
    async def enough() -> bool:
        return len(marks(tmp_path)) >= count

    await until(enough)


async def offered(client: AsyncClient, until: Until, capability: str, nodes: int) -> None:
    async def found() -> bool:
        return len(await client.find(CapabilityName(capability))) == nodes

    await until(found)


async def test_an_idempotent_call_moves_to_another_node_with_its_key(
    gateway: Gateway, client: AsyncClient, spawn: Callable[..., Process], tmp_path: Path, until: Until
) -> None:
    processes = {name: spawn(NODE, gateway.url, name, tmp_path / "marks") for name in ("a", "b")}
    await offered(client, until, "twice", 2)
    gate = tmp_path / "gate"
    call = asyncio.create_task(client.execute("twice", 0, str(gate)))
    await begun(tmp_path, until, 1)
    [(first, key)] = marks(tmp_path)
    processes[first].kill()
    async with within(1):
        await begun(tmp_path, until, 2)
    gate.touch()
    assert await asyncio.wait_for(call, PATIENCE_S) == key
    assert len(set(marks(tmp_path))) == 2
    assert {word for _, word in marks(tmp_path)} == {key}


@pytest.mark.parametrize("function", ["once", "a.once"])
async def test_a_call_that_must_not_run_twice_is_not_sent_again(
    gateway: Gateway,
    client: AsyncClient,
    spawn: Callable[..., Process],
    tmp_path: Path,
    until: Until,
    function: str,
) -> None:
    process = spawn(NODE, gateway.url, "a", tmp_path / "marks")
    await offered(client, until, "once", 1)
    call = asyncio.create_task(client.execute(function, 60))
    await begun(tmp_path, until, 1)
    spawn(NODE, gateway.url, "b", tmp_path / "marks")
    await offered(client, until, "once", 2)
    process.kill()
    with pytest.raises(OutcomeUnknown, match=r"a\.once"):
        async with within(1):
            await call
    assert len(marks(tmp_path)) == 1


async def test_an_addressed_idempotent_call_fails_as_retryable_and_its_invocation_too(
    gateway: Gateway, client: AsyncClient, spawn: Callable[..., Process], tmp_path: Path, until: Until
) -> None:
    async def invoke(function: str) -> None:
        name, arguments = CapabilityName(function), {"seconds": 60}
        async for _ in client.invoke(NodeId("a"), name, arguments, key=function, timeout_s=60):
            pass

    process = spawn(NODE, gateway.url, "a", tmp_path / "marks")
    await offered(client, until, "once", 1)
    assert await client.execute("a.memory_kib")  # so that it knows what may run twice
    calls = [
        asyncio.create_task(client.execute("a.twice", 60)),
        asyncio.create_task(invoke("twice")),
        asyncio.create_task(invoke("once")),
    ]
    await begun(tmp_path, until, 3)
    process.kill()
    async with within(1):
        errors = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in errors] == [NodeUnreachable, NodeUnreachable, OutcomeUnknown]


async def test_a_second_call_with_a_key_gets_the_first_ones_result(
    gateway: Gateway, client: AsyncClient
) -> None:
    ran: list[int] = []
    go_on = asyncio.Event()
    async with ComputeNode(gateway.url, name="n") as node:

        @node.register
        async def work(i: int) -> int:
            ran.append(i)
            await go_on.wait()
            return i

        async def invoke(key: str, i: int) -> list[object]:
            name = CapabilityName("work")
            return [
                u async for u in client.invoke(NodeId("n"), name, {"i": i}, key=key, timeout_s=PATIENCE_S)
            ]

        first = asyncio.create_task(invoke("k", 1))
        while not ran:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        second = asyncio.create_task(invoke("k", 2))
        other = asyncio.create_task(invoke("l", 3))
        while len(ran) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        go_on.set()
        assert await first == await second
        assert await invoke("k", 4) == await first
        assert await other != await first
    assert ran == [1, 3]


async def test_calls_survive_the_gateway_and_none_runs_twice(
    spawn: Callable[..., Process], tmp_path: Path, own_data_dir: Path, until: Until
) -> None:
    def start(port: int) -> tuple[Process, str]:
        process = spawn("-c", GATEWAY, own_data_dir, port)
        assert process.stdout is not None
        return process, process.stdout.readline().decode().strip()

    gateway, url = await asyncio.to_thread(start, 0)
    spawn(NODE, url, "a", tmp_path / "marks")
    gate = tmp_path / "gate"
    async with AsyncClient(url) as client:
        await offered(client, until, "once", 1)
        functions = ("once", "twice", "a.once", "a.twice", "a.once")
        calls = [asyncio.create_task(client.execute(functions[i % 5], i / 50, str(gate))) for i in range(50)]
        streams = asyncio.create_task(client.execute("a.numbers", 300, 0.01))
        await begun(tmp_path, until, 40)
        gateway.kill()
        gateway.wait()
        late = asyncio.create_task(client.execute("a.once", 0))
        gateway, _ = await asyncio.to_thread(start, int(url.rpartition(":")[2]))
        gate.touch()
        results = await asyncio.wait_for(asyncio.gather(*calls, late, return_exceptions=True), PATIENCE_S)
        assert await asyncio.wait_for(streams, PATIENCE_S) == list(range(300))
        answered = [key for key in results if isinstance(key, str)]
        failed = [error for error in results if not isinstance(error, str)]
        # Those that were not on their way yet may have waited for the gateway for longer than new calls do.
        assert len(set(answered)) == len(answered) >= 40
        assert all(isinstance(error, GatewayUnreachable) for error in failed)
        counts = Counter(word for _, word in marks(tmp_path))
        assert set(counts.values()) == {1}
        assert await client.execute("once", 0)


@pytest.mark.parametrize("ends_while_away", [True, False])
async def test_call_that_outlives_its_gateway_leaves_its_receipt(
    spawn: Callable[..., Process], own_data_dir: Path, until: Until, ends_while_away: bool
) -> None:
    def start(port: int) -> tuple[Process, str]:
        process = spawn("-c", GATEWAY, own_data_dir, port)
        assert process.stdout is not None
        return process, process.stdout.readline().decode().strip()

    began, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        began.set()
        await go_on.wait()
        ended.set()
        return "done"

    async def called() -> Receipt:
        assert await client.execute("slow") == "done"
        return await client.receipt(timeout_s=PATIENCE_S)

    gateway, url = await asyncio.to_thread(start, 0)
    node = ComputeNode(url, name="a")
    node.register(slow)
    async with node, AsyncClient(url) as client:
        call = asyncio.create_task(called())
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        gateway.kill()
        gateway.wait()
        go_on.set()
        if ends_while_away:
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
        await asyncio.to_thread(start, int(url.rpartition(":")[2]))
        receipt = await asyncio.wait_for(call, PATIENCE_S)
        verify_receipt(receipt)
        assert (receipt.facts.offer.function, receipt.facts.call.outcome) == ("slow", "ok")
        assert len(client.receipts.all()) == 1


async def test_calls_are_not_lost_at_a_node_that_comes_back_later_than_the_client(
    spawn: Callable[..., Process],
    tmp_path: Path,
    own_data_dir: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for limit in ("outbox.SETTLING_S", "node_watch.SILENCE_S", "recovery.BACK_WITHIN_S"):
        monkeypatch.setattr(f"easynet.fabric.calling.{limit}", 2 * PATIENCE_S)

    def start(port: int) -> tuple[Process, str]:
        process = spawn("-c", GATEWAY, own_data_dir, port)
        assert process.stdout is not None
        return process, process.stdout.readline().decode().strip()

    async def is_back() -> bool:
        with contextlib.suppress(GatewayUnreachable):
            return await client.nodes() == []
        return False

    gateway, url = await asyncio.to_thread(start, 0)
    node = spawn(NODE, url, "a", tmp_path / "marks")
    async with AsyncClient(url) as client:
        await offered(client, until, "once", 1)
        begun_before = asyncio.create_task(client.execute("a.once", 0, str(tmp_path / "gate")))
        await begun(tmp_path, until, 1)
        node.send_signal(signal.SIGSTOP)
        gateway.kill()
        gateway.wait()
        await asyncio.to_thread(start, int(url.rpartition(":")[2]))
        await until(is_back)
        begun_after = asyncio.create_task(client.execute("a.once", 0))
        for _ in range(3):  # so that the server has said by now that nobody listens there
            await client.nodes()
        node.send_signal(signal.SIGCONT)
        (tmp_path / "gate").touch()
        keys = await asyncio.wait_for(asyncio.gather(begun_before, begun_after), PATIENCE_S)
    assert [key for _, key in marks(tmp_path)] == [*keys]


async def test_calls_whose_node_was_started_again_while_nobody_could_see_it_are_not_lost(
    spawn: Callable[..., Process], tmp_path: Path, own_data_dir: Path, until: Until
) -> None:
    def start(port: int) -> tuple[Process, str]:
        process = spawn("-c", GATEWAY, own_data_dir, port)
        assert process.stdout is not None
        return process, process.stdout.readline().decode().strip()

    gateway, url = await asyncio.to_thread(start, 0)
    node = spawn(NODE, url, "a", tmp_path / "marks")
    async with AsyncClient(url) as client:
        await offered(client, until, "once", 1)
        once = asyncio.create_task(client.execute("once", 60))
        twice = asyncio.create_task(client.execute("twice", 0, str(tmp_path / "gate")))
        await begun(tmp_path, until, 2)
        gateway.kill()
        gateway.wait()
        node.kill()
        node.wait()
        await asyncio.to_thread(start, int(url.rpartition(":")[2]))
        spawn(NODE, url, "a", tmp_path / "marks")
        with pytest.raises(OutcomeUnknown):
            await asyncio.wait_for(once, PATIENCE_S)
        (tmp_path / "gate").touch()
        with contextlib.suppress(NodeUnreachable, UnknownFunction):
            assert await asyncio.wait_for(twice, PATIENCE_S)


async def test_a_node_that_drains_finishes_and_takes_nothing_new(
    gateway: Gateway, client: AsyncClient, spawn: Callable[..., Process], tmp_path: Path, until: Until
) -> None:
    process = spawn(NODE, gateway.url, "a", tmp_path / "marks")
    await offered(client, until, "once", 1)
    call = asyncio.create_task(client.execute("a.once", 0, str(tmp_path / "gate")))
    await begun(tmp_path, until, 1)
    process.send_signal(signal.SIGTERM)
    await offered(client, until, "once", 0)
    with pytest.raises(NodeRefused, match="drain"):
        await client.execute("a.once", 0)
    (tmp_path / "gate").touch()
    assert await asyncio.wait_for(call, PATIENCE_S)
    assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
    assert await client.nodes() == []


async def test_a_second_signal_ends_a_node_at_once(
    gateway: Gateway, client: AsyncClient, spawn: Callable[..., Process], tmp_path: Path, until: Until
) -> None:
    process = spawn(NODE, gateway.url, "a", tmp_path / "marks")
    await offered(client, until, "once", 1)
    call = asyncio.create_task(client.execute("a.once", 60))
    await begun(tmp_path, until, 1)
    process.send_signal(signal.SIGTERM)
    await offered(client, until, "once", 0)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
    with pytest.raises(OutcomeUnknown):
        async with within(5):
            await call


async def test_a_slow_reader_does_not_fill_the_nodes_memory_and_leaving_stops_the_generator(
    gateway: Gateway, client: AsyncClient, spawn: Callable[..., Process], tmp_path: Path, until: Until
) -> None:
    spawn(NODE, gateway.url, "a", tmp_path / "marks")
    await offered(client, until, "blocks", 1)
    idle_kib = await client.execute("a.memory_kib")
    most_kib = taken = 0
    async with aclosing(client.stream("a.blocks", 1024, 1024 * 1024 - 16)) as items:
        async for item in items:
            assert int.from_bytes(item[:4], "big") == taken
            taken += 1
            if taken % 64 == 0:
                await asyncio.sleep(0.02)
                most_kib = max(most_kib, await client.execute("a.memory_kib"))
    assert taken == 1024
    assert most_kib - idle_kib < 50 * 1024
    async with aclosing(client.stream("a.blocks", 1024, 256 * 1024)) as items:
        await anext(items)
    async with within(1):
        await begun(tmp_path, until, 2)


async def test_calls_of_a_client_that_vanished_are_cancelled(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.serving.callers.GONE_AFTER_S", 1.0)
    monkeypatch.setattr("easynet.fabric.calling.node_watch._PING_EVERY_S", 1000.0)
    began, cancelled = asyncio.Event(), asyncio.Event()
    async with ComputeNode(gateway.url, name="n") as node, AsyncClient(gateway.url) as client:

        @node.register
        async def wait() -> None:
            began.set()
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        call = asyncio.create_task(client.execute("n.wait"))
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        await asyncio.wait_for(cancelled.wait(), PATIENCE_S)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def test_calls_go_to_a_node_that_has_room_and_are_refused_where_none_has(
    gateway: Gateway, client: AsyncClient, until: Until
) -> None:
    go_on = asyncio.Event()

    async def work() -> str:
        await go_on.wait()
        return "done"

    async with (
        ComputeNode(gateway.url, name="a", concurrency=1, queue=0) as a,
        ComputeNode(gateway.url, name="b", concurrency=1, queue=0) as b,
    ):
        for node in (a, b):
            node.register(work)
        await offered(client, until, "work", 2)
        calls = [asyncio.create_task(client.execute("work")) for _ in range(3)]
        done, waiting = await asyncio.wait(calls, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        assert [type(call.exception()) for call in done] == [Overloaded]
        go_on.set()
        assert await asyncio.gather(*waiting) == ["done", "done"]


async def test_a_first_call_that_the_server_took_with_it_is_sent_again(
    gateway: Gateway, client: AsyncClient, node: ComputeNode
) -> None:
    runs: list[int] = []

    @node.register(idempotent=False)
    async def once(number: int) -> int:
        runs.append(number)
        return number

    server = next(p for p in psutil.Process().children(recursive=True) if p.name() == "nats-server")
    await client.nodes()
    server.suspend()
    call = asyncio.create_task(client.execute("my-node.once", 7))
    await asyncio.sleep(0.05)  # so that it is written to a socket that nobody reads
    server.kill()
    assert await asyncio.wait_for(call, PATIENCE_S) == 7
    assert runs == [7]
