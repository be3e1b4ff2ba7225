"""Long work on a network of real processes: it survives its client, its gateway and its node."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest

from easynet import AsyncClient, Client, ComputeNode, JobOptions
from easynet.core.call import call_key, progress
from easynet.core.errors import (
    AccessDenied,
    BadData,
    CallTimeout,
    JobCancelled,
    JobNotFound,
    OutcomeUnknown,
    OverBudget,
    RemoteFailure,
    SettingsError,
)
from easynet.core.job import JobEnded, JobProgressed, JobStarted, JobState, JobSubmitted, JobYielded
from easynet.fabric.access.grants import Limits
from easynet.fabric.gateway import artifact_exchange
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.receipts.verification import verify_receipt
from easynet.fabric.values import retention
from tests.fabric.job_fakes import updates_of
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

NODE = Path(__file__).parents[1] / "node_process.py"
Process = subprocess.Popen[str]


class GatewayProcess:
    """A gateway in a process of its own, at one address for all its lives."""

    def __init__(self, data: Path) -> None:
        self._data = data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"127.0.0.1:{probe.getsockname()[1]}"
        self._process: Process | None = None

    def start(self) -> None:
        options = json.dumps({"data": str(self._data), "listen": self.url})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fabric.gateway_process", options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def process(own_data_dir: Path) -> Iterator[GatewayProcess]:
    process = GatewayProcess(own_data_dir)
    process.start()
    yield process
    process.kill()


@pytest.fixture
async def gateway(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


@pytest.fixture
def spawn_node(tmp_path: Path) -> Iterator[Callable[[str, str], Process]]:
    """Starts `node_process.py` at a gateway, under a name."""
    nodes: list[Process] = []

    def spawn(url: str, name: str) -> Process:
        marks = str(tmp_path / "marks")
        nodes.append(subprocess.Popen([sys.executable, str(NODE), url, name, marks], text=True))
        return nodes[-1]

    yield spawn
    for node in nodes:
        node.kill()
        node.wait()


def marks_in(folder: Path) -> list[str]:
    marks = folder / "marks"
    return marks.read_text().splitlines() if marks.exists() else []


async def until_marked(folder: Path, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(marks_in(folder)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def count_of_offers(client: AsyncClient, function: str) -> int:
    return sum(len(found.nodes) for found in await client.functions() if found.name == function)


async def until_offered(client: AsyncClient, function: str, nodes: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await count_of_offers(client, function) < nodes:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class Training:
    """A function that takes a step each time that it is allowed one, and has one effect at its end."""

    def __init__(self) -> None:
        self._allowed = asyncio.Semaphore(0)
        self.began = asyncio.Event()
        self.stopped = asyncio.Event()
        self.effects: Counter[str] = Counter()

    def allow(self, steps: int) -> None:
        for _ in range(steps):
            self._allowed.release()

    async def train(self, steps: int) -> dict[str, int]:
        self.began.set()
        try:
            for step in range(steps):
                await self._allowed.acquire()
                progress(step / steps, f"step {step}")
                await asyncio.sleep(0.6)  # what follows each other faster is thinned out
            self.effects[call_key()] += 1
            return {"steps": steps}
        finally:
            self.stopped.set()


def node_with(training: Training, url: str, *, idempotent: bool = False) -> ComputeNode:
    node = ComputeNode(url, name="gpu")
    node.register(training.train, idempotent=idempotent)
    return node


async def until_told(job: JobHandle, message: str = "") -> None:
    async with asyncio.timeout(PATIENCE_S), aclosing(job.follow()) as updates:
        async for update in updates:
            if isinstance(update, JobProgressed) and message in ("", update.message):
                return


async def test_job_survives_its_client_and_the_death_of_its_gateway(process: GatewayProcess) -> None:
    training = Training()
    async with node_with(training, process.url):
        async with AsyncClient(process.url) as client:
            job_id = (await client.submit("train", steps=4)).id
            training.allow(2)
            await until_told(client.job(job_id), "step 1")
        process.kill()
        training.allow(1)
        process.start()
        async with AsyncClient(process.url) as another:
            job = another.job(job_id)
            training.allow(1)
            assert await job.result(PATIENCE_S) == {"steps": 4}
            updates = await updates_of(job)
        told = [update.message for update in updates if isinstance(update, JobProgressed)]
        assert told == [f"step {i}" for i in range(4)]
        assert [update.seq for update in updates] == sorted({update.seq for update in updates})
        assert isinstance(updates[0], JobSubmitted)
        assert isinstance(updates[-1], JobEnded)
        assert [u.node for u in updates if isinstance(u, JobStarted)] == ["gpu"]
    assert training.effects == {job_id: 1}


async def test_progress_of_work_that_ended_while_the_gateway_was_dead_is_told(
    process: GatewayProcess,
) -> None:
    training = Training()
    async with node_with(training, process.url):
        async with AsyncClient(process.url) as client:
            job_id = (await client.submit("train", 3)).id
            training.allow(1)
            await until_told(client.job(job_id), "step 0")
        process.kill()
        training.allow(2)
        await training.stopped.wait()
        process.start()
        async with AsyncClient(process.url) as another:
            updates = await updates_of(another.job(job_id))
    assert [u.message for u in updates if isinstance(u, JobProgressed)] == ["step 0", "step 1", "step 2"]
    assert len([u for u in updates if isinstance(u, JobStarted)]) == 1
    assert [u.at for u in updates] == sorted(u.at for u in updates)


async def test_work_that_ends_while_the_gateway_is_dead_is_not_done_again(process: GatewayProcess) -> None:
    training = Training()
    async with node_with(training, process.url):
        async with AsyncClient(process.url) as client:
            job_id = (await client.submit("train", 1)).id
            await training.began.wait()
        process.kill()
        training.allow(1)
        await training.stopped.wait()
        process.start()
        async with AsyncClient(process.url) as another:
            assert await another.job(job_id).result(PATIENCE_S) == {"steps": 1}
    assert training.effects == {job_id: 1}


async def test_items_of_a_generator_are_whole_after_the_gateway_died(process: GatewayProcess) -> None:
    starts: list[str] = []
    go_on = asyncio.Event()

    async def count(n: int) -> AsyncIterator[int]:
        starts.append(call_key())
        for i in range(n):
            if i == 40:
                await go_on.wait()
            yield i

    node = ComputeNode(process.url, name="gpu")
    node.register(count)
    async with node:
        async with AsyncClient(process.url) as client:
            job_id = (await client.submit("count", 100)).id
            async with aclosing(client.job(job_id).follow()) as updates:
                async for update in updates:
                    if isinstance(update, JobYielded) and update.value == 39:
                        break
        process.kill()
        process.start()
        go_on.set()
        async with AsyncClient(process.url) as another:
            assert await another.job(job_id).result(PATIENCE_S) == list(range(100))
    assert starts == [job_id] * 2


async def test_job_can_be_cancelled_after_the_gateway_died(process: GatewayProcess) -> None:
    training = Training()
    async with node_with(training, process.url):
        async with AsyncClient(process.url) as client:
            job_id = (await client.submit("train", 5)).id
            await training.began.wait()
        process.kill()
        process.start()
        async with AsyncClient(process.url) as another:
            job = another.job(job_id)
            training.allow(4)
            await until_told(job)  # so the gateway listens to the call again
            assert await job.cancel() == "cancelled"
            async with within(1):
                await training.stopped.wait()
            with pytest.raises(JobCancelled):
                await job.result(PATIENCE_S)
    assert not training.effects


async def test_cancelling_stops_the_function_within_a_second(gateway: Gateway) -> None:
    training = Training()
    async with node_with(training, gateway.url), AsyncClient(gateway.url) as client:
        job = await client.submit("train", 5)
        await training.began.wait()
        assert await job.cancel() == "cancelled"
        async with within(1):
            await training.stopped.wait()


async def test_job_of_a_node_that_was_killed_is_done_by_another(
    process: GatewayProcess, spawn_node: Callable[[str, str], Process], tmp_path: Path
) -> None:
    nodes = {name: spawn_node(process.url, name) for name in ("one", "two")}
    async with AsyncClient(process.url) as client:
        await until_offered(client, "twice", 2)
        job = await client.submit("twice", 1.0)
        await until_marked(tmp_path, 1)
        nodes[marks_in(tmp_path)[0].split()[0]].kill()
        assert await job.result(PATIENCE_S) == job.id
        updates = await updates_of(job)
    places = [update.node for update in updates if isinstance(update, JobStarted)]
    assert sorted(places) == ["one", "two"]
    assert [line.split()[1] for line in marks_in(tmp_path)] == [job.id] * 2


async def test_job_that_must_not_run_twice_fails_with_its_node(
    process: GatewayProcess, spawn_node: Callable[[str, str], Process], tmp_path: Path
) -> None:
    nodes = {name: spawn_node(process.url, name) for name in ("one", "two")}
    async with AsyncClient(process.url) as client:
        await until_offered(client, "once", 2)
        job = await client.submit("once", 1.0)
        await until_marked(tmp_path, 1)
        nodes[marks_in(tmp_path)[0].split()[0]].kill()
        with pytest.raises(OutcomeUnknown):
            await job.result(PATIENCE_S)
    assert len(marks_in(tmp_path)) == 1


async def test_command_leaves_work_to_the_gateway(
    process: GatewayProcess, spawn_node: Callable[[str, str], Process], tmp_path: Path
) -> None:
    spawn_node(process.url, "one")
    async with AsyncClient(process.url) as client:
        await until_offered(client, "once")
    code, job_id, said = await easynet("call", "once", "0.5", "--detach", "--gateway", process.url)
    assert (code, said) == (0, f"To follow it: easynet jobs follow {job_id} --gateway {process.url}")
    process.kill()
    process.start()
    code, result, said = await easynet("jobs", "follow", job_id, "--gateway", process.url)
    assert (code, json.loads(result)) == (0, job_id), said
    assert marks_in(tmp_path) == [f"one {job_id}"]
    code, result, said = await easynet("jobs", "list", "--json", "--gateway", process.url)
    assert (code, json.loads(result)["state"]) == (0, "succeeded"), said


async def test_command_says_that_long_work_needs_a_gateway_that_lasts() -> None:
    code, _, said = await easynet("call", "nothing", "--detach", "--receipt", "r", "--gateway", "embedded")
    assert code == 2
    assert "--detach" in said


async def easynet(*words: str) -> tuple[int, str, str]:
    """A command's exit code, and what it printed on stdout and on stderr."""
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "easynet", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await command.communicate()
    return command.returncode or 0, out.decode().strip(), err.decode().strip()


