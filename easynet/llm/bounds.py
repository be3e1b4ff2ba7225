"""The bounds of an answer: in time, in length, and an end that is an end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from easynet.llm.failures import Failures
from easynet.llm.language_model import Reply

_MOST_CHARACTERS_A_TOKEN = 100
"""Far more than any tokenizer's average: only a server that does not keep to `max_tokens` gives more."""


async def bounded(
    pieces: AsyncGenerator[str | Reply], failures: Failures, *, timeout_s: float, max_tokens: int
) -> AsyncGenerator[str | Reply]:
    """The same pieces; raises where they take longer than `timeout_s` in all, or exceed `max_tokens`.

    The clock is looked at while a piece is waited for, so that it is never the reader who is interrupted.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    room = max_tokens * _MOST_CHARACTERS_A_TOKEN
    async with aclosing(pieces):
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise failures.timed_out(timeout_s) from None
            if isinstance(piece, str):
                room -= len(piece)
                if room < 0:
                    raise failures.truncated(max_tokens)
            yield piece
