"""Words in a form that can be compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.planners.words import action, asked, keys, stem, units


@pytest.mark.parametrize(
    "words",
    [
        ("detect", "detects", "detector", "detectors", "detecting", "detection", "detected"),
        ("train", "trains", "training", "trained", "trainer"),
        ("anomaly", "anomalies"),
        ("opportunity", "opportunities"),
        ("forecast", "forecasts", "forecasting"),
        ("split", "splitting", "splits"),
        ("table", "tables"),
        ("analyse", "analysed", "analysing"),
        ("predict", "prediction", "predictive"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("train", "tree"), ("class", "clean"), ("sales", "sample"), ("loss", "lo")]
)
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_words_without_content_are_left_out() -> None:
    assert keys("please could you help me with the") == frozenset()
    assert keys("请帮我一下") == frozenset()


def test_chinese_is_compared_by_pairs_of_characters() -> None:
    assert keys("训练一个模型") == {"训练", "模型"}
    assert keys("训练 Transformer 模型") == {"训练", "transform", "模型"}


def test_names_are_split_into_words() -> None:
    assert keys("train_one_class trainOneClass") == keys("train one class")


def test_words_after_a_preposition_are_context() -> None:
    assert [(u.text, u.is_context) for u in units("train detectors for whales, find krill")] == [
        ("train", False),
        ("detectors", False),
        ("whales", True),
        ("find", False),
        ("krill", False),
    ]


@given(st.text(max_size=50))
def test_any_text_has_words_or_none(text: str) -> None:
    for unit in units(text):
        assert unit.keys
        assert all(unit.keys)
        assert unit.weight > 0


@pytest.mark.parametrize(
    ("text", "implied"),
    [
        ("total revenue per region", ["group"]),
        ("orders for each customer", ["group"]),
        ("按地区汇总销售额", ["分组"]),
        ("各门店的平均销售额", ["分组"]),
        ("sum up sales by month", []),
        ("按月汇总销售额", []),
        ("describe this table", []),
    ],
)
def test_asking_by_something_asks_for_groups(text: str, implied: list[str]) -> None:
    assert [u.text for u in asked(text) if u.is_implied] == implied


def test_summing_up_by_groups_weighs_more_than_forecasting_by_groups() -> None:
    assert asked("total revenue by region")[-1].weight > asked("forecast revenue by region")[-1].weight
    assert asked("按地区汇总营收")[-1].weight > asked("预测各地区营收")[-1].weight


def test_a_purpose_is_no_context() -> None:
    assert [u.is_context for u in units("a model for predicting prices")] == [False, False, False]
    assert [u.is_context for u in units("a model for whales")] == [False, True]


def test_an_infinitive_is_no_context() -> None:
    assert [u.is_context for u in units("a model to predict prices")] == [False, False, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [("prediction", True), ("regression", True), ("预测", True), ("prices", False), ("价格", False)],
)
def test_the_kind_of_work_is_told_from_its_object(text: str, said: bool) -> None:
    assert {bool(action(unit)) for unit in units(text)} == {said}


@pytest.mark.parametrize("word", ["9", "x", "销", "and "])
def test_long_texts_take_no_longer_than_short_ones(word: str) -> None:
    """A time that grew with the square of their length would be longer than any test may take."""
    assert len(keys(word * 200_000)) <= 2
