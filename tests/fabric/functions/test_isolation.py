import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

from easynet.core.artifact import Artifact
from easynet.core.errors import CallTimeout, FunctionCrashed, NodeRefused, UsageError
from easynet.fabric.functions import isolated_process
from easynet.fabric.functions.isolated_process import IsolatedFailure
from easynet.fabric.functions.isolated_target import Target, target_of
from easynet.fabric.functions.isolation import ProcessPool
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from tests.fabric import isolated_functions as functions
from tests.fabric.isolation_bench import Bench, gone, lives, numbers, there, written
from tests.patience import PATIENCE_S, undisturbed, within

pytestmark = pytest.mark.slow

MB = 10**6
Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


class MakePool(Protocol):
    def __call__(
        self, size: int = 1, *, memory_bytes: int | None = None, time_limit_s: float | None = None
    ) -> "Bench": ...


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[MakePool]:
    pools: list[ProcessPool] = []
    store = ArtifactStore(tmp_path / "artifacts")

    def make(size: int = 1, *, memory_bytes: int | None = None, time_limit_s: float | None = None) -> Bench:
        pool = ProcessPool(
            size, store, tmp_path / "scratch", memory_bytes=memory_bytes, time_limit_s=time_limit_s
        )
        pools.append(pool)
        return Bench(pool, store, tmp_path / "scratch")

    yield make
    for pool in pools:
        await pool.close()


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "marker"


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    return tmp_path / "ended"


@pytest.fixture
def long_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that is asked to stop, and a process that has ended, are waited for with patience."""
    monkeypatch.setattr(isolated_process, "GRACE_S", PATIENCE_S)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not listen is ended soon."""
    monkeypatch.setattr(isolated_process, "GRACE_S", 0.1)


# ── what a function sees ────────────────────────────────────────────────────────────────────────


async def test_functions_of_both_manners_give_their_results(make: MakePool) -> None:
    bench = make()
    assert await bench.run(functions.add, 1, b=2) == 3
    assert await bench.run(functions.add_slowly, 1, b=2) == 3


async def test_a_process_is_used_again_and_is_not_the_nodes(make: MakePool) -> None:
    bench = make(2)
    pids = {await bench.run(functions.process_id) for _ in range(3)}
    assert len(pids) == 1
    assert pids != {os.getpid()}


async def test_records_arrive_as_objects(make: MakePool) -> None:
    assert await make().run(functions.move, {"x": 1, "y": 2}, by=3) == {"x": 4, "y": 5}


async def test_files_arrive_as_paths_and_leave_as_artifacts(make: MakePool, tmp_path: Path) -> None:
    bench = make()
    path = tmp_path / "sent.txt"
    path.write_text("hello")
    assert await bench.run(functions.read, path) == "hello"
    written = await bench.run(functions.write, "goodbye")
    assert isinstance(written, Artifact)
    assert bench.store.read(written) == b"goodbye"
    assert written.filename == "written.txt"


async def test_large_values_go_through_the_store(make: MakePool) -> None:
    bench = make()
    assert await bench.run(functions.fill, 3 * MB) == b"x" * (3 * MB)
    assert await bench.run(functions.add, "a" * 3 * MB, "b") == "a" * 3 * MB + "b"


async def test_the_calls_key_and_progress_reach_and_leave_the_function(make: MakePool) -> None:
    bench = make()
    assert await bench.run(functions.key) == "the key"
    assert await bench.run(functions.report, 20_000) == 20_000
    assert bench.reports[0] == (1 / 20_000, "step 1")
    assert bench.reports[-1] == (1.0, "step 20000")
    assert len(bench.reports) < 100


