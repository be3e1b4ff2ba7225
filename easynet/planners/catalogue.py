"""`CataloguePlanner`: plans from the words and the types of the catalogue alone, without any model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from easynet.core.capability import Capability, Parameter, Role
from easynet.core.errors import UnknownInput, nearest
from easynet.core.events import Question
from easynet.core.language import Language, say
from easynet.core.task_graph import TaskGraph
from easynet.planners.chaining import Chain, Gap, Wish
from easynet.planners.following import graph_of
from easynet.planners.literals import literals
from easynet.planners.modality import modality_caveats
from easynet.planners.planner import LANGUAGE_INPUT, PlanRequest, PlanResult
from easynet.planners.retrieval import Hit, Index
from easynet.planners.sources import Draft, step_of
from easynet.planners.words import units

_SUPPORTED = 0.45
"""The share of a request that a capability must explain to count as an answer to it."""
_SUPPORTED_WITH_DATA = 0.3
_MOST_QUESTIONS = 8
_AS_GOOD = 0.95
_NEARLY = 0.85
"""A capability may replace a better one that cannot be planned, if its score is this share of the best."""
_CLAUSE = re.compile(
    r"[,;.!?，；。！？]\s*|\b(?:and then|then|and|after that)\b"
    r"|然后|接着|随后|并且|并(?=[\u3400-\u9fff])|再(?=[\u3400-\u9fff])",
    re.IGNORECASE,
)
_OWN_DATA = re.compile(
    r"\b(?:my|our)\b(?: \w+){0,3} (?:data|datasets?|files?|tables?|csv|records?|spreadsheets?)\b"
    r"|我们?的?(?:[\u3400-\u9fff]{0,4})(?:数据|文件|表格|表|记录)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Part:
    """A clause that names work of its own, with the capabilities that may do it, best first."""

    text: str
    hits: tuple[Hit, ...]


class CataloguePlanner:
    """Finds the wanted capabilities by words and chains them to the user's inputs by types."""

    name = "catalogue"

    async def plan(self, request: PlanRequest) -> PlanResult:
        """Plan with the capabilities of the request's catalogue only.

        Raises UnknownInput where the user gave an input that no part of the plan takes.
        """
        index = Index(request.catalogue)
        hits = index.search(request.parsed.text)
        parts, undone = _parts(request, index, hits)
        close = tuple(h.capability.name for h in hits[:3])
        if not parts:
            why = "no capability explains enough of the words"
            return PlanResult(status="unsupported", planner=self.name, nearest=close, why=why)
        given = request.input_names
        chain = Chain(request.catalogue, _wish(request, index, hits, given))
        grown = _planned(parts, chain)
        if isinstance(grown, Gap):
            why = f"{grown.capability.name} needs {grown.parameter.name!r}"
            if not grown.is_answerable:
                return PlanResult(status="unsupported", planner=self.name, nearest=close, why=why)
            _check_inputs(given, _takes(request, index, hits, parts, grown))
            question = Question(
                name=grown.parameter.name, text=_question(grown.parameter, request.parsed.language)
            )
            return PlanResult(
                status="needs_input", planner=self.name, question=question, nearest=close, why=why
            )
        draft, goals = grown
        graph = graph_of(draft, goals, chain)
        _check_inputs(given, {*graph.inputs, *_instead_of_samples(graph, chain)})
        return PlanResult(
            status="planned",
            planner=self.name,
            graph=graph,
            caveats=_caveats(request, index, parts, undone, [chain.by_name[n] for n in graph.capabilities]),
            nearest=close,
            why=f"{', '.join(g.name for g in goals)} fits the words best",
        )


# ── what is asked for ───────────────────────────────────────────────────────────────────────────


def _parts(request: PlanRequest, index: Index, hits: Sequence[Hit]) -> tuple[list[_Part], list[str]]:
    """The parts of the request that can be done, and the words of those that cannot."""
    text = request.parsed.text
    named = next((c for c in request.catalogue if request.goal and c.name == request.goal), None)
    if named is not None:
        return [_Part(text, (Hit(named, 1.0, 1.0),))], []
    # Whoever brings data means something that is done with it, even if some words are strange.
    enough = _SUPPORTED_WITH_DATA if request.input_names - {LANGUAGE_INPUT} else _SUPPORTED
    clauses = [c.strip() for c in _CLAUSE.split(text) if units(c)]
    parts: list[_Part] = []
    undone: list[str] = []
    for clause in clauses if len(clauses) > 1 else ():
        able = _able(index.search(clause), _SUPPORTED)
        if able:
            parts.append(_Part(clause, able))
        elif len(index.unknown_words(clause)) > 1:
            undone.append(clause)
    if parts:
        return parts, undone
    whole = _able(hits, enough)
    return ([_Part(text, whole)] if whole else []), []


def _able(hits: Sequence[Hit], enough: float) -> tuple[Hit, ...]:
    """The hits that explain enough, best first, as far as they are nearly as good as the best."""
    goals = [h for h in hits if h.capability.role is not Role.SAMPLE and h.coverage >= enough]
    return tuple(h for h in goals if h.score >= _NEARLY * goals[0].score)


