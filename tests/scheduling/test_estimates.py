import random
from collections.abc import Sequence
from math import exp, inf, log, nan, pow
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer
from easynet.scheduling.estimates import SILENT_S, Estimates
from easynet.scheduling.observations import Observation, Outcome
from easynet.testing.graphs import offer

SHARE = 0.95


def seen(
    node: str,
    took_s: float = 1.0,
    outcome: Outcome = "succeeded",
    *,
    capability: str = "work",
    claimed_s: float = 1.0,
    at: float = 0.0,
) -> Observation:
    return Observation(NodeId(node), CapabilityName(capability), claimed_s, at, took_s, outcome)


OUTCOMES: Sequence[Outcome] = ("succeeded", "failed", "wrong", "silent", "refused", "superseded")
any_seconds = st.floats(0, 1e12)
observations = st.lists(
    st.builds(
        seen,
        st.sampled_from(["a", "b", "c"]),
        any_seconds,
        st.sampled_from(OUTCOMES),
        capability=st.sampled_from(["work", "play"]),
        claimed_s=st.floats(0, 1e9),
        at=st.floats(0, 1e3),
    ),
    max_size=30,
)


def test_without_a_past_the_claim_counts() -> None:
    estimates = Estimates()
    assert estimates.seconds(offer("x", expected_s=7.0)) == 7.0
    assert estimates.success(offer("x")) == pytest.approx(4 / 4.25)
    assert estimates.overdue_s(offer("x"), SHARE) == 30.0
    assert not estimates.is_silent(NodeId("x"), now=0.0)


@pytest.mark.parametrize("took_s", [1e-6, 0.002, 0.3, 1.0, 40.0, 3600.0])
def test_calls_that_always_take_the_same_time_are_expected_to(took_s: float) -> None:
    """Also where the claim is the default, which says nothing."""
    estimates = Estimates([seen("x", took_s)] * 30)
    assert estimates.seconds(offer("x", expected_s=1.0)) == pytest.approx(max(took_s, 1e-4), rel=0.05)


def test_a_new_node_is_trusted_like_the_average_node_not_on_its_claim() -> None:
    slow = [seen(f"n{k % 10}", 3.0) for k in range(100)]
    estimates = Estimates(slow)
    assert estimates.seconds(offer("new", expected_s=1.0)) == pytest.approx(3.0, rel=0.1)
    assert estimates.seconds(offer("new", expected_s=0.5)) == pytest.approx(1.5, rel=0.1)


@pytest.mark.parametrize(("deviation", "least", "most"), [(0.05, 1.7, 2.0), (0.5, 1.0, 1.7), (1.5, 0.0, 1.0)])
def test_the_first_call_of_a_new_node_counts_the_more_the_less_such_calls_differ(
    deviation: float, least: float, most: float
) -> None:
    of = random.Random(3)
    estimates = Estimates(seen(f"n{k % 10}", of.lognormvariate(0.0, deviation)) for k in range(300))
    before = log(estimates.seconds(offer("new")))
    estimates.observe(seen("new", exp(2.0 + before)))
    assert least < log(estimates.seconds(offer("new"))) - before < most


def test_a_function_whose_calls_differ_much_teaches_little_about_its_nodes() -> None:
    of = random.Random(4)
    estimates = Estimates(
        seen("x", seconds, capability=name)
        for _ in range(200)
        for name, seconds in (("work", of.lognormvariate(0.0, 0.05)), ("play", of.lognormvariate(0.0, 1.5)))
    )
    assert estimates.seconds(offer("x", "work")) == pytest.approx(1.0, rel=0.2)


def test_a_node_that_was_fast_and_is_slow_now_is_soon_known_as_slow() -> None:
    estimates = Estimates([seen("x", 1.0)] * 200 + [seen("x", 4.0)] * 10)
    assert estimates.seconds(offer("x")) == pytest.approx(4.0, rel=0.25)


def test_one_straggler_among_many_calls_does_not_ruin_a_name() -> None:
    estimates = Estimates([*[seen("x", 1.0)] * 50, seen("x", 1e6)])
    assert estimates.seconds(offer("x")) < 2.0


def test_a_node_may_claim_one_function_rightly_and_another_wrongly() -> None:
    both = [(seen("x", 1.0, capability="work"), seen("x", 8.0, capability="play")) for _ in range(30)]
    others = [(seen("y", 1.0, capability="work"), seen("y", 1.0, capability="play")) for _ in range(30)]
    estimates = Estimates(o for pair in zip(both, others, strict=True) for two in pair for o in two)
    assert estimates.seconds(offer("x", "work")) == pytest.approx(1.0, rel=0.2)
    assert estimates.seconds(offer("x", "play")) == pytest.approx(8.0, rel=0.2)
    assert estimates.seconds(offer("y", "play")) == pytest.approx(1.0, rel=0.2)


