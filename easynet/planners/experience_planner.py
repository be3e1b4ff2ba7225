"""`ExperiencePlanner`: plans as past runs of similar requests were planned."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from easynet.core.language import Language, say
from easynet.planners.experience import Experience, ExperienceStore
from easynet.planners.experience_promotion import OFTEN, promoted
from easynet.planners.experience_upkeep import FEWEST, Fitted, ModelFile, Offered
from easynet.planners.experience_usable import Usable, unsupported
from easynet.planners.matching import Matcher
from easynet.planners.past_run import PastRun
from easynet.planners.planner import PlanRequest, PlanResult

if TYPE_CHECKING:
    from easynet.planners.experience_evidence import View

_LIKE_ENOUGH, _MORE_WHILE_FEW = 0.3, 2.0
_MOSTLY = 0.6
_SHARPNESS = 3
"""How much more past requests count that are more alike."""
_AT_ONCE = 200
"""So many lessons are fitted while somebody waits: it takes a second."""


class ExperiencePlanner:
    """Reuses the plans of similar requests that went well, and puts new ones together of their parts.

    Requests that have gone well by the same plan several times need no model. For others the model on disk
    serves. Where there is none yet, one of the latest lessons does, and all are learned from in a process of
    its own meanwhile.
    """

    name = "experience"

    def __init__(self, store: ExperienceStore, model: ModelFile | None = None) -> None:
        """`model` keeps what is learned between processes; without it all is learned where it is needed."""
        self._store = store
        self._file = model
        self._known: _Known | None = None
        self._fitted: Fitted | None = None
        self._seen: _Seen | None = None
        self._busy = asyncio.Lock()

    async def plan(self, request: PlanRequest) -> PlanResult:
        """Plan as past runs teach; unsupported where no past request is like this one.

        Raises DataDirectoryUnusable where the past runs cannot be read.
        """
        language = request.parsed.language
        if runs := promoted(self._store, request.parsed.text, request.catalogue):
            usable = Usable(request, Experience(runs, request.by_name))
            if (repeated := usable.repeated(runs[-1], OFTEN)) is not None:
                return repeated
        async with self._busy:
            known = await asyncio.to_thread(self._knowledge, request)
            lessons = len(known.experience.lessons)
            if lessons < FEWEST:
                return unsupported(_too_few(lessons, language))
            try:
                fitted = await asyncio.to_thread(self._model, known, request)
            except ImportError as error:
                return unsupported(_missing(error.name or "", language))
        needed = _LIKE_ENOUGH + _MORE_WHILE_FEW / len(fitted.runs)
        choices = fitted.model.choices(request.parsed.text, self._view(fitted, request), needed)
        if not choices.best:
            return unsupported(_unlike(choices.likeness, needed, language))
        by_id = {run.id: run for run in known.experience.runs}
        near = [(by_id[fitted.runs[number]], likeness) for number, likeness in choices.nearest.items()]
        if _words_suffice(near, known.experience.by_words):
            return unsupported(_as_good(language))
        return Usable(request, known.experience).result(choices)

    def warm(self) -> None:
        """Read the model from disk where there is one, so that the first request need not wait for it."""
        if self._file is not None:
            with suppress(ImportError):  # planning says what to install
                self._file.load()

    def _knowledge(self, request: PlanRequest) -> "_Known":
        key = (self._store.version(), request.catalogue)
        if self._known is None or self._known.key != key:
            by_name = request.by_name
            self._known = _Known(key, self._store.version(), Experience(self._store.runs(), by_name))
        return self._known

    def _model(self, known: "_Known", request: PlanRequest) -> Fitted:
        """The best model there is now, and a better one begun where that is outdated."""
        lessons = known.experience.lessons
        stored = {run.id for run in known.experience.runs}
        found = self._file.load() if self._file is not None else None
        candidates = [f for f in (found, self._fitted) if f is not None and stored.issuperset(f.runs)]
        best = max(candidates, key=lambda f: f.version, default=None)
        if best is not None and not best.is_outdated([run.id for run in lessons]):
            return best
        if self._file is not None and len(lessons) > _AT_ONCE:
            self._file.renew(Offered(catalogue=request.catalogue, links=request.links))
            if best is not None:
                return best
            lessons = lessons[-_AT_ONCE:]
        self._fitted = _fit(lessons, known.version, request)
        return self._fitted

    def _view(self, fitted: Fitted, request: PlanRequest) -> "View":
        key = (fitted, request.catalogue, request.links)
        if self._seen is None or self._seen.key != key:
            view = fitted.model.view(Matcher(request.catalogue), request.links)
            self._seen = _Seen(key, view)
        return self._seen.view


@dataclass(frozen=True)
class _Known:
    key: object
    version: int
    experience: Experience


@dataclass(frozen=True)
class _Seen:
    key: object
    view: "View"


def _fit(lessons: Sequence[PastRun], version: int, request: PlanRequest) -> Fitted:
    from easynet.planners.experience_fitting import fitted  # NumPy and SciPy take 300 ms to import

    return fitted(lessons, version, Offered(catalogue=request.catalogue, links=request.links))


def _words_suffice(near: Sequence[tuple[PastRun, float]], of_all: float) -> bool:
    """Whether descriptions alone led to the plans of requests like this one, as they mostly do here.

    Then nothing is known that they do not say, and who reads all of them does better than who imitates it.
    `of_all` is the share of all requests for which they did.
    """
    known = sum(likeness**_SHARPNESS for run, likeness in near if run.by_words)
    of_near = known / (sum(likeness**_SHARPNESS for _, likeness in near) or 1.0)
    return (of_near + of_all) / 2 >= _MOSTLY


def _as_good(language: Language) -> str:
    en = "the functions' descriptions have led to the plans of similar requests, too"
    return say(language, en, "仅凭功能说明即可得到相似请求的计划")


def _too_few(lessons: int, language: Language) -> str:
    return say(
        language,
        f"{lessons} past run{'s are' if lessons != 1 else ' is'} too few to go by",
        f"仅有 {lessons} 次历史运行，尚不足以参考",
    )


def _missing(library: str, language: Language) -> str:
    extra = "pip install 'easynet-os[planning]'"
    return say(
        language,
        f"{library} is needed to learn from past runs: {extra}",
        f"从历史运行中学习需要 {library}：{extra}",
    )


def _unlike(likeness: float, needed: float, language: Language) -> str:
    return say(
        language,
        f"no past request is like it ({likeness:.2f}, and {needed:.2f} is needed)",
        f"没有相似的历史请求（相似度 {likeness:.2f}，至少需要 {needed:.2f}）",
    )