async def test_what_a_function_prints_and_reads_is_not_the_connection(
    make: MakePool, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = make()
    assert await bench.run(functions.print_much) == 1
    assert await bench.run(functions.read_standard_input) == ""
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("x" * 100) == 2000
    assert "to standard output" in err
    assert "a child prints" in err


# ── what goes wrong in it ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("function", [functions.fail, functions.fail_async], ids=["sync", "async"])
async def test_an_error_keeps_type_message_and_a_traceback_from_the_function_on(
    make: MakePool, function: Callable[..., Any]
) -> None:
    bench = make()
    with pytest.raises(IsolatedFailure) as caught:
        await bench.run(function, "nothing there")
    failure = caught.value.failure
    assert (failure.code, failure.type, failure.message) == ("remote_failure", "LookupError", "nothing there")
    frames = [line for line in failure.traceback.splitlines() if line.startswith("  File")]
    assert len(frames) == 1
    assert frames[0].endswith(f"in {function.__name__}")
    assert await bench.run(functions.add, 1, 2) == 3


@pytest.mark.parametrize(
    ("function", "args", "code"),
    [
        (functions.add, (1,), "argument_mismatch"),
        (functions.move, ({"x": "no number", "y": 1},), "argument_mismatch"),
        (functions.give_a_lock, (), "unencodable"),
        (functions.exit_politely, (3,), "remote_failure"),
        (functions.exit_politely_async, (3,), "remote_failure"),
    ],
)
async def test_what_cannot_be_done_is_told_and_harms_nothing(
    make: MakePool, function: Callable[..., Any], args: tuple[Any, ...], code: str
) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    with pytest.raises(IsolatedFailure) as caught:
        await bench.run(function, *args)
    assert caught.value.failure.code == code
    assert await bench.run(functions.process_id) == pid


async def test_arguments_that_are_no_arguments_are_refused(make: MakePool) -> None:
    bench = make()
    for arguments in (b"", b"\xc1", encode([1, 2]), encode([[], {"a": 1}, 3])):
        with pytest.raises(IsolatedFailure) as caught:
            await bench.pool.run(target_of(functions.add), arguments, bench.context())
        assert caught.value.failure.code == "bad_data"


@pytest.mark.parametrize(
    ("function", "args", "message"),
    [
        (functions.exit_at_once, (3,), "exit code 3"),
        (functions.exit_at_once, (0,), "exit code 0"),
        (functions.crash, (signal.SIGSEGV,), "SIGSEGV"),
        (functions.crash, (signal.SIGKILL,), "SIGKILL"),
        (functions.read_address_zero, (), "SIGSEGV"),
        (functions.fork_and_crash, (), "SIGSEGV"),
        (functions.close_everything, (), "function"),
    ],
)
async def test_a_crash_is_an_error_that_says_how_and_the_next_call_works(
    make: MakePool,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    message: str,
    request: pytest.FixtureRequest,
) -> None:
    if function is not functions.close_everything:  # that one is ended when its grace is over
        request.getfixturevalue("long_grace")
    bench = make()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(FunctionCrashed, match=message):
            await bench.run(function, *args)
        assert await bench.run(functions.add, 1, 2) == 3


@pytest.mark.usefixtures("long_grace")
async def test_a_crash_in_the_middle_of_a_stream_is_an_error(make: MakePool, marker: Path) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    stream = bench.stream(functions.count, 5)
    assert await anext(stream) == 0
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(FunctionCrashed, match="SIGKILL"):
        await anext(stream)
    assert await bench.run(functions.add, 1, 2) == 3


async def test_a_process_that_dies_idle_is_replaced(make: MakePool, until: Until) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    os.kill(pid, signal.SIGKILL)

    async def replaced() -> bool:
        with suppress(FunctionCrashed):  # the news is on its way
            return bool(await bench.run(functions.process_id) != pid)
        return False

    await until(replaced)


async def test_a_function_that_forks_answers_once(make: MakePool) -> None:
    bench = make()
    assert await bench.run(functions.fork_and_return) == 1
    assert await bench.run(functions.add, 1, 2) == 3


async def test_a_function_may_have_processes_of_its_own(make: MakePool) -> None:
    assert await make().run(functions.run_in_child, signal.SIGTERM) == [3, -signal.SIGTERM]


@pytest.mark.usefixtures("long_grace")
async def test_a_call_outlives_the_signal_that_stops_the_node(
    make: MakePool, marker: Path, ended: Path
) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    call = asyncio.create_task(bench.run(functions.loop_until_cancelled, str(marker), str(ended)))
    await there(marker)
    os.kill(pid, signal.SIGTERM)
    call.cancel()
    await asyncio.wait([call])
    assert await bench.run(functions.process_id) == pid


@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program"])
async def test_a_call_whose_process_does_not_start_is_refused(
    make: MakePool, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    bench = make()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", program)
        with pytest.raises(NodeRefused, match="start"):
            await bench.run(functions.add, 1, 2)
    assert await bench.run(functions.add, 1, 2) == 3


# ── memory ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("limit_mb", "function", "args"),
    [(512, functions.take_memory, (2000 * MB,)), (128, functions.take_memory_bit_by_bit, ())],
    ids=["at once", "bit by bit"],
)
async def test_a_function_that_eats_memory_fails_and_the_next_call_works(
    make: MakePool, limit_mb: int, function: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    bench = make(memory_bytes=limit_mb * 2**20)
    with pytest.raises(IsolatedFailure) as caught:
        await bench.run(function, *args)
    failure = caught.value.failure
    assert failure.type == "MemoryError"
    assert f"more than {limit_mb} MiB of memory" in failure.message
    assert f"in {function.__name__}" in failure.traceback
    assert await bench.run(functions.take_memory, 100 * MB) == 100 * MB


async def test_what_a_function_leaves_in_memory_is_not_charged_to_the_next(make: MakePool) -> None:
    bench = make(memory_bytes=300 * 2**20)
    pid = await bench.run(functions.keep_memory, 200 * MB)
    assert await bench.run(functions.take_memory, 200 * MB) == 200 * MB
    assert await bench.run(functions.process_id) != pid


async def test_threads_cost_little_of_a_memory_limit(make: MakePool) -> None:
    bench = make(memory_bytes=128 * 2**20)
    assert await bench.run(functions.in_threads, 8) == 8


async def test_what_a_module_takes_when_it_is_loaded_is_not_the_functions(
    make: MakePool, tmp_path: Path
) -> None:
    path = tmp_path / "large.py"
    path.write_text("table = bytearray(200_000_000)\ndef f(size): return len(bytearray(size))\n")
    bench = make(memory_bytes=128 * 2**20)
    target = Target("large", str(path), "f", "f")
    for size in (100 * MB, 100 * MB):
        value = await bench.pool.run(target, bench.encoded([size], {}), bench.context())
        assert decode(value) == size
    with pytest.raises(IsolatedFailure, match="MemoryError"):
        await bench.pool.run(target, bench.encoded([150 * MB], {}), bench.context())


async def test_limits_leave_room(make: MakePool) -> None:
    with pytest.raises(UsageError):
        make(memory_bytes=0)
    with pytest.raises(UsageError):
        make(time_limit_s=0)


# ── time ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "function", [functions.loop_for_ever, functions.loop_for_ever_async], ids=["sync", "async"]
)
@pytest.mark.usefixtures("short_grace")
async def test_a_function_that_loops_for_ever_is_ended(make: MakePool, function: Callable[..., Any]) -> None:
    bench = make(time_limit_s=0.3)
    await bench.run(functions.add, 1, 2)  # its process has loaded the module
    began_at = time.monotonic()
    with pytest.raises(CallTimeout, match=f"{function.__name__} did not finish within 0.3 s"):
        async with within(1.3):
            await bench.run(function)
    assert time.monotonic() - began_at >= 0.3
    assert await bench.run(functions.add, 1, 2) == 3


@pytest.mark.usefixtures("long_grace")
async def test_a_function_that_listens_may_tidy_up_when_its_time_is_over(
    make: MakePool, marker: Path, ended: Path
) -> None:
    bench = make(time_limit_s=0.3)
    pid = await bench.run(functions.process_id)
    with pytest.raises(CallTimeout):
        await bench.run(functions.loop_until_cancelled, str(marker), str(ended))
    assert written(ended) is not None
    assert await bench.run(functions.process_id) == pid


async def test_loading_a_module_does_not_count_as_the_functions_time(make: MakePool, tmp_path: Path) -> None:
    path = tmp_path / "slow_to_load.py"
    path.write_text("import time\ntime.sleep(0.4)\ndef f(): return 1\n")
    target = Target("slow_to_load", str(path), "f", "f")

    async def load_and_run() -> None:
        bench = make(time_limit_s=0.2)
        assert decode(await bench.pool.run(target, bench.encoded([], {}), bench.context())) == 1

    await undisturbed(load_and_run, gap_s=0.05)


async def test_a_streams_time_is_its_own_and_not_its_consumers(make: MakePool) -> None:
    bench = make(time_limit_s=0.3)

    async def read_slowly() -> None:
        async for _ in bench.stream(functions.count, 5):
            await asyncio.sleep(0.1)

    await undisturbed(read_slowly, gap_s=0.05)
    with pytest.raises(CallTimeout):
        async for _ in bench.stream(functions.count_slowly, 0.25):
            pass


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize(
    "function", [functions.loop_for_ever, functions.hold_the_interpreter], ids=["loop", "native code"]
)
async def test_a_busy_function_is_ended_when_its_caller_gives_up(
    make: MakePool, marker: Path, function: Callable[..., Any]
) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    call = asyncio.create_task(bench.run(function, str(marker)))
    await there(marker)
    call.cancel()
    async with within(1):
        await asyncio.wait([call])
    assert call.cancelled()
    assert not lives(pid)
    assert await bench.run(functions.add, 1, 2) == 3


@pytest.mark.parametrize(
    "function", [functions.loop_until_cancelled, functions.wait_for_ever], ids=["sync", "async"]
)
@pytest.mark.usefixtures("long_grace")
async def test_a_function_that_listens_ends_by_itself_and_keeps_its_process(
    make: MakePool, marker: Path, ended: Path, function: Callable[..., Any]
) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    call = asyncio.create_task(bench.run(function, str(marker), str(ended)))
    await there(marker)
    call.cancel()
    await asyncio.wait([call])
    assert written(ended) is not None
    assert await bench.run(functions.process_id) == pid


async def test_what_a_function_has_started_ends_with_it(make: MakePool, marker: Path) -> None:
    bench = make()
    call = asyncio.create_task(bench.run(functions.with_child, str(marker)))
    pids = await numbers(marker)
    call.cancel()
    await asyncio.wait([call])
    await gone(*pids)


async def test_a_call_that_is_given_up_while_it_waits_costs_nothing(make: MakePool, marker: Path) -> None:
    bench = make()
    first = asyncio.create_task(bench.run(functions.loop_for_ever, str(marker)))
    await there(marker)
    second = asyncio.create_task(bench.run(functions.add, 1, 2))
    third = asyncio.create_task(bench.run(functions.add, 3, 4))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    assert await third == 7


async def test_a_call_that_is_given_up_while_its_process_starts_leaves_none(make: MakePool) -> None:
    bench = make()
    for wait_s in (0.0, 0.01, 0.05, 0.1):
        call = asyncio.create_task(bench.run(functions.add, 1, 2))
        await asyncio.sleep(wait_s)
        call.cancel()
        await asyncio.wait([call])
    assert await bench.run(functions.add, 1, 2) == 3


# ── streams ─────────────────────────────────────────────────────────────────────────────────────

STREAMS = pytest.mark.parametrize("function", [functions.count, functions.count_async], ids=["sync", "async"])


@STREAMS
async def test_items_come_in_order(make: MakePool, function: Callable[..., Any]) -> None:
    bench = make()
    assert [item async for item in bench.stream(function, 100)] == list(range(100))
    assert [item async for item in bench.stream(function, 0)] == []


@STREAMS
async def test_a_generator_is_no_further_than_its_consumer(
    make: MakePool, marker: Path, function: Callable[..., Any]
) -> None:
    bench = make()
    async for item in bench.stream(function, 5, str(marker)):
        await asyncio.sleep(0.02)
        assert written(marker) == str(item)


@pytest.mark.usefixtures("long_grace")
@STREAMS
async def test_a_generator_that_is_not_read_to_its_end_is_closed(
    make: MakePool, marker: Path, function: Callable[..., Any]
) -> None:
    bench = make()
    pid = await bench.run(functions.process_id)
    stream = bench.stream(function, 10**9, str(marker))
    assert await anext(stream) == 0
    await stream.aclose()
    assert written(marker) == "closed"
    assert await bench.run(functions.process_id) == pid


async def test_an_error_after_some_items_comes_after_them(make: MakePool) -> None:
    bench = make()
    stream = bench.stream(functions.count_and_fail)
    assert await anext(stream) == 1
    with pytest.raises(IsolatedFailure, match="no second item"):
        await anext(stream)


async def test_a_function_that_has_become_a_generator_is_refused(make: MakePool) -> None:
    bench = make()
    for call in (bench.run(functions.count, 3), anext(bench.stream(functions.add, 1, 2))):
        with pytest.raises(IsolatedFailure) as caught:
            await call
        assert (
            caught.value.failure.code == "version_mismatch" or caught.value.failure.type == "VersionMismatch"
        )


# ── the pool ────────────────────────────────────────────────────────────────────────────────────


async def test_calls_run_side_by_side_in_as_many_processes_as_there_may_be(
    make: MakePool, tmp_path: Path
) -> None:
    bench = make(2)
    markers = [tmp_path / str(i) for i in range(3)]
    calls = [asyncio.create_task(bench.run(functions.loop_for_ever, str(marker))) for marker in markers]
    await there(markers[0])
    await there(markers[1])
    assert not markers[2].exists()
    calls[0].cancel()
    await there(markers[2])
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)


async def test_many_calls_at_once_each_get_their_own_answer(make: MakePool) -> None:
    bench = make(2)
    sums = await asyncio.gather(*(bench.run(functions.add, i, i) for i in range(200)))
    assert sums == [2 * i for i in range(200)]


async def test_a_closed_pool_has_no_process_and_takes_no_call(make: MakePool, marker: Path) -> None:
    bench = make(2)
    call = asyncio.create_task(bench.run(functions.with_child, str(marker)))
    busy = await numbers(marker)
    idle = await bench.run(functions.process_id)
    await bench.pool.close()
    with pytest.raises(FunctionCrashed):
        await call
    await gone(idle, *busy)
    with pytest.raises(NodeRefused):
        await bench.run(functions.add, 1, 2)


async def test_a_module_that_fails_is_the_callers_to_see(make: MakePool, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f(): pass\nraise LookupError('half way')\n")
    bench = make()
    with pytest.raises(IsolatedFailure, match="half way") as caught:
        await bench.pool.run(Target("broken", str(path), "f", "f"), bench.encoded((), {}), bench.context())
    frames = [line for line in caught.value.failure.traceback.splitlines() if line.startswith("  File")]
    assert frames == [f'  File "{path}", line 2, in <module>']
