"""`CataloguePlanner`: plans from the words and the types of the catalogue alone, without any model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from pydantic import JsonValue

from easynet.core.capability import Capability, Role
from easynet.core.language import say
from easynet.core.task_graph import TaskGraph
from easynet.llm.embedder import Embedder
from easynet.llm.kept_vectors import KeptVectors
from easynet.planners.caveats import file_caveats, horizon_caveats, undone_caveats, word_caveats
from easynet.planners.chaining import Chain, Gap, Wish
from easynet.planners.files import brings_data, files_in, without_files
from easynet.planners.following import graph_of
from easynet.planners.goals import Part, Plan, chosen, parts_of, planned, replaced
from easynet.planners.linked import LinkedPlans
from easynet.planners.literals import literals
from easynet.planners.meanings import Meanings
from easynet.planners.modality import modality_caveats
from easynet.planners.planner import LANGUAGE_INPUT, PlanRequest, PlanResult
from easynet.planners.questions import check_inputs, question_for
from easynet.planners.retrieval import Hit, Index

_MOST_QUESTIONS = 8


class CataloguePlanner:
    """Finds the wanted capabilities by words, and chains them along the observed tool graph or by types."""

    name = "catalogue"

    def __init__(self, embedder: Embedder | None = None, kept: KeptVectors | None = None) -> None:
        """With an embedder, capabilities are found by meaning as well. What it makes of them is `kept`."""
        self._linked = LinkedPlans()
        self._index = Index(())
        self._embedder = embedder
        self._kept = kept or (KeptVectors(embedder) if embedder else None)

    async def plan(self, request: PlanRequest) -> PlanResult:
        """Plan with the capabilities of the request's catalogue only, and without those to be avoided.

        Raises UnknownInput where the user gave an input that no part of the plan takes.
        """
        if (linked := self._linked.plan(request, self.name)) is not None:
            return linked
        index = self._indexed(request.catalogue)
        # Loading an embedder takes a second, in which the loop has other work.
        return (
            await asyncio.to_thread(_planned, request, index) if self._embedder else _planned(request, index)
        )

    def _indexed(self, catalogue: tuple[Capability, ...]) -> Index:
        """The words and meanings of a catalogue; those of the last one are remembered."""
        if catalogue != self._index.catalogue:
            meanings = (
                Meanings(catalogue, self._embedder, self._kept) if self._embedder and self._kept else None
            )
            self._index = Index(catalogue, meanings)
        return self._index


def _planned(request: PlanRequest, index: Index) -> PlanResult:
    asked = _understood(request, index)
    close = tuple(h.capability.name for h in asked.hits[:3])
    nothing = "no capability explains enough of the words", "没有功能能解释请求中足够多的词"
    result = _result(asked) if asked.parts else _unsupported(say(request.parsed.language, *nothing))
    return result.model_copy(update={"nearest": close})


@dataclass(frozen=True)
class _Asked:
    """A request as far as its words say what is meant."""

    request: PlanRequest
    text: str
    """Without the names of files, which say nothing about the work."""
    files: tuple[str, ...]
    """The files that the words name."""
    index: Index
    hits: Sequence[Hit]
    parts: Sequence[Part]
    undone: Sequence[str]
    is_named: bool = False
    """The goal is the name of a capability."""

    @property
    def file_inputs(self) -> set[str]:
        """The names under which the catalogue takes files."""
        return {p.name for c in self.request.catalogue for p in c.parameters if p.type.name == "File"}


def _understood(request: PlanRequest, index: Index) -> _Asked:
    words = request.parsed.text
    files, text = files_in(words), without_files(words, request.parsed.language)
    hits = index.search(text)
    asked = _Asked(request, text, files, index, hits, (), ())
    named = next((c for c in request.catalogue if request.goal and c.name == request.goal), None)
    if named is not None:
        return replace(asked, parts=[Part(text, (Hit(named, 1.0, 1.0, 1.0),))], is_named=True)
    has_data = bool(files or request.input_names - {LANGUAGE_INPUT})
    parts, undone = parts_of(text, index, has_data=has_data)
    return replace(asked, parts=parts, undone=undone)


# ── planning ────────────────────────────────────────────────────────────────────────────────────


def _result(asked: _Asked) -> PlanResult:
    request, language = asked.request, asked.request.parsed.language
    found, chain, goals = _goals(asked)
    plan = goals if isinstance(goals, Gap) else planned(goals, chain, is_named=asked.is_named)
    if isinstance(plan, Gap):
        return _missing(asked, plan, frozenset(found))
    if request.avoid and not isinstance(goals, Gap):
        kept = replaced(goals, graph_of(plan.draft, plan.goals, chain), request.avoid, chain)
        if isinstance(kept, Capability):
            en = f"{kept.name} failed in this run, and nothing else does the same"
            return _unsupported(say(language, en, f"{kept.name} 在本次运行中失败，且没有其他功能可代替"))
        usable = [c for c in request.catalogue if c.name not in request.avoid]
        chain = Chain(usable, _wish(asked, request.input_names | found.keys()))
        plan = planned(kept, chain, is_named=asked.is_named)
        if isinstance(plan, Gap):
            needed = plan.capability.name, plan.parameter.name
            en = f"{needed[0]} needs {needed[1]!r}, and what gave it failed in this run"
            return _unsupported(
                say(language, en, f"{needed[0]} 需要 {needed[1]!r}，而提供它的功能在本次运行中失败")
            )
    graph = graph_of(plan.draft, plan.goals, chain)
    check_inputs(request.input_names, {*graph.inputs, *_instead_of_samples(graph, chain)})
    return PlanResult(
        status="planned",
        planner=CataloguePlanner.name,
        graph=graph,
        found_inputs=found,
        caveats=_caveats(asked, plan, [chain.by_name[n] for n in graph.capabilities], found),
        why=say(
            language,
            f"{', '.join(g.name for g in plan.goals)} fits the words best",
            f"{'、'.join(g.name for g in plan.goals)} 与请求的用词最相符",
        ),
    )


def _goals(asked: _Asked) -> tuple[dict[str, JsonValue], Chain, tuple[Capability, ...] | Gap]:
    """What is to be done, and the inputs that the words themselves give towards it."""
    given = asked.request.input_names
    unread = [] if asked.file_inputs & given else [*asked.files]
    found: dict[str, JsonValue] = {}
    while True:
        chain = Chain(asked.request.catalogue, _wish(asked, given | found.keys()))
        goals = chosen(asked.parts, chain)
        if not isinstance(goals, Gap) or str(goals.parameter.type) != "File" or not unread:
            return found, chain, goals
        found[goals.parameter.name] = unread.pop(0)


def _wish(asked: _Asked, inputs: frozenset[str]) -> Wish:
    catalogue = asked.request.catalogue
    has_data = bool(asked.file_inputs & inputs or brings_data(asked.request.parsed.text))

    def sample_fits(sample: Capability) -> bool:
        if has_data:
            return False
        return asked.index.shares_subject(asked.text, sample, _instead_of(sample, catalogue))

    return Wish(
        relevance={h.capability.name: h.score for h in asked.hits},
        inputs=inputs,
        sample_fits=sample_fits,
        literals=partial(literals, sentence=asked.request.parsed.text),
    )


def _instead_of(sample: Capability, catalogue: Sequence[Capability]) -> list[Capability]:
    """The capabilities that give the user's own data in the form of the sample."""
    return [c for c in catalogue if c.role is Role.WORK and c.output.name == sample.output.name]


