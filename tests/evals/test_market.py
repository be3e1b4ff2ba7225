"""The simulated market: its nodes do what is drawn for them, and the same for every way of choosing them."""

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from easynet.core.call import Returned
from easynet.core.errors import CallTimeout, EasyNetError, FunctionCrashed, NodeUnreachable
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.registry import DEAD_AFTER_S
from easynet.settings import inherited_environment
from easynet.testing.simulated_time import simulated
from evals.leads import StepByStep, WholePlan
from evals.market_trial import JobDone, Kill, trial
from evals.market_ways import LEARNED, STATIC, WAYS
from evals.simulation.market import CALM, HARSH, Market
from evals.simulation.market_jobs import TASKS, Needs, jobs, longest
from evals.simulation.market_nodes import MarketInvoker
from evals.simulation.mock_model import FAST
from tests.patience import PATIENCE_S

SMALL = replace(HARSH, nodes=10)
QUIET = replace(CALM, nodes=3, work_s=10.0)
NODE, FUNCTION = NodeId("node-000"), CapabilityName("function-00")
Ended = tuple[float, str]


def calls(market: Market, *keys: str, kill_at: float | None = None, timeout_s: float = 1e6) -> list[Ended]:
    """When calls of one function at one node end that are made at once, and how."""

    async def call(invoker: MarketInvoker, key: str) -> Ended:
        how = "nothing"
        try:
            async for update in invoker.invoke(NODE, FUNCTION, {}, key=key, timeout_s=timeout_s):
                assert isinstance(update, Returned)
                how = "returned"
        except EasyNetError as error:
            how = error.code
        return asyncio.get_running_loop().time(), how

    async def main() -> list[Ended]:
        invoker = MarketInvoker(market)
        if kill_at is not None:
            asyncio.get_running_loop().call_at(kill_at, invoker.kill, [NODE])
        return [*await asyncio.gather(*(call(invoker, key) for key in keys))]

    return simulated(main())


def test_a_node_works_on_one_call_at_a_time_in_the_order_of_their_arrival() -> None:
    market = Market(1, QUIET)
    needed_s = market.work[FUNCTION] / market.nodes[NODE].speed
    ended = calls(market, "job/a/x/0", "job/b/x/0", "job/c/x/0")
    assert [at for at, _ in ended] == pytest.approx([needed_s, 2 * needed_s, 3 * needed_s], abs=1e-4)
    assert {how for _, how in ended} == {"returned"}


def test_what_was_at_a_node_that_crashes_is_missed_and_never_answered() -> None:
    market = Market(1, QUIET)
    ended = calls(market, "job/a/x/0", "job/b/x/0", kill_at=0.5)
    assert [at for at, _ in ended] == pytest.approx([0.5 + DEAD_AFTER_S] * 2)
    assert {how for _, how in ended} == {NodeUnreachable.code}


def test_a_call_ends_when_its_time_is_over() -> None:
    ((at, how),) = calls(Market(1, QUIET), "job/a/x/0", timeout_s=0.25)
    assert at == pytest.approx(0.25)
    assert how == CallTimeout.code


def test_flaky_nodes_fail_as_often_as_is_true_of_them() -> None:
    market = Market(1, replace(QUIET, flaky=1.0))
    node = market.nodes[NODE]
    fails = [node.attempt("job", f"task-{n}", 1, 1.0).fails for n in range(2000)]
    assert 0.2 <= node.failure <= 0.6
    assert sum(fails) / len(fails) == pytest.approx(node.failure, abs=0.04)
    failed = f"task-{fails.index(True)}"
    assert calls(market, f"job/{failed}/x/0")[0][1] == FunctionCrashed.code


def test_liars_claim_three_times_their_speed() -> None:
    honest, lying = Market(1, QUIET), Market(1, replace(QUIET, liars=1.0))
    for name, node in honest.nodes.items():
        assert lying.nodes[name].claimed == pytest.approx(3 * node.claimed)
        assert lying.nodes[name].speed == node.speed


def test_the_luck_of_an_attempt_does_not_depend_on_what_was_done_before() -> None:
    one, other = Market(1, SMALL), Market(1, SMALL)
    for n in range(50):
        other.nodes[NODE].attempt("elsewhere", f"task-{n}", 1, 1.0)
    other.nodes[NODE].speed_at(9999.0)
    other.nodes[NODE].outage(99999.0)
    assert one.nodes[NODE].attempt("job", "task", 1, 5.0) == other.nodes[NODE].attempt("job", "task", 1, 5.0)
    assert [one.nodes[NODE].speed_at(t) for t in (0.0, 500.0)] == [
        other.nodes[NODE].speed_at(t) for t in (0.0, 500.0)
    ]
    assert one.nodes[NODE].outage(100.0) == other.nodes[NODE].outage(100.0)


def test_another_attempt_or_another_seed_has_other_luck() -> None:
    node, other = Market(1, SMALL).nodes[NODE], Market(2, SMALL).nodes[NODE]
    many = [node.attempt("job", f"task-{n}", 1, 1.0) for n in range(200)]
    assert many != [node.attempt("job", f"task-{n}", 2, 1.0) for n in range(200)]
    assert many != [other.attempt("job", f"task-{n}", 1, 1.0) for n in range(200)]


def test_jobs_have_thirty_subtasks_each_of_which_can_run() -> None:
    market = Market(1, SMALL)
    for job in jobs(market.chance, 20, market.work):
        assert len(job.graph.subtasks) == TASKS
        assert len(job.graph.in_order) == TASKS
        assert max(market.work.values()) <= job.work == longest(job.graph, market.work)


def ran(way: str, kill: Kill | None = None) -> list[JobDone]:
    return trial(Market(1, SMALL), WAYS[way], 4, kill)


@pytest.mark.parametrize("way", [STATIC, LEARNED])
def test_a_trial_gives_the_same_figures_again(way: str) -> None:
    assert ran(way) == ran(way)


def test_no_job_is_shorter_than_its_longest_path_where_speeds_do_not_change() -> None:
    done = trial(Market(1, QUIET), WAYS[LEARNED], 4)
    assert all(job.is_success and job.seconds >= job.least_s for job in done)
    assert sum(job.wasted_s for job in done) == pytest.approx(0, abs=1e-6)


def test_killed_nodes_cost_time_and_no_job() -> None:
    calm, hit = ran(LEARNED), ran(LEARNED, Kill(30.0, 0.5))
    assert all(job.is_success for job in hit)
    assert sum(job.seconds for job in hit) > sum(job.seconds for job in calm)


def test_a_whole_plan_is_asked_for_once_and_steps_one_by_one() -> None:
    whole, steps = WholePlan(FAST), StepByStep(FAST)
    market = Market(1, replace(QUIET, speed_spread=0.0))
    shape: Needs = [[], [0], [0], [1, 2]]
    (planned,) = trial(market, replace(WAYS[LEARNED], lead=whole), 1, shape=shape)
    (stepped,) = trial(market, replace(WAYS[LEARNED], lead=steps), 1, shape=shape)
    assert (whole.calls, steps.calls) == (1, len(shape) + 1)
    assert planned.is_success
    assert stepped.is_success
    assert planned.seconds < stepped.seconds


@pytest.mark.slow
def test_a_trial_is_the_same_in_processes_that_order_sets_differently() -> None:
    code = (
        "from tests.evals.test_market import ran; from evals.market_ways import LEARNED; print(ran(LEARNED))"
    )

    def printed(hash_seed: str) -> str:
        environment = {**inherited_environment(), "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", code]
        found = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True
        )
        return found.stdout

    assert printed("1") == printed("2") != ""
