"""`ModelPlanner`: plans that a language model writes of what retrieval has found, checked before use."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from easynet.core.errors import ModelError
from easynet.core.events import PlanStatus
from easynet.core.ids import SubtaskId
from easynet.core.intent import Privacy
from easynet.core.language import Language, say
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.llm.language_model import LanguageModel, Prompt, Reply, Usage, spent
from easynet.llm.model_choice import is_on_this_machine
from easynet.planners.model_answer import MOST_SUBTASKS, read_step
from easynet.planners.model_brief import Brief, Example
from easynet.planners.model_draft import Complaints, Draft
from easynet.planners.model_tally import ModelTally, Price
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.planners.shortlist import Shortlists
from easynet.planners.subtask_reader import SubtaskReader

MOST_REPAIRS = 2
_MAX_TOKENS = 8_000
"""Of one answer. Models that think before they answer need most of it for that."""

_SHARE_OF_DEADLINE = 0.25
_MOST_BEGUN = MOST_SUBTASKS - 1
"""Subtasks that are begun before an answer is whole: one more than these, which ends the plan, has room."""


class Examples(Protocol):
    """Knows past requests with plans that went well."""

    def like(self, request: PlanRequest, *, shareable: bool) -> Sequence[Example]:
        """The most similar, best first; only what others may see where they have to be `shareable`."""
        ...


class ModelPlanner:
    """Asks a language model, and has it mend what the validator finds wrong.

    It is told which functions may fit, the names and types of the user's inputs, and the request's words;
    no input's value. Where privacy is high it is asked only if its server is on this machine. Whatever it
    answers, a plan calls only functions that it was shown and reads only files that the user named.
    """

    name = "model"

    def __init__(
        self,
        model: LanguageModel,
        *,
        examples: Examples | None = None,
        price: Price | None = None,
        repairs: int = MOST_REPAIRS,
        time_s: float = 120.0,
    ) -> None:
        """`price` is what tokens cost, where that is known; no call is made that may exceed the budget.

        `repairs` is how often complaints go back to the model, at most 2; `time_s` how many seconds all of
        its answers together may take; less where the run has a deadline.
        """
        if not 0 <= repairs <= MOST_REPAIRS:
            raise ValueError(f"{repairs} repairs, where 0 to {MOST_REPAIRS} are possible")
        self._model = model
        self._examples = examples
        self._price = price
        self._repairs = repairs
        self._time_s = time_s
        self._shortlists = Shortlists()
        self._is_here = is_on_this_machine(model.name)

    async def plan(self, request: PlanRequest) -> PlanResult:
        """The model's plan or question; where it fails, a result that says so, so that others are asked."""
        async with aclosing(self._results(request, is_streamed=False)) as items:
            async for item in items:
                if isinstance(item, PlanResult):
                    return item
        raise AssertionError("a result is the last item")

    async def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        """Each subtask as soon as the model has written it down, then the result.

        A subtask that reads a file named in the words is a part of the result only: until then nobody knows
        that file as an input.
        """
        async with aclosing(self._results(request, is_streamed=True)) as items:
            async for item in items:
                yield item

    async def _results(
        self, request: PlanRequest, *, is_streamed: bool
    ) -> AsyncGenerator[Subtask | PlanResult]:
        language = request.parsed.language
        tally = ModelTally(self._model.name, self._price)
        if request.parsed.requirements.privacy is Privacy.HIGH and not self._is_here:
            yield self._passed(tally, "unsupported", _private(language))
            return
        brief = self._brief(request)
        if not brief.functions:
            yield self._passed(tally, "unsupported", _nothing_near(language))
            return
        time_s = self._seconds(request)
        attempts = _Attempts(self._model, brief, Draft(brief, self.name), tally, time_s)
        for is_repair in (False, *[True] * self._repairs):
            try:
                async with aclosing(attempts.next(is_repair=is_repair)) as subtasks:
                    async for subtask in subtasks:
                        if is_streamed:
                            attempts.begun[subtask.id] = subtask
                            yield subtask
            except ModelError as error:
                why = error.in_language(language)[0].removeprefix(f"{self._model.name}: ")
                yield self._passed(tally, "unsupported", why)
                return
            except TimeoutError:
                yield self._passed(tally, "timed_out", _too_slow(language, time_s))
                return
            if isinstance(attempts.outcome, PlanResult):
                calls = {"model": self._model.name, "model_calls": tally.calls}
                yield attempts.outcome.model_copy(update=calls)
                return
        yield self._passed(tally, "unsupported", attempts.fault)

    def _brief(self, request: PlanRequest) -> Brief:
        past = self._examples.like(request, shareable=not self._is_here) if self._examples else ()
        experienced = [name for example in past for name in example.graph.capabilities]
        return Brief(request, self._shortlists.of(request, experienced), past)

    def _seconds(self, request: PlanRequest) -> float:
        """How long the model may take: never so long that there is no time left to do the work."""
        deadline_s = request.parsed.requirements.deadline_s
        return self._time_s if deadline_s is None else min(self._time_s, _SHARE_OF_DEADLINE * deadline_s)

    def _passed(self, tally: ModelTally, status: PlanStatus, why: str) -> PlanResult:
        return PlanResult(
            status=status, planner=self.name, why=why, model=self._model.name, model_calls=tally.calls
        )