async def test_key_that_was_used_gives_the_job_that_there_is(gateway: Gateway) -> None:
    calls: list[str] = []

    async def work(value: int) -> int:
        calls.append(call_key())
        return value

    node = ComputeNode(gateway.url, name="gpu")
    node.register(work)
    async with node, AsyncClient(gateway.url) as client:
        first = await client.submit_with(JobOptions(key="nightly"), "work", 1)
        assert await first.result(PATIENCE_S) == 1
        again = await client.submit_with(JobOptions(key="nightly"), "work", 1)
        assert (again.id, again.is_duplicate, await again.result(PATIENCE_S)) == (first.id, True, 1)
        with pytest.raises(BadData, match="another job"):
            await client.submit_with(JobOptions(key="nightly"), "work", 2)
    assert calls == [first.id]


async def test_job_spends_what_its_clients_grant_allows(gateway: Gateway, tmp_path: Path) -> None:
    node = ComputeNode(gateway.url, "gpu")
    node.register(len, name="size", price=3)
    async with node:
        async with AsyncClient(gateway.url) as client:
            grant = (await client.grant()).narrow(Limits(max_spend=5))
        member = await join(grant.token(), tmp_path / "ben")
        async with AsyncClient(member.gateways[0], data_dir=tmp_path / "ben") as ben:
            assert await (await ben.submit("size", "four")).result(PATIENCE_S) == 4
            with pytest.raises(OverBudget):
                await (await ben.submit("size", "four")).result(PATIENCE_S)
            with pytest.raises(OverBudget):
                await ben.execute("size", "four")
        async with AsyncClient(gateway.url) as client:
            assert await client.jobs() == []


