"""Who plans the runs of a simulation."""

from collections.abc import Callable

from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.experience_memory import MemoryExperience
from easynet.planners.experience_planner import ExperiencePlanner
from easynet.planners.model_planner import ModelPlanner
from easynet.planners.planner import Planner
from easynet.planners.planner_chain import PlannerChain
from evals.simulation.case import Case
from evals.simulation.planning_model import PlanningModel
from evals.simulation.replay_planner import ReplayPlanner

Planning = Callable[[Case], Planner]


def replayed(case: Case) -> Planner:
    """The recorded plan; where it cannot be had any more, the offline planner's."""
    return PlannerChain(
        {"replay": ReplayPlanner(case.recording.graph, case.inputs), "catalogue": CataloguePlanner()}
    )


def offline(case: Case) -> Planner:
    """The planners that users have without a language model, before anything was learned."""
    return PlannerChain(
        {"experience": ExperiencePlanner(MemoryExperience()), "catalogue": CataloguePlanner()}
    )


def modelled(case: Case) -> Planner:
    """A language model that writes the recorded plan, as far as it is shown what that is made of."""
    return PlannerChain(
        {"model": ModelPlanner(PlanningModel(case.recording.graph)), "replay": replayed(case)}
    )


def model_down(case: Case) -> Planner:
    """A language model that does not answer, and the others after it."""
    model = ModelPlanner(PlanningModel(case.recording.graph, is_down=True))
    return PlannerChain({"model": model, "replay": replayed(case)})
