"""Capabilities that are found by what is meant, without a word or a language in common."""

import asyncio
from collections.abc import Callable

import pytest

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName
from easynet.core.intent import ParsedIntent
from easynet.core.language import language_of
from easynet.llm.kept_vectors import KeptVectors
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.files import without_files
from easynet.planners.meanings import Meanings
from easynet.planners.planner import PlanRequest, PlanResult
from easynet.testing.embedder import ConceptEmbedder

Make = Callable[..., Capability]

PREDICT, SALES = {"forecast", "predict", "预测", "多少"}, {"sales", "selling", "销售", "卖"}
ODD, ROWS = {"outlier", "odd", "离谱", "可疑"}, {"row", "record", "行"}
POEM, TABLE = {"poem", "诗"}, {"table", "表"}


@pytest.fixture
def embedder() -> ConceptEmbedder:
    return ConceptEmbedder(PREDICT, SALES, ODD, ROWS, POEM, TABLE)


@pytest.fixture
def english(make: Make) -> tuple[Capability, ...]:
    """Described in English alone."""
    return (
        make("forecast_sales(shop: str) -> Outlook", "Forecast sales."),
        make("find_outliers(shop: str) -> Findings", "Find outlier rows."),
        make("polish(shop: str) -> Shine", "Polish stones."),
    )


@pytest.fixture
def chinese(make: Make) -> tuple[Capability, ...]:
    return (
        make("f_1(shop: str) -> Outlook", "", "预测销售额。"),
        make("f_2(shop: str) -> Findings", "", "查找可疑的行。"),
        make("f_3(shop: str) -> Shine", "", "打磨石头。"),
    )


async def planned(
    embedder: ConceptEmbedder | None, catalogue: tuple[Capability, ...], text: str, **inputs: str
) -> PlanResult:
    parsed = ParsedIntent(text=text, language=language_of(text), inputs=inputs)
    return await CataloguePlanner(embedder).plan(PlanRequest(parsed=parsed, catalogue=catalogue))


def steps(result: PlanResult) -> list[str]:
    assert result.graph is not None, (result.status, result.why)
    return [*result.graph.capabilities]


@pytest.mark.parametrize(
    ("text", "wanted"), [("以后能卖多少", "forecast_sales"), ("离谱的行", "find_outliers")]
)
async def test_a_chinese_request_finds_a_function_described_in_english(
    embedder: ConceptEmbedder, english: tuple[Capability, ...], text: str, wanted: str
) -> None:
    assert (await planned(None, english, text, shop="x")).status == "unsupported"
    assert steps(await planned(embedder, english, text, shop="x")) == [wanted]


@pytest.mark.parametrize(("text", "wanted"), [("predict what we are selling", "f_1"), ("odd records", "f_2")])
async def test_an_english_request_finds_a_function_described_in_chinese(
    embedder: ConceptEmbedder, chinese: tuple[Capability, ...], text: str, wanted: str
) -> None:
    assert (await planned(None, chinese, text, shop="x")).status == "unsupported"
    assert steps(await planned(embedder, chinese, text, shop="x")) == [wanted]


async def test_a_paraphrase_without_a_common_word_is_understood(
    embedder: ConceptEmbedder, english: tuple[Capability, ...]
) -> None:
    result = await planned(embedder, english, "odd records", shop="x")
    assert steps(result) == ["find_outliers"]
    assert result.caveats == ()


async def test_what_is_nearer_to_something_else_is_unsupported_and_the_nearest_are_named(
    embedder: ConceptEmbedder, english: tuple[Capability, ...]
) -> None:
    result = await planned(embedder, english, "write a poem about stones", shop="x")
    assert result.status == "unsupported"
    assert "polish" in result.nearest


async def test_a_function_that_does_what_assistants_do_is_found_in_spite_of_it(
    embedder: ConceptEmbedder, english: tuple[Capability, ...], make: Make
) -> None:
    poet = make("write_poem(shop: str) -> Poem", "Write a poem.")
    assert steps(await planned(embedder, (*english, poet), "写一首诗", shop="x")) == ["write_poem"]


async def test_a_word_that_means_nothing_like_what_is_planned_is_told(
    embedder: ConceptEmbedder, english: tuple[Capability, ...]
) -> None:
    result = await planned(embedder, english, "odd quibble records", shop="x")
    assert result.caveats == ("Not understood, and left out: quibble.",)


async def test_another_kind_of_work_is_told_in_whichever_language(
    embedder: ConceptEmbedder, english: tuple[Capability, ...]
) -> None:
    assert (await planned(embedder, english, "预测销售", shop="x")).caveats == ()
    result = await planned(embedder, english, "翻译可疑的行", shop="x")
    assert result.status == "unsupported" or any("翻译" in c for c in result.caveats)


async def test_a_request_costs_one_embedding_once_the_catalogue_is_known(
    embedder: ConceptEmbedder, english: tuple[Capability, ...]
) -> None:
    planner = CataloguePlanner(embedder)
    parsed = ParsedIntent(text="predict sales", language="en", inputs={"shop": "x"})
    await planner.plan(PlanRequest(parsed=parsed, catalogue=english))
    embedder.embedded.clear()
    again = parsed.model_copy(update={"text": "forecast my sales"})
    await planner.plan(PlanRequest(parsed=again, catalogue=english))
    assert embedder.embedded == ["forecast my sales"]


def test_the_name_of_a_file_means_nothing(embedder: ConceptEmbedder, english: tuple[Capability, ...]) -> None:
    meanings = Meanings(english, embedder, KeptVectors(embedder))
    named = meanings.likeness(without_files("predict outliers.csv"))
    assert named.of == meanings.likeness("predict").of


def test_a_catalogue_of_nothing_has_no_likeness(embedder: ConceptEmbedder) -> None:
    assert Meanings((), embedder, KeptVectors(embedder)).likeness("predict").of == {}


def test_capabilities_with_more_texts_are_no_nearer_for_it(embedder: ConceptEmbedder, make: Make) -> None:
    short = make("f_1() -> A", "Predict sales.")
    long = make("f_2() -> B", "Predict sales.", examples=tuple(f"polish stone {i}" for i in range(100)))
    like = Meanings((short, long), embedder, KeptVectors(embedder)).likeness("predict sales").of
    assert like[CapabilityName("f_1")] >= like[CapabilityName("f_2")]


async def test_many_may_plan_at_once_over_several_catalogues(
    embedder: ConceptEmbedder, english: tuple[Capability, ...], chinese: tuple[Capability, ...]
) -> None:
    planner = CataloguePlanner(embedder)
    requests = [
        PlanRequest(
            parsed=ParsedIntent(text=f"predict sales {i}", language="en", inputs={"shop": "x"}),
            catalogue=english if i % 2 else chinese,
        )
        for i in range(40)
    ]
    results = await asyncio.gather(*(planner.plan(request) for request in requests))
    assert [steps(r) for r in results] == [["forecast_sales"] if i % 2 else ["f_1"] for i in range(40)]
