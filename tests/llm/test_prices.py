"""What calls cost."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from easynet.llm.language_model import Usage, counted
from easynet.llm.prices import _KNOWN, cost, price_of
from easynet.settings import ModelPrice, Settings

PRICE = ModelPrice(input=Decimal(2), cached=Decimal("0.2"), written=Decimal("2.5"), output=Decimal(10))


def test_cost_is_whole_credits_rounded_up() -> None:
    assert cost(Usage(), PRICE) == 0
    assert cost(Usage(input_tokens=1), PRICE) == 1
    assert cost(Usage(input_tokens=1_000_000), PRICE) == 200
    assert cost(Usage(input_tokens=1_000_001), PRICE) == 201
    assert cost(Usage(output_tokens=1_000_000), PRICE) == 1000


def test_cached_and_written_input_have_prices_of_their_own() -> None:
    usage = Usage(input_tokens=1_000_000, cached_tokens=500_000, written_tokens=100_000)
    assert cost(usage, PRICE) == 80 + 10 + 25
    plain = ModelPrice(input=Decimal(2), output=Decimal(10))
    assert cost(usage, plain) == 200


@given(*[st.integers(-5, 10**7)] * 4)
def test_whatever_a_server_tells_costs_no_less_than_nothing(a: int, b: int, c: int, d: int) -> None:
    assert cost(counted(a, b, c, d), PRICE) >= 0


@pytest.mark.parametrize("nonsense", [None, "7", 1.5, float("nan"), [], {}])
def test_what_is_no_count_counts_as_none(nonsense: object) -> None:
    assert counted(nonsense, nonsense, nonsense, nonsense) == Usage()


@pytest.mark.parametrize(
    "name", ["openai:gpt-5.4-mini", "openai:gpt-5.4-mini-2026-03-17", "openai:gpt-5.4-mini-latest"]
)
def test_versions_of_a_model_cost_the_same(name: str) -> None:
    price = price_of(name, {})
    assert price is not None
    assert price.input == Decimal("0.75")


@pytest.mark.parametrize(
    "name", ["openai:gpt-99", "openai:gpt-5.4-micro", "http://127.0.0.1/v1#gpt-5", "gpt-5", "langchain:gpt-5"]
)
def test_unknown_models_have_no_price(name: str) -> None:
    assert price_of(name, {}) is None


def test_own_prices_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"openai:gpt-5": {"input": 1, "output": 2}, "http://127.0.0.1/v1#m": {"input": 0, "output": 0}}
    monkeypatch.setenv("EASYNET_MODEL_PRICES", json.dumps(own))
    prices = Settings().model_prices
    found = price_of("openai:gpt-5", prices), price_of("http://127.0.0.1/v1#m", prices)
    assert found == (
        ModelPrice(input=Decimal(1), output=Decimal(2)),
        ModelPrice(input=Decimal(0), output=Decimal(0)),
    )


@pytest.mark.parametrize(
    "bad", [{"input": -1, "output": 1}, {"input": "NaN", "output": 1}, {"input": 1}, {"x": 1}]
)
def test_prices_that_cannot_be_are_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        ModelPrice.model_validate(bad)


@pytest.mark.parametrize("name", _KNOWN)
def test_known_prices_are_plausible(name: str) -> None:
    price = price_of(name, {})
    assert price is not None
    assert price.cached is not None
    assert 0 < price.cached < price.input < price.output <= 100
    assert price.written is None or price.input <= price.written <= 2 * price.input
