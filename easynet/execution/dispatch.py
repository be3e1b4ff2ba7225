"""Who runs a ready subtask: chosen when it is ready, by what is known of the nodes at that moment."""

from collections import defaultdict
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from easynet.core.clock import Clock
from easynet.core.errors import EasyNetError
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.privacy import may_see
from easynet.execution.commands import Start
from easynet.execution.ladder import MAX_ATTEMPTS_A_NODE
from easynet.execution.load import Share
from easynet.execution.order import Order
from easynet.execution.purse import Purse
from easynet.execution.refusals import nobody
from easynet.execution.steering import Steering

_LOOKED_AT = 32
"""So many starts that wait for a busy node are passed over in search of one that does not."""


@dataclass(frozen=True)
class Placement:
    """A start with the offer that takes it; its price is reserved and its slot taken."""

    start: Start
    offer: Offer
    share: Share


@dataclass(frozen=True)
class Refusal:
    """A start that no offer can take: NoNodeFound or OverBudget."""

    start: Start
    error: EasyNetError


@dataclass(frozen=True)
class _Wait:
    """A start is better off to wait for a busy node."""

    offer: Offer


_Kind = tuple[CapabilityName, Privacy, tuple[NodeId, ...], tuple[NodeId, ...]]
"""Starts that the same offers suit: the capability, how private its arguments are, the nodes that failed it,
those that it is not for."""
_Entry = tuple[tuple[float, int], Start]


