"""Who leads a run: a model that plans the whole graph at once, or one that is asked before each step."""

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from easynet.core.ids import SubtaskId
from easynet.core.intent import ParsedIntent
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome
from easynet.execution.runner import Runner
from easynet.llm.language_model import Message, Usage, complete
from easynet.planners.model_answer import written
from easynet.planners.model_brief import Brief
from easynet.planners.model_planner import ModelPlanner
from easynet.planners.planner import PlanRequest, PlanResult
from evals.simulation.mock_model import Latency, MockModel

_WORDS = "run the functions that the report needs and bring their results together"
_DONE = json.dumps({"decision": "done"})
_MAX_TOKENS = 8_000


async def run(runner: Runner, order: Order, values: Mapping[SubtaskId, Any] | None = None) -> Outcome:
    """Run an order, of which these results are there."""
    return await runner.run(
        order.graph,
        order.capabilities,
        order.inputs,
        order.offers,
        order.schedule,
        order.budget,
        done={s: json.dumps(v).encode() for s, v in (values or {}).items()},
        history=order.history,
        avoid=order.avoid,
        attempts=order.attempts,
    )


class Lead:
    """Leads runs by what a model says; its answers are known, how long they take is not."""

    def __init__(self, latency: Latency) -> None:
        self._latency = latency
        self.calls = 0
        self.usage = Usage()

    async def __call__(self, runner: Runner, order: Order) -> Outcome:
        """The outcome of the order's graph."""
        raise NotImplementedError

    def _count(self, model: MockModel) -> None:
        self.calls += model.calls
        self.usage += model.usage


class WholePlan(Lead):
    """The model is asked once (LLMCompiler, Kim et al., ICML 2024, arXiv 2312.04511).

    As the product does it: `ModelPlanner` reads the answer while it is written, and each subtask is begun
    as soon as it stands there; or, where it is not `streamed`, when the plan is whole.
    """

    def __init__(self, latency: Latency, *, streamed: bool = True) -> None:
        super().__init__(latency)
        self._streamed = streamed

    async def __call__(self, runner: Runner, order: Order) -> Outcome:
        model = MockModel(self._latency, iter([json.dumps(written(order.graph))]))
        known: list[Subtask] = []
        result: PlanResult | None = None
        async with aclosing(ModelPlanner(model).stream(_request(order))) as items:
            async for item in items:
                if isinstance(item, PlanResult):
                    result = item
                elif self._streamed:
                    known.append(item)
                    runner.begin(replace(order, graph=TaskGraph(subtasks=tuple(known))), {})
        self._count(model)
        if result is None or result.graph is None:
            raise RuntimeError(f"the model's plan was refused: {result and result.why}")
        return await run(runner, order)


class StepByStep(Lead):
    """The model is asked before each step, with all results so far, and says at the end that all is done.

    As ReAct (Yao et al., ICLR 2023, arXiv 2210.03629), but without the thoughts that it writes before each
    action, and never wrong.
    """

    async def __call__(self, runner: Runner, order: Order) -> Outcome:
        steps = order.graph.in_order
        texts = [json.dumps((written(TaskGraph(subtasks=(s,))) or {})["subtasks"][0]) for s in steps]
        model = MockModel(self._latency, iter([*texts, _DONE]))
        request = _request(order)
        prompt = Brief(request, request.catalogue).prompt
        outcome = Outcome("succeeded")
        for at, subtask in enumerate(steps):
            reply = await complete(model, prompt, max_tokens=_MAX_TOKENS)
            so_far = replace(order, graph=TaskGraph(subtasks=steps[: at + 1]))
            outcome = await run(runner, so_far, outcome.values)
            if outcome.status != "succeeded":
                break
            told = Message(role="user", text=json.dumps({"result": outcome.values[subtask.id]}))
            said = Message(role="assistant", text=reply.text)
            prompt = prompt.model_copy(update={"messages": (*prompt.messages, said, told)})
        else:
            await complete(model, prompt, max_tokens=_MAX_TOKENS)
        self._count(model)
        return outcome


def _request(order: Order) -> PlanRequest:
    catalogue = tuple(order.capabilities.values())
    return PlanRequest(parsed=ParsedIntent(text=_WORDS, language="en"), catalogue=catalogue)
