"""`ExperiencePlanner`: plans as past runs of similar requests were planned."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from easynet.core.capability import Capability
from easynet.core.events import Question
from easynet.core.ids import CapabilityName, RunId
from easynet.core.quantities import format_credits
from easynet.planners.adapting import Adapted, Adapter, reads_of
from easynet.planners.experience import Experience, ExperienceStore, PastRun
from easynet.planners.experience_promotion import Kind, kind_of, promoted
from easynet.planners.matching import Matcher
from easynet.planners.planner import LANGUAGE_INPUT, Alternative, PlanRequest, PlanResult
from easynet.planners.questions import question_text
from easynet.planners.validate import validate

if TYPE_CHECKING:
    from easynet.planners.experience_evidence import View
    from easynet.planners.experience_model import Choice, Model
    from easynet.planners.experience_plans import Shape

_FEWEST = 5
"""From fewer lessons nothing is generalised; a request that went well before may still be repeated."""
_LIKE_ENOUGH, _MORE_WHILE_FEW = 0.3, 2.0
_LOOKED_AT, _ALTERNATIVES = 8, 3
_NEW_SHARE = 0.05
"""The model is fitted anew when so large a share of its lessons has changed."""
_UNSURE = 0.5
"""Plans that failed at least this often are not used while they do."""


class ExperiencePlanner:
    """Reuses the plans of similar requests that went well, and puts new ones together of their parts.

    The model is fitted when it is first needed, and again after enough runs have been added; requests that
    have gone well by the same plan several times need no model.
    """

    name = "experience"

    def __init__(self, store: ExperienceStore) -> None:
        self._store = store
        self._known: _Known | None = None
        self._fitted: _Fitted | None = None
        self._seen: _Seen | None = None
        self._fitting = asyncio.Lock()

    async def plan(self, request: PlanRequest) -> PlanResult:
        """Plan as past runs teach; unsupported where no past request is like this one."""
        known = self._knowledge(request)
        usable = _Usable(request, known)
        if (past := known.promoted.get(kind_of(request.parsed.text))) is not None:
            adapted = usable.adapter.reused(past)
            if adapted is not None and adapted.missing is None and not usable.problems(adapted):
                return usable.planned(adapted, 1.0, [], f"requests like this went well by run {past.id}")
        if len(known.experience.lessons) < _FEWEST:
            return _unsupported(f"{len(known.experience.lessons)} past runs are too few to go by")
        try:
            async with self._fitting:
                fitted = await self._model(known, request)
        except ImportError as error:
            extra = "pip install 'easynet-os[planning]'"
            return _unsupported(f"{error.name} is needed to learn from past runs: {extra}")
        seen = self._view(fitted, request)
        choices = fitted.model.choices(request.parsed.text, seen.view)
        lessons = len(fitted.lessons)
        needed = _LIKE_ENOUGH + _MORE_WHILE_FEW / lessons
        if not choices or choices[0].likeness < needed:
            likeness = choices[0].likeness if choices else 0.0
            return _unsupported(f"no past request is like it ({likeness:.2f}, and {needed:.2f} is needed)")
        return usable.result(choices)

    def _knowledge(self, request: PlanRequest) -> "_Known":
        key = (self._store.version(), request.catalogue)
        if self._known is None or self._known.key != key:
            by_name = {c.name: c for c in request.catalogue}
            self._known = _Known(key, Experience(self._store.runs(), by_name))
        return self._known

    async def _model(self, known: "_Known", request: PlanRequest) -> "_Fitted":
        """The model, fitted anew in a thread of its own where too much has changed."""
        lessons = {run.id: run for run in known.experience.lessons}
        fitted = self._fitted
        if fitted is None or fitted.is_outdated(lessons):
            fitted = self._fitted = await asyncio.to_thread(_fit, lessons, request)
        return fitted

    def _view(self, fitted: "_Fitted", request: PlanRequest) -> "_Seen":
        key = (fitted, request.catalogue, request.links)
        if self._seen is None or self._seen.key != key:
            matcher = Matcher(request.catalogue)
            self._seen = _Seen(key, fitted.model.view(matcher, request.links))
        return self._seen


@dataclass(frozen=True)
class _Known:
    """What is known before anything is learned."""

    key: object
    experience: Experience

    @cached_property
    def promoted(self) -> Mapping[Kind, PastRun]:
        return promoted(self.experience.runs, self.experience.lessons)

    @cached_property
    def reads(self) -> Mapping[CapabilityName, Mapping[str, Mapping[CapabilityName, tuple[str, ...]]]]:
        return reads_of(self.experience.lessons)

    @cached_property
    def by_shape(self) -> "Mapping[Shape, PastRun]":
        """The latest run of each shape."""
        from easynet.planners.experience_plans import Shape  # NumPy takes 100 ms to import

        return {Shape.of(run.graph): run for run in self.experience.lessons}


@dataclass(frozen=True, eq=False)
class _Fitted:
    lessons: Mapping[RunId, PastRun]
    model: "Model"

    def is_outdated(self, lessons: Mapping[RunId, PastRun]) -> bool:
        changed = len(lessons.keys() ^ self.lessons.keys())
        return changed > _NEW_SHARE * len(self.lessons)


@dataclass(frozen=True)
class _Seen:
    key: object
    view: "View"


def _fit(lessons: Mapping[RunId, PastRun], request: PlanRequest) -> _Fitted:
    from easynet.planners.experience_model import Lesson, Model  # NumPy and SciPy take 200 ms to import
    from easynet.planners.experience_plans import Shape

    taught = [Lesson(run.text, Shape.of(run.graph)) for run in lessons.values()]
    return _Fitted(lessons, Model.fit(taught, Matcher(request.catalogue), request.links))


@dataclass(frozen=True)
class _Usable:
    """Turns choices into plans that can be carried out for a request."""

    request: PlanRequest
    known: _Known

    @cached_property
    def adapter(self) -> Adapter:
        return Adapter(self.request)

    @property
    def _usable(self) -> Sequence[Capability]:
        return [c for c in self.request.catalogue if c.name not in self.request.avoid]

    def problems(self, adapted: Adapted) -> Sequence[str]:
        """Why a plan cannot be used: it is not sound, or leaves an input out that the user gave."""
        graph, given = adapted.graph, self.request.input_names
        inputs = given | adapted.found_inputs.keys() | _missing_names(adapted)
        unused = given - graph.inputs.keys() - {LANGUAGE_INPUT}
        return (
            *validate(graph, self._usable, inputs=inputs),
            *(f"{name!r} is not used" for name in sorted(unused)),
        )

    def result(self, choices: "Sequence[Choice]") -> PlanResult:
        """The best choice that is sound and within the budget, or what is missing for it."""
        sound = [*self._sound(choices)]
        if not sound:
            return _unsupported("no plan of similar requests can be carried out for this one")
        budget = self.request.parsed.requirements.budget
        affordable = [(a, s) for a, s in sound if budget is None or self._price(a) <= budget]
        if not affordable:
            least = min(self._price(a) for a, _ in sound)
            why = f"plans of similar requests cost at least {format_credits(least)}, more than the budget"
            return PlanResult(status="infeasible", planner=ExperiencePlanner.name, why=why)
        (adapted, score), *others = affordable
        if adapted.missing is not None:
            text = question_text(adapted.missing, self.request.parsed.language)
            question = Question(name=adapted.missing.name, text=text)
            why = f"the plan needs {adapted.missing.name!r}"
            return PlanResult(
                status="needs_input", planner=ExperiencePlanner.name, question=question, why=why
            )
        why = f"the most similar past request is {choices[0].likeness:.0%} like it"
        return self.planned(adapted, score, [(a, s) for a, s in others if a.missing is None], why)

    def planned(
        self, adapted: Adapted, score: float, others: Sequence[tuple[Adapted, float]], why: str
    ) -> PlanResult:
        """The answer with a plan and what else was considered."""
        return PlanResult(
            status="planned",
            planner=ExperiencePlanner.name,
            graph=adapted.graph,
            score=score,
            alternatives=tuple(Alternative(graph=a.graph, score=s) for a, s in others[:_ALTERNATIVES]),
            found_inputs=adapted.found_inputs,
            nearest=adapted.graph.capabilities[:3],
            why=why,
        )

    def _sound(self, choices: "Sequence[Choice]") -> Iterator[tuple[Adapted, float]]:
        """The first sound plans, by score and by how often plans of theirs succeeded."""
        scored: list[tuple[Adapted, float]] = []
        for choice in choices:
            if set(self.request.avoid) & set(choice.shape.steps) or self._distrusts(choice):
                continue
            adapted = self._adapted(choice)
            if adapted is None or self.problems(adapted):
                continue
            success = self.known.experience.success(adapted.graph)
            if success >= _UNSURE:
                scored.append((adapted, choice.score * success))
            if len(scored) >= _LOOKED_AT:
                break
        return iter(sorted(scored, key=lambda s: -s[1]))

    def _distrusts(self, choice: "Choice") -> bool:
        return bool(self.known.experience.distrusted & set(choice.shape.steps))

    def _adapted(self, choice: "Choice") -> Adapted | None:
        past = self.known.by_shape.get(choice.shape)
        if past is not None:
            return self.adapter.reused(past)
        return self.adapter.composed(choice.shape.steps, self.known.reads)

    def _price(self, adapted: Adapted) -> int:
        by_name = {c.name: c for c in self.request.catalogue}
        return sum(by_name[s.capability].price for s in adapted.graph.subtasks)


def _missing_names(adapted: Adapted) -> frozenset[str]:
    """The inputs that the user would still have to give, taken as given."""
    if adapted.missing is None:
        return frozenset()
    return frozenset(name for name, is_required in adapted.graph.inputs.items() if is_required)


def _unsupported(why: str) -> PlanResult:
    return PlanResult(status="unsupported", planner=ExperiencePlanner.name, why=why)
