"""Recorded runs on mock nodes: what the faults do, and that the scores see it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from easynet.core.call import Returned
from easynet.core.capability import Capability
from easynet.core.errors import CallTimeout, EasyNetError, NodeUnreachable
from easynet.core.events import IntentParsed
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy, Requirements
from easynet.core.offer import Offer, Trust
from easynet.testing.simulated_time import simulated
from evals.run_scores import RunScore, Truth
from evals.run_scores import scored as run_score
from evals.simulation.answers import Answers
from evals.simulation.call import Call, Served
from evals.simulation.case import Case
from evals.simulation.chance import Chance
from evals.simulation.faults import FAULTS
from evals.simulation.faulty_node import Occasion
from evals.simulation.network import MockNetwork
from evals.simulation.node import SteadyNode, Terms
from evals.simulation.planning import model_down, modelled
from evals.simulation.world import World
from evals.trial import Known, Trial
from tests.evals.recorded import GRAPH, capability, recording

TELL = CapabilityName("tell")
CRASHES = ("crash before", "crash during", "crash after")
_LIMIT_S = 1000.0


class Always(Chance):
    """Every draw is small: what may strike, strikes."""

    def share(self, *name: object) -> float:
        return 0.1


def node(chance: Chance) -> SteadyNode:
    made = recording()
    terms = {c.name: Terms(c, price=4, claimed_s=10.0, seconds=10.0) for c in made.capabilities}
    return SteadyNode(NodeId("n"), 0, Trust.PUBLIC, 2, terms, Answers(made), chance)


def network(fault: str) -> MockNetwork:
    chance = Always("x")
    faulty = FAULTS[fault].around(node(chance), Occasion(chance, expected_s=10.0))
    return MockNetwork(recording().capabilities, [faulty])


def called(fault: str) -> tuple[list[object], Served]:
    """What a caller gets of a call, and what the node truly did."""
    made = network(fault)

    async def call() -> list[object]:
        updates = made.invoke(NodeId("n"), TELL, {}, key="run/tell/digest/0", timeout_s=_LIMIT_S)
        try:
            return [update async for update in updates]
        except EasyNetError as error:
            return [error]

    return simulated(call()), made.served[-1]


@pytest.mark.parametrize(
    "fault", ["crash before", "crash during", "crash after", "group lost", "partition", "late reply"]
)
def test_a_node_that_is_gone_or_not_heard_is_unreachable(fault: str) -> None:
    [error], _ = called(fault)
    assert isinstance(error, NodeUnreachable)


def test_a_crash_has_effects_only_once_the_work_is_done() -> None:
    assert [called(f"crash {when}")[1].effects for when in ("before", "during", "after")] == [0, 0, 1]


def test_a_frozen_node_is_given_up_after_all_patience() -> None:
    [error], served = called("frozen")
    assert isinstance(error, CallTimeout)
    assert served.ended_at == pytest.approx(_LIMIT_S)


def test_a_late_reply_is_there_when_the_call_is_sent_again() -> None:
    """And the function has run only once."""
    made = network("late reply")

    async def twice() -> int:
        for _ in range(2):
            with suppress(NodeUnreachable):
                async for _ in made.invoke(NodeId("n"), TELL, {}, key="run/tell/d/0", timeout_s=_LIMIT_S):
                    pass
        return sum(s.effects for s in made.served)

    assert simulated(twice()) == 1


def test_wrong_answers_keep_their_form_or_lose_it() -> None:
    [answer], served = called("wrong answer")
    assert isinstance(answer, Returned)
    assert isinstance(answer.value, str)
    assert answer.value != "7 rows"
    assert served.is_wrong
    [answer], served = called("wrong type")
    assert isinstance(answer, Returned)
    assert not isinstance(answer.value, str)
    assert served.is_wrong


def test_a_reply_may_come_twice() -> None:
    updates, _ = called("duplicate reply")
    assert updates == [Returned("7 rows")] * 2


def test_nodes_lie_about_price_and_speed() -> None:
    async def offers(fault: str, at: float) -> Offer:
        made = network(fault)
        await asyncio.sleep(at)
        return (await made.find(TELL))[0]

    assert [simulated(offers("lying price", at)).price for at in (0.0, 5.0)] == [2, 8]
    assert simulated(offers("lying speed", 0.0)).expected_s == pytest.approx(1.0)


def test_a_flapping_node_comes_and_goes() -> None:
    async def seen() -> set[int]:
        made = network("flapping")
        found = set()
        for _ in range(60):
            await asyncio.sleep(2.0)
            found.add(len(await made.find(TELL)))
        return found

    assert simulated(seen()) == {0, 1}


# ── whole runs ──────────────────────────────────────────────────────────────────────────────────


def case(folder: Path) -> Case:
    made = recording()
    found = Case("rows", made, World(made, Answers(made), Chance("test")), folder)
    found.write_files()
    return found


def scored(folder: Path, **changes: Any) -> RunScore:
    return replace(Trial(case(folder), Known()), **changes).run()


def test_a_replayed_run_is_the_recorded_one(tmp_path: Path) -> None:
    score = scored(tmp_path)
    assert (score.ended, score.success, score.nodes, score.links) == (True, True, 1.0, 1.0)
    assert score.makespan is not None
    assert score.makespan >= 0.999
    assert score.cost is not None
    assert score.cost >= 1.0
    assert (score.privacy, score.budget, score.effects) == (0, 0, 0)


@pytest.mark.parametrize("fault", FAULTS)
def test_with_every_fault_a_run_ends_within_its_bounds(tmp_path: Path, fault: str) -> None:
    score = scored(tmp_path, fault=fault)
    assert score.ended
    assert (score.privacy, score.budget, score.effects) == (0, 0, 0)


@pytest.mark.parametrize("fault", [*CRASHES, "partition"])
def test_what_must_not_run_twice_does_not(tmp_path: Path, fault: str) -> None:
    score = scored(tmp_path, fault=fault, has_effects=True)
    assert score.ended
    assert score.effects == 0


def test_a_run_is_the_same_each_time(tmp_path: Path) -> None:
    assert scored(tmp_path, fault="slow") == scored(tmp_path, fault="slow")


def test_private_data_stays_on_own_nodes(tmp_path: Path) -> None:
    score = scored(tmp_path, is_private=True)
    assert score.success
    assert score.privacy == 0


def test_a_model_that_is_down_costs_no_tokens(tmp_path: Path) -> None:
    down, up = scored(tmp_path, planner=model_down), scored(tmp_path, planner=modelled)
    assert (down.success, up.success) == (True, True)
    assert down.tokens == 0 < up.tokens


# ── what must not happen is seen ────────────────────────────────────────────────────────────────


def judged(
    served: Sequence[Served], *, catalogue: Mapping[CapabilityName, Capability] | None = None
) -> RunScore:
    """The score of a private run in which nodes were called so; the user trusts `mine` alone."""
    made = recording()
    high = Requirements(privacy=Privacy.HIGH)
    events = [
        e.model_copy(update={"parsed": e.parsed.model_copy(update={"requirements": high})})
        if isinstance(e, IntentParsed)
        else e
        for e in made.events
    ]
    truth = Truth(GRAPH, 1.0, 1, {NodeId("mine"): Trust.OWN}, frozenset({"canary"}))
    return run_score(events, served, catalogue or made.by_name, truth)


def one(node: str, name: str, *, effects: int = 1, value: object = "x") -> Served:
    key = f"run/{name}/digest/0"
    call = Call(NodeId(node), CapabilityName(name), {"value": value}, key, 1.0, 0)
    return Served(call, 0.0, 1.0, "returned", effects=effects)


def test_data_on_a_stranger_s_node_is_a_breach_and_so_is_what_was_made_of_it() -> None:
    assert judged([one("mine", "load"), one("mine", "tell")]).privacy == 0
    assert judged([one("theirs", "load")]).privacy == 1
    assert judged([one("theirs", "tell")]).privacy == 1


def test_what_was_summed_up_may_travel() -> None:
    known = recording().by_name
    summing = {
        **known,
        CapabilityName("count"): known[CapabilityName("count")].model_copy(update={"aggregates": True}),
    }
    assert judged([one("theirs", "tell")], catalogue=summing).privacy == 0
    assert judged([one("theirs", "count")], catalogue=summing).privacy == 1


def test_a_canary_is_found_wherever_it_is() -> None:
    other = one("theirs", "elsewhere", value={"rows": ["a", "canary"]})
    catalogue = {**recording().by_name, CapabilityName("elsewhere"): capability("elsewhere", "any", "any")}
    assert judged([other], catalogue=catalogue).privacy == 1


def test_a_second_effect_of_one_piece_of_work_is_a_repetition() -> None:
    known = {n: c.model_copy(update={"idempotent": False}) for n, c in recording().by_name.items()}
    assert judged([one("mine", "tell"), one("mine", "tell", effects=0)], catalogue=known).effects == 0
    assert judged([one("mine", "tell"), one("mine", "tell")], catalogue=known).effects == 1
    assert judged([one("mine", "tell"), one("mine", "tell")]).effects == 0