def test_a_function_without_a_claim_does_not_give_its_nodes_a_bad_name() -> None:
    """Calls of `play` take 50 times what the default says; that is the function's doing."""
    estimates = Estimates(
        seen(f"n{k % 5}", seconds, capability=name)
        for k in range(25)
        for name, seconds in (("work", 1.0), ("play", 50.0))
    )
    assert estimates.seconds(offer("n0", "work")) == pytest.approx(1.0, rel=0.2)
    assert estimates.seconds(offer("n0", "play")) == pytest.approx(50.0, rel=0.2)
    assert estimates.seconds(offer("new", "play")) == pytest.approx(50.0, rel=0.3)


@pytest.mark.parametrize("outcome", ["failed", "wrong", "silent"])
def test_what_fails_teaches_success_and_not_speed(outcome: Outcome) -> None:
    estimates = Estimates([seen("x", 99.0, outcome)])
    assert estimates.seconds(offer("x")) == 1.0
    assert estimates.success(offer("x")) < 0.8


def test_a_wrong_answer_weighs_more_than_a_failure() -> None:
    assert Estimates([seen("x", outcome="wrong")]).success(offer("x")) < Estimates(
        [seen("x", outcome="failed")]
    ).success(offer("x"))


def test_a_refusal_is_nobodys_failure() -> None:
    estimates = Estimates([seen("x", outcome="refused")])
    assert estimates.success(offer("x")) == Estimates().success(offer("x"))
    assert estimates.seconds(offer("x")) == 1.0


def test_an_attempt_given_up_teaches_only_that_it_took_longer() -> None:
    assert Estimates([seen("x", 0.5, "superseded")]).seconds(offer("x")) == 1.0
    assert Estimates([seen("x", 5.0, "superseded")]).seconds(offer("x")) > 1.5
    assert Estimates([seen("x", 5.0, "superseded")]).success(offer("x")) == Estimates().success(offer("x"))


def test_a_function_that_fails_at_a_node_lowers_its_others_there_a_little() -> None:
    others = [seen("y", capability=name) for _ in range(30) for name in ("work", "play")]
    estimates = Estimates(others + [seen("x", outcome="failed", capability="work")] * 10)
    work, play = (estimates.success(offer("x", name)) for name in ("work", "play"))
    assert work < play < estimates.success(offer("y", "play"))
    assert work < 0.35
    working = Estimates(
        others + [seen("x", outcome="failed", capability="work"), *[seen("x", capability="play")] * 5] * 10
    )
    assert working.success(offer("x", "work")) < 0.5
    assert working.success(offer("x", "play")) > 0.9


@given(observations, st.sampled_from(["failed", "wrong", "silent"]), st.sampled_from(["a", "b", "c"]))
def test_one_more_failure_never_raises_success(past: list[Observation], outcome: Outcome, node: str) -> None:
    offers = [offer(n, c) for n in ("a", "b", "c", "new") for c in ("work", "play", "new")]
    estimates = Estimates(past)
    before = [estimates.success(o) for o in offers]
    estimates.observe(seen(node, outcome=outcome))
    after = [estimates.success(o) for o in offers]
    assert all(x <= y + 1e-9 for x, y in zip(after, before, strict=True))


@given(observations, st.sampled_from(["a", "b", "c"]))
def test_one_more_success_never_lowers_it(past: list[Observation], node: str) -> None:
    offers = [offer(n, c) for n in ("a", "b", "c", "new") for c in ("work", "play", "new")]
    estimates = Estimates(past)
    before = [estimates.success(o) for o in offers]
    estimates.observe(seen(node))
    after = [estimates.success(o) for o in offers]
    assert all(x >= y - 1e-9 for x, y in zip(after, before, strict=True))


@given(observations, st.floats(0, 1e9), st.sampled_from([0.5, 0.8, SHARE, 0.99, 1.0]))
def test_whatever_was_seen_the_estimates_stay_within_bounds(
    past: list[Observation], claimed_s: float, share: float
) -> None:
    estimates = Estimates(past)
    for one in (offer(n, c, expected_s=claimed_s) for n in ("a", "new") for c in ("work", "new")):
        assert 0.0 < estimates.seconds(one) < inf
        assert 0.0 < estimates.success(one) < 1.0
        overdue_s = estimates.overdue_s(one, share)
        assert estimates.seconds(one) <= overdue_s < inf
        assert overdue_s >= 0.05


@pytest.mark.parametrize("took_s", [nan, inf, 0.0, -1.0])
def test_no_measured_time_breaks_an_estimate(took_s: float) -> None:
    estimates = Estimates([seen("x", took_s)] * 20)
    assert 0.0 < estimates.seconds(offer("x")) < inf


