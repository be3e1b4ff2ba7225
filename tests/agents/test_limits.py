"""Budget and deadline of a run over its resumptions: what carries over, what is named, what can be wider."""

import pytest

from easynet.agents.intent_parser import with_limits
from easynet.agents.wording import go_on
from easynet.core.errors import InvalidQuantity, NodeUnreachable, UsageError
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Intent
from easynet.core.offer import Offer, Trust
from easynet.core.relaxation import Relaxation
from easynet.core.result import RunResult
from easynet.network import _checked_limits, _with_price_limit  # pyright: ignore[reportPrivateUsage]
from tests.agents.test_orchestrator import FUNCTIONS, Desk, break_vase, desk

__all__ = ["desk"]


def tea(**constraints: str) -> Intent:
    return Intent.from_text("brew a cup of tea", constraints=constraints)


def command(result: RunResult) -> str:
    """The command that goes on with it, as it is shown."""
    further = go_on(result.run_id, result.status, result.problem, "en")
    return "" if further is None else further.command


async def test_a_run_over_its_budget_goes_on_with_the_one_that_is_named(desk: Desk) -> None:
    intent = tea(budget="4 credits")
    refused = await desk.run(intent)
    assert refused.status == "over_budget"
    assert command(refused) == f"easynet runs resume {refused.run_id} --budget '5 credits'"
    assert (await desk.run(intent, limits={"budget": "4 credits"})).status == "over_budget"
    result = await desk.run(intent, limits={"budget": "5 credits"})
    assert result.ok, result.problem
    assert result.cost == 5


async def test_a_wider_limit_holds_for_later_resumptions_too(desk: Desk) -> None:
    intent = tea(max_cost="4 credits")
    desk.network.down = {"n"}
    await desk.run(intent)
    assert (await desk.run(intent, limits={"budget": "5 credits"})).status == "failed"
    desk.network.down = set()
    assert (await desk.run(intent)).ok


async def test_a_budget_is_for_the_whole_run_whatever_it_has_paid(desk: Desk) -> None:
    desk.network.functions = {**FUNCTIONS, "brew_tea": break_vase}
    failed = await desk.run(tea())
    assert failed.cost == 2
    desk.network.functions = FUNCTIONS
    refused = await desk.run(tea(), limits={"budget": "4 credits"})
    assert refused.problem is not None
    assert (refused.status, refused.problem.relaxations) == ("over_budget", (Relaxation(budget=5),))
    assert (await desk.run(tea(), limits={"budget": "5 credits"})).cost == 5


async def test_a_deadline_counts_from_the_start_of_the_run_whoever_resumes_it(desk: Desk) -> None:
    desk.network.functions = {**FUNCTIONS, "brew_tea": break_vase}
    await desk.run(tea(deadline="100 s"))
    desk.network.functions = FUNCTIONS
    desk.clock.advance(99.5)
    late = await desk.run(tea(deadline="100 s"))
    assert late.status == "infeasible"
    desk.clock.advance(10)
    late = await desk.run(tea(deadline="100 s"))
    assert late.problem is not None
    assert late.problem.message.startswith("the deadline passed")
    assert command(late) == f"easynet runs resume {late.run_id} --deadline '1 s'"


async def test_a_new_deadline_counts_from_the_resumption_that_set_it(desk: Desk) -> None:
    desk.network.functions = {**FUNCTIONS, "brew_tea": break_vase}
    await desk.run(tea(deadline="100 s"))
    desk.clock.advance(10_000)
    await desk.run(tea(deadline="100 s"), limits={"deadline": "50 s"})
    desk.network.functions = FUNCTIONS
    desk.clock.advance(49.5)
    assert (await desk.run(tea(deadline="100 s"))).status == "infeasible"
    desk.clock.advance(-10)
    result = await desk.run(tea(deadline="100 s"))
    assert result.ok, result.problem


async def test_a_deadline_that_cannot_be_met_names_the_least_that_can(desk: Desk) -> None:
    refused = await desk.run(tea(deadline="1.5 s"))
    assert command(refused) == f"easynet runs resume {refused.run_id} --deadline '2 s'"
    result = await desk.run(tea(deadline="1.5 s"), limits={"deadline": "2 s"})
    assert result.ok, result.problem


async def test_a_repair_beyond_the_budget_names_the_command_that_goes_on(desk: Desk) -> None:
    from tests.agents.test_replan import buy_leaves, offer

    offer(desk, buy_leaves)
    refused = await desk.run(tea(budget="6 credits"))
    assert command(refused) == f"easynet runs resume {refused.run_id} --budget '7 credits'"


async def test_money_that_runs_out_in_the_middle_names_what_would_do_without_what_failed(desk: Desk) -> None:
    prices = {"cheap": 2, "dear": 50}

    async def find(capability: CapabilityName) -> list[Offer]:
        return [
            Offer(node=NodeId(n), capability=capability, price=p, expected_s=1.0, trust=Trust.OWN)
            for n, p in prices.items()
        ]

    desk.network.find = find  # type: ignore[method-assign]  # prices by node
    desk.network.down = {"cheap"}
    refused = await desk.run(tea(budget="10 credits"))
    assert (refused.status, refused.cost) == ("over_budget", 0)
    assert command(refused) == f"easynet runs resume {refused.run_id} --budget '52 credits'"
    desk.network.down = set()
    assert (await desk.run(tea(budget="10 credits"), limits={"budget": "52 credits"})).ok


async def test_where_privacy_is_in_the_way_the_node_that_would_do_is_named(desk: Desk) -> None:
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    refused = await desk.run(tea(privacy="high"))
    assert refused.problem is not None
    assert refused.problem.code == "no_node_found"
    assert "stranger would do" in refused.problem.hint
    assert "EASYNET_TRUSTED_NODES" in refused.problem.hint


async def test_where_nobody_is_there_no_requirement_is_blamed(desk: Desk) -> None:
    desk.network.away = {"pick_leaves"}
    refused = await desk.run(tea())
    assert refused.problem is not None
    assert "privacy" not in refused.problem.hint


async def test_a_failure_of_a_node_names_no_limits(desk: Desk) -> None:
    desk.network.fail("n", NodeUnreachable("away"))
    desk.network.down = {"n"}
    failed = await desk.run(tea(budget="50 credits", deadline="100 s"))
    assert failed.problem is not None
    assert failed.problem.relaxations == ()


def test_limits_take_the_place_of_what_says_the_same_by_another_name() -> None:
    intent = tea(max_cost="$1", Training_Time="1 h", privacy="high")
    assert with_limits(intent, {"budget": "$5"}).constraints == {
        "Training_Time": "1 h",
        "privacy": "high",
        "budget": "$5",
    }
    assert with_limits(intent, {"deadline": "2 h"}).constraints == {
        "max_cost": "$1",
        "privacy": "high",
        "deadline": "2 h",
    }
    assert with_limits(intent, {}) == intent


def test_a_resumption_changes_no_other_constraint_and_reads_its_limits_first() -> None:
    with pytest.raises(UsageError, match="another 'privacy'"):
        _checked_limits({"privacy": "normal"})
    with pytest.raises(InvalidQuantity):
        _checked_limits({"budget": "lots"})
    assert _checked_limits({"budget": "$5", "deadline": "1 h"}) == {"budget": "$5", "deadline": "1 h"}


def test_the_price_of_the_settings_holds_where_the_intent_states_none() -> None:
    assert _with_price_limit(tea(), "$1").constraints == {"approve_above": "$1"}
    assert _with_price_limit(tea(approve_above="$2"), "$1").constraints == {"approve_above": "$2"}
    assert _with_price_limit(tea(), "").constraints == {}
