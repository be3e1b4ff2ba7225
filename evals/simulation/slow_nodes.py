"""Nodes that take their time."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from easynet.core.call import CallUpdate
from evals.simulation.call import Served
from evals.simulation.faulty_node import Around

_TIMES_SLOWER: Final = 12.0


@dataclass
class Slow(Around):
    """Takes many times as long as usual, now and then."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        if self._strikes(served):
            extra_s = (_TIMES_SLOWER - 1) * self.seconds(served.call.capability, served.call.subtask)
            await asyncio.sleep(extra_s)
            served.worked_s += extra_s
        async for update in super().serve(served):
            yield update


@dataclass
class Frozen(Around):
    """Says that it is alive, and never comes to an end."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        if self._strikes(served):
            began = asyncio.get_running_loop().time()
            try:
                await asyncio.Event().wait()
            finally:
                served.worked_s += asyncio.get_running_loop().time() - began
        async for update in super().serve(served):
            yield update
