"""Finding capabilities by words, and knowing when none is meant."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.capability import Capability
from easynet.planners.retrieval import Index

Make = Callable[..., Capability]
Catalogue = tuple[Capability, ...]


@pytest.fixture
def index(small: Catalogue) -> Index:
    return Index(small)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("clean the table", "clean_table"),
        ("drop repeated rows", "clean_table"),
        ("去掉重复行", "clean_table"),
        ("describe columns", "describe_table"),
        ("random forests", "train_forest"),
        ("随机森林", "train_forest"),
        ("decision tree", "train_tree"),
        ("forecasting the tides", "forecast_tides"),
        ("潮汐预测", "forecast_tides"),
        ("what is the sum of two numbers", "add"),
        ("add_two_numbers", "add"),
        ("foreast tides", "forecast_tides"),
        ("clasifier of spam", "train_spam_filter"),
    ],
)
def test_the_best_hit_is_what_the_words_mean(index: Index, text: str, name: str) -> None:
    assert index.search(text)[0].capability.name == name


@pytest.mark.parametrize("text", ["", "   ", "the of and", "qwer zxcv", "今天天气怎么样", "😀"])
def test_words_that_nothing_shares_find_nothing(index: Index, text: str) -> None:
    assert index.search(text) == []


def test_coverage_is_the_share_of_the_text_that_is_explained(index: Index) -> None:
    full, half = index.search("forecast tides")[0], index.search("forecast tides pancakes unicorns")[0]
    assert full.coverage == 1
    assert 0 < half.coverage < 0.5


def test_unknown_words_of_context_weigh_little(index: Index) -> None:
    context, head = index.search("forecast tides in Zanzibar")[0], index.search("forecast Zanzibar tides")[0]
    assert context.coverage > head.coverage


def test_unknown_words_are_told_as_they_are_written(index: Index) -> None:
    assert index.unknown_words("forecast pancakes in Zanzibar") == ("pancakes",)
    assert index.unknown_words("预测巴黎潮汐") == ("黎",) or index.unknown_words("预测巴黎潮汐") == ("巴黎",)


def test_a_rare_word_counts_more_than_a_common_one(make: Make) -> None:
    common = [make(f"sort_{i}(stones: Stones) -> Sorted", "Sort stones.") for i in range(5)]
    rare = make("polish(stones: Stones) -> Polished", "Polish stones.")
    assert Index((*common, rare)).search("polish or sort")[0].capability == rare


def test_an_example_sentence_is_found(make: Make) -> None:
    catalogue = (
        make("f(x: int) -> int", "Does something.", examples=("how warm is it in the cellar",)),
        make("g(x: int) -> int", "Does something."),
    )
    hits = Index(catalogue).search("how warm is the cellar?")
    assert [h.capability.name for h in hits] == ["f"]


def test_the_subject_of_a_sample_is_told_from_words_that_any_data_has(small: Catalogue) -> None:
    index = Index(small)
    sample = next(c for c in small if c.name == "flower_demo_data")
    loader = next(c for c in small if c.name == "load_table")
    assert index.shares_subject("classify flowers", sample, [loader])
    assert index.shares_subject("花卉分类", sample, [loader])
    assert not index.shares_subject("describe the data file", sample, [loader])
    tagged = sample.model_copy(update={"tags": ("flower", "data", "数据")})
    assert index.shares_subject("flower data", tagged, [loader])
    assert not index.shares_subject("describe the data file", tagged, [loader])
    assert not index.shares_subject("描述数据", tagged, [loader])


@given(st.text(max_size=60))
def test_scores_are_finite_and_coverage_is_a_share(text: str) -> None:
    catalogue = (
        Capability.model_validate({"name": "add_numbers", "description": {"en": "Add 数字", "zh": "相加"}}),
    )
    for hit in Index(catalogue).search(text):
        assert 0 < hit.score < 10
        assert 0 <= hit.coverage <= 1
