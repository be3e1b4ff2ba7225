"""What the runner adds to a bare ready queue: CPU seconds of 1,000 subtasks that do nothing."""

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figure import figure
from benchmarks.task_graph import layered
from easynet.core.call import CallUpdate, Returned
from easynet.core.capability import Capability
from easynet.core.clock import SystemClock
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.journal import SqliteJournal
from easynet.execution.run_log import RunLog
from easynet.execution.runner import Runner
from easynet.execution.steering import Steering
from easynet.scheduling.kept_estimates import KeptEstimates

NOTHING = CapabilityName("nothing")
NODES = tuple(NodeId(f"node{n}") for n in range(10))
OFFERS = [Offer(node=node, capability=NOTHING, price=1, expected_s=0.01, concurrency=10) for node in NODES]


class IdleNodes:
    """Nodes in this process that answer at once."""

    async def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncGenerator[CallUpdate]:
        yield Returned(0)


async def bare(graph: TaskGraph) -> None:
    """Call each subtask when what it needs is there, and keep nothing."""
    waits_for = {s.id: len(s.needs) for s in graph.subtasks}
    needed_by: dict[SubtaskId, list[SubtaskId]] = {s.id: [] for s in graph.subtasks}
    for subtask in graph.subtasks:
        for needed in subtask.needs:
            needed_by[needed].append(subtask.id)
    nodes = IdleNodes()
    async with asyncio.TaskGroup() as group:

        async def call(subtask: SubtaskId) -> None:
            async for _ in nodes.invoke(NODES[0], NOTHING, {}, key=subtask, timeout_s=60.0):
                pass
            for later in needed_by[subtask]:
                waits_for[later] -= 1
                if not waits_for[later]:
                    group.create_task(call(later))

        for first in [s for s, count in waits_for.items() if not count]:
            group.create_task(call(first))


async def full(graph: TaskGraph, folder: Path) -> None:
    """The same by the runner of a network, with the journal and what is learned of nodes on disk."""
    clock = SystemClock()
    with (
        closing(SqliteJournal(folder / "journal.db")) as journal,
        closing(KeptEstimates(folder / "observations.db")) as estimates,
    ):
        log = RunLog(RunId("run"), journal, clock, publish=lambda _: None)
        runner = Runner(IdleNodes(), log, clock, _find, _encode, json.loads, steering=Steering(estimates))
        outcome = await runner.run(
            graph,
            {NOTHING: Capability(name=NOTHING, description={"en": "Nothing."})},
            {},
            {NOTHING: OFFERS},
            Schedule(assignments=()),
            Budget(None),
        )
    if outcome.status != "succeeded":
        raise RuntimeError(f"the run ended {outcome.status}: {outcome.problem}")


async def _find(capability: CapabilityName) -> Sequence[Offer]:
    return OFFERS


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def cpu_s(work: Callable[[], Awaitable[None]]) -> float:
    """CPU seconds of this process, all its threads included."""

    async def measured() -> float:
        began = time.process_time()
        await work()
        return time.process_time() - began

    return asyncio.run(measured())


def least_of_5(graph: TaskGraph) -> tuple[float, float]:
    """CPU seconds of the bare queue and of the runner, each the least of five."""
    bare_s, full_s = [], []
    for _ in range(5):
        bare_s.append(cpu_s(partial(bare, graph)))
        with tempfile.TemporaryDirectory() as folder:
            full_s.append(cpu_s(partial(full, graph, Path(folder))))
    return min(bare_s), min(full_s)


def main() -> None:
    gc.freeze()  # as a network does when it has loaded what works on runs
    bare_s, full_s = least_of_5(layered(10, 100, seconds=0.0, straggler_s=0.0))
    figure(
        "CPU of 1,000 no-op subtasks, journal included, above a bare queue",
        full_s - bare_s,
        "s",
        at_most=0.15,
    )
    figure("  the bare queue itself", bare_s, "s")


if __name__ == "__main__":
    main()
