"""From what past runs suggest to plans that can be carried out for one request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from easynet.core.capability import Capability, Role
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits
from easynet.planners.adapting import Adapted, Adapter
from easynet.planners.caveats import file_caveats, horizon_caveats
from easynet.planners.experience import Experience
from easynet.planners.files import brings_data, files_in, without_files
from easynet.planners.modality import modality_caveats
from easynet.planners.past_run import PastRun
from easynet.planners.planner import LANGUAGE_INPUT, Alternative, PlanRequest, PlanResult
from easynet.planners.questions import question_for
from easynet.planners.validate import validate

if TYPE_CHECKING:
    from easynet.planners.experience_model import Choice, Choices

_NAME = "experience"
_LOOKED_AT, _ALTERNATIVES = 8, 3
_NEAR_BEST = 0.5
"""A plan that is less likely than this share of the likeliest is no stand-in for it."""
_UNSURE = 0.5
"""Plans that failed at least this often are not used while they do."""


@dataclass(frozen=True)
class _Sound:
    """A plan that can be carried out, at least once the user has said what is missing."""

    adapted: Adapted
    score: float
    similar: int
    """How many similar past requests had this plan."""


@dataclass(frozen=True)
class Usable:
    """Turns choices into plans that can be carried out for a request."""

    request: PlanRequest
    experience: Experience

    @cached_property
    def adapter(self) -> Adapter:
        return Adapter(self.request)

    @cached_property
    def _by_name(self) -> Mapping[str, Capability]:
        return {c.name: c for c in self.request.catalogue}

    @property
    def _language(self) -> Language:
        return self.request.parsed.language

    @property
    def _usable(self) -> Sequence[Capability]:
        return [c for c in self.request.catalogue if c.name not in self.request.avoid]

    def problems(self, adapted: Adapted) -> Sequence[str]:
        """Why a plan cannot be used: it is not sound, or passes over something that was said or given."""
        graph, given = adapted.graph, self.request.input_names
        inputs = given | adapted.found_inputs.keys() | _missing_names(adapted)
        unused = given - graph.inputs.keys() - {LANGUAGE_INPUT}
        roles = {self._by_name[s.capability].role for s in graph.subtasks if s.capability in self._by_name}
        goal = self.request.goal
        return (
            *validate(graph, self._usable, inputs=inputs),
            *(f"{name!r} is not used" for name in sorted(unused)),
            *(f"what {name!r} should be is not said" for name in adapted.lost),
            *(
                ["the user has data"]
                if Role.SAMPLE in roles and brings_data(self.request.parsed.text)
                else []
            ),
            *([f"{goal!r} is meant"] if goal in self._by_name and goal not in graph.capabilities else []),
        )

    def repeated(self, past: PastRun, times: int) -> PlanResult | None:
        """The plan of a run that needs no weighing; nothing where it does not suit this request as it is."""
        adapted = self._reused(past)
        if adapted is None or adapted.missing is not None or self.problems(adapted):
            return None
        if not self._is_affordable(adapted):
            return None
        en = f"the latest {times} requests of this kind went well by the same plan"
        why = say(self._language, en, f"最近 {times} 次同类请求都按同一计划成功完成")
        return self._planned(adapted, 1.0, [], why, times)

    def result(self, choices: "Choices") -> PlanResult:
        """The best choice that is sound and within the budget, or what is missing for it."""
        sound = self._sound(choices.best)
        if not sound:
            en = "no plan of similar requests can be carried out for this one"
            return unsupported(say(self._language, en, "相似请求的计划都无法用于此请求"))
        affordable = [found for found in sound if self._is_affordable(found.adapted)]
        if not affordable:
            least = format_credits(min(self._price(found.adapted) for found in sound), self._language)
            en = f"plans of similar requests cost at least {least}, more than the budget"
            why = say(self._language, en, f"相似请求的计划至少需要 {least}，超出预算")
            return PlanResult(status="infeasible", planner=_NAME, why=why)
        best, *others = affordable
        if (missing := best.adapted.missing) is not None:
            question = question_for(missing, self._language)
            why = say(self._language, f"the plan needs {missing.name!r}", f"计划需要 {missing.name!r}")
            return PlanResult(status="needs_input", planner=_NAME, question=question, why=why)
        likeness = f"{choices.likeness:.0%}"
        en = f"the most similar past request is {likeness} like it"
        why = say(self._language, en, f"最相似的历史请求与它的相似度为 {likeness}")
        complete = [found for found in others if found.adapted.missing is None]
        return self._planned(best.adapted, best.score, complete, why, best.similar)

    def _planned(
        self, adapted: Adapted, score: float, others: "Sequence[_Sound]", why: str, similar: int
    ) -> PlanResult:
        return PlanResult(
            status="planned",
            planner=_NAME,
            graph=adapted.graph,
            score=score,
            alternatives=tuple(
                Alternative(graph=o.adapted.graph, score=o.score) for o in others[:_ALTERNATIVES]
            ),
            found_inputs=adapted.found_inputs,
            assumed=adapted.assumed,
            caveats=self._caveats(adapted),
            nearest=adapted.graph.capabilities[:3],
            similar_runs=similar,
            why=why,
        )

    def _caveats(self, adapted: Adapted) -> tuple[str, ...]:
        """What the words say and the plan passes over, as far as that can be told without weighing words."""
        parsed, graph = self.request.parsed, adapted.graph
        used = [self._by_name[name] for name in graph.capabilities]
        read = [*adapted.found_inputs.values(), *parsed.inputs.values()]
        unread = [path for path in files_in(parsed.text) if path not in read]
        asked_for = [self._by_name[graph.by_id[output].capability] for output in graph.outputs]
        text = without_files(parsed.text, parsed.language)
        return (
            *horizon_caveats(parsed.text, used, self.request.input_names, parsed.language),
            *file_caveats(unread, parsed.language),
            *modality_caveats(text, used, parsed.language, asked_for=asked_for),
        )

    def _sound(self, choices: "Sequence[Choice]") -> "Sequence[_Sound]":
        """The first sound plans, by score and by how often plans of theirs succeeded."""
        found: list[_Sound] = []
        for choice in choices:
            if choice.score < _NEAR_BEST * choices[0].score:
                break
            if set(self.request.avoid) & set(choice.shape.steps) or self._distrusts(choice):
                continue
            adapted = self._adapted(choice)
            if adapted is None or self.problems(adapted):
                continue
            success = self.experience.success(adapted.graph)
            if success >= _UNSURE:
                found.append(_Sound(adapted, choice.score * success, choice.similar))
            if len(found) >= _LOOKED_AT:
                break
        return sorted(found, key=lambda s: -s.score)

    def _distrusts(self, choice: "Choice") -> bool:
        return bool(self.experience.distrusted & set(choice.shape.steps))

    def _adapted(self, choice: "Choice") -> Adapted | None:
        past = self.experience.by_shape.get(choice.shape)
        if past is not None:
            return self._reused(past)
        return self.adapter.composed(choice.shape.steps, self.experience.reads)

    def _reused(self, past: PastRun) -> Adapted | None:
        known, graph = self.experience, past.graph
        return self.adapter.reused(past, known.habits(graph), known.customs(graph))

    def _is_affordable(self, adapted: Adapted) -> bool:
        budget = self.request.parsed.requirements.budget
        return budget is None or self._price(adapted) <= budget

    def _price(self, adapted: Adapted) -> int:
        return sum(self._by_name[s.capability].price for s in adapted.graph.subtasks)


def _missing_names(adapted: Adapted) -> frozenset[str]:
    """The inputs that the user would still have to give, taken as given."""
    if adapted.missing is None:
        return frozenset()
    return frozenset(name for name, is_required in adapted.graph.inputs.items() if is_required)


def unsupported(why: str) -> PlanResult:
    return PlanResult(status="unsupported", planner=_NAME, why=why)
