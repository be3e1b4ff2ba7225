"""Make all recordings anew: `python -m evals.record [NAME ...]`.

Each request is really carried out, by an embedded network with its own functions and by nodes that offer
those of `evals.domains`: three for each field, which ask different prices and promise different times.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, chdir, closing
from pathlib import Path

from easynet import ComputeNode, IntelligentNetwork, Intent
from easynet.cli.run_export import recorded
from easynet.core.contribution import contributed
from easynet.core.errors import EasyNetError
from easynet.core.ids import RunId
from easynet.execution.journal import SqliteJournal
from easynet.execution.recording import Recording
from evals.domains import FIELDS, functions
from evals.portable import portable
from evals.recorded_inputs import TABLES
from evals.recorded_requests import REQUESTS, Request
from evals.simulation.case import RECORDINGS

_KINDS = (("swift", 3.0, 0.6), ("steady", 1.0, 1.0), ("thrifty", 0.5, 2.0))
"""Nodes: how many times the price they ask, and how many times the time they promise."""


def nodes(gateway: str, data_dir: Path) -> list[ComputeNode]:
    """Three nodes for each field, which offer the same functions on different terms."""
    made: list[ComputeNode] = []
    for field in FIELDS:
        for kind, price, time in _KINDS:
            concurrency = 2 if kind == "thrifty" else 4
            node = ComputeNode(gateway, f"{field}-{kind}", concurrency=concurrency, data_dir=data_dir)
            for function in functions(field):
                offered = contributed(function)
                assert offered is not None
                node.register(
                    function,
                    price=max(1, round(price * offered.price)),
                    expected_s=round(time * offered.expected_s, 3),
                )
            made.append(node)
    return made


class NotRecorded(Exception):
    """A request did not become a recording."""


async def run(network: IntelligentNetwork, request: Request) -> RunId:
    """Carry a request out. Raises NotRecorded where it does not succeed."""
    intent = Intent(
        description=request.text, input_data=dict(request.inputs), constraints=dict(request.constraints)
    )
    result = await network.fulfill_intent(intent)
    if not result.ok:
        raise NotRecorded(f"{request.name} ended {result.status}: {result.problem or result.questions}")
    return result.run_id


async def record(requests: Sequence[Request], folder: Path) -> list[str]:
    """Carry requests out, one after the other, and write what happened; returns what went wrong."""
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as place, chdir(place):
        data_dir, tables = Path(place) / "data", Path(place)
        for name, write in TABLES.items():
            write(tables / name)
        async with AsyncExitStack() as stack:
            network = IntelligentNetwork("embedded", data_dir=data_dir, model="")
            await stack.enter_async_context(network)
            for node in nodes(network.url, data_dir):
                await stack.enter_async_context(node)
            for request in requests:
                path = folder / f"{request.name}.jsonl"
                try:
                    recording = kept(data_dir, await run(network, request), request.is_redacted)
                    path.write_bytes(portable(recording, (data_dir, tables)))
                except (NotRecorded, EasyNetError) as error:
                    failures.append(f"{request.name}: {error}")
                else:
                    print(line_of(path, recording))
    return failures


def kept(data_dir: Path, run: RunId, redact: bool) -> Recording:
    """The recording of a run in the journal."""
    with closing(SqliteJournal(data_dir / "journal.db")) as journal:
        return recorded(journal, run, redact=redact)


def line_of(path: Path, recording: Recording) -> str:
    assert recording.ended is not None
    steps, took = len(recording.graph.subtasks), recording.ended.duration_s
    return f"{path.stem:24} {steps:2d} steps {took:6.2f} s {path.stat().st_size:6,d} bytes"


if __name__ == "__main__":
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    names = sys.argv[1:]
    sys.exit(
        "\n".join(asyncio.run(record([r for r in REQUESTS if not names or r.name in names], RECORDINGS)))
    )
