"""What language models cost.

In dollars for a million tokens, as told by genai-prices 0.2.3 (Pydantic, MIT) in November 2026 for the
providers' standard service. Prices change: `model_prices` in the settings come first. Prompts of more than
100,000 tokens cost more with some models; EasyNet's are far shorter.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

from easynet.core.quantities import CREDITS_PER_DOLLAR
from easynet.llm.language_model import Usage
from easynet.settings import ModelPrice

_KNOWN: Mapping[str, tuple[str, str, str | None, str]] = {
    # model: input, read from the cache, written to it, output
    "anthropic:claude-fable-5": ("10", "1", "12.5", "50"),
    "anthropic:claude-fable-5-1": ("10", "0.25", "12.5", "50"),
    "anthropic:claude-fable-5-2": ("8", "0.2", "10", "40"),
    "anthropic:claude-haiku-4-5": ("1", "0.1", "1.25", "5"),
    "anthropic:claude-haiku-5-5": ("0.1", "0.01", "0.125", "0.5"),
    "anthropic:claude-opus-4-5": ("5", "0.5", "6.25", "25"),
    "anthropic:claude-opus-4-6": ("5", "0.5", "6.25", "25"),
    "anthropic:claude-opus-4-7": ("5", "0.5", "6.25", "25"),
    "anthropic:claude-opus-4-8": ("5", "0.5", "6.25", "25"),
    "anthropic:claude-opus-5": ("5", "0.5", "6.25", "25"),
    "anthropic:claude-opus-5-5": ("4", "0.2", "5", "20"),
    "anthropic:claude-sonnet-4-5": ("3", "0.3", "3.75", "15"),
    "anthropic:claude-sonnet-4-6": ("3", "0.3", "3.75", "15"),
    "anthropic:claude-sonnet-5": ("2", "0.2", "2.5", "10"),
    "anthropic:claude-sonnet-5-5": ("2", "0.1", "2.5", "10"),
    "openai:gpt-4.1": ("2", "0.5", None, "8"),
    "openai:gpt-4.1-mini": ("0.4", "0.1", None, "1.6"),
    "openai:gpt-4o": ("2.5", "1.25", None, "10"),
    "openai:gpt-4o-mini": ("0.15", "0.075", None, "0.6"),
    "openai:gpt-5": ("1.25", "0.125", None, "10"),
    "openai:gpt-5-mini": ("0.25", "0.025", None, "2"),
    "openai:gpt-5-nano": ("0.05", "0.005", None, "0.4"),
    "openai:gpt-5.1": ("1.25", "0.125", None, "10"),
    "openai:gpt-5.2": ("1.75", "0.175", None, "14"),
    "openai:gpt-5.4": ("2.5", "0.25", None, "15"),
    "openai:gpt-5.4-mini": ("0.75", "0.075", None, "4.5"),
    "openai:gpt-5.4-nano": ("0.2", "0.02", None, "1.25"),
    "openai:gpt-5.5": ("5", "0.5", None, "30"),
    "openai:gpt-5.6-luna": ("0.2", "0.02", "0.25", "1.2"),
    "openai:gpt-5.6-sol": ("4", "0.4", "5", "20"),
    "openai:gpt-5.6-terra": ("2", "0.2", "2.5", "12"),
    "openai:gpt-6-astra": ("10", "1", "12.5", "50"),
    "openai:gpt-6-luna": ("0.1", "0.01", "0.125", "0.5"),
    "openai:gpt-6-sol": ("2", "0.2", "2.5", "10"),
    "openai:gpt-6.1-sol": ("2", "0.1", "2.5", "10"),
    "openai:gpt-6.1-terra": ("1", "0.05", "1.25", "5"),
}

_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
"""How providers mark a model's versions, which cost the same."""


def price_of(model: str, own: Mapping[str, ModelPrice]) -> ModelPrice | None:
    """The price of a model by its name as chosen: the user's own, else a known one, else None."""
    for name in (model, _DATED.sub("", model)):
        if name in own:
            return own[name]
        if name in _KNOWN:
            read, cached, written, output = _KNOWN[name]
            return ModelPrice(
                input=Decimal(read),
                cached=Decimal(cached),
                written=None if written is None else Decimal(written),
                output=Decimal(output),
            )
    return None


def cost(usage: Usage, price: ModelPrice) -> int:
    """Whole credits, rounded up; add up the usage of several calls first, not their costs."""
    plain = usage.input_tokens - usage.cached_tokens - usage.written_tokens
    cached = price.input if price.cached is None else price.cached
    written = price.input if price.written is None else price.written
    dollars = (
        plain * price.input
        + usage.cached_tokens * cached
        + usage.written_tokens * written
        + usage.output_tokens * price.output
    ) / 1_000_000
    return math.ceil(dollars * CREDITS_PER_DOLLAR)
