"""The loop that turns an intent into finished work: a small LangGraph graph with a SQLite checkpointer.

    parse -> plan -> discover -> schedule -> approve -> execute -> evaluate -> report
      ^       |         ^                                |   |
      |       |         +------------- replan <----------+   |
      |       v                          |                   |
      +---- clarify <--------------------+-------------------+

`clarify` and `approve` are interrupts: the run waits, on disk, until someone answers. The task graph itself
is not made of LangGraph nodes, whose super-steps are barriers; `execute` hands it to the runner.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateSnapshot

from easynet.agents import plan_steps, replan_step, run_steps
from easynet.agents.approvals import APPROVAL
from easynet.agents.work import State, Work, finish
from easynet.core.errors import ArgumentMismatch, BadData, DataDirectoryUnusable, UnknownInput
from easynet.core.events import Problem, Question
from easynet.core.language import say

Ask = Callable[[Question], Awaitable[str | None]]
"""Puts a question to somebody; `None` means that nobody can answer now."""

_MAX_STEPS = 60
"""Super-steps of one run. A run that needs more is going round in circles."""
_BLAMES_ANSWERS = frozenset(e.code for e in (ArgumentMismatch, BadData, UnknownInput))

Graph = CompiledStateGraph[State, Work, State, State]


def compiled(checkpointer: BaseCheckpointSaver[Any]) -> Graph:
    """The graph of steps; one thread of it is one run."""
    graph = StateGraph(State, context_schema=Work)
    graph.add_node("parse", plan_steps.parse, destinations=("plan", "clarify", "report"))
    graph.add_node("plan", plan_steps.plan, destinations=("discover", "replan", "clarify", "report"))
    graph.add_node("clarify", plan_steps.clarify, destinations=("parse", "clarify"))
    graph.add_node("discover", run_steps.discover, destinations=("schedule", "report"))
    graph.add_node("schedule", run_steps.schedule, destinations=("approve", "execute", "report"))
    graph.add_node("approve", run_steps.approve, destinations=("execute", "report"))
    graph.add_node("execute", run_steps.execute, destinations=("replan", "evaluate", "clarify", "report"))
    graph.add_node("replan", replan_step.replan, destinations=("discover", "clarify", "report"))
    graph.add_node("evaluate", run_steps.evaluate, destinations=("execute", "replan", "report"))
    graph.add_node("report", run_steps.report)
    graph.add_edge(START, "parse")
    return graph.compile(checkpointer=checkpointer)


class Orchestrator:
    """Takes runs through the graph, and from wherever an earlier process left them."""

    def __init__(self, checkpoints: Path | BaseCheckpointSaver[Any]) -> None:
        """`checkpoints` is a file, which is made where there is none, or what keeps them in its place."""
        self._checkpoints = checkpoints
        self._stack = AsyncExitStack()
        self._graph: Graph | None = None if isinstance(checkpoints, Path) else compiled(checkpoints)

    async def __aenter__(self) -> Self:
        if isinstance(self._checkpoints, Path):
            with self._usable_checkpoints():
                saver = AsyncSqliteSaver.from_conn_string(str(self._checkpoints))
                self._graph = compiled(await self._stack.enter_async_context(saver))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def drive(self, work: Work, answers: Mapping[str, Any], ask: Ask | None) -> None:
        """Work on a run until its last event is in the journal.

        `answers` reply to questions by the names they asked for, and to an open request for approval as to
        what it asked for then; further questions go to `ask`. Raises DataDirectoryUnusable where the
        checkpoints cannot be used.
        """
        config: RunnableConfig = {
            "configurable": {"thread_id": work.log.run_id},
            "recursion_limit": _MAX_STEPS,
        }
        answers = dict(answers)
        is_answered = work.memory.approval is not None and APPROVAL in answers
        if is_answered and not run_steps.note_answer(work, answers.pop(APPROVAL)):
            await finish(work, "cancelled", None)
            return
        entry = await self._entry(config, work, answers)
        while (question := await self._go_on(config, work, entry)) is not None:
            answer = await ask(question) if ask is not None else None
            if answer is None:
                await finish(work, "needs_input", _unanswered(work, question))
                return
            resumed: Command[str] = Command(resume=answer)
            entry = resumed

    async def _go_on(
        self, config: RunnableConfig, work: Work, entry: State | Command[str] | None
    ) -> Question | None:
        """Run the graph to its end, or to a question."""
        assert self._graph is not None, "the orchestrator is an async context manager"
        with self._usable_checkpoints():
            out = await self._graph.ainvoke(entry, config, context=work, version="v2", durability="sync")
        return Question.model_validate(out.interrupts[0].value) if out.interrupts else None

    async def _entry(
        self, config: RunnableConfig, work: Work, answers: Mapping[str, Any]
    ) -> State | Command[str] | None:
        """Where to go on: at the open question, or from the start with what the journal knows.

        Starting again repeats nothing: a plan that still holds is kept, and so is what is done. Where a plan
        waits for approval that is so, too: what it costs and where it runs today is what is agreed to.
        """
        assert self._graph is not None, "the orchestrator is an async context manager"
        with self._usable_checkpoints():
            position = await self._graph.aget_state(config)
        known = {**_still_held(position), **answers}
        if not position.interrupts or "approve" in position.next:
            return State(answers=known, failures=[], is_broken=False, problem=None)
        name = Question.model_validate(position.interrupts[0].value).name
        if name in answers:
            return Command(resume=answers[name], update={"answers": known})
        return None

    @contextmanager
    def _usable_checkpoints(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if not isinstance(self._checkpoints, Path):
                raise
            raise DataDirectoryUnusable.at(self._checkpoints, error) from error


def _still_held(position: StateSnapshot) -> dict[str, Any]:
    """The answers given so far; none where they may be why the run failed, so that it asks again."""
    problem = position.values.get("problem") or {}
    return {} if problem.get("code") in _BLAMES_ANSWERS else position.values.get("answers", {})


def _unanswered(work: Work, question: Question) -> Problem:
    resume = f"easynet runs resume {work.log.run_id}"
    if (asked := work.memory.approval) is not None:
        option = f"--answer {APPROVAL}=yes" if asked.steps else "--yes"
        en, zh = f"Agree with `{resume} {option}`.", f"用 `{resume} {option}` 表示同意。"
    else:
        answer = f"{resume} --answer {question.name}=..."
        en = f"Answer with `{answer}`, or start again with --input {question.name}=..."
        zh = f"请用 `{answer}` 回答，或加上 --input {question.name}=... 重新开始。"
    return Problem(code="input_needed", message=question.text, hint=say(work.memory.language, en, zh))
