"""What takes the place of what failed: what is kept, what is never used again, and when there is no way."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.core.capability import Capability
from easynet.core.events import Problem, Question
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import ParsedIntent, Requirements
from easynet.core.language import Language
from easynet.core.offer import Offer
from easynet.core.task_graph import FromInput, FromSubtask, Given, Subtask, TaskGraph
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.plan_shape import shape_of, work_of
from easynet.planners.planner import Planner, PlanRequest, PlanResult
from easynet.planners.replan import Repair, replan
from easynet.planners.run_state import Failure, RunState
from easynet.planners.validate import validate

Make = Callable[..., Capability]
BROKE = Problem(code="subtask_failed", message="it broke")


class NoPlanner:
    """A planner that has no plan, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[PlanRequest] = []

    async def plan(self, request: PlanRequest) -> PlanResult:
        self.asked.append(request)
        return PlanResult(status="unsupported", planner="none")


class FixedPlanner:
    def __init__(self, result: PlanResult) -> None:
        self.result = result

    async def plan(self, request: PlanRequest) -> PlanResult:
        return self.result


def planned(graph: TaskGraph, **fields: Any) -> FixedPlanner:
    return FixedPlanner(PlanResult(status="planned", planner="fixed", graph=graph, **fields))


def offers(catalogue: Sequence[Capability], *nodes: str) -> dict[CapabilityName, tuple[Offer, ...]]:
    return {
        c.name: tuple(
            Offer(node=NodeId(n), capability=c.name, price=c.price, expected_s=c.expected_s)
            for n in nodes or ("n",)
        )
        for c in catalogue
    }


def failure(graph: TaskGraph, subtask: str, *nodes: str, **fields: Any) -> Failure:
    return Failure(
        subtask=graph.by_id[SubtaskId(subtask)],
        nodes=tuple(NodeId(n) for n in nodes or ("n",)),
        problem=BROKE,
        shape=shape_of(graph),
        **fields,
    )


def state(
    catalogue: Sequence[Capability],
    graph: TaskGraph,
    *failed: Failure,
    done: Sequence[str] | Mapping[SubtaskId, Subtask] = (),
    at: Mapping[CapabilityName, tuple[Offer, ...]] | None = None,
    text: str = "brew a cup of tea",
    language: Language = "en",
    requirements: Requirements = Requirements(),  # noqa: B008  # frozen
    budget: int | None = None,
    time_s: float | None = None,
    **inputs: Any,
) -> RunState:
    parsed = ParsedIntent(text=text, language=language, inputs=inputs, requirements=requirements)
    finished = done if isinstance(done, Mapping) else {SubtaskId(i): graph.by_id[SubtaskId(i)] for i in done}
    called = {*graph.capabilities, *(s.capability for s in finished.values())}
    return RunState(
        request=PlanRequest(parsed=parsed, catalogue=tuple(catalogue)),
        graph=graph,
        failures=failed,
        planned={c.name: c for c in catalogue if c.name in called},
        finished=finished,
        offers=offers(catalogue) if at is None else at,
        budget=budget,
        time_s=time_s,
    )


async def repaired(run: RunState, planner: Planner | None = None) -> Repair:
    repair = await replan(run, planner or NoPlanner())
    assert repair.status == "planned", repair.why
    return repair


def steps(repair: Repair) -> list[str]:
    assert repair.graph is not None, repair.why
    return [*repair.graph.capabilities]


@pytest.fixture
def teahouse(make: Make) -> tuple[Capability, ...]:
    return (
        make("heat_water() -> Water", "Heat water for tea."),
        make("pick_leaves(garden?: str) -> Leaves", "Pick tea leaves from the garden.", price=2),
        make("buy_leaves(garden?: str) -> Leaves", "Buy tea leaves at the market.", price=4),
        make("brew_tea(leaves: Leaves, water: Water) -> Tea", "Brew a cup of tea.", price=3),
    )


def subtask(capability: str, **reads: str) -> Subtask:
    arguments = {name: FromSubtask(subtask=SubtaskId(source)) for name, source in reads.items()}
    return Subtask(id=SubtaskId(capability), capability=CapabilityName(capability), arguments=arguments)


