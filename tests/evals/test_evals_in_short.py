"""`python -m evals --short`: as good as the baseline, and the same figures in every process."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from evals.report import Report
from evals.suites import SUITES
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
_MOST_S = 6 * PATIENCE_S


async def evals(*options: str, seed: str) -> tuple[int, str, str]:
    """The exit code and the output of a process with this seed for the hashes of words."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evals", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
    )
    out, err = await asyncio.wait_for(process.communicate(), _MOST_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.slow
async def test_short_suites_are_no_worse_than_their_baseline_and_repeat_exactly(tmp_path: Path) -> None:
    page = tmp_path / "evals.html"
    options = ("--short", "--json", "--compare", "evals/baseline.json", "--html", str(page))
    code, out, err = await evals(*options, seed="1")
    assert (code, err) == (0, "")
    assert page.read_text("utf-8").count("<svg") > 2
    code, again, err = await evals("faults", "--short", "--json", seed="2")
    assert (code, err) == (0, "")
    [faults] = json.loads(again)["suites"]
    assert faults in json.loads(out)["suites"]


async def test_what_does_not_exist_is_said() -> None:
    code, _, err = await evals("fault", seed="0")
    assert code == 2
    assert "there is no suite 'fault'" in err


async def test_a_long_run_is_not_compared_with_a_short_baseline() -> None:
    code, _, err = await evals("--compare", "evals/baseline.json", seed="0")
    assert code == 2
    assert "--short" in err


def test_the_baseline_is_a_report_of_all_suites_in_short() -> None:
    baseline = Report.loaded((ROOT / "evals" / "baseline.json").read_text("utf-8"))
    assert baseline.short
    assert [s.suite for s in baseline.suites] == [*SUITES]