async def test_client_submits_only_what_it_may_call(gateway: Gateway, tmp_path: Path) -> None:
    node = ComputeNode(gateway.url, "gpu")
    node.register(len, name="size")
    node.register(lambda values: max(values), name="largest")
    async with node, Owner(gateway.url) as owner:
        token = await owner.invite("client", "ana", functions=["gpu.size"])
        member = await join(token, tmp_path / "ana")
        async with AsyncClient(member.gateways[0], data_dir=tmp_path / "ana") as ana:
            assert await (await ana.submit("gpu.size", "four")).result(PATIENCE_S) == 4
            for function in ("largest", "gpu.largest"):
                with pytest.raises(AccessDenied):
                    await ana.submit(function, [1])


async def test_job_stops_when_its_client_is_shut_out(gateway: Gateway, tmp_path: Path) -> None:
    training = Training()
    async with node_with(training, gateway.url), Owner(gateway.url) as owner:
        member = await join(await owner.invite("client", "ana"), tmp_path / "ana")
        async with AsyncClient(member.gateways[0], data_dir=tmp_path / "ana") as ana:
            await ana.submit("train", 5)
            await training.began.wait()
        await owner.revoke("client", "ana")
        async with within(2):
            await training.stopped.wait()
        await until_counted(gateway, {"failed": 1})