BREWING = TaskGraph(
    subtasks=(
        subtask("heat_water"),
        subtask("pick_leaves"),
        subtask("brew_tea", leaves="pick_leaves", water="heat_water"),
    ),
    outputs=(SubtaskId("brew_tea"),),
)


# ── from little to much ─────────────────────────────────────────────────────────────────────────


async def test_other_nodes_are_tried_before_anything_is_changed(teahouse: tuple[Capability, ...]) -> None:
    run = state(teahouse, BREWING, failure(BREWING, "pick_leaves", "n"), at=offers(teahouse, "n", "m"))
    repair = await repaired(run)
    assert repair.how == "other_nodes"
    assert repair.graph == BREWING


async def test_what_fails_on_other_nodes_too_is_replaced(teahouse: tuple[Capability, ...]) -> None:
    twice = [failure(BREWING, "pick_leaves", node) for node in ("n", "m")]
    run = state(teahouse, BREWING, *twice, at=offers(teahouse, "n", "m", "o"))
    assert "pick_leaves" not in steps(await repaired(run))


async def test_what_failed_twice_is_in_no_plan_even_where_others_offer_it(
    teahouse: tuple[Capability, ...],
) -> None:
    twice = [failure(BREWING, "pick_leaves", node) for node in ("n", "m")]
    catalogue = tuple(c for c in teahouse if c.name != "buy_leaves")
    run = state(catalogue, BREWING, *twice, at=offers(catalogue, "n", "m", "o"))
    plan = TaskGraph(subtasks=(subtask("pick_leaves"),), outputs=(SubtaskId("pick_leaves"),))
    assert (await replan(run, planned(plan))).status == "unsupported"


async def test_a_substitute_takes_the_place_of_what_failed_and_nothing_else_changes(
    teahouse: tuple[Capability, ...],
) -> None:
    planner = NoPlanner()
    run = state(teahouse, BREWING, failure(BREWING, "pick_leaves"), done=["heat_water"])
    repair = await repaired(run, planner)
    assert (repair.how, repair.keeps) == ("substitute", ("heat_water",))
    assert repair.graph is not None
    assert repair.graph.by_id[SubtaskId("heat_water")] == BREWING.by_id[SubtaskId("heat_water")]
    assert repair.graph.by_id[SubtaskId("brew_tea")] == subtask(
        "brew_tea", leaves="buy_leaves", water="heat_water"
    )
    assert repair.graph.outputs == BREWING.outputs
    assert planner.asked == []


