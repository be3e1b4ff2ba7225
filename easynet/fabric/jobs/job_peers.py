"""The jobs of a network's other gateways: which one carries out what, and which one has died."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from easynet.core.errors import BadData, EasyNetError
from easynet.core.ids import JobId
from easynet.fabric.transport.gateway_peers import GatewayPeers

_CANCEL_S: Final = 10.0


class JobPeers:
    """What the jobs of one gateway know of those of the others."""

    def __init__(self, peers: GatewayPeers, replicas: int) -> None:
        """`replicas` says on how many gateways jobs are kept."""
        self._peers = peers
        self.replicas = replicas

    def serve(
        self,
        has: Callable[[JobId], bool],
        cancel: Callable[[JobId], Awaitable[bool]],
        on_lost: Callable[[], Awaitable[None]],
    ) -> None:
        """Answer the others' questions from now on; `on_lost` runs when one of them is gone."""

        async def say_whether_here(job: Any) -> bool:
            return has(_checked(job))

        self._peers.answer_by("has-job", say_whether_here)
        self._peers.answer_by("cancel-job", lambda job: cancel(_checked(job)))
        self._peers.on_lost(on_lost)

    @property
    def is_first(self) -> bool:
        """Whether this gateway is the one that acts where one of them has to."""
        return self._peers.is_first

    async def have(self, job: JobId) -> bool:
        """Whether another gateway carries the job out."""
        return any(await self._peers.ask_all("has-job", job))

    async def cancel(self, job: JobId) -> bool:
        """End the work on a job at another gateway, and wait for it; False where none has it."""
        try:
            return any(await self._peers.ask_all("cancel-job", job, timeout_s=_CANCEL_S))
        except EasyNetError:
            return False


def _checked(job: Any) -> JobId:
    if not isinstance(job, str):
        raise BadData("a question about a job that cannot be read")
    return JobId(job)
