"""Planners that are asked in turn until one serves."""

import asyncio
from collections.abc import Mapping, Sequence

from easynet.core.errors import EasyNetError
from easynet.planners.planner import PassedOver, Planner, PlanRequest, PlanResult

_SERVES = frozenset({"planned", "needs_input"})
_TELLS_MOST = ("infeasible", "timed_out", "unsupported")
"""Where none serves, the first of these that was answered."""


class PlannerChain:
    """Asks each planner in order; the first that has a plan or a question serves, and the result says so.

    The last planner's errors are the chain's. Those before it are passed over with their message.
    """

    name = "chain"

    def __init__(self, planners: Mapping[str, Planner], *, each_s: float | None = None) -> None:
        """`planners` by name, in order. `each_s` is how long one of them may take, in seconds."""
        if not planners:
            raise ValueError("a chain needs at least one planner")
        self._planners = dict(planners)
        self._each_s = each_s

    async def plan(self, request: PlanRequest) -> PlanResult:
        """The result of the planner that served, with those passed over before it."""
        results: list[PlanResult] = []
        for name in self._planners:
            try:
                result = await self._asked(name, request)
            except EasyNetError as error:
                if name == [*self._planners][-1]:
                    raise
                result = PlanResult(status="unsupported", planner=name, why=error.message)
            if result.status in _SERVES:
                return _after(results, result)
            results.append(result)
        told = min(results, key=lambda r: _TELLS_MOST.index(r.status))
        nearest = next((r.nearest for r in reversed(results) if r.nearest), ())
        others = [r for r in results if r is not told]
        return _after(others, told.model_copy(update={"nearest": told.nearest or nearest}))

    async def _asked(self, name: str, request: PlanRequest) -> PlanResult:
        limit = asyncio.timeout(self._each_s)
        try:
            async with limit:
                return await self._planners[name].plan(request)
        except TimeoutError:
            if not limit.expired():
                raise
            why = f"no plan within {self._each_s:g} s"
            return PlanResult(status="timed_out", planner=name, why=why)


def _after(before: Sequence[PlanResult], result: PlanResult) -> PlanResult:
    passed = [PassedOver(planner=r.planner, status=r.status, why=r.why) for r in before]
    return result.model_copy(update={"passed_over": (*passed, *result.passed_over)})
