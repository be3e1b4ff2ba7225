"""Arguments that the sentence states itself."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from easynet.core.capability import Capability
from easynet.core.signature import capability_of
from easynet.planners.literals import literals, unread_horizons


@pytest.mark.parametrize(
    ("signature", "text", "found"),
    [
        ("f(horizon?: str) -> X", "forecast the next 8 weeks", {"horizon": "8 weeks"}),
        ("f(horizon?: str) -> X", "预测未来三个月的销售额", {"horizon": "3 months"}),
        ("f(horizon?: str) -> X", "预测未来 12 个月", {"horizon": "12 months"}),
        ("f(horizon?: str) -> X", "next quarter", {"horizon": "1 quarter"}),
        ("f(horizon?: str) -> X", "预测下个季度的销售额", {"horizon": "1 quarter"}),
        ("f(horizon?: str) -> X", "with a horizon of 4", {"horizon": "4"}),
        ("f(horizon?: str) -> X", "forecast sales", {}),
        ("f(horizon?: int) -> X", "forecast the next 8 weeks", {}),
        ("f(horizon?: int) -> X", "with a horizon of 3 months", {}),
        ("f(horizon_weeks?: int) -> X", "forecast the next 8 weeks", {"horizon_weeks": 8}),
        ("f(horizon_weeks?: int) -> X", "forecast the next 8 months", {}),
        ("f(horizon?: int) -> X", "the next 12 periods", {"horizon": 12}),
        ("f(horizon?: int) -> X", "with a horizon of 4", {"horizon": 4}),
        ("f(horizon?: int) -> X", "the 8 biggest whales", {}),
        ("f(horizon?: int) -> X", "next 8 weeks, then the next 9 weeks", {}),
        ("f(top?: int) -> X", "the top 10 products", {"top": 10}),
        ("f(top?: int) -> X", "top=10", {"top": 10}),
        ("f(trees?: int) -> X", "a forest of 50 trees", {"trees": 50}),
        ("f(share?: float) -> X", "share 0.25", {"share": 0.25}),
        ("f(top?: int) -> X", "top 2.5", {}),
        ("f(top?: int) -> X", "top 10%", {}),
        ("f(a: int, b: int) -> int", "add 2 and 3", {"a": 2, "b": 3}),
        ("f(a: float, b: float) -> float", "add 2 and -3.5", {"a": 2.0, "b": -3.5}),
        ("f(a: int, b: int) -> int", "add 2", {}),
        ("f(a: int, b: int) -> int", "add 2 and 3 and 4", {}),
        ("f(a: int, b?: int) -> int", "add 3 and 4", {"a": 3, "b": 4}),
        ("f(a: int, b?: int) -> int", "add 3", {"a": 3}),
        ("f(a: int, b?: int) -> int", "add 1,000 and 2", {"a": 1000, "b": 2}),
        ("f(c: float) -> float", "把36.6摄氏度换算成华氏温度", {"c": 36.6}),
        ("f(c: float) -> float", "convert 36.6C", {"c": 36.6}),
        ("f(c: float) -> float", "convert 36.6°C.", {"c": 36.6}),
        ("f(n: int) -> int", "since 2024-01-02, version 1.2.3, the 4th of x5", {}),
        ("f(n: int) -> int", "read 2024.csv", {}),
        ("f(data: File, n?: int) -> int", "read 5 lines", {}),
        ("f(text: str) -> str", 'say "hello world"', {"text": "hello world"}),
        ("f(text: str) -> str", "说“你好”", {"text": "你好"}),
        ("f(text: str) -> str", "don't say it, don't", {}),
        ("f(text: str) -> str", 'say "a" or "b"', {}),
        ("f(data: File) -> X", 'read "a.csv"', {}),
        ("f(values: list[int]) -> X", "sum 2 and 3", {}),
    ],
)
def test_only_what_is_stated_without_doubt_becomes_an_argument(
    make: Callable[..., Capability], signature: str, text: str, found: dict[str, Any]
) -> None:
    assert literals(make(signature, "F."), text) == found


def test_a_time_ahead_that_a_bare_number_cannot_take_is_told(make: Callable[..., Capability]) -> None:
    sentence = "forecast the next 3 months"
    assert unread_horizons(make("f(horizon?: int) -> X", "F."), sentence) == {"horizon": "3 months"}
    assert unread_horizons(make("f(horizon?: str) -> X", "F."), sentence) == {}
    assert unread_horizons(make("f(horizon_months?: int) -> X", "F."), sentence) == {}
    assert unread_horizons(make("f(top?: int) -> X", "F."), sentence) == {}


@pytest.mark.parametrize(
    ("sentence", "chosen"),
    [
        ("average revenue per region", {"by": "average"}),
        ("revenue per region", {}),
        ("total or average revenue", {}),
        ("按地区计算平均值", {"by": "平均值"}),
        ("totally different", {}),
    ],
)
def test_choice_that_the_sentence_holds_becomes_the_argument(sentence: str, chosen: dict[str, str]) -> None:
    def rank(by: Literal["total", "average", "平均", "平均值"] | None = None) -> None: ...

    assert literals(capability_of(rank), sentence) == chosen
