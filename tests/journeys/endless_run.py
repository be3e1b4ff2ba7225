"""A run that somebody has to end, as a process: `python -m tests.journeys.endless_run FUNCTION NOTES [RUN]`.

Its one step is a function of `tests.journeys.endless`, on a node of its own; where FUNCTION is `ask`, it asks
somebody who never answers. RUN is resumed. Events are printed as JSON lines.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from easynet import ComputeNode, IntelligentNetwork, Intent
from easynet.core.events import Question
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromInput, Subtask, TaskGraph
from easynet.planners.planner import PlanRequest, PlanResult
from tests.journeys.endless import loop_for_ever, wait_kindly


class OneStep:
    """Plans one step, or has a question."""

    def __init__(self, function: str) -> None:
        self.function = function

    async def plan(self, request: PlanRequest) -> PlanResult:
        if self.function == "ask":
            question = Question(name="which", text="Which one?")
            return PlanResult(status="needs_input", planner="one step", question=question)
        step = Subtask(
            id=SubtaskId("wait"),
            capability=CapabilityName(self.function),
            arguments={"notes": FromInput(name="notes")},
        )
        graph = TaskGraph(subtasks=(step,), outputs=(step.id,))
        return PlanResult(status="planned", planner="one step", graph=graph)

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        yield await self.plan(request)


async def nobody(question: Question) -> str | None:
    """Say that the question was put, and leave it open."""
    await asyncio.Event().wait()
    return None


async def main(function: str, notes: Path, *run: str) -> None:
    """Work on the run to its end."""
    async with IntelligentNetwork(planner=OneStep(function)) as network:
        kind = ComputeNode(network.url, name="kind")
        kind.register(wait_kindly)
        stubborn = ComputeNode(network.url, name="stubborn", isolation="process")
        stubborn.register(loop_for_ever)
        async with kind, stubborn:
            intent = Intent(description="wait", input_data={"notes": str(notes)})
            stream = network.resume(run[0]) if run else network.stream(intent, ask=nobody)
            async for event in stream:
                sys.stdout.write(event.model_dump_json() + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
