"""The planners of a network, in the order in which they are asked, and what they learn from."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from easynet.llm.kept_vectors import KeptVectors
from easynet.llm.language_model import LanguageModel
from easynet.llm.sentence_encoder import SentenceEncoder
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.experience_recorder import Recorder, opened
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import ModelFile
from easynet.planners.past_examples import PastExamples
from easynet.planners.planner_chain import PlannerChain
from easynet.settings import Settings

if TYPE_CHECKING:
    from easynet.planners.model_planner import ModelPlanner
    from easynet.planners.planner import Planner


class Planning(NamedTuple):
    """What plans, and what becomes of runs that have ended."""

    store: SqliteExperience | MemoryExperience
    experience: ExperiencePlanner
    catalogue: CataloguePlanner
    recorder: Recorder

    @classmethod
    def open(cls, data_dir: Path) -> Self:
        """Read what past runs taught; the store is to be closed."""
        path = data_dir / "experience.db"
        store, model = opened(path), ModelFile(path)
        experience, catalogue = ExperiencePlanner(store, model), _by_descriptions(data_dir)
        experience.warm()
        return cls(store, experience, catalogue, Recorder(store, model, catalogue))

    def chain(self, model: LanguageModel | str, settings: Settings, stack: AsyncExitStack) -> PlannerChain:
        """The planners in turn, a language model's first where one is given or named.

        Raises as `open_model` does for a name that means no model that can be asked.
        """
        others: dict[str, Planner] = {
            self.experience.name: self.experience,
            self.catalogue.name: self.catalogue,
        }
        if not model:
            return PlannerChain(others)
        asking = self._asking(model, settings, stack)
        return PlannerChain({asking.name: asking, **others})

    def _asking(
        self, model: LanguageModel | str, settings: Settings, stack: AsyncExitStack
    ) -> "ModelPlanner":
        # Only who names a model waits for its libraries.
        from easynet.llm.choosing import open_model
        from easynet.llm.prices import cost, price_of
        from easynet.planners.model_planner import ModelPlanner

        if isinstance(model, str):
            model = open_model(model, settings)
            stack.push_async_callback(model.close)
        price = price_of(model.name, settings.model_prices)
        return ModelPlanner(
            model,
            examples=PastExamples(self.store),
            price=None if price is None else partial(cost, price=price),
            time_s=2 * settings.model_timeout_s,
        )


def _by_descriptions(data_dir: Path) -> CataloguePlanner:
    """The planner that needs no past runs; with the extra `semantic` it finds them by meaning as well."""
    if not SentenceEncoder.is_installed():
        return CataloguePlanner()
    encoder = SentenceEncoder()
    return CataloguePlanner(encoder, KeptVectors(encoder, data_dir / "vectors.db"))
