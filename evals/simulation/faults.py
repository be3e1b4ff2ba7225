"""What goes wrong with nodes: small nodes around nodes, one kind of fault each."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.call import CallUpdate, Returned
from easynet.core.errors import NodeUnreachable
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer, Trust
from easynet.fabric.calling.node_watch import SILENCE_S
from evals.simulation.call import Served
from evals.simulation.chance import Chance
from evals.simulation.node import MockNode

AFFECTED: Final = 0.4
"""The share of nodes that a fault has."""
_OFTEN = 0.5
"""The share of an affected node's calls in which it shows."""
_DOWN_S = 60.0
"""A crashed node is back after so long."""
_TIMES_SLOWER = 12.0
_LIE = 10.0
_FLAPS_S = 20.0


@dataclass(frozen=True)
class Occasion:
    """The run that a fault befalls."""

    chance: Chance
    expected_s: float
    """What the run would take on the fastest nodes."""


@dataclass
class Around:
    """A node that is as the one inside, until a fault says otherwise."""

    inside: MockNode
    occasion: Occasion
    _served: int = 0

    @property
    def name(self) -> NodeId:
        return self.inside.name

    @property
    def site(self) -> int:
        return self.inside.site

    @property
    def trust(self) -> Trust:
        return self.inside.trust

    def offers(self) -> Sequence[Offer]:
        return self.inside.offers()

    def seconds(self, capability: CapabilityName, subtask: SubtaskId) -> float:
        return self.inside.seconds(capability, subtask)

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        async with aclosing(self.inside.serve(served)) as updates:
            async for update in updates:
                yield update

    def _strikes(self, served: Served) -> bool:
        """Whether the fault shows in this call."""
        self._served += 1
        is_struck = self.occasion.chance.share(self.name, "strikes", self._served) < _OFTEN
        if is_struck:
            served.notes.append(type(self).__name__)
        return is_struck


def _now() -> float:
    return asyncio.get_running_loop().time()


def _until(at: float) -> asyncio.Timeout:
    return asyncio.timeout_at(None if at == float("inf") else at)


async def _said_nothing(node: NodeId) -> NodeUnreachable:
    """The error that a caller gets, after the time for which a node has to be silent."""
    await asyncio.sleep(SILENCE_S)
    return NodeUnreachable(f"{node} has said nothing for {SILENCE_S:g} s")


async def _drained(updates: AsyncGenerator[CallUpdate]) -> None:
    async for _ in updates:
        pass


# ── nodes that go away ──────────────────────────────────────────────────────────────────────────


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
        return 0.3 * self.occasion.expected_s, float("inf")


@dataclass
class Crashes(Away):
    """Crashes in some calls, and is away for a minute then."""

    _down_at: float = field(default=float("-inf"), init=False)

    def next_out(self, now: float) -> tuple[float, float]:
        up_at = self._down_at + _DOWN_S
        return (self._down_at, up_at) if now < up_at else (float("inf"), float("inf"))

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


# ── nodes that take their time ──────────────────────────────────────────────────────────────────


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
            began = _now()
            try:
                await asyncio.Event().wait()
            finally:
                served.worked_s += _now() - began
        async for update in super().serve(served):
            yield update


@dataclass
class RepliesLate(Away):
    """Is given up as silent, and does the work all the same."""

    def __post_init__(self) -> None:
        self.keeps_working = True

    def next_out(self, now: float) -> tuple[float, float]:
        return float("inf"), float("inf")

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        struck = self._strikes(served)
        async for update in self._overheard(served, _now() if struck else float("inf")):
            yield update


# ── nodes that say what is not so ───────────────────────────────────────────────────────────────


@dataclass
class AnswersWrong(Around):
    """Gives a result of the right form with other contents; each node is wrong in a way of its own."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        struck = self._strikes(served)
        async for update in super().serve(served):
            if struck and isinstance(update, Returned):
                off = self.occasion.chance.share(self.name, "wrong", self._served)
                wrong = _distorted(update.value, 1.0 + off)
                served.is_wrong = wrong != update.value
                yield Returned(wrong)
            else:
                yield update


@dataclass
class AnswersInWrongForm(Around):
    """Gives something that is no such result."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        struck = self._strikes(served)
        async for update in super().serve(served):
            if struck and isinstance(update, Returned):
                served.is_wrong = True
                yield Returned([update.value] if isinstance(update.value, dict) else {"result": "done"})
            else:
                yield update


@dataclass
class RepliesTwice(Around):
    """Says its result twice."""

    async def serve(self, served: Served) -> AsyncGenerator[CallUpdate]:
        async for update in super().serve(served):
            yield update
            if isinstance(update, Returned):
                yield update


@dataclass
class RaisesItsPrice(Around):
    """Is cheap when plans are made, and dearer when it is asked again."""

    def offers(self) -> Sequence[Offer]:
        factor = 0.5 if _now() == 0.0 else 2.0
        return [o.model_copy(update={"price": max(1, round(o.price * factor))}) for o in self.inside.offers()]


@dataclass
class OverstatesItsSpeed(Around):
    """Claims to be many times faster than it is."""

    def offers(self) -> Sequence[Offer]:
        return [o.model_copy(update={"expected_s": o.expected_s / _LIE}) for o in self.inside.offers()]


def _distorted(value: Any, factor: float) -> Any:
    """Another value of the same form; `factor` says how far off it is."""
    match value:
        case bool():
            return not value
        case int():
            return value + round(1000 * factor)
        case float():
            return value * factor + 0.1
        case str():
            return f"{value} {factor:.6f}"
        case Artifact():
            return value.model_copy(
                update={"digest": sha256(f"{value.digest} {factor}".encode()).hexdigest()}
            )
        case dict():
            return {key: _distorted(part, factor) for key, part in value.items()}
        case list():
            return [_distorted(part, factor) for part in value]
        case _:
            return value


@dataclass(frozen=True)
class Fault:
    """A kind of fault, and whom it befalls."""

    around: Callable[[MockNode, Occasion], MockNode]
    by_site: bool = False
    """It befalls all nodes of one site, and no others."""
    spares_own: bool = False
    """It befalls no nodes of the user's own: whom one trusts is not asked twice."""

    def befall(self, nodes: Sequence[MockNode], occasion: Occasion) -> list[MockNode]:
        """The nodes, with those in whose place faulty ones stand."""
        chance = occasion.chance
        if self.by_site:
            sites = sorted({n.site for n in nodes})
            lost = sites[int(chance.share("site") * len(sites))]
            return [self.around(n, occasion) if n.site == lost else n for n in nodes]
        able = [n for n in nodes if not (self.spares_own and n.trust is Trust.OWN)]
        drawn = sorted(able, key=lambda n: chance.share("befalls", n.name))
        struck = {n.name for n in drawn[: round(AFFECTED * len(nodes))]}
        return [self.around(n, occasion) if n.name in struck else n for n in nodes]


FAULTS: Final = {
    "crash before": Fault(CrashesBefore),
    "crash during": Fault(CrashesDuring),
    "crash after": Fault(CrashesAfter),
    "slow": Fault(Slow),
    "frozen": Fault(Frozen),
    "wrong answer": Fault(AnswersWrong, spares_own=True),
    "wrong type": Fault(AnswersInWrongForm),
    "lying price": Fault(RaisesItsPrice),
    "lying speed": Fault(OverstatesItsSpeed),
    "flapping": Fault(Flapping),
    "partition": Fault(CutOff),
    "duplicate reply": Fault(RepliesTwice),
    "late reply": Fault(RepliesLate),
    "group lost": Fault(Lost, by_site=True),
}
"""By the name that reports show."""
