"""Plans along the observed tool graph, for capabilities whose types say little about what follows what."""

from collections.abc import Sequence

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName
from easynet.core.language import say
from easynet.planners.adapting import Adapted, Adapter
from easynet.planners.composing import Composer, agreed
from easynet.planners.matching import Matcher
from easynet.planners.planner import LANGUAGE_INPUT, Alternative, PlanRequest, PlanResult
from easynet.planners.questions import question_for
from easynet.planners.sources import paths
from easynet.planners.validate import validate

_LOOKED_AT, _ALTERNATIVES = 10, 3


class LinkedPlans:
    """Remembers the words of the catalogue that was asked about last."""

    def __init__(self) -> None:
        self._catalogue: tuple[Capability, ...] = ()
        self._matcher = Matcher(())

    def plan(self, request: PlanRequest, planner: str) -> PlanResult | None:
        """The plan whose steps fit the words best and were seen to follow each other.

        Nothing where the capability that fits best is no part of the observed graph, or no plan is sound.
        """
        linked = {name for link in request.links for name in link}
        if not linked:
            return None
        matcher = self._of(tuple(c for c in request.catalogue if c.name not in request.avoid))
        match = matcher.match(request.parsed.text)
        scores = match.scores
        if not match.keys or matcher.names[max(range(len(scores)), key=scores.__getitem__)] not in linked:
            return None
        number = {name: i for i, name in enumerate(matcher.names)}
        links = {(number[a], number[b]) for a, b in request.links if a in number and b in number}
        adapter, reads = Adapter(request), _reads(request)
        sound: list[tuple[Adapted, float]] = []
        for found in agreed(Composer(matcher, match, links).best())[:_LOOKED_AT]:
            adapted = adapter.composed([matcher.names[i] for i in found.steps], reads)
            if adapted is not None and _is_sound(adapted, request):
                sound.append((adapted, found.score))
        return _result(sound, request, planner) if sound else None

    def _of(self, catalogue: tuple[Capability, ...]) -> Matcher:
        if catalogue != self._catalogue:
            self._catalogue, self._matcher = catalogue, Matcher(catalogue)
        return self._matcher


def _reads(request: PlanRequest) -> dict[CapabilityName, dict[str, dict[CapabilityName, tuple[str, ...]]]]:
    """Where a link leads into a plain parameter: the first that must be given and that the result fits."""
    by_name = request.by_name
    found: dict[CapabilityName, dict[str, dict[CapabilityName, tuple[str, ...]]]] = {}
    for giver, taker in request.links:
        if giver not in by_name or taker not in by_name:
            continue
        for parameter in by_name[taker].parameters:
            is_open = (
                parameter.required and not parameter.is_variadic and parameter.name not in request.input_names
            )
            path = next(paths(by_name[giver].output, parameter.type), None)
            if parameter.type.is_primitive and is_open and path is not None:
                found.setdefault(taker, {}).setdefault(parameter.name, {})[giver] = path
                break
    return found


def _is_sound(adapted: Adapted, request: PlanRequest) -> bool:
    needed = {name for name, is_required in adapted.graph.inputs.items() if is_required}
    inputs = request.input_names | adapted.found_inputs.keys() | (needed if adapted.missing else frozenset())
    is_used = not request.input_names - adapted.graph.inputs.keys() - {LANGUAGE_INPUT}
    return is_used and not validate(adapted.graph, request.catalogue, inputs=inputs)


def _result(sound: Sequence[tuple[Adapted, float]], request: PlanRequest, planner: str) -> PlanResult:
    (adapted, score), *others = sound
    language, steps = request.parsed.language, adapted.graph.capabilities
    nearest = steps[:3]
    if (missing := adapted.missing) is not None:
        return PlanResult(
            status="needs_input",
            planner=planner,
            question=question_for(missing, language),
            nearest=nearest,
            why=say(language, f"the plan needs {missing.name!r}", f"计划需要 {missing.name!r}"),
        )
    complete = [(a, s) for a, s in others if a.missing is None][:_ALTERNATIVES]
    return PlanResult(
        status="planned",
        planner=planner,
        graph=adapted.graph,
        score=score,
        alternatives=tuple(Alternative(graph=a.graph, score=s) for a, s in complete),
        found_inputs=adapted.found_inputs,
        nearest=nearest,
        why=say(
            language,
            f"{' and then '.join(steps)} fit the words and were seen in this order",
            f"{'、'.join(steps)} 与请求的用词相符，且曾按此顺序出现",
        ),
    )
