"""Functions that a test runs in isolated processes: some work, most misbehave."""

import asyncio
import ctypes
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from easynet.core.call import call_key, check_cancelled, progress, scratch_dir


@dataclass
class Point:
    x: int
    y: int


def mark(path: str, text: str = "") -> None:
    """Tell the test, which cannot see into this process."""
    if path:
        Path(path).write_text(text)


def add(a: int, b: int) -> int:
    return a + b


async def add_slowly(a: int, b: int) -> int:
    await asyncio.sleep(0.01)
    return a + b


def move(point: Point, by: int = 1) -> Point:
    return Point(point.x + by, point.y + by)


def read(path: Path) -> str:
    return path.read_text()


def write(text: str) -> Path:
    path = scratch_dir() / "written.txt"
    path.write_text(text)
    return path


def fill(size: int) -> bytes:
    return b"x" * size


def doubled(data: bytes) -> bytes:
    return data + data


def process_id() -> int:
    return os.getpid()


def key() -> str:
    return call_key()


def take_memory(size: int) -> int:
    taken = bytearray(size)
    taken[::4096] = b"x" * len(taken[::4096])
    return len(taken)


def take_memory_bit_by_bit() -> None:
    taken = []
    while True:
        taken.append([0] * 1000)


def in_threads(count: int) -> int:
    """Have threads that each take a little memory at the same time."""
    everyone = threading.Barrier(count + 1)

    def take() -> None:
        taken = [bytearray(1000) for _ in range(1000)]
        everyone.wait(60)
        taken.clear()

    threads = [threading.Thread(target=take) for _ in range(count)]
    for thread in threads:
        thread.start()
    everyone.wait(60)
    for thread in threads:
        thread.join()
    return count


kept: list[bytearray] = []


def keep_memory(size: int) -> int:
    kept.append(bytearray(size))
    return os.getpid()


def loop_for_ever(marker: str = "") -> None:
    mark(marker)
    while True:
        pass


def hold_the_interpreter(marker: str) -> None:
    """Match for ages, in native code that lets no other thread run."""
    mark(marker)
    re.match(r"(a+)+$", "a" * 64 + "b")


async def loop_for_ever_async() -> None:
    while True:
        pass


async def wait_for_ever(marker: str, ended: str) -> None:
    mark(marker)
    try:
        await asyncio.Event().wait()
    finally:
        mark(ended)


def loop_until_cancelled(marker: str, ended: str) -> None:
    mark(marker)
    try:
        while True:
            check_cancelled()
            time.sleep(0.001)
    finally:
        mark(ended)


def exit_at_once(code: int) -> None:
    os._exit(code)


def exit_politely(code: int) -> None:
    sys.exit(code)


async def exit_politely_async(code: int) -> None:
    sys.exit(code)


def crash(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def read_address_zero() -> None:
    ctypes.string_at(0)


def fail(text: str) -> None:
    raise LookupError(text)


async def fail_async(text: str) -> None:
    await asyncio.sleep(0)
    raise LookupError(text)


def give_a_lock() -> object:
    return threading.Lock()


def print_much() -> int:
    for _ in range(2000):
        print("x" * 100)  # noqa: T201 (that is the point)
    os.write(1, b"to standard output\n")
    subprocess.run([sys.executable, "-c", "print('a child prints')"], check=True)
    return 1


def read_standard_input() -> str:
    return sys.stdin.read()


def report(times: int) -> int:
    for i in range(times):
        progress((i + 1) / times, f"step {i + 1}")
    return times


def count(end: int, marker: str = "") -> Iterator[int]:
    try:
        for i in range(end):
            mark(marker, str(i))
            yield i
    finally:
        mark(marker, "closed")


async def count_async(end: int, marker: str = "") -> AsyncIterator[int]:
    try:
        async with asyncio.timeout(100):  # belongs to one task, so all items have to be made in one
            for i in range(end):
                mark(marker, str(i))
                await asyncio.sleep(0)
                yield i
    finally:
        mark(marker, "closed")


def count_and_fail() -> Iterator[int]:
    yield 1
    raise LookupError("no second item")


def count_slowly(wait_s: float) -> Iterator[int]:
    for i in range(3):
        yield i
        time.sleep(wait_s)


def with_child(marker: str) -> None:
    """Start a process that would outlive this one, and loop."""
    child = subprocess.Popen(["sleep", "60"])
    mark(marker, f"{os.getpid()} {child.pid}")
    while True:
        time.sleep(0.01)


def fork_and_crash() -> None:
    """Leave a child that holds this process's connection to the node."""
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGSEGV)


def fork_and_return() -> int:
    os.fork()
    return 1


def close_everything() -> None:
    os.closerange(3, 100)


def run_in_child(number: int) -> list[int]:
    """The sum of a function in a forked process, and the way in which another one ends that is stopped."""
    context = multiprocessing.get_context("fork")
    with context.Pool(1) as pool:
        total = pool.apply(add, (1, 2))
    child = context.Process(target=time.sleep, args=(60,))
    child.start()
    os.kill(child.pid or 0, number)
    child.join()
    return [total, child.exitcode or 0]
