"""The one place where a call to a language model is made again."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from easynet.core.errors import ModelError, ModelRateLimited, ModelUnavailable
from easynet.llm.bounds import bounded
from easynet.llm.failures import Failures
from easynet.llm.language_model import LanguageModel, Prompt, Reply, Schema

_FIRST_WAIT_S = 0.5
"""Where the server does not say how long; twice as long each further time."""


class PatientModel:
    """A model that is asked again after failures that pass."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        timeout_s: float,
        attempts: int = 3,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Asks `attempts` times at most, and gives up after `timeout_s` seconds in all."""
        self._model = model
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._sleep = sleep

    @property
    def name(self) -> str:
        return self._model.name

    def stream(
        self, prompt: Prompt, *, schema: Schema | None = None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        """As the model's own; once a piece was handed out, nothing is asked again."""
        pieces = self._tries(prompt, schema, max_tokens)
        return bounded(pieces, Failures(self.name), timeout_s=self._timeout_s, max_tokens=max_tokens)

    async def _tries(
        self, prompt: Prompt, schema: Schema | None, max_tokens: int
    ) -> AsyncGenerator[str | Reply]:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        for attempt in range(1, self._attempts + 1):
            handed_out = False
            try:
                pieces = self._model.stream(prompt, schema=schema, max_tokens=max_tokens)
                async with aclosing(pieces):
                    async for piece in pieces:
                        handed_out = True
                        yield piece
                return
            except (ModelRateLimited, ModelUnavailable) as error:
                wait_s = _wait_s(error, attempt)
                left_s = deadline - asyncio.get_running_loop().time()
                if handed_out or not error.retryable or attempt == self._attempts or wait_s >= left_s:
                    raise
            await self._sleep(wait_s)

    async def close(self) -> None:
        await self._model.close()


def _wait_s(error: ModelError, attempt: int) -> float:
    if isinstance(error, ModelRateLimited) and error.retry_after_s is not None:
        return error.retry_after_s
    return _FIRST_WAIT_S * (1 << (attempt - 1))
