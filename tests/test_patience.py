"""The measures of time that other tests rely on."""

import asyncio
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import Stopwatch, undisturbed, within

STANDING_STILL = """
import sys, time
from tests.patience import Stopwatch
began = time.monotonic()
with Stopwatch() as watch:
    print("ready", flush=True)
    sys.stdin.readline()
print(time.monotonic() - began, watch.seconds, watch.longest_gap_s)
"""


def test_time_for_which_the_machine_stood_still_does_not_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STANDING_STILL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate("go on\n")
    took, counted, gap = map(float, out.split())
    assert gap >= 0.5
    assert counted <= took - 0.4


async def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        async with within(0.05):
            await asyncio.Event().wait()
    async with within(60):
        await asyncio.sleep(0)


async def test_an_event_loop_that_is_held_up_counts() -> None:
    async def hold_up() -> None:
        async with within(0.05):
            with Stopwatch() as watch:
                while watch.seconds < 0.1:
                    pass

    with pytest.raises(TimeoutError):
        await hold_up()


async def test_only_what_a_standstill_spoilt_is_tried_again() -> None:
    attempts: list[float] = []

    async def fail_at_first() -> None:
        attempts.append(0)
        if len(attempts) == 1:
            await asyncio.sleep(0.1)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        await undisturbed(fail_at_first, gap_s=60)
    attempts.clear()
    await undisturbed(fail_at_first, gap_s=0.001)
    assert len(attempts) == 2


HASTY = re.compile(
    r"asyncio\.timeout\((?!0\.)[1-5]?\d(\.\d+)?\)"
    r"|asyncio\.wait_for\(.*, ?[1-5]?\d(\.\d+)?\)"
    r"|(monotonic|perf_counter)\(\) - \w+ <"
)


def test_no_test_trusts_a_clock_that_goes_on_while_the_machine_stands_still() -> None:
    """Use `within` for what was promised, PATIENCE_S for the rest, and 60 s or more where neither fits."""
    tests = Path(__file__).parent
    hasty = [
        f"{path.relative_to(tests)}:{number}: {line.strip()}"
        for path in tests.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if HASTY.search(line) and path != Path(__file__)
    ]
    assert hasty == []
