"""The loop that turns an intent into finished work: a small LangGraph graph with a SQLite checkpointer.

    parse -> plan -> discover -> schedule -> approve -> execute -> evaluate -> report
      ^       |  ^                                       |   |
      |       v  +---------- without what failed --------+   |
      +---- clarify <----------------------------------------+

`clarify` and `approve` are interrupts: the run waits, on disk, until someone answers. The task graph itself
is not made of LangGraph nodes, whose super-steps are barriers; `execute` hands it to the runner.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from easynet.agents import steps
from easynet.agents.work import State, Work, finish
from easynet.core.events import Problem, Question
from easynet.core.language import say

Ask = Callable[[Question], Awaitable[str | None]]
"""Puts a question to somebody; `None` means that nobody can answer now."""

_MAX_STEPS = 60
"""Super-steps of one run. A run that needs more is going round in circles."""

Graph = CompiledStateGraph[State, Work, State, State]


def compiled(checkpointer: BaseCheckpointSaver[Any]) -> Graph:
    """The graph of steps; one thread of it is one run."""
    graph = StateGraph(State, context_schema=Work)
    graph.add_node("parse", steps.parse, destinations=("plan", "clarify", "report"))
    graph.add_node("plan", steps.plan, destinations=("discover", "clarify", "report"))
    graph.add_node("clarify", steps.clarify, destinations=("parse",))
    graph.add_node("discover", steps.discover, destinations=("schedule", "report"))
    graph.add_node("schedule", steps.schedule, destinations=("approve", "execute", "report"))
    graph.add_node("approve", steps.approve, destinations=("execute", "report"))
    graph.add_node("execute", steps.execute, destinations=("plan", "evaluate", "clarify", "report"))
    graph.add_node("evaluate", steps.evaluate, destinations=("report",))
    graph.add_node("report", steps.report)
    graph.add_edge(START, "parse")
    return graph.compile(checkpointer=checkpointer)


class Orchestrator:
    """Takes runs through the graph, and from wherever an earlier process left them."""

    def __init__(self, checkpoints: Path) -> None:
        self._checkpoints = checkpoints
        self._stack = AsyncExitStack()
        self._graph: Graph | None = None

    async def __aenter__(self) -> Self:
        saver = AsyncSqliteSaver.from_conn_string(str(self._checkpoints))
        self._graph = compiled(await self._stack.enter_async_context(saver))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def drive(self, work: Work, answers: Mapping[str, Any], ask: Ask | None) -> None:
        """Work on a run until its last event is in the journal.

        `answers` reply to a question that the run is waiting at; further ones go to `ask`.
        """
        assert self._graph is not None, "the orchestrator is an async context manager"
        config: RunnableConfig = {
            "configurable": {"thread_id": work.log.run_id},
            "recursion_limit": _MAX_STEPS,
        }
        entry = await self._entry(config, answers)
        while True:
            out = await self._graph.ainvoke(entry, config, context=work, version="v2", durability="sync")
            if not out.interrupts:
                return
            question = Question.model_validate(out.interrupts[0].value)
            answer = await ask(question) if ask is not None else None
            if answer is None:
                await finish(work, "needs_input", _unanswered(work, question))
                return
            entry = Command(resume=answer)

    async def _entry(self, config: RunnableConfig, answers: Mapping[str, Any]) -> State | Command[str] | None:
        """Where to go on: with an answer, in the middle, or from the start with what the journal knows."""
        assert self._graph is not None
        position = await self._graph.aget_state(config)
        if position.interrupts:
            name = Question.model_validate(position.interrupts[0].value).name
            return Command(resume=answers[name]) if name in answers else None
        if position.next:
            return None
        return State(answers=dict(answers), avoid=[], approved=False, problem=None)


def _unanswered(work: Work, question: Question) -> Problem:
    resume = f"easynet runs resume {work.log.run_id} --answer {question.name}=..."
    return Problem(
        code="input_needed",
        message=question.text,
        hint=say(
            work.memory.language,
            f"Answer with `{resume}`, or start again with --input {question.name}=...",
            f"请用 `{resume}` 回答，或加上 --input {question.name}=... 重新开始。",
        ),
    )
