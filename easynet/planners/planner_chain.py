"""Planners that are asked in turn until one serves."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing

from easynet.core.errors import EasyNetError
from easynet.core.events import PassedOver
from easynet.core.task_graph import Subtask
from easynet.planners.planner import (
    ModelCall,
    NonePlanned,
    Planner,
    PlanRequest,
    PlanResult,
    StreamingPlanner,
)

_SERVES = frozenset({"planned", "needs_input"})
_TELLS_MOST = ("infeasible", "timed_out", "unsupported")
"""Where none serves, the first of these that was answered."""


class PlannerChain:
    """Asks each planner in order; the first that has a plan or a question serves, and the result says so.

    The last planner's errors are the chain's, with NonePlanned as their cause where others were asked. Those
    before it are passed over with their message.
    """

    name = "chain"

    def __init__(self, planners: Mapping[str, Planner]) -> None:
        """`planners` by name, in order. Each ends in good time by itself."""
        if not planners:
            raise ValueError("a chain needs at least one planner")
        self._planners = dict(planners)

    async def plan(self, request: PlanRequest) -> PlanResult:
        """The result of the planner that served, with those passed over before it."""
        return await self._rest(request, [*self._planners], [])

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        """The subtasks of the first planner, where it streams them, and the result of the one that served.

        Where nothing comes of the first planner's subtasks the others are asked, whose plan is another one.
        """
        first, *others = self._planners
        planner = self._planners[first]
        if not isinstance(planner, StreamingPlanner):
            yield await self.plan(request)
            return
        result = None
        try:
            async with aclosing(planner.stream(request)) as items:
                async for item in items:
                    if isinstance(item, PlanResult):
                        result = item
                    else:
                        yield item
        except EasyNetError as error:
            if not others:
                raise
            result = _gave_up(first, error, request)
        assert result is not None, "a result is the last item"
        if not others or result.status in _SERVES:
            yield result
        else:
            yield await self._rest(request, others, [result])

    async def _rest(
        self, request: PlanRequest, names: Sequence[str], results: list[PlanResult]
    ) -> PlanResult:
        """The result of the first of these that serves, after those that did not."""
        for name in names:
            try:
                result = await self._planners[name].plan(request)
            except EasyNetError as error:
                if name != names[-1]:
                    result = _gave_up(name, error, request)
                elif results:
                    raise error from NonePlanned(_passed(results), _calls(results))
                else:
                    raise
            if result.status in _SERVES:
                return _after(results, result)
            results.append(result)
        told = min(results, key=lambda r: _TELLS_MOST.index(r.status))
        nearest = next((r.nearest for r in reversed(results) if r.nearest), ())
        others = [r for r in results if r is not told]
        return _after(others, told.model_copy(update={"nearest": told.nearest or nearest}))


def _gave_up(planner: str, error: EasyNetError, request: PlanRequest) -> PlanResult:
    why, _ = error.in_language(request.parsed.language)
    return PlanResult(status="unsupported", planner=planner, why=why)


def _after(before: Sequence[PlanResult], result: PlanResult) -> PlanResult:
    return result.model_copy(
        update={
            "passed_over": (*_passed(before), *result.passed_over),
            "model_calls": (*_calls(before), *result.model_calls),
        }
    )


def _passed(results: Iterable[PlanResult]) -> tuple[PassedOver, ...]:
    return tuple(PassedOver(planner=r.planner, status=r.status, why=r.why, model=r.model) for r in results)


def _calls(results: Iterable[PlanResult]) -> tuple[ModelCall, ...]:
    return tuple(call for r in results for call in r.model_calls)
