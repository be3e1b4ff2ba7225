"""Errors in the language of whoever reads them."""

import pytest

from easynet.core.error_titles import TITLES_ZH
from easynet.core.errors import (
    BadData,
    CallTimeout,
    EasyNetError,
    InputNeeded,
    InvalidQuantity,
    NotStarted,
    PlanRejected,
    RemoteFailure,
    nearest,
)
from easynet.core.language import has_han
from easynet.core.quantities import parse_bound, parse_credits, parse_duration, parse_memory, parse_share


def kinds(of: type[EasyNetError]) -> list[type[EasyNetError]]:
    return [of, *(k for kind in of.__subclasses__() for k in kinds(kind))]


def test_an_error_without_chinese_words_says_its_kind_in_chinese() -> None:
    assert CallTimeout("no answer").in_language("zh") == ("调用超时：no answer", "")
    assert RemoteFailure("ValueError", "bad").in_language("zh")[0] == "函数出错：ValueError: bad"
    assert CallTimeout("no answer").in_language("en") == ("no answer", "")


def test_a_kind_without_a_title_is_called_as_the_one_that_it_is_a_kind_of() -> None:
    class Slower(NotStarted):
        code = "slower_still"

    assert Slower("x").in_language("zh")[0] == f"{TITLES_ZH['not_started']}：x"


@pytest.mark.parametrize("kind", [k for k in kinds(EasyNetError) if k.__init__ is EasyNetError.__init__])
def test_every_error_can_be_told_in_chinese(kind: type[EasyNetError]) -> None:
    assert has_han(kind("something").in_language("zh")[0])


def test_what_a_function_said_in_chinese_stays_as_it_is() -> None:
    assert BadData("文件是空的").in_language("zh")[0] == "文件是空的"


def test_a_question_stays_as_it_is() -> None:
    assert InputNeeded("target", "Which column?").in_language("zh")[0] == "Which column?"


def test_a_rejected_plan_says_so() -> None:
    assert PlanRejected(["x is no function"]).in_language("zh")[0] == "计划不合规则：x is no function"


def test_a_near_word_is_named() -> None:
    assert nearest("dat", ["data"], "zh") == "是否想写 'data'？"


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parse_credits, "much"),
        (parse_credits, -1),
        (parse_credits, ">5$"),
        (parse_credits, 0.001),
        (parse_duration, "soon"),
        (parse_duration, "20 years"),
        (parse_duration, "30000 days"),
        (parse_memory, "huge"),
        (parse_memory, "9999999 TB"),
        (parse_share, "999%"),
        (parse_share, "-5%"),
        (parse_bound, "lots"),
    ],
)
def test_a_limit_that_cannot_be_read_is_told_in_both_languages(parse: object, value: str | float) -> None:
    assert callable(parse)
    with pytest.raises(InvalidQuantity) as caught:
        parse(value, "预算")
    chinese, _ = caught.value.in_language("zh")
    assert chinese.startswith("预算：")
    assert "；请写" in chinese
    assert not any(word in chinese for word in ("write", "cannot", " is ", "超出范围"))
