"""The same calls through EasyRemote and Ray: `python -m benchmarks.fabric --peers`.

Each is installed into a virtual environment of its own in a temporary folder. All of them run in a network
namespace that has nothing but a loopback interface, since EasyRemote listens on every address and runs what
it is sent. What cannot be installed or kept apart is left out, with a word about it.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import venv
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.fabric import peer
from benchmarks.fabric.program import Program, ours, program
from benchmarks.figure import figure

ROUNDS: Final = 5
IN_FLIGHT: Final = 64
REQUIREMENTS: Final = {"easyremote": "easyremote==2.0.2", "ray": "ray==2.*"}
_APART: Final = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
_PEER: Final = str(Path(peer.__file__))


@dataclass
class Contender:
    """One engine, and what was measured of it."""

    name: str
    client: Program
    calls: int
    """One at a time, in a round."""
    calls_in_flight: int
    p50_s: list[float] = field(default_factory=list[float])
    rates: list[float] = field(default_factory=list[float])

    async def take_turn(self) -> None:
        """Make the calls of one round."""
        self.p50_s.append(float(await self.client.ask(f"one {self.calls}")))
        self.rates.append(float(await self.client.ask(f"many {self.calls_in_flight} {IN_FLIGHT}")))


def installed(folder: Path, name: str) -> Path | None:
    """The Python of a new environment that has a peer in it, or None where it cannot be installed."""
    venv.create(folder / name, with_pip=True)
    python = folder / name / "bin" / "python"
    install = (python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", REQUIREMENTS[name])
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode == 0:
        return python
    reason = (done.stderr.strip().splitlines() or ["pip did not say why"])[-1]
    print(f"{REQUIREMENTS[name]} is left out, it cannot be installed: {reason}")
    return None


async def measure(python_by_name: dict[str, str]) -> None:
    """Print how EasyNet and these peers do, each in its turn. For a process in a namespace of its own."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        gateway = await stack.enter_async_context(program(*ours("gateway", folder)))
        await stack.enter_async_context(program(*ours("node", gateway.ready, folder)))

        async def run(python: str, *arguments: str) -> Program:
            # EasyRemote writes a dozen lines for each call, whatever log level it is given.
            return await stack.enter_async_context(program(python, _PEER, *arguments, quiet=True))

        own = Contender("EasyNet", await run(sys.executable, "easynet", gateway.ready, folder), 300, 2000)
        others: list[Contender] = []
        if python := python_by_name.get("ray"):
            others.append(Contender("Ray", await run(python, "ray"), 300, 1000))
        if python := python_by_name.get("easyremote"):
            await run(python, "easyremote-server")
            await run(python, "easyremote-node")
            others.append(Contender("EasyRemote 2.0.2", await run(python, "easyremote"), 10, 64))
        for _ in range(ROUNDS):
            for contender in (own, *others):
                await contender.take_turn()
        _print(own, others)


def _print(own: Contender, others: list[Contender]) -> None:
    figure("EasyNet, code without async, function in a thread, p50", median(own.p50_s) * 1000, "ms")
    figure(f"  {IN_FLIGHT} in flight, from a coroutine", median(own.rates), "calls/s")
    for other in others:
        waits = median(its / mine for its, mine in zip(other.p50_s, own.p50_s, strict=True))
        shares = median(mine / its for its, mine in zip(other.rates, own.rates, strict=True))
        figure(f"{other.name}, the same, p50", median(other.p50_s) * 1000, "ms")
        figure("  over EasyNet's", waits, "x")
        figure(f"  {IN_FLIGHT} in flight", median(other.rates), "calls/s")
        figure("  EasyNet's over that", shares, "x")


def main() -> None:
    if not shutil.which("unshare") or subprocess.run((*_APART, "true"), capture_output=True).returncode:
        print("EasyRemote and Ray are left out: this system gives no network namespace to keep them in.")
        return
    with tempfile.TemporaryDirectory() as folder:
        found = {name: installed(Path(folder), name) for name in REQUIREMENTS}
        arguments = [f"{name}={python}" for name, python in found.items() if python]
        subprocess.run((*_APART, *ours("peers", *arguments)), check=True)


if __name__ == "__main__":
    asyncio.run(measure(dict(argument.split("=", 1) for argument in sys.argv[1:])))