def _wish(request: PlanRequest, index: Index, hits: Sequence[Hit], inputs: frozenset[str]) -> Wish:
    text = request.parsed.text
    files = {p.name for c in request.catalogue for p in c.parameters if p.type.name == "File"}
    brings_data = bool(files & request.input_names) or bool(_OWN_DATA.search(text))

    def sample_fits(sample: Capability) -> bool:
        return not brings_data and index.shares_subject(text, sample, _instead_of(sample, request.catalogue))

    return Wish(
        relevance={h.capability.name: h.score for h in hits},
        inputs=inputs,
        sample_fits=sample_fits,
        literals=partial(literals, sentence=text),
    )


# ── what can be done ────────────────────────────────────────────────────────────────────────────


def _planned(parts: Sequence[_Part], chain: Chain) -> tuple[Draft, list[Capability]] | Gap:
    """A draft that does all parts, with the capability chosen for each; or what is missing for the first."""
    draft: Draft = {}
    goals: list[Capability] = []
    for part in parts:
        tried = [(hit, chain.add(draft, hit.capability)) for hit in part.hits]
        able = [(hit, grown) for hit, grown in tried if not isinstance(grown, Gap)]
        if not able:
            gaps = [grown for _, grown in tried if isinstance(grown, Gap)]
            return next((gap for gap in gaps if gap.is_answerable), gaps[0])
        best, draft = _furthest(able)
        goals.append(best.capability)
    return draft, goals


def _furthest(able: Sequence[tuple[Hit, Draft]]) -> tuple[Hit, Draft]:
    """The best hit; or one that is as good and needs it, because a plan for that does both."""
    best, draft = able[0]
    for hit, grown in able[1:]:
        is_as_good = hit.score >= _AS_GOOD * best.score and not hit.capability.role.follows
        if is_as_good and step_of(best.capability) in grown:
            best, draft = hit, grown
    return best, draft


def _instead_of(sample: Capability, catalogue: Sequence[Capability]) -> list[Capability]:
    """The capabilities that give the user's own data in the form of the sample."""
    return [c for c in catalogue if c.role is Role.WORK and c.output.name == sample.output.name]


def _instead_of_samples(graph: TaskGraph, chain: Chain) -> set[str]:
    """The inputs by which the user could give data of their own where the plan uses a sample."""
    catalogue = [*chain.by_name.values()]
    samples = (chain.by_name[n] for n in graph.capabilities if chain.by_name[n].role is Role.SAMPLE)
    own = (c for sample in samples for c in _instead_of(sample, catalogue))
    return {p.name for c in own for p in c.parameters if p.type.is_primitive}


# ── inputs and questions ────────────────────────────────────────────────────────────────────────


def _takes(
    request: PlanRequest, index: Index, hits: Sequence[Hit], parts: Sequence[_Part], gap: Gap
) -> set[str]:
    """The inputs of the plan that there would be, were the missing ones given."""
    supposed = request.input_names
    for _ in range(_MOST_QUESTIONS):
        supposed |= {gap.parameter.name}
        chain = Chain(request.catalogue, _wish(request, index, hits, supposed))
        grown = _planned(parts, chain)
        if not isinstance(grown, Gap):
            return {*graph_of(*grown, chain).inputs}
        gap = grown
    return {*supposed}


def _check_inputs(given: frozenset[str], taken: set[str]) -> None:
    names = sorted(taken - {LANGUAGE_INPUT})
    for unknown in sorted(given - taken - {LANGUAGE_INPUT}):
        known = ", ".join(names) or "no inputs"
        raise UnknownInput(
            f"no part of this plan takes the input {unknown!r}; it takes {known}",
            hint=nearest(unknown, names),
        )


def _question(parameter: Parameter, language: Language) -> str:
    name, kind = parameter.name, str(parameter.type)
    if parameter.type.name == "File":
        return say(
            language,
            f"Which file should I use? Give it with --input {name}=FILE.",
            f"要使用哪个文件？请用 --input {name}=文件 指定。",
        )
    return say(
        language,
        f"Which {name.replace('_', ' ')} should I use ({kind})? Give it with --input {name}=VALUE.",
        f"{name} 应取什么值（{kind}）？请用 --input {name}=值 指定。",
    )


# ── what the plan leaves out ────────────────────────────────────────────────────────────────────


def _caveats(
    request: PlanRequest,
    index: Index,
    parts: Sequence[_Part],
    undone: Sequence[str],
    used: Sequence[Capability],
) -> tuple[str, ...]:
    text, language = request.parsed.text, request.parsed.language
    left_out = [
        say(language, f"Nothing here does “{clause}”; it is left out.", f"没有功能可以做“{clause}”，已略过。")
        for clause in undone
    ]
    strange = index.unknown_words(text) if min(p.hits[0].coverage for p in parts) < _SUPPORTED else ()
    if strange and not undone:
        words = say(language, ", ".join(strange), "、".join(strange))
        left_out.append(
            say(language, f"Not understood, and left out: {words}.", f"未能理解并已忽略：{words}。")
        )
    return (*left_out, *modality_caveats(text, used, language))
