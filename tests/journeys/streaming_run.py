"""A run whose plan streams, as a process: `python -m tests.journeys.streaming_run SHOP_TALLY [RUN]`.

The plan's first step is named at once. The rest follows where RUN is given, which is resumed; otherwise it
never comes. Events are printed as JSON lines.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from easynet import IntelligentNetwork, Intent
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.task_graph import FromInput, FromSubtask, Subtask, TaskGraph
from easynet.planners.planner import PlanRequest, PlanResult
from tests.journeys.test_replanning import print_shop

SORT = Subtask(
    id=SubtaskId("sort"),
    capability=CapabilityName("sort_letters"),
    arguments={"text": FromInput(name="text")},
)
SET = Subtask(
    id=SubtaskId("set"),
    capability=CapabilityName("set_by_hand"),
    arguments={"letters": FromSubtask(subtask=SORT.id)},
)
PRINT = Subtask(
    id=SubtaskId("print"),
    capability=CapabilityName("print_page"),
    arguments={"page": FromSubtask(subtask=SET.id)},
)
PLAN = TaskGraph(subtasks=(SORT, SET, PRINT), outputs=(PRINT.id,))


class SlowPlanner:
    """Names the first step, and the rest only when it is told to."""

    def __init__(self, *, goes_on: bool) -> None:
        self.goes_on = goes_on

    async def plan(self, request: PlanRequest) -> PlanResult:
        raise AssertionError("the plan streams")

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        yield SORT
        if not self.goes_on:
            await asyncio.Event().wait()
        yield PlanResult(status="planned", planner="slow", graph=PLAN)


async def main(tally: Path, *run: str) -> None:
    """Work on the run to its end."""
    async with (
        IntelligentNetwork(planner=SlowPlanner(goes_on=bool(run))) as network,
        print_shop(network.url, tally),
    ):
        intent = Intent(description="print a page", input_data={"text": "abc"})
        async for event in network.resume(run[0]) if run else network.stream(intent):
            sys.stdout.write(event.model_dump_json() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
