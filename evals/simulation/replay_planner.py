"""A planner that gives a recorded plan, so that what follows planning is measured alone."""

from collections.abc import Mapping

from pydantic import JsonValue

from easynet.core.task_graph import TaskGraph
from easynet.planners.planner import PlanRequest, PlanResult


class ReplayPlanner:
    """Plans as the recorded run was planned, as long as nothing of that is to be avoided."""

    name = "replay"

    def __init__(self, graph: TaskGraph, inputs: Mapping[str, JsonValue]) -> None:
        """`inputs` are those that the recorded run had in the end."""
        self._graph = graph
        self._inputs = inputs

    async def plan(self, request: PlanRequest) -> PlanResult:
        """The recorded plan; unsupported where it calls what is to be avoided or is not offered."""
        usable = {c.name for c in request.catalogue} - {*request.avoid}
        if not usable.issuperset(self._graph.capabilities):
            return PlanResult(status="unsupported", planner=self.name, why="what was recorded cannot be had")
        read = self._graph.inputs.keys() - request.input_names
        found = {name: self._inputs[name] for name in sorted(read & self._inputs.keys())}
        return PlanResult(status="planned", planner=self.name, graph=self._graph, found_inputs=found)
