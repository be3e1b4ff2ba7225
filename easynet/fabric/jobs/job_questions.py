"""What a client asks its gateway about its jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

_ANSWER_S: Final = 6.0


class Ask(Protocol):
    """Puts a question to the gateway; raises the error that it answers with, or GatewayUnreachable."""

    async def __call__(self, subject: str, content: Any, *, timeout_s: float) -> Any: ...


class JobQuestions:
    """One client's questions about its jobs.

    `value` gives the value that was encoded, with its large parts fetched.
    """

    def __init__(
        self, ask: Ask, client: str, value: Callable[[bytes], Awaitable[Any]], retry_s: float
    ) -> None:
        self._ask = ask
        self._client = client
        self._retry_s = retry_s
        self.value = value

    async def ask(self, what: str, content: list[Any], *, wait_s: float = 0.0) -> Any:
        """The gateway's answer, which it may take so long to think about."""
        return await self._ask(f"job.{what}.{self._client}", content, timeout_s=wait_s + _ANSWER_S)

    async def pause(self) -> None:
        """Give a gateway that does not answer time to come back."""
        await asyncio.sleep(self._retry_s)
