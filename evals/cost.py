"""What learning costs: time and memory of fresh processes, with a history on disk: `python -m evals.cost`."""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path

from easynet.core.intent import ParsedIntent
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import ModelFile, Offered
from easynet.planners.planner import PlanRequest, PlanResult
from evals.requests import DATA, Suite, load, past_run

_RUNS, _PLANS, _POLL_S = 3000, 40, 0.02
_HELD_OUT = 5
"""The number of the request that is stored three times more, so that its plan is promoted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=_RUNS, help="past runs")
    parser.add_argument("--plan", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--promoted", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plan or options.promoted:
        asyncio.run(_cold(options.plan or options.promoted, is_promoted=bool(options.promoted)))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _learn(home, options.runs)
        model = ModelFile(home / "experience.db").path
        for option in ("--promoted", "--plan"):
            _again(option, home)
        model.unlink()
        print("the same, before any model has been fitted")
        _again("--plan", home)


def _again(option: str, home: Path) -> None:
    subprocess.run([sys.executable, "-m", "evals.cost", option, str(home)], check=True)


def _learn(home: Path, count: int) -> None:
    suite, store = load(DATA), home / "experience.db"
    with closing(SqliteExperience(store)) as runs:
        began = time.perf_counter()
        for number, example in enumerate(suite.examples[:count]):
            runs.add(past_run(example, number))
        took = (time.perf_counter() - began) / count
        for more in range(3):
            runs.add(past_run(suite.examples[_HELD_OUT], count + more))
    print(f"{count:,} past runs, {took * 1000:.2f} ms to store each", flush=True)
    began = time.perf_counter()
    process = ModelFile(store).renew(Offered(catalogue=suite.catalogue, links=suite.links))
    assert process is not None, "SciPy is installed"
    told = (time.perf_counter() - began) * 1000
    peak = spent = 0.0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        spent = max(spent, _processor_s(process.pid))
        time.sleep(_POLL_S)
    took = time.perf_counter() - began
    print(f"fitted in a process of its own: started in {told:.0f} ms, done after {took:.1f} s")
    most, least = f"{peak:.0f} MB", f"{_memory():.0f} MB"
    print(f"  {spent:.1f} s of processor time, {most} at most; Python and EasyNet alone take {least}")
    print(f"  {ModelFile(store).path.stat().st_size / 1e6:.0f} MB on disk", flush=True)


async def _cold(home: Path, *, is_promoted: bool) -> None:
    """Plan in this fresh process, and say what it took."""
    suite, before = load(DATA), _memory()
    import_module("networkx")  # a run has loaded it before it plans

    with closing(SqliteExperience(home / "experience.db")) as store:
        planner = ExperiencePlanner(store, ModelFile(home / "experience.db"))
        if is_promoted:
            result, took = await _plan(planner, suite, suite.examples[_HELD_OUT].text)
            how = "with NumPy" if "numpy" in sys.modules else "without NumPy"
            print(f"a promoted plan, cold: {took:.1f} ms, {how}: {result.why}")
            return
        _, first = await _plan(planner, suite, suite.examples[-1].text)
        times = [(await _plan(planner, suite, e.text))[1] for e in suite.examples[-_PLANS:]]
        print(f"the first plan of a process: {first:.0f} ms; then {statistics.median(times):.1f} ms (median)")
        print(f"  {_memory() - before:.0f} MB more than before, NumPy and SciPy included", flush=True)


async def _plan(planner: ExperiencePlanner, suite: Suite, text: str) -> tuple[PlanResult, float]:
    parsed = ParsedIntent(text=text, language="en")
    request = PlanRequest(parsed=parsed, catalogue=suite.catalogue, links=suite.links)
    began = time.perf_counter()
    result = await planner.plan(request)
    return result, (time.perf_counter() - began) * 1000


def _memory(process: int | str = "self") -> float:
    """The largest resident memory of a process so far, in MB; 0 where it has ended. Linux only."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0.0


def _processor_s(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
