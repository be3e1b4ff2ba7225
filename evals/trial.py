"""One recorded intent run once more, in simulated time, with some fault and in some way; and measured."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

from easynet.core.capability import Capability
from easynet.core.ids import RunId
from easynet.core.intent import Privacy
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.hedging import Hedging
from easynet.testing.simulated_time import simulated
from evals.run_scores import RunScore, Truth, scored
from evals.simulation.case import Case, cases
from evals.simulation.chance import Chance
from evals.simulation.faults import FAULTS
from evals.simulation.planning import Planning, replayed
from evals.simulation.stack import DEFAULT, Stack, Way

SHORT_CASES = 4


@dataclass(frozen=True)
class Known:
    """What a user's network has gathered in earlier runs."""

    estimates: Estimates = field(default_factory=Estimates)
    hedging: Hedging = field(default_factory=Hedging)


@dataclass(frozen=True)
class Trial:
    """A run to be made."""

    case: Case
    known: Known
    fault: str | None = None
    planner: Planning = replayed
    way: Way = DEFAULT
    is_private: bool = False
    """The intent asks for high privacy."""
    wants_quality: bool = False
    """It asks for a quality, so that what others' nodes give is confirmed; and pays for that."""
    has_effects: bool = False
    """No function of the network may run twice."""

    def run(self, *, learn: bool = False) -> RunScore:
        """Make the run and measure it. Where it is to `learn`, `known` grows by it."""
        case = self._case()
        intent = case.intent
        if self.is_private:
            constraints = {**intent.constraints, "privacy": "high"}
            intent = intent.model_copy(update={"constraints": constraints})
        if self.wants_quality:
            twice = {**intent.constraints, "budget": case.budget(2 * 3)}
            wanted = {"quality_requirements": {"accuracy": ">1%"}, "constraints": twice}
            intent = intent.model_copy(update=wanted)
        fault = FAULTS[self.fault] if self.fault else None
        network = case.world.network(fault, Chance(f"{self.fault}|{case.name}"))
        known = self.known if learn else deepcopy(self.known)
        stack = Stack(
            network=network,
            planner=self.planner(case),
            folder=case.folder / "runs",
            answer=case.answer,
            steering=self.way.steering(known.estimates, known.hedging),
            max_replans=self.way.max_replans,
            attempts=self.way.attempts,
        )
        try:
            events = simulated(stack.run(intent, RunId("run")))
        except TimeoutError:
            events = ()  # it hung
        truth = _truth(case, is_private=intent.constraints.get("privacy") == Privacy.HIGH)
        return scored(events, network.served, case.world.answers.capabilities, truth)

    def _case(self) -> Case:
        if not self.has_effects:
            return self.case
        return replace(self.case, world=self.case.world.with_capabilities(_not_idempotent))


def trials(folder: Path, short: bool) -> list[Trial]:
    """One trial without a fault for each recorded intent, or for a few of them.

    The nodes have been used for each intent once before, without faults, and are known from that.
    """
    found = cases(folder, most=SHORT_CASES if short else None)
    known = Known()
    made = [Trial(case, known) for case in found]
    for trial in made:
        trial.case.write_files()
        trial.run(learn=True)
    return made


def a_third(made: Sequence[Trial]) -> list[Trial]:
    """Each third field of the matrix of faults and intents."""
    return [
        replace(trial, fault=fault)
        for i, trial in enumerate(made)
        for j, fault in enumerate(FAULTS)
        if (i + j) % 3 == 0
    ]


def _truth(case: Case, *, is_private: bool) -> Truth:
    world = case.world
    return Truth(
        graph=case.recording.graph,
        critical_path_s=world.critical_path_s(is_private=is_private),
        cheapest=world.cheapest(is_private=is_private),
        trust=world.trust,
        secrets=case.secrets,
    )


def _not_idempotent(capability: Capability) -> Capability:
    return capability.model_copy(update={"idempotent": False})
