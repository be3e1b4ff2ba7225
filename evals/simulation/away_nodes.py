"""Nodes that go away, or that nobody hears."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import inf
from typing import Final

from easynet.core.call import CallUpdate
from easynet.core.errors import NodeUnreachable
from easynet.core.ids import NodeId
from easynet.core.offer import Offer
from easynet.fabric.calling.node_watch import SILENCE_S
from evals.simulation.call import Served
from evals.simulation.faulty_node import Around

_DOWN_S: Final = 60.0
"""A crashed node is back after so long."""
_FLAPS_S: Final = 20.0


def _now() -> float:
    return asyncio.get_running_loop().time()


def _until(at: float) -> asyncio.Timeout:
    return asyncio.timeout_at(None if at == inf else at)


async def _said_nothing(node: NodeId) -> NodeUnreachable:
    """The error that a caller gets, after the time for which a node has to be silent."""
    await asyncio.sleep(SILENCE_S)
    return NodeUnreachable(f"{node} has said nothing for {SILENCE_S:g} s")


async def _drained(updates: AsyncGenerator[CallUpdate]) -> None:
    async for _ in updates:
        pass


@dataclass
class Away(Around):
    """Is there and away by turns; what it was doing when it went is lost."""

    keeps_working: bool = field(default=False, init=False)
    """It goes on with its calls, and only its words do not get through."""
    _background: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"], init=False)

    def next_out(self, now: float) -> tuple[float, float]:
        """From when until when it is away: now, or else the next time; both infinite where it stays."""
        raise NotImplementedError

    def offers(self) -> Sequence[Offer]:
        """Nothing while it has been away for so long that the registry knows."""
        begins, ends = self.next_out(_now())
        return () if begins + SILENCE_S <= _now() < ends else super().offers()

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        begins, _ = self.next_out(_now())
        if begins <= _now():
            served.notes.append(type(self).__name__)
            raise await _said_nothing(self.name)
        if self.keeps_working:
            async for update in self._overheard(served, begins):
                yield update
            return
        try:
            async with _until(begins), aclosing(super().serve(served)) as updates:
                async for update in updates:
                    yield update
        except TimeoutError:
            served.notes.append(type(self).__name__)
            raise await _said_nothing(self.name) from None

    async def _overheard(self, served: Served, until: float) -> AsyncGenerator[CallUpdate]:
        """What is heard of a call that goes on whether it is heard or not."""
        said: list[CallUpdate] = []

        async def work() -> None:
            async with aclosing(self.inside.serve(served)) as updates:
                async for update in updates:
                    said.append(update)

        task = asyncio.create_task(work())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        try:
            async with _until(until):
                await asyncio.shield(task)
        except TimeoutError:
            served.notes.append(type(self).__name__)
            raise await _said_nothing(self.name) from None
        except asyncio.CancelledError:
            task.cancel()
            raise
        for update in said:
            yield update


@dataclass
class Flapping(Away):
    """Goes and comes back again and again."""

    def next_out(self, now: float) -> tuple[float, float]:
        phase = self.occasion.chance.share(self.name, "phase") * 2 * _FLAPS_S
        ends = now + 2 * _FLAPS_S - (now + phase) % (2 * _FLAPS_S)
        return ends - _FLAPS_S, ends


@dataclass
class CutOff(Away):
    """Cannot be reached for a while in the middle of the run, and works on meanwhile."""

    def __post_init__(self) -> None:
        self.keeps_working = True

    def next_out(self, now: float) -> tuple[float, float]:
        begins = 0.3 * self.occasion.expected_s
        return (begins, begins + _DOWN_S) if now < begins + _DOWN_S else (inf, inf)


@dataclass
class Lost(Away):
    """Goes in the middle of the run and does not come back."""

    def next_out(self, now: float) -> tuple[float, float]:
        return 0.3 * self.occasion.expected_s, inf


@dataclass
class Crashes(Away):
    """Crashes in some calls, and is away for a minute then."""

    _down_at: float = field(default=-inf, init=False)

    def next_out(self, now: float) -> tuple[float, float]:
        up_at = self._down_at + _DOWN_S
        return (self._down_at, up_at) if now < up_at else (inf, inf)

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        if _now() >= self._down_at + _DOWN_S and self._strikes(served):
            await self._until_crash(served)
            self._down_at = _now()
            raise await _said_nothing(self.name)
        async for update in super().serve(served):
            yield update

    async def _until_crash(self, served: Served) -> None:
        """What it does of the call before it crashes."""
        raise NotImplementedError


@dataclass
class CrashesBefore(Crashes):
    """Crashes as the call arrives."""

    async def _until_crash(self, served: Served) -> None:
        pass


@dataclass
class CrashesDuring(Crashes):
    """Crashes in the middle of the call."""

    async def _until_crash(self, served: Served) -> None:
        share = self.occasion.chance.share(self.name, "crash", self._served)
        try:
            async with asyncio.timeout(share * self.seconds(served.call.capability, served.call.subtask)):
                await _drained(self.inside.serve(served))
        except TimeoutError:
            pass


@dataclass
class CrashesAfter(Crashes):
    """Does the work, and crashes before it can say so."""

    async def _until_crash(self, served: Served) -> None:
        await _drained(self.inside.serve(served))


@dataclass
class RepliesLate(Away):
    """Is given up as silent, and does the work all the same."""

    def __post_init__(self) -> None:
        self.keeps_working = True

    def next_out(self, now: float) -> tuple[float, float]:
        return inf, inf

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        struck = self._strikes(served)
        async for update in self._overheard(served, _now() if struck else inf):
            yield update
