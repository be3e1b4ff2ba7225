"""1,000 subtasks through the real embedded network: NATS, a node process, the journal on disk."""

import asyncio
import random
import statistics
import sys
import tempfile

import networkx as nx

from benchmarks.figure import figure
from easynet import IntelligentNetwork, Intent
from easynet.core.events import AttemptStarted, RunFinished, SubtaskFinished
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import Binding, FromSubtask, Gathered, Given, Subtask, TaskGraph
from easynet.planners.planner import PlanRequest, PlanResult


class FixedPlanner:
    """A planner that always gives the same task graph."""

    def __init__(self, graph: TaskGraph) -> None:
        self._graph = graph

    async def plan(self, request: PlanRequest) -> PlanResult:
        return PlanResult(status="planned", graph=self._graph, planner="fixed")


def layered(layers: int, width: int, seconds: float, straggler_s: float, seed: int = 7) -> TaskGraph:
    """Layers of equal subtasks, each reading three of the layer before; one straggler a layer."""
    rng = random.Random(seed)
    subtasks: list[Subtask] = []
    before: list[SubtaskId] = []
    for layer in range(layers):
        ids = [SubtaskId(f"t{layer}_{i}") for i in range(width)]
        slow = rng.choice(ids)
        for subtask in ids:
            read = tuple(FromSubtask(subtask=s) for s in rng.sample(before, min(3, len(before))))
            arguments: dict[str, Binding] = {
                "after": Gathered(items=read) if read else Given(value=[]),
                "seconds": Given(value=straggler_s if subtask == slow else seconds),
            }
            subtasks.append(Subtask(id=subtask, capability=CapabilityName("nothing"), arguments=arguments))
        before = ids
    return TaskGraph(subtasks=tuple(subtasks), outputs=tuple(before[:1]))


def critical_path_s(graph: TaskGraph) -> float:
    """The longest chain of waiting in the graph, in seconds."""
    took = {s.id: _waits_s(s.arguments["seconds"]) for s in graph.subtasks}
    ends: dict[SubtaskId, float] = {}
    for subtask in nx.topological_sort(graph.digraph()):
        ends[subtask] = took[subtask] + max((ends[p] for p in graph.by_id[subtask].needs), default=0.0)
    return max(ends.values())


def _waits_s(seconds: Binding) -> float:
    assert isinstance(seconds, Given)
    assert isinstance(seconds.value, float)
    return seconds.value


async def seconds_to_run(graph: TaskGraph) -> tuple[float, float]:
    """Seconds from the first attempt to the last result, and of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        async with IntelligentNetwork(data_dir=folder, planner=FixedPlanner(graph)) as network:
            node = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.sleeper", network.url),
                stdout=asyncio.subprocess.PIPE,
                env={"EASYNET_DATA_DIR": folder},
            )
            assert node.stdout is not None
            await node.stdout.readline()
            starts: list[float] = []
            ends: list[float] = []
            whole = 0.0
            async for event in network.stream(Intent.from_text("run the graph")):
                match event:
                    case AttemptStarted():
                        starts.append(event.at)
                    case SubtaskFinished():
                        ends.append(event.at)
                    case RunFinished():
                        if event.status != "succeeded":
                            raise RuntimeError(f"the run ended {event.status}: {event.problem}")
                        whole = event.duration_s
                    case _:
                        pass
            node.terminate()
            await node.wait()
            return max(ends) - min(starts), whole


def median_of_3(graph: TaskGraph) -> tuple[float, float]:
    """What `seconds_to_run` gives, each the median of three runs."""
    ran = [asyncio.run(seconds_to_run(graph)) for _ in range(3)]
    return statistics.median(r[0] for r in ran), statistics.median(r[1] for r in ran)


def main() -> None:
    slow = layered(10, 100, seconds=0.02, straggler_s=0.6)
    best = critical_path_s(slow)
    took, _ = median_of_3(slow)
    name = f"1,000 subtasks with stragglers, over the critical path ({best:.2f} s)"
    figure(name, took / best, "x", at_most=1.15)
    took, whole = median_of_3(layered(10, 100, seconds=0.0, straggler_s=0.0))
    figure("1,000 no-op subtasks in 10 layers", took, "s", at_most=2)
    figure("  the same with planning, scheduling and the report", whole, "s", at_most=2)


if __name__ == "__main__":
    main()