def test_nothing_is_overdue_until_enough_was_seen() -> None:
    assert Estimates([seen("x")] * 7).overdue_s(offer("x"), SHARE) == 30.0
    assert Estimates([seen("x")] * 12).overdue_s(offer("x"), SHARE) < 30.0


def test_what_is_overdue_follows_from_how_much_such_calls_differ() -> None:
    of = random.Random(1)
    steady = [seen("x", of.lognormvariate(0.0, 0.05), capability="steady") for _ in range(100)]
    varied = [seen("x", of.lognormvariate(0.0, 1.0), capability="varied") for _ in range(100)]
    estimates = Estimates(o for two in zip(steady, varied, strict=True) for o in two)
    short, long = (estimates.overdue_s(offer("x", name), SHARE) for name in ("steady", "varied"))
    assert short is not None
    assert long is not None
    assert short < 1.3 * estimates.seconds(offer("x", "steady"))
    assert long > 3.0 * estimates.seconds(offer("x", "varied"))


def test_about_as_many_calls_are_overdue_as_the_share_says() -> None:
    of = random.Random(2)
    estimates = Estimates()
    late = total = 0
    for _ in range(3000):
        node = f"n{of.randrange(10)}"
        took_s = of.lognormvariate(0.0, 0.5)
        limit_s = estimates.overdue_s(offer(node), SHARE)
        if limit_s is not None:
            total, late = total + 1, late + (took_s > limit_s)
        estimates.observe(seen(node, took_s))
    assert 0.03 < late / total < 0.08


def test_a_function_that_was_called_once_goes_by_what_such_functions_showed() -> None:
    """Whose claims are all defaults may surprise by any factor, so that nothing new is soon overdue."""
    past = [seen("x", 0.01 if k % 2 else 30.0, capability=f"f{k}") for k in range(20)]
    estimates = Estimates(past)
    overdue_s = estimates.overdue_s(offer("x", "new"), SHARE)
    assert overdue_s > 20.0


def test_a_silent_node_is_silent_for_a_minute_or_until_it_answers() -> None:
    x = NodeId("x")
    estimates = Estimates([seen("x", outcome="silent", at=100.0)])
    assert estimates.is_silent(x, 100.0)
    assert estimates.is_silent(x, 100.0 + SILENT_S - 1)
    assert not estimates.is_silent(x, 100.0 + SILENT_S)
    assert not estimates.is_silent(NodeId("y"), 100.0)
    estimates.observe(seen("x", outcome="succeeded", at=99.0))
    assert estimates.is_silent(x, 101.0), "that answer came before the silence"
    estimates.observe(seen("x", outcome="refused", at=105.0))
    assert not estimates.is_silent(x, 106.0)


class Market:
    """100 nodes that claim what they like; one in five claims to be three times as fast as it is."""

    def __init__(self, seed: int) -> None:
        self.random = of = random.Random(seed)
        self.truth = {f"n{k}": of.lognormvariate(1.0, 0.5) for k in range(100)}
        self.flaky = {name: of.random() < 0.1 for name in self.truth}
        self.offers = [
            offer(name, expected_s=s * of.lognormvariate(0.0, 0.25) / (3.0 if k % 5 == 0 else 1.0))
            for k, (name, s) in enumerate(self.truth.items())
        ]

    def call(self, one: Offer) -> Observation:
        of, straggles = self.random, self.random.random() < 0.05
        took_s = (
            self.truth[one.node] * of.lognormvariate(0.0, 0.1) * (of.paretovariate(1.3) if straggles else 1)
        )
        fails = self.flaky[one.node] and of.random() < 0.4
        return seen(one.node, took_s, "failed" if fails else "succeeded", claimed_s=one.expected_s)

    def error(self, estimates: Estimates) -> float:
        """By what factor expectations are off, on average."""
        return exp(mean(abs(log(estimates.seconds(o) / self.truth[o.node])) for o in self.offers))

    def chosen_s(self, estimates: Estimates) -> float:
        """How long the ten nodes that look best really take."""

        def score(one: Offer) -> float:
            return estimates.seconds(one) / pow(estimates.success(one), 1.5)

        best = sorted(self.offers, key=score)[:10]
        return median(self.truth[o.node] / (0.6 if self.flaky[o.node] else 1.0) for o in best)


@pytest.mark.parametrize("seed", range(5))
def test_liars_are_found_out_and_the_best_nodes_come_first(seed: int) -> None:
    market, estimates = Market(seed), Estimates()
    at_first, chosen_at_first = market.error(estimates), market.chosen_s(estimates)
    for _ in range(2000):
        estimates.observe(market.call(market.random.choice(market.offers)))
    assert market.error(estimates) < 1.15 < at_first
    assert market.chosen_s(estimates) < chosen_at_first
    found = sorted(market.truth[o.node] for o in sorted(market.offers, key=estimates.seconds)[:10])
    best = sorted(market.truth.values())[:10]
    assert mean(found) < 1.1 * mean(best)