class Dispatch:
    """The starts that wait for a slot.

    A node gets at most as many subtasks at a time as it says it can run; the rest wait here rather than
    there, so that each is given away with what is known by then. The offer with the best score is taken, and
    waited for where it is worth it. A node that failed the subtask, or has just kept silent, is passed over
    while there is another. No offer is taken that would leave too little for the cheapest rest of the plan.
    """

    def __init__(self, order: Order, purse: Purse, steering: Steering, clock: Clock) -> None:
        self._purse = purse
        self._load = steering.load
        self._policy = steering.chooser
        self._estimates = steering.estimates
        self._clock = clock
        self._offers: dict[CapabilityName, tuple[Offer, ...]] = {}
        self._waiting: dict[_Kind, list[_Entry]] = {}
        self.look_again_s: float | None = None
        """In so many seconds, waiting for a busy node may no longer be worth it."""
        self.grow(order)

    def grow(self, order: Order, done: Collection[SubtaskId] = ()) -> None:
        """The order as it is now, with new subtasks, offers and advice; of the new ones, some are `done`."""
        self._capabilities = {s.id: s.capability for s in order.graph.subtasks}
        self._advised = {a.subtask: a.node for a in order.schedule.assignments}
        self._labels = order.labels
        starts_s = {a.subtask: a.starts_s for a in order.schedule.assignments}
        self._priorities = {s.id: (starts_s.get(s.id, 0.0), n) for n, s in enumerate(order.graph.subtasks)}
        for name, found in order.offers.items():
            self.offered(name, found)
        self._purse.grow(order.graph, done)

    def offers(self, capability: CapabilityName) -> tuple[Offer, ...]:
        """The offers known now."""
        return self._offers.get(capability, ())

    def offered(self, capability: CapabilityName, offers: Sequence[Offer]) -> None:
        """The registry was asked: these are the offers now."""
        self._offers[capability] = tuple(offers)
        self._purse.priced(capability, min((o.price for o in offers), default=0))

    @property
    def is_idle(self) -> bool:
        """Whether no start waits."""
        return not self._waiting

    def add(self, start: Start) -> None:
        """A start waits for a slot from now on."""
        kind = (
            self._capabilities[start.subtask],
            self._label(start),
            tuple(sorted(start.failed_on)),
            tuple(sorted(start.not_on)),
        )
        heappush(self._waiting.setdefault(kind, []), (self._priorities[start.subtask], start))

    def place(self) -> Generator[Placement | Refusal]:
        """Give every waiting start a slot that is better off with one now, the most urgent first."""
        now = self._clock.now()
        heads = [(queue[0][0], kind) for kind, queue in self._waiting.items()]
        heapify(heads)
        claimed: defaultdict[NodeId, float] = defaultdict(float)
        self._load.claim(self, {})
        passed_over: list[tuple[_Kind, _Entry]] = []
        try:
            while heads and len(passed_over) < _LOOKED_AT:
                kind = heappop(heads)[1]
                queue = self._waiting[kind]
                decision = self._decide(kind[0], queue[0][1], claimed, now)
                if decision is None:
                    continue  # neither slots nor money grow in this loop, so the rest of the queue waits too
                entry = heappop(queue)
                if queue:
                    heappush(heads, (queue[0][0], kind))
                else:
                    del self._waiting[kind]
                if isinstance(decision, _Wait):
                    passed_over.append((kind, entry))
                    offer = decision.offer
                    claimed[offer.node] += self._estimates.seconds(offer) / max(1, offer.concurrency)
                else:
                    yield decision
        finally:
            for kind, entry in passed_over:
                heappush(self._waiting.setdefault(kind, []), entry)
            self._load.claim(self, claimed)
            self.look_again_s = min(claimed.values()) if claimed else None

    def close(self) -> None:
        """Nothing waits here any longer."""
        self._load.claim(self, {})

    def hedge(self, start: Start) -> Placement | None:
        """Give a second attempt at a subtask a slot that is free now, where there is one."""
        capability, now = self._capabilities[start.subtask], self._clock.now()
        usable = [
            o
            for o in self._affordable(capability, start, self._usable(capability, start))
            if self._doubt(start, o, now) == (0, False) and self._is_free(o)
        ]
        if not usable:
            return None
        return self._take(start, min(usable, key=lambda o: self._rank(start, o, {}, now)), now)

    def _decide(
        self, capability: CapabilityName, start: Start, claimed: Mapping[NodeId, float], now: float
    ) -> Placement | Refusal | _Wait | None:
        usable = self._usable(capability, start)
        if not usable:
            return Refusal(start, nobody(capability, start))
        affordable = self._affordable(capability, start, usable)
        if not affordable:
            return Refusal(start, self._purse.refusal(start.subtask, min(o.price for o in usable)))
        doubts = [self._doubt(start, o, now) for o in affordable]
        least = min(doubts)
        able = [o for o, doubt in zip(affordable, doubts, strict=True) if doubt == least]
        if not any(map(self._is_free, able)):
            return None
        best = able[0] if len(able) == 1 else min(able, key=lambda o: self._rank(start, o, claimed, now))
        return self._take(start, best, now) if self._is_free(best) else _Wait(best)

    def _usable(self, capability: CapabilityName, start: Start) -> list[Offer]:
        label = self._label(start)
        return [
            o
            for o in self.offers(capability)
            if may_see(o.trust, label)
            and o.node not in start.not_on
            and start.failed_on.count(o.node) < MAX_ATTEMPTS_A_NODE
        ]

    def _label(self, start: Start) -> Privacy:
        return self._labels.get(start.subtask, Privacy.NORMAL)

    def _affordable(self, capability: CapabilityName, start: Start, offers: list[Offer]) -> list[Offer]:
        allowance = self._purse.allowance(start.subtask)
        return offers if allowance is None else [o for o in offers if o.price <= allowance]

    def _is_free(self, offer: Offer) -> bool:
        return self._load.running(offer.node) < max(1, offer.concurrency)

    def _take(self, start: Start, offer: Offer, now: float) -> Placement:
        self._purse.reserve(start.subtask, offer.price)
        share = Share(offer.node, now, self._estimates.seconds(offer))
        self._load.add(share)
        return Placement(start, offer, share)

    def _doubt(self, start: Start, offer: Offer, now: float) -> tuple[int, bool]:
        return start.failed_on.count(offer.node), self._estimates.is_silent(offer.node, now)

    def _rank(
        self, start: Start, offer: Offer, claimed: Mapping[NodeId, float], now: float
    ) -> tuple[float, float, bool, int, str]:
        slots = max(1, offer.concurrency)
        wait_s = self._load.wait_s(offer.node, slots, now) + claimed.get(offer.node, 0.0)
        is_advised = self._advised.get(start.subtask) == offer.node
        score = self._policy.score(start.subtask, start.attempt, offer, wait_s, is_advised)
        return score, self._load.running(offer.node) / slots, not is_advised, offer.price, offer.node