def _instead_of_samples(graph: TaskGraph, chain: Chain) -> set[str]:
    """The inputs by which the user could give data of their own where the plan uses a sample."""
    catalogue = [*chain.by_name.values()]
    samples = (chain.by_name[n] for n in graph.capabilities if chain.by_name[n].role is Role.SAMPLE)
    own = (c for sample in samples for c in _instead_of(sample, catalogue))
    return {p.name for c in own for p in c.parameters if p.type.is_primitive}


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _unsupported(why: str) -> PlanResult:
    return PlanResult(status="unsupported", planner=CataloguePlanner.name, why=why)


def _missing(asked: _Asked, gap: Gap, found: frozenset[str]) -> PlanResult:
    """The question for what is missing, where the user can give it."""
    language, name = asked.request.parsed.language, gap.capability.name
    why = say(language, f"{name} needs {gap.parameter.name!r}", f"{name} 需要 {gap.parameter.name!r}")
    if not gap.is_answerable:
        return _unsupported(why)
    check_inputs(asked.request.input_names, _takes(asked, gap, found))
    question = question_for(gap.parameter, language)
    return PlanResult(status="needs_input", planner=CataloguePlanner.name, question=question, why=why)


def _takes(asked: _Asked, gap: Gap, found: frozenset[str]) -> set[str]:
    """The inputs of the plan that there would be, were the missing ones given."""
    supposed = asked.request.input_names | found
    for _ in range(_MOST_QUESTIONS):
        supposed |= {gap.parameter.name}
        chain = Chain(asked.request.catalogue, _wish(asked, supposed))
        goals = chosen(asked.parts, chain)
        plan = goals if isinstance(goals, Gap) else planned(goals, chain, is_named=asked.is_named)
        if not isinstance(plan, Gap):
            return {*graph_of(plan.draft, plan.goals, chain).inputs}
        gap = plan
    return {*supposed}


def _caveats(
    asked: _Asked, plan: Plan, used: Sequence[Capability], found: dict[str, JsonValue]
) -> tuple[str, ...]:
    parsed, language = asked.request.parsed, asked.request.parsed.language
    read = [*found.values(), *parsed.inputs.values()]
    # A file's name says nothing about what is understood.
    named = [value for name, value in parsed.inputs.items() if name not in asked.file_inputs]
    return (
        *undone_caveats(asked.undone, language),
        *(word_caveats(asked.text, asked.index, used, language, named=named) if not asked.undone else ()),
        *horizon_caveats(parsed.text, used, asked.request.input_names, language),
        *file_caveats([path for path in asked.files if path not in read], language),
        *modality_caveats(asked.text, used, language, asked_for=plan.goals),
    )
