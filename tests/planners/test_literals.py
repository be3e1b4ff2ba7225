"""Arguments that the sentence states itself."""

from collections.abc import Callable
from typing import Any

import pytest

from easynet.core.capability import Capability
from easynet.planners.literals import literals


@pytest.mark.parametrize(
    ("signature", "text", "found"),
    [
        ("f(horizon?: int) -> X", "forecast the next 8 weeks", {"horizon": 8}),
        ("f(horizon?: int) -> X", "预测未来8周的销售额", {"horizon": 8}),
        ("f(horizon?: int) -> X", "预测未来 12 个月", {"horizon": 12}),
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
