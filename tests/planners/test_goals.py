"""Which capability is meant, what is read from the words, and what happens when a step has failed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from easynet.core.capability import Capability, Role
from easynet.core.ids import SubtaskId
from easynet.core.task_graph import FromInput, Gathered, Given
from easynet.planners.planner import PlanResult
from easynet.planners.validate import validate

Plan = Callable[..., Awaitable[PlanResult]]
Make = Callable[..., Capability]
Catalogue = tuple[Capability, ...]


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why)
    return [*result.graph.capabilities]


def argument(result: PlanResult, subtask: str, name: str) -> Any:
    assert result.graph is not None
    return result.graph.by_id[SubtaskId(subtask)].arguments.get(name)


# ── results that are shown ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def kitchen(make: Make) -> Catalogue:
    return (
        make("wash_rice(rice: str) -> WashedRice", "Wash rice."),
        make("boil_rice(washed: WashedRice) -> BoiledRice", "Boil it in a pot."),
        make("fry_rice(washed: WashedRice, boiled: BoiledRice) -> FriedRice", "Fry it in a pan."),
        make("weigh_rice(rice: str) -> Weight", "Wash hands, and weigh rice."),
        make("serve_boiled(rice: BoiledRice) -> Dish", "Serve.", role=Role.PRESENT),
        make("serve_fried(rice: FriedRice) -> Dish", "Serve.", role=Role.PRESENT),
    )


async def test_what_only_prepares_is_taken_on_to_the_nearest_result_that_is_shown(
    plan: Plan, kitchen: Catalogue
) -> None:
    result = await plan(kitchen, "wash rice", rice="basmati")
    assert steps(result) == ["wash_rice", "boil_rice", "serve_boiled"]
    assert result.graph is not None
    assert "serve_boiled" in result.graph.outputs


async def test_what_prepares_nothing_that_is_shown_is_planned_alone(plan: Plan, kitchen: Catalogue) -> None:
    assert steps(await plan(kitchen, "weigh rice", rice="basmati")) == ["weigh_rice"]


async def test_a_capability_that_the_user_names_is_planned_alone(plan: Plan, kitchen: Catalogue) -> None:
    assert steps(await plan(kitchen, "please", goal="wash_rice", rice="basmati")) == ["wash_rice"]


async def test_of_like_candidates_the_one_that_is_shown_is_the_goal(plan: Plan, make: Make) -> None:
    catalogue = (
        make("collect_shells(beach: str) -> Shells", "Collect shells on beaches.", tags=("shell",)),
        make("thread_shells(shells: Shells) -> Chain", "Thread a chain."),
        make("count_shells(beach: str) -> Tally", "Collect counts of shells and beaches and tides."),
        make("show_chain(chain: Chain) -> Page", "Show.", role=Role.PRESENT),
        make("show_tally(tally: Tally) -> Page", "Show.", role=Role.PRESENT),
    )
    assert steps(await plan(catalogue, "collect shells", beach="Sylt")) == ["count_shells", "show_tally"]


async def test_to_ask_by_something_is_to_ask_for_groups(plan: Plan, make: Make) -> None:
    catalogue = (
        make("sum_harvest(field: str) -> Harvest", "Sum up the harvest of apples, by day.", tags=("sum",)),
        make("group_harvest(field: str) -> Groups", "Compare groups: 分组比较。"),
    )
    assert steps(await plan(catalogue, "sum of apples per orchard", field="north")) == ["group_harvest"]
    assert steps(await plan(catalogue, "sum of apples per day", field="north")) == ["sum_harvest"]


# ── words that are not understood ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["train a tree that predicts house prices", "train a house price classifier"]
)
async def test_distinctive_words_that_nothing_knows_are_refused_or_told(
    plan: Plan, small: Catalogue, text: str
) -> None:
    assert (await plan(small, text)).status == "unsupported"
    result = await plan(small, text, data="a.csv")
    if result.status == "planned":
        assert any("house" in c and "price" in c for c in result.caveats)


async def test_a_word_of_an_example_elsewhere_is_not_understood(plan: Plan, make: Make) -> None:
    catalogue = (
        make("train_model(rows: File) -> Model", "Train a model, a classifier that predicts classes."),
        make("weigh(rows: File) -> Weight", "Weigh.", examples=("the average price of a house",)),
    )
    result = await plan(catalogue, "train a model that predicts house prices", rows="a.csv")
    assert result.caveats == ("Not understood, and left out: house, prices.",)


async def test_common_words_need_no_caveat(plan: Plan, small: Catalogue) -> None:
    for text in ("look at my table and describe it", "find and describe the best columns of my table"):
        assert (await plan(small, text, data="a.csv")).caveats == ()


@pytest.mark.parametrize(
    ("text", "wanted"), [("predict apples", "forecast_apples"), ("预测苹果", "forecast_apples")]
)
async def test_the_kind_of_work_goes_before_the_thing_that_it_is_done_to(
    plan: Plan, make: Make, text: str, wanted: str
) -> None:
    count = make(
        "count_apples(field: str) -> Tally", "Count apples, all the apples. 苹果计数。", tags=("apples",)
    )
    forecast = make("forecast_apples(field: str) -> Outlook", "Predict harvests. 预测收成。")
    assert steps(await plan((count, forecast), text, field="north")) == [wanted]
    assert (await plan((count,), "predict apples", field="north")).status == "unsupported"


@pytest.mark.parametrize(
    ("text", "word"), [("train a regression model", "regression"), ("训练回归模型", "回归")]
)
async def test_a_kind_of_work_that_only_names_the_method_is_refused_or_told(
    plan: Plan, make: Make, text: str, word: str
) -> None:
    model = make(
        "train_model(rows: File) -> Model", "Train a model: logistic regression.", "训练模型：逻辑回归。"
    )
    result = await plan((model,), text, rows="a.csv")
    assert result.status == "unsupported" or any(word in c for c in result.caveats)


async def test_words_that_a_given_value_names_are_understood(plan: Plan, make: Make) -> None:
    average = make("average(rows: File, value?: str) -> Mean", "Average a column of a table. 求列的平均值。")
    for text, value in (("average BP column of the table", "bp"), ("求血压列的平均值", "血压")):
        told = (await plan((average,), text, rows="bp_血压.csv")).caveats
        assert any(value in caveat for caveat in told)
        assert (await plan((average,), text, rows="a.csv", value=value)).caveats == ()
        assert (await plan((average,), text, rows="a.csv", value="bpm")).caveats == told


# ── horizons ────────────────────────────────────────────────────────────────────────────────────


async def test_a_horizon_keeps_its_unit(plan: Plan, make: Make) -> None:
    tides = make("forecast_tides(harbour: str, horizon?: str) -> Tides", "Forecast tides. 预测潮汐。")
    for text in ("forecast tides for the next 3 months", "预测未来三个月的潮汐"):
        result = await plan((tides,), text, harbour="Kiel")
        assert argument(result, "forecast_tides", "horizon") == Given(value="3 months")
        assert result.caveats == ()


async def test_a_horizon_whose_unit_would_be_lost_is_left_out_and_told(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "forecast tides for the next 3 months", harbour="Kiel")
    assert argument(result, "forecast_tides", "horizon") == FromInput(name="horizon", optional=True)
    assert len(result.caveats) == 1
    assert "“3 months” is left out" in result.caveats[0]
    given = await plan(small, "forecast tides for the next 3 months", harbour="Kiel", horizon=4)
    assert given.caveats == ()


# ── files that the words name ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["describe the table in flowers.csv", "描述flowers.csv中的数据表"])
async def test_a_file_that_the_words_name_becomes_the_input(plan: Plan, small: Catalogue, text: str) -> None:
    result = await plan(small, text)
    assert result.found_inputs == {"data": "flowers.csv"}
    assert argument(result, "load_table", "data") == FromInput(name="data")
    assert result.caveats == ()
    assert result.graph is not None
    assert validate(result.graph, small, inputs={*result.found_inputs}) == ()


async def test_a_file_that_the_words_name_is_no_sample_of_its_subject(plan: Plan, small: Catalogue) -> None:
    used = steps(await plan(small, "train a flower classifier on iris.csv"))
    assert "load_table" in used
    assert "flower_demo_data" not in used


async def test_a_file_that_was_given_goes_before_one_in_the_words(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "describe the table a.csv", data="b.csv")
    assert result.found_inputs == {}
    assert result.caveats == ("No step of this plan reads the file a.csv.",)
    assert (await plan(small, "describe the table a.csv", data="a.csv")).caveats == ()


async def test_a_file_that_nothing_reads_is_told(plan: Plan, small: Catalogue) -> None:
    result = await plan(small, "add 2 and 3 from numbers.txt")
    assert result.caveats == ("No step of this plan reads the file numbers.txt.",)


# ── planning around what failed ─────────────────────────────────────────────────────────────────


@pytest.fixture
def office(make: Make) -> Catalogue:
    return (
        make("scan_invoice(letter: str) -> Invoice", "Scan a letter."),
        make("type_invoice(letter: str) -> Invoice", "Type a letter in by hand."),
        make("pay_invoice(invoice: Invoice) -> Receipt", "Pay an invoice."),
        make("cancel_invoice(invoice: Invoice) -> Receipt", "Cancel an invoice."),
        make("print_receipt(receipt: Receipt) -> Page", "Print.", role=Role.PRESENT),
        make("mail_receipt(receipt: Receipt) -> Page", "Mail.", role=Role.PRESENT),
    )


async def test_a_goal_that_failed_is_not_replaced_by_what_looks_alike(plan: Plan, office: Catalogue) -> None:
    assert "pay_invoice" in steps(await plan(office, "pay an invoice", letter="x"))
    result = await plan(office, "pay an invoice", avoid=["pay_invoice"], letter="x")
    assert (result.status, result.graph) == ("unsupported", None)
    assert result.why == "pay_invoice failed in this run, and nothing else does the same"


async def test_a_named_goal_that_failed_is_not_replaced(plan: Plan, office: Catalogue) -> None:
    result = await plan(office, "pay", goal="pay_invoice", avoid=["pay_invoice"], letter="x")
    assert result.status == "unsupported"


async def test_supporting_steps_that_failed_are_planned_around(plan: Plan, office: Catalogue) -> None:
    used = steps(await plan(office, "pay an invoice", letter="x"))
    producer = next(s for s in used if s in ("scan_invoice", "type_invoice"))
    result = await plan(office, "pay an invoice", avoid=[producer, "print_receipt"], letter="x")
    other = {"scan_invoice", "type_invoice"} - {producer}
    assert {*steps(result)} == {*other, "pay_invoice", "mail_receipt"}


async def test_without_any_producer_left_there_is_no_plan(plan: Plan, office: Catalogue) -> None:
    result = await plan(office, "pay an invoice", avoid=["scan_invoice", "type_invoice"], letter="x")
    assert result.status == "unsupported"
    assert "failed in this run" in result.why


@pytest.mark.parametrize("text", ["train a random forest", "train a classifier"])
async def test_an_alternative_that_failed_leaves_the_choice_among_the_others(
    plan: Plan, small: Catalogue, text: str
) -> None:
    result = await plan(small, text, avoid=["train_forest"], data="a.csv")
    assert "train_forest" not in steps(result)
    gathered = argument(result, "choose_classifier", "candidates")
    assert isinstance(gathered, Gathered)
    assert [i.subtask for i in gathered.items] == ["train_tree"]


async def test_alternatives_that_all_failed_leave_nothing(plan: Plan, make: Make) -> None:
    catalogue = (
        make("bake_rye(flour: str) -> Loaf", "Bake rye bread."),
        make("choose_loaf(loaves: list[Loaf]) -> Bread", "Choose.", role=Role.CHOOSE),
    )
    assert (await plan(catalogue, "bake rye bread", avoid=["bake_rye"], flour="x")).status == "unsupported"
