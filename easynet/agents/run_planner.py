"""A network's planner as a run asks it."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from easynet.agents.run_memory import RunMemory
from easynet.core.errors import EasyNetError
from easynet.core.events import ModelAnswered, ModelFellBack, PassedOver
from easynet.core.task_graph import Subtask
from easynet.execution.run_log import RunLog
from easynet.planners.planner import (
    ModelCall,
    NonePlanned,
    Planner,
    PlanRequest,
    PlanResult,
    StreamingPlanner,
)


class RunPlanner:
    """Plans within what is left of the run's budget and time, and tells the run which models were asked."""

    def __init__(
        self, planner: Planner, log: RunLog, memory: RunMemory, time_left_s: Callable[[], float | None]
    ) -> None:
        """`time_left_s` tells the seconds until the deadline; None where there is none."""
        self._planner = planner
        self._log = log
        self._memory = memory
        self._time_left_s = time_left_s

    async def plan(self, request: PlanRequest) -> PlanResult:
        """The planner's plan; raises as it does."""
        try:
            return self._told(await self._planner.plan(self._with_what_is_left(request)))
        except EasyNetError as error:
            self._tell_of_cause(error)
            raise

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        """The planner's stream, where it is a streaming one; else its plan alone."""
        if not isinstance(self._planner, StreamingPlanner):
            yield await self.plan(request)
            return
        try:
            async with aclosing(self._planner.stream(self._with_what_is_left(request))) as items:
                async for item in items:
                    yield self._told(item) if isinstance(item, PlanResult) else item
        except EasyNetError as error:
            self._tell_of_cause(error)
            raise

    def _with_what_is_left(self, request: PlanRequest) -> PlanRequest:
        needs = request.parsed.requirements
        budget = None if needs.budget is None else max(0, needs.budget - self._memory.paid)
        left = needs.model_copy(update={"budget": budget, "deadline_s": self._time_left_s()})
        parsed = request.parsed.model_copy(update={"requirements": left})
        return request.model_copy(update={"parsed": parsed})

    def _told(self, result: PlanResult) -> PlanResult:
        self._tell(result.passed_over, result.model_calls)
        return result

    def _tell_of_cause(self, error: EasyNetError) -> None:
        if isinstance(tried := error.__cause__, NonePlanned):
            self._tell(tried.passed_over, tried.model_calls)

    def _tell(self, passed_over: Sequence[PassedOver], calls: Sequence[ModelCall]) -> None:
        for call in calls:
            self._log.emit(
                ModelAnswered,
                model=call.model,
                purpose=call.purpose,
                input_tokens=call.usage.input_tokens,
                cached_tokens=call.usage.cached_tokens,
                output_tokens=call.usage.output_tokens,
                price=call.credits,
            )
        for passed in passed_over:
            if passed.model:
                self._log.emit(ModelFellBack, model=passed.model, reason=passed.why)