class _Attempts:
    """A conversation with a model about one plan."""

    def __init__(
        self, model: LanguageModel, brief: Brief, draft: Draft, tally: ModelTally, time_s: float
    ) -> None:
        self._model, self._brief, self._draft, self._tally = model, brief, draft, tally
        self._ends_at = asyncio.get_running_loop().time() + time_s
        self._answer = ""
        self.begun: dict[SubtaskId, Subtask] = {}
        """The subtasks that were given to somebody; every later answer has to keep them."""
        self.outcome: PlanResult | Complaints = ()
        """What the last answer came to."""

    @property
    def fault(self) -> str:
        """Why the last answer cannot be used, for people."""
        assert not isinstance(self.outcome, PlanResult)
        return self._draft.unsound(self._answer, self.outcome)

    async def next(self, *, is_repair: bool) -> AsyncGenerator[Subtask]:
        """Have the model answer once; yields the subtasks that may be begun before it has finished.

        Raises ModelError, and TimeoutError where the time for all answers is over.
        """
        prompt = self._brief.prompt
        if is_repair:
            assert not isinstance(self.outcome, PlanResult)
            prompt = self._brief.repair(self._answer, self.outcome)
        self._check_money(prompt)
        reader, beginnings = SubtaskReader(), _Beginnings(self._draft, self.begun)
        purpose = "repair" if is_repair else "plan"
        async with aclosing(self._pieces(prompt, purpose)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Reply):
                    self._answer = piece.text
                    break
                for text in reader.feed(piece):
                    if reader.decision == "plan" and (subtask := beginnings.next(text)) is not None:
                        yield subtask
        self.outcome = self._draft.judged(self._answer, self.begun)

    async def _pieces(self, prompt: Prompt, purpose: str) -> AsyncGenerator[str | Reply]:
        """The answer in pieces, then whole, and counted. The clock is looked at only while waiting for it."""
        schema, received = self._brief.schema, ""
        pieces = self._model.stream(prompt, schema=schema, max_tokens=_MAX_TOKENS)
        async with aclosing(pieces):
            while True:
                try:
                    async with asyncio.timeout_at(self._ends_at):
                        piece = await anext(pieces, None)
                    if piece is None:
                        raise ModelError(f"{self._model.name} ended without an answer")
                except (ModelError, TimeoutError) as error:
                    self._count_failed(purpose, prompt, received, error)
                    raise
                if isinstance(piece, str):
                    received += piece
                elif piece.usage == Usage():
                    self._tally.add_untold(purpose, prompt, schema, piece.text)
                else:
                    self._tally.add(purpose, piece.usage)
                yield piece

    def _count_failed(
        self, purpose: str, prompt: Prompt, received: str, error: ModelError | TimeoutError
    ) -> None:
        if isinstance(error, ModelError) and (usage := spent(error)) != Usage():
            self._tally.add(purpose, usage)
        elif received or isinstance(error, TimeoutError) or error.may_have_cost:
            self._tally.add_untold(purpose, prompt, self._brief.schema, received)

    def _check_money(self, prompt: Prompt) -> None:
        """Raise ModelError where the call may cost more than the run's budget."""
        budget = self._brief.request.parsed.requirements.budget
        if budget is None:
            return
        if self._tally.at_most(prompt, self._brief.schema, _MAX_TOKENS) > budget:
            raise ModelError("asking it may cost more than the budget", zh="询问它的费用可能超出预算")


class _Beginnings:
    """Tells which subtasks of an answer may be begun while the rest is being written."""

    def __init__(self, draft: Draft, begun: dict[SubtaskId, Subtask]) -> None:
        self._draft, self._begun = draft, begun
        self._to_keep = {*begun}
        self._known: list[Subtask] = []
        self._is_sound = True

    def next(self, text: str) -> Subtask | None:
        """The subtask that a text is, if it is sound by itself and waits for nothing that is not begun.

        After the first that is not sound the answer will have to be mended, and nothing more is begun; nor
        after so many that a mended answer could not hold them all. An answer that mends another has to repeat
        what is at work before anything new is.
        """
        has_room = len(self._known) < _MOST_BEGUN
        step = read_step(text) if self._is_sound and has_room else None
        if step is None:
            self._is_sound = False
            return None
        subtask, complaints = self._draft.subtask(step)
        self._known.append(subtask)
        before = self._begun.get(subtask.id)
        is_changed = before is not None and before != subtask
        if is_changed or complaints or self._draft.problems(TaskGraph(subtasks=tuple(self._known))):
            self._is_sound = False
            return None
        self._to_keep.discard(subtask.id)
        is_ready = subtask.needs <= self._begun.keys() and not self._draft.reads_found_input(subtask)
        return subtask if is_ready and before is None and not self._to_keep else None


def _private(language: Language) -> str:
    return say(
        language,
        "privacy is high, and the model is not on this machine",
        "隐私要求为高，而该模型不在本机上",
    )


def _nothing_near(language: Language) -> str:
    return say(language, "no function shares a word with the request", "没有功能与请求有相同的词")


def _too_slow(language: Language, time_s: float) -> str:
    return say(language, f"no plan within {time_s:.3g} s", f"{time_s:.3g} 秒内没有给出计划")
