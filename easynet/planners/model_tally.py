"""What the calls of a language model for one plan have taken, and whether there is money for one more."""

import json
from collections.abc import Callable

from easynet.llm.language_model import Prompt, Schema, Usage
from easynet.planners.planner import ModelCall

Price = Callable[[Usage], int]
"""Whole credits for tokens."""


class ModelTally:
    """Counts the calls of one model for one plan."""

    def __init__(self, model: str, price: Price | None) -> None:
        self._model = model
        self._price = price
        self._usage = Usage()
        self._calls: list[ModelCall] = []

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        return tuple(self._calls)

    def add(self, purpose: str, usage: Usage) -> None:
        """Count a call. One that took nothing is none."""
        if usage == Usage():
            return
        credits = None
        if self._price is not None:
            # Each call is rounded up, and only their sum is owed: a call costs what it adds to that.
            credits = max(0, self._price(self._usage + usage) - self._price(self._usage))
        self._usage += usage
        self._calls.append(ModelCall(model=self._model, purpose=purpose, usage=usage, credits=credits))

    def add_untold(self, purpose: str, prompt: Prompt, schema: Schema, received: str) -> None:
        """Count a call of which the server has not told what it took, where the price is known.

        A token is taken for four bytes of what was sent and of what came.
        """
        if self._price is not None:
            read, written = _bytes_sent(prompt, schema), len(received.encode())
            tokens = Usage(input_tokens=-(-read // 4), output_tokens=-(-written // 4))
            self.add(purpose, tokens)

    def at_most(self, prompt: Prompt, schema: Schema, max_tokens: int) -> int:
        """The credits that all calls may have cost after one more; 0 where the price is not known.

        A token is one byte of text or more.
        """
        if self._price is None:
            return 0
        read = _bytes_sent(prompt, schema)
        plain = Usage(input_tokens=read, output_tokens=max_tokens)
        to_cache = plain.model_copy(update={"written_tokens": read})
        return max(self._price(self._usage + usage) for usage in (plain, to_cache))


def _bytes_sent(prompt: Prompt, schema: Schema) -> int:
    texts = (prompt.instructions, *(m.text for m in prompt.messages), json.dumps(schema))
    return sum(len(text.encode()) for text in texts)