async def test_what_only_the_failed_one_needed_is_left_out(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    catalogue = (
        make("find_garden() -> Garden", "Find a garden."),
        make("reap_leaves(garden: Garden) -> Leaves", "Reap tea leaves in a garden."),
        *teahouse,
    )
    graph = TaskGraph(
        subtasks=(
            subtask("heat_water"),
            subtask("find_garden"),
            subtask("reap_leaves", garden="find_garden"),
            subtask("brew_tea", leaves="reap_leaves", water="heat_water"),
        ),
        outputs=BREWING.outputs,
    )
    run = state(catalogue, graph, failure(graph, "reap_leaves"), done=["heat_water", "find_garden"])
    repair = await repaired(run)
    assert repair.how == "substitute"
    assert steps(repair) == ["heat_water", "pick_leaves", "brew_tea"]
    assert repair.keeps == ("heat_water",)


async def test_a_substitute_gets_the_arguments_that_were_stated(teahouse: tuple[Capability, ...]) -> None:
    arguments = {"garden": FromInput(name="garden", optional=True)}
    picking = BREWING.subtasks[1].model_copy(update={"arguments": arguments})
    graph = TaskGraph(subtasks=(BREWING.subtasks[0], picking, BREWING.subtasks[2]), outputs=BREWING.outputs)
    repair = await repaired(state(teahouse, graph, failure(graph, "pick_leaves"), garden="roof"))
    assert repair.graph is not None
    assert repair.graph.by_id[SubtaskId("buy_leaves")].arguments == arguments


async def test_nothing_that_was_stated_is_dropped_for_a_substitute(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    catalogue = (*teahouse[:2], make("buy_leaves() -> Leaves", "Buy tea leaves at the market."), teahouse[3])
    arguments = {"garden": Given(value="roof")}
    picking = BREWING.subtasks[1].model_copy(update={"arguments": arguments})
    graph = TaskGraph(subtasks=(BREWING.subtasks[0], picking, BREWING.subtasks[2]), outputs=BREWING.outputs)
    repair = await replan(state(catalogue, graph, failure(graph, "pick_leaves")), NoPlanner())
    assert repair.how != "substitute"


async def test_a_substitute_may_give_the_result_as_a_part_of_more(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    basket = make("fill_basket() -> Basket", "Fetch a basket of tea leaves from the garden.")
    leaves = teahouse[1].output
    basket = basket.model_copy(
        update={"output": basket.output.model_copy(update={"fields": {"leaves": leaves}})}
    )
    run = state((*teahouse[:2], basket, teahouse[3]), BREWING, failure(BREWING, "pick_leaves"))
    repair = await repaired(run)
    assert repair.graph is not None
    assert repair.graph.by_id[SubtaskId("brew_tea")].arguments["leaves"] == FromSubtask(
        subtask=SubtaskId("fill_basket"), path=("leaves",)
    )


async def test_several_steps_take_the_place_of_one(make: Make, teahouse: tuple[Capability, ...]) -> None:
    catalogue = (
        *teahouse[:2],
        make("sow_field() -> Field", "Sow a field."),
        make("harvest(field: Field) -> Leaves", "Reap what grew."),
        teahouse[3],
    )
    run = state(catalogue, BREWING, failure(BREWING, "pick_leaves"), done=["heat_water"])
    repair = await repaired(run)
    assert repair.how == "other_chain"
    assert steps(repair) == ["heat_water", "sow_field", "harvest", "brew_tea"]
    assert repair.graph is not None
    assert SubtaskId("brew_tea") in repair.graph.outputs


async def test_the_planner_is_asked_last_and_what_is_finished_is_found_in_its_plan(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    catalogue = (*teahouse[:2], teahouse[3], make("open_can(water: Water) -> str", "Open a can."))
    plan = TaskGraph(
        subtasks=(
            Subtask(id=SubtaskId("first"), capability=CapabilityName("heat_water")),
            subtask("open_can", water="first"),
        ),
        outputs=(SubtaskId("open_can"),),
    )
    run = state(catalogue, BREWING, failure(BREWING, "pick_leaves"), done=["heat_water"])
    repair = await repaired(run, planned(plan))
    assert (repair.how, repair.planner, repair.keeps) == ("new_plan", "fixed", ("heat_water",))
    assert repair.graph is not None
    assert repair.graph.by_id[SubtaskId("open_can")].needs == {"heat_water"}


async def test_a_new_plans_step_does_not_pass_for_a_finished_one_of_its_name(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    catalogue = (*teahouse, make("cool_water(water: Water) -> Water", "Cool."))
    plan = TaskGraph(
        subtasks=(
            Subtask(id=SubtaskId("boil"), capability=CapabilityName("heat_water")),
            Subtask(
                id=SubtaskId("heat_water"),
                capability=CapabilityName("cool_water"),
                arguments={"water": FromSubtask(subtask=SubtaskId("boil"))},
            ),
        ),
        outputs=(SubtaskId("heat_water"),),
    )
    failed = failure(BREWING, "brew_tea")
    run = state(catalogue, BREWING, failed, done=["heat_water", "pick_leaves"])
    repair = await repaired(run, planned(plan))
    assert repair.graph is not None
    assert {s.id: s.capability for s in repair.graph.subtasks} == {
        "heat_water": "heat_water",
        "heat_water-2": "cool_water",
    }
    assert repair.graph.outputs == ("heat_water-2",)


async def test_what_the_planner_asks_is_asked(teahouse: tuple[Capability, ...]) -> None:
    question = Question(name="garden", text="Which garden?")
    planner = FixedPlanner(PlanResult(status="needs_input", planner="fixed", question=question))
    repair = await replan(state(teahouse, BREWING, failure(BREWING, "brew_tea")), planner)
    assert repair.question == question


async def test_the_planner_is_told_what_not_to_use(teahouse: tuple[Capability, ...]) -> None:
    planner = NoPlanner()
    await replan(state(teahouse, BREWING, failure(BREWING, "brew_tea")), planner)
    assert [r.avoid for r in planner.asked] == [("brew_tea",)]


# ── what never stands in ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("other", "text", "stands_in"),
    [
        ("cancel_invoice", "Cancel an invoice of a supplier.", False),
        ("revoke_invoice", "Cancel: pay an invoice to a supplier back.", False),
        ("settle_invoice", "Pay an invoice to a supplier by bank transfer.", True),
    ],
)
async def test_what_was_asked_for_is_replaced_only_by_what_does_the_same(
    make: Make, other: str, text: str, stands_in: bool
) -> None:
    catalogue = (
        make("pay_invoice(amount: int) -> str", "Pay an invoice to a supplier."),
        make(f"{other}(amount: int) -> str", text),
    )
    call = Subtask(
        id=SubtaskId("pay_invoice"),
        capability=CapabilityName("pay_invoice"),
        arguments={"amount": FromInput(name="amount")},
    )
    graph = TaskGraph(subtasks=(call,), outputs=(call.id,))
    run = state(catalogue, graph, failure(graph, "pay_invoice"), text="pay an invoice", amount=5)
    repair = await replan(run, NoPlanner())
    assert (repair.status == "planned") == stands_in
    if stands_in:
        assert steps(repair) == [other]


async def test_a_new_plan_does_nothing_else_to_the_world_than_was_asked_for(make: Make) -> None:
    catalogue = (
        make("pay_invoice(amount: int) -> str", "Pay an invoice to a supplier."),
        make("cancel_invoice(amount: int) -> str", "Cancel an invoice of a supplier."),
    )
    arguments = {"amount": FromInput(name="amount")}
    pay, cancel = (
        TaskGraph(subtasks=(Subtask(id=SubtaskId(c.name), capability=c.name, arguments=arguments),))
        for c in catalogue
    )
    run = state(catalogue, pay, failure(pay, "pay_invoice"), text="pay an invoice", amount=5)
    assert (await replan(run, planned(cancel))).status == "unsupported"


async def test_sample_data_is_no_substitute_for_the_users_own(small: Sequence[Capability]) -> None:
    load = Subtask(
        id=SubtaskId("load_table"),
        capability=CapabilityName("load_table"),
        arguments={"data": FromInput(name="data")},
    )
    clean = Subtask(
        id=SubtaskId("clean_table"),
        capability=CapabilityName("clean_table"),
        arguments={"table": FromSubtask(subtask=load.id, path=("table",))},
    )
    graph = TaskGraph(subtasks=(load, clean), outputs=(clean.id,))
    run = state(small, graph, failure(graph, "load_table"), text="clean my table of flowers", data="a.csv")
    assert (await replan(run, CataloguePlanner())).graph is None


async def test_what_may_have_had_its_effect_is_replaced_by_nothing(teahouse: tuple[Capability, ...]) -> None:
    planner = NoPlanner()
    repair = await replan(
        state(teahouse, BREWING, failure(BREWING, "pick_leaves", may_have_run=True)), planner
    )
    assert repair.status == "unsupported"
    assert "must not run twice" in repair.why
    assert planner.asked == []


async def test_a_step_without_effects_is_not_replaced_by_one_with(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    order = make("order_leaves() -> Leaves", "Order tea leaves at the market.", idempotent=False)
    run = state((*teahouse[:2], order, teahouse[3]), BREWING, failure(BREWING, "pick_leaves"))
    assert (await replan(run, NoPlanner())).how != "substitute"


async def test_one_of_several_alternatives_that_failed_is_left_out(small: Sequence[Capability]) -> None:
    text = "train a classifier"
    parsed = ParsedIntent(text=text, language="en", inputs={"data": "a.csv"})
    result = await CataloguePlanner().plan(PlanRequest(parsed=parsed, catalogue=tuple(small)))
    assert result.graph is not None
    assert {"train_tree", "train_forest"} <= {*result.graph.capabilities}
    done = ["load_table", "clean_table", "split_rows"]
    failed = failure(result.graph, "train_forest")
    repair = await repaired(state(small, result.graph, failed, done=done, text=text, data="a.csv"))
    assert repair.graph is not None
    assert repair.how == "substitute"
    assert [*repair.graph.by_id] == [i for i in result.graph.by_id if i != "train_forest"]


# ── within what is left ─────────────────────────────────────────────────────────────────────────


async def test_a_repair_that_is_too_dear_says_which_budget_would_do(teahouse: tuple[Capability, ...]) -> None:
    needs = Requirements(budget=8)
    failed = failure(BREWING, "pick_leaves")
    run = state(teahouse, BREWING, failed, done=["heat_water"], requirements=needs, budget=6)
    repair = await replan(run, NoPlanner())
    assert (repair.status, repair.more_credits, repair.more_s) == ("infeasible", 1, 0.0)
    assert "'buy_leaves'" in repair.why
    assert "a budget of 9 credits" in repair.why
    enough = state(teahouse, BREWING, failed, done=["heat_water"], requirements=needs, budget=7)
    assert steps(await repaired(enough)) == ["heat_water", "buy_leaves", "brew_tea"]


async def test_a_repair_that_takes_too_long_says_which_deadline_would_do(
    teahouse: tuple[Capability, ...],
) -> None:
    needs = Requirements(deadline_s=10)
    failed = failure(BREWING, "pick_leaves")
    run = state(
        teahouse,
        BREWING,
        failed,
        done=["heat_water"],
        requirements=needs,
        time_s=1.5,
        language="zh",
        text="泡茶",
    )
    repair = await replan(run, NoPlanner())
    assert (repair.status, repair.more_credits, repair.more_s) == ("infeasible", 0, 0.5)
    assert "期限放宽到 11 秒" in repair.why


async def test_a_dearer_repair_that_can_be_paid_is_preferred_to_a_likelier_one_that_cannot(
    make: Make, teahouse: tuple[Capability, ...]
) -> None:
    gold = make("pluck_leaves() -> Leaves", "Pick tea leaves from the garden by golden hand.", price=90)
    failed = failure(BREWING, "pick_leaves")
    run = state((*teahouse, gold), BREWING, failed, requirements=Requirements(budget=20), budget=20)
    assert "buy_leaves" in steps(await repaired(run))


async def test_what_nobody_offers_now_is_not_planned(teahouse: tuple[Capability, ...]) -> None:
    at = {**offers(teahouse), CapabilityName("buy_leaves"): ()}
    run = state(teahouse, BREWING, failure(BREWING, "pick_leaves"), at=at)
    repair = await replan(run, NoPlanner())
    assert repair.status == "unsupported"
    assert "'pick_leaves'" in repair.why


async def test_what_is_finished_stays_although_nobody_offers_it_any_longer(
    teahouse: tuple[Capability, ...],
) -> None:
    run = state(teahouse, BREWING, failure(BREWING, "pick_leaves"), done=["heat_water"])
    gone = RunState(
        request=run.request.model_copy(update={"catalogue": teahouse[1:]}),
        graph=run.graph,
        failures=run.failures,
        planned=run.planned,
        finished=run.finished,
        offers=offers(teahouse[1:]),
    )
    repair = await repaired(gone)
    assert repair.keeps == ("heat_water",)


# ── random plans, random failures ───────────────────────────────────────────────────────────────

TYPES = ("A", "B", "C")
Make_ = tuple[tuple[Capability, ...], TaskGraph]


@st.composite
def networks(draw: st.DrawFn) -> Make_:
    """A catalogue in which some capabilities do the same, and a plan on it, in any order."""
    from tests.planners.conftest import capability

    catalogue: list[Capability] = []
    subtasks: list[Subtask] = []
    outputs: dict[str, str] = {}
    for n in range(draw(st.integers(1, 7))):
        given = draw(st.sampled_from(TYPES))
        read = draw(st.lists(st.sampled_from([*outputs]), max_size=2, unique=True)) if outputs else []
        takes = ", ".join(f"p{i}: {outputs[r]}" for i, r in enumerate(read))
        twins = draw(st.integers(0, 2))
        for twin in range(twins + 1):
            name = f"make_{n}" + "_again" * twin
            price, seconds = draw(st.integers(0, 3)), draw(st.integers(1, 3))
            text = f"Make thing {given} of number {n} in a factory."
            catalogue.append(
                capability(f"{name}({takes}) -> {given}", text, price=price, expected_s=float(seconds))
            )
        arguments = {f"p{i}": FromSubtask(subtask=SubtaskId(r)) for i, r in enumerate(read)}
        subtasks.append(
            Subtask(id=SubtaskId(f"s{n}"), capability=CapabilityName(f"make_{n}"), arguments=arguments)
        )
        outputs[f"s{n}"] = given
    ends = draw(st.lists(st.sampled_from([s.id for s in subtasks]), max_size=2, unique=True))
    shuffled = draw(st.permutations(subtasks))
    return tuple(catalogue), TaskGraph(subtasks=tuple(shuffled), outputs=tuple(ends))


@settings(max_examples=150)
@given(network=networks(), data=st.data())
async def test_a_run_that_fails_again_and_again_keeps_what_is_finished_and_ends(
    network: Make_, data: st.DataObject
) -> None:
    catalogue, graph = network
    nodes = data.draw(st.integers(1, 3))
    at = offers(catalogue, *(f"n{i}" for i in range(nodes)))
    budget = data.draw(st.none() | st.integers(0, 12))
    time_s = data.draw(st.none() | st.integers(1, 12))
    failed: list[Failure] = []
    ran: Counter[str] = Counter()
    finished: dict[SubtaskId, Subtask] = {}
    while True:
        # Run on until something fails; what is finished is paid for.
        ready = [s for s in graph.subtasks if s.id not in finished and s.needs <= finished.keys()]
        if not ready:
            break
        chosen = data.draw(st.sampled_from(ready))
        usable = [
            o
            for o in at[chosen.capability]
            if (o.node, o.capability) not in {p for f in failed for p in f.offers}
        ]
        assert usable, "nothing that failed is used"
        if data.draw(st.booleans()):
            ran[work_of(graph)[chosen.id]] += 1
            finished[chosen.id] = chosen
            budget = None if budget is None else max(0, budget - min(o.price for o in usable))
            continue
        tried = data.draw(st.lists(st.sampled_from(usable), min_size=1, unique=True))
        failed.append(failure(graph, chosen.id, *(o.node for o in tried)))
        assert len(failed) <= 2 * len(catalogue), "repeated repair ends"
        run = state(
            catalogue, graph, *failed, done=finished, at=at, budget=budget, time_s=time_s, text="make"
        )
        repair = await replan(run, CataloguePlanner())
        if repair.graph is None:
            assert repair.why
            assert (repair.status == "infeasible") == bool(repair.more_credits or repair.more_s)
            break
        new = repair.graph
        assert not validate(new, catalogue)
        assert {*repair.keeps} == finished.keys() & new.by_id.keys()
        assert all(new.by_id[i] == finished[i] for i in repair.keeps)
        left = [s for s in new.subtasks if s.id not in finished]
        assert all(run.is_usable(s.capability) for s in left)
        assert budget is None or sum(run.price(s.capability) for s in left) <= budget
        assert {i for s in left for i in s.needs} <= new.by_id.keys()
        untouched = {s.id for s in graph.subtasks} - {s.id for s in run.lost}
        if repair.how in ("other_nodes", "substitute"):
            for s in graph.subtasks:
                if s.id in new.by_id and not s.needs & {lost.id for lost in run.lost}:
                    assert s.id not in untouched or new.by_id[s.id] == s
        graph = new
    assert all(times == 1 for times in ran.values())
