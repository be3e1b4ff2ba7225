"""Plans over the functions that ship with EasyNet: sentences as users write them, in two languages."""

from collections.abc import Awaitable, Callable

import pytest

from easynet.core.capability import Capability, Role
from easynet.core.contribution import contributed
from easynet.planners.planner import PlanResult
from easynet.planners.validate import validate
from easynet.specialists import NODES, functions
from evals.sentences import ANOMALIES, NOT_OURS, SENTENCES

pytestmark = pytest.mark.slow


Plan = Callable[..., Awaitable[PlanResult]]
Catalogue = tuple[Capability, ...]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    found = (contributed(f) for node in NODES for f in functions(node))
    return tuple(c for c in found if c is not None)


@pytest.fixture(scope="module")
def without_examples(shipped: Catalogue) -> Catalogue:
    """The same, found by names, descriptions and tags alone."""
    return tuple(c.model_copy(update={"examples": ()}) for c in shipped)


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why, result.nearest)
    return [*result.graph.capabilities]


@pytest.mark.parametrize(("text", "wanted"), SENTENCES)
async def test_a_sentence_with_a_file_is_planned(
    plan: Plan, shipped: Catalogue, text: str, wanted: str
) -> None:
    result = await plan(shipped, text, data="a.csv")
    assert wanted in steps(result)
    assert result.graph is not None
    assert wanted in result.graph.outputs
    assert "compose_report" in result.graph.outputs
    assert "load_table" in steps(result)
    assert validate(result.graph, shipped, inputs={"data"}) == ()


@pytest.mark.parametrize(("text", "wanted"), SENTENCES)
async def test_a_sentence_is_planned_without_anybody_having_written_it_down_before(
    plan: Plan, without_examples: Catalogue, text: str, wanted: str
) -> None:
    assert wanted in steps(await plan(without_examples, text, data="a.csv"))


@pytest.mark.parametrize(("text", "wanted"), SENTENCES)
async def test_without_a_file_it_is_asked_for_unless_the_goal_is_medical(
    plan: Plan, shipped: Catalogue, text: str, wanted: str
) -> None:
    result = await plan(shipped, text)
    if result.graph is not None:
        assert "medical_demo_data" in steps(result)
        assert wanted == ANOMALIES
    else:
        assert result.status == "needs_input"
        assert result.question is not None
        assert result.question.name == "data"


@pytest.mark.parametrize("text", NOT_OURS)
async def test_what_nothing_does_is_unsupported(plan: Plan, shipped: Catalogue, text: str) -> None:
    assert (await plan(shipped, text)).status == "unsupported"


@pytest.mark.parametrize("text", ["train a medical anomaly detector", "训练一个能检测医学影像异常的AI模型"])
async def test_the_medical_demo_is_one_whole_chain(plan: Plan, shipped: Catalogue, text: str) -> None:
    result = await plan(shipped, text)
    assert steps(result) == [
        "medical_demo_data",
        "profile_table",
        "clean_table",
        "split_table",
        "train_supervised",
        "train_one_class",
        "choose_detector",
        "evaluate_detector",
        "present_detector",
        "present_profile",
        "compose_report",
    ]
    assert result.graph is not None
    assert validate(result.graph, shipped) == ()


async def test_images_are_never_implied_where_the_data_is_a_table(plan: Plan, shipped: Catalogue) -> None:
    result = await plan(shipped, "训练一个能检测医学影像异常的AI模型")
    assert result.caveats == ("您提到了影像，但计划中没有处理影像的步骤；它处理的是数据表。",)
    result = await plan(shipped, "train a detector for anomalies in chest X-rays", data="a.csv")
    assert result.caveats == (
        "You mentioned images, but no step of this plan reads images; it works on a table.",
    )


async def test_the_sales_demo_has_trend_checked_forecast_and_opportunities(
    plan: Plan, shipped: Catalogue
) -> None:
    used = steps(await plan(shipped, "find growth opportunities in my sales data", data="sales.csv"))
    assert {"sales_trend", "forecast_sales", "check_forecast", "growth_opportunities"} <= {*used}
    assert not {"train_supervised", "train_one_class", "medical_demo_data"} & {*used}
    assert used[-1] == "compose_report"


async def test_columns_may_be_named_as_inputs(plan: Plan, shipped: Catalogue) -> None:
    result = await plan(shipped, "train a medical anomaly detector", data="a.csv", target="diagnosis")
    assert result.graph is not None
    assert {"data", "target"} <= result.graph.inputs.keys()


async def test_each_example_is_answered_by_its_function(plan: Plan, shipped: Catalogue) -> None:
    for capability in shipped:
        if capability.role is not Role.SAMPLE:
            for example in capability.examples:
                assert capability.name in steps(await plan(shipped, example, data="a.csv")), example


async def test_each_shipped_function_is_planned_by_its_own_name(plan: Plan, shipped: Catalogue) -> None:
    for capability in shipped:
        result = await plan(shipped, "patients", goal=capability.name, data="a.csv")
        expected = "planned" if capability.role is not Role.SAMPLE else result.status
        assert result.status == expected, (capability.name, result.why)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("predict price", "price"),
        ("predict house prices", "price"),
        ("train a regression model to predict house prices", "regression"),
        ("train a regression model", "regression"),
        ("预测价格", "价格"),
        ("训练一个回归模型预测房价", "回归"),
        ("回归分析", "回归"),
    ],
)
async def test_to_predict_a_number_is_refused_or_told(
    plan: Plan, shipped: Catalogue, text: str, word: str
) -> None:
    result = await plan(shipped, text, data="a.csv")
    assert result.status == "unsupported" or any(word in c for c in result.caveats), result.graph