async def test_namesake_of_a_client_that_was_shut_out_has_none_of_its_jobs(
    gateway: Gateway, tmp_path: Path
) -> None:
    node = ComputeNode(gateway.url, "gpu")
    node.register(len, name="size")
    nightly = JobOptions(key="nightly")
    async with node, Owner(gateway.url) as owner:
        first = await join(await owner.invite("client", "ana"), tmp_path / "first")
        async with AsyncClient(first.gateways[0], data_dir=tmp_path / "first") as ana:
            job_id = (await ana.submit_with(nightly, "size", "four")).id
            assert await ana.job(job_id).result(PATIENCE_S) == 4
        await owner.revoke("client", "ana")
        second = await join(await owner.invite("client", "ana"), tmp_path / "second")
        async with AsyncClient(second.gateways[0], data_dir=tmp_path / "second") as another:
            assert await another.jobs() == []
            found = another.job(job_id)
            for attempt in (found.state(), found.cancel(), found.result(PATIENCE_S), updates_of(found)):
                with pytest.raises(JobNotFound):
                    await attempt
            again = await another.submit_with(nightly, "size", "five!")
            assert not again.is_duplicate
            assert await again.result(PATIENCE_S) == 5
            assert [job.id for job in await another.jobs()] == [again.id]


async def test_client_that_submits_much_does_not_hold_up_another(
    own_data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.jobs.job_worker.MAX_RUNNING", 4)
    training = Training()
    async with Gateway(own_data_dir, lasting=True) as gateway:
        await much_and_little(gateway, training, tmp_path)


async def much_and_little(gateway: Gateway, training: Training, folder: Path) -> None:
    async with node_with(training, gateway.url) as gpu, Owner(gateway.url) as owner:
        gpu.register(len, name="size")
        clients = {}
        for name in ("ana", "bob"):
            member = await join(await owner.invite("client", name), folder / name)
            clients[name] = AsyncClient(member.gateways[0], data_dir=folder / name)
        async with clients["ana"] as ana, clients["bob"] as bob:
            for _ in range(6):
                await ana.submit("train", 5)
            await training.began.wait()
            assert await (await bob.submit("size", "four")).result(PATIENCE_S) == 4


async def until_counted(gateway: Gateway, jobs: dict[JobState, int]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await gateway.numbers()).jobs != jobs:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_large_values_of_a_job_stay_while_it_is_kept(gateway: Gateway, tmp_path: Path) -> None:
    async with Owner(gateway.url) as owner:
        member = await join(await owner.invite("client", "ana"), tmp_path / "ana")
    node = ComputeNode(gateway.url, "gpu", data_dir=gateway._data_dir)
    node.register(lambda data: data[::-1], name="turned")
    data = bytes(range(256)) * 4096
    async with node, AsyncClient(member.gateways[0], data_dir=tmp_path / "ana") as ana:
        job = await ana.submit("turned", data)
        assert await job.result(PATIENCE_S) == data[::-1]
    store = gateway._data_dir / "artifacts"
    retention.sweep(store, time.time() + 6 * retention.DAY_S, 0)
    sizes = [f.stat().st_size for f in store.glob("??/*")]
    assert len([size for size in sizes if size >= len(data)]) == 2
    retention.sweep(store, time.time() + 40 * retention.DAY_S, 0)
    assert not list(store.glob("??/*"))


async def test_what_large_values_of_a_job_refer_to_stays_as_well(gateway: Gateway, tmp_path: Path) -> None:
    async with Owner(gateway.url) as owner:
        member = await join(await owner.invite("client", "ana"), tmp_path / "ana")
    node = ComputeNode(gateway.url, "gpu", data_dir=gateway._data_dir)
    node.register(len, name="size")
    nested = [[bytes([i]) * 1_000_000, "x" * 5_000_000] for i in range(3)]
    async with node, AsyncClient(member.gateways[0], data_dir=tmp_path / "ana") as ana:
        assert await (await ana.submit("size", nested)).result(PATIENCE_S) == 3
    store = gateway._data_dir / "artifacts"
    before = {f.name for f in store.glob("??/*")}
    assert len(before) > 3
    retention.sweep(store, time.time() + 6 * retention.DAY_S, 0)
    assert {f.name for f in store.glob("??/*")} == before


async def test_job_with_too_many_large_values_is_refused(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact_exchange, "MAX_KEPT", 3)
    node = ComputeNode(gateway.url, "gpu")
    node.register(len, name="size")
    async with node, AsyncClient(gateway.url) as client:
        assert (
            await (await client.submit("size", [bytes([i]) * 1_000_000 for i in range(3)])).result(PATIENCE_S)
            == 3
        )
        with pytest.raises(BadData, match="more than 3 large values"):
            await client.submit("size", [bytes([i]) * 1_000_000 for i in range(4)])
        assert len(await client.jobs()) == 1


async def test_job_leaves_its_nodes_receipt(gateway: Gateway, tmp_path: Path) -> None:
    async with Owner(gateway.url) as owner:
        member = await join(await owner.invite("client", "ana"), tmp_path / "ana")
        node = ComputeNode(gateway.url, "gpu")
        node.register(len, name="size", price=3)
        node.register(lambda: 1 / 0, name="fail")
        async with node, AsyncClient(member.gateways[0], data_dir=tmp_path / "ana") as ana:
            job = await ana.submit("size", "four")
            assert await job.result(PATIENCE_S) == 4
            receipt = await job.receipt()
            call = receipt.facts.call
            assert (call.client, call.key, call.outcome, call.price) == ("ana", job.id, "ok", 3)
            assert receipt.facts.offer.node == "gpu"
            verify_receipt(receipt)
            failed = await ana.submit("fail")
            with pytest.raises(RemoteFailure):
                await failed.result(PATIENCE_S)
            assert (await failed.receipt()).facts.call.outcome == RemoteFailure.code
        with pytest.raises(JobNotFound):
            async with AsyncClient(gateway.url) as other:
                await other.job(job.id).receipt()


@pytest.mark.parametrize("ends_while_away", [True, False])
async def test_receipt_of_a_job_that_a_gateway_was_killed_over_is_there(
    process: GatewayProcess, ends_while_away: bool
) -> None:
    training = Training()
    async with node_with(training, process.url):
        async with AsyncClient(process.url) as client:
            job_id = (await client.submit("train", 1)).id
            await training.began.wait()
            with pytest.raises(CallTimeout, match="no receipt"):
                await client.job(job_id).receipt(0.3)
        process.kill()
        training.allow(1)
        if ends_while_away:
            await asyncio.wait_for(training.stopped.wait(), PATIENCE_S)
        process.start()
        async with AsyncClient(process.url) as another:
            assert await another.job(job_id).result(PATIENCE_S) == {"steps": 1}
            assert (await another.job(job_id).receipt(PATIENCE_S)).facts.call.key == job_id
        process.kill()
        process.start()
        async with AsyncClient(process.url) as another:
            assert (await another.job(job_id).receipt(PATIENCE_S)).facts.call.key == job_id


async def test_command_keeps_the_receipt_of_a_job(
    process: GatewayProcess, spawn_node: Callable[[str, str], Process], tmp_path: Path
) -> None:
    spawn_node(process.url, "one")
    async with AsyncClient(process.url) as client:
        await until_offered(client, "once")
    _, job_id, _ = await easynet("call", "once", "0.01", "--detach", "--gateway", process.url)
    file = tmp_path / "receipts"
    follow = ("jobs", "follow", job_id, "--gateway", process.url)
    code, result, said = await easynet(*follow, "--receipt", str(file))
    assert (code, json.loads(result)) == (0, job_id), said
    assert f"easynet receipts verify {file}" in said
    code, shown, said = await easynet("receipts", "verify", str(file))
    assert code == 0, said
    assert "1 valid receipt, signed by one" in shown


async def test_gateway_that_ends_with_its_process_takes_no_jobs(own_data_dir: Path) -> None:
    async with Gateway(own_data_dir) as passing, AsyncClient(passing.url) as client:
        with pytest.raises(SettingsError, match="long work needs a gateway that lasts"):
            await client.submit("train")


async def test_gateway_stops_while_a_job_runs_and_goes_on_with_it(own_data_dir: Path) -> None:
    training = Training()
    async with AsyncExitStack() as stack:
        gateway = Gateway(own_data_dir, lasting=True)
        await gateway.start()
        port = int(gateway.url.rsplit(":", 1)[1])
        await stack.enter_async_context(node_with(training, gateway.url))
        async with AsyncClient(gateway.url) as client:
            job_id = (await client.submit("train", 1)).id
            await training.began.wait()
        await gateway.stop()
        async with Gateway(own_data_dir, port=port, lasting=True) as again:
            training.allow(1)
            async with AsyncClient(again.url) as client:
                assert await client.job(job_id).result(PATIENCE_S) == {"steps": 1}
    assert training.effects == {job_id: 1}


def test_jobs_without_async(process: GatewayProcess, spawn_node: Callable[[str, str], Process]) -> None:
    spawn_node(process.url, "one")
    with Client(process.url) as client:
        job = client.submit_with(JobOptions(timeout_s=30), "once", 0.01)
        assert job.result(PATIENCE_S) == job.id
        assert client.job(job.id).state() == "succeeded"
        assert job.details().node == "one"
        assert [type(update) for update in job.follow()][-1] is JobEnded
        assert job.cancel() == "succeeded"
        assert [found.id for found in client.jobs()] == [job.id]
        assert not job.is_duplicate
