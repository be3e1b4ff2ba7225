"""A thousand runs of any kind against a cap: never more than it is set aside and paid."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from easynet.core.errors import EasyNetError, NodeUnreachable, NotStarted, RemoteFailure
from easynet.core.events import (
    AttemptStarted,
    MoneyReserved,
    MoneySettled,
    PlanMade,
    RunEvent,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, RunId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.outcome import Outcome
from easynet.execution.run_log import RunLog
from easynet.execution.runner import Runner
from easynet.execution.steering import Steering
from easynet.scheduling.hedging import Hedging
from easynet.testing.graphs import graph_of, offer
from easynet.testing.invoker import Call, FakeInvoker
from easynet.testing.journal import MemoryJournal
from easynet.testing.simulated_time import SimulatedClock, simulated
from easynet.testing.stage import plain, work

pytestmark = pytest.mark.slow


RUNS = 1000
WORK = CapabilityName("work")


@dataclass
class Ledger:
    """What the events of a run say about its money, checked at each of them."""

    limit: int
    open: dict[tuple[SubtaskId, int], int] = field(default_factory=dict[tuple[SubtaskId, int], int])
    price: dict[tuple[SubtaskId, int], int] = field(default_factory=dict[tuple[SubtaskId, int], int])
    earned: int = 0
    """The prices of the attempts that were accepted or confirmed one that was."""
    paid: int = 0

    def book(self, event: RunEvent) -> None:
        match event:
            case MoneyReserved():
                assert (event.subtask, event.attempt) not in self.price, "set aside twice"
                self.price[event.subtask, event.attempt] = event.amount
                self.open[event.subtask, event.attempt] = event.amount
            case MoneySettled():
                assert self.open.pop((event.subtask, event.attempt)) == event.paid + event.returned
                self.paid += event.paid
                if event.paid:
                    self.earned += self.price[event.subtask, event.attempt]
            case _:
                pass
        assert self.paid + sum(self.open.values()) <= self.limit


class Trial:
    """One run on nodes that are slow, dear, broken or gone, as the dice say."""

    def __init__(self, number: int, dice: Random, steering: Steering) -> None:
        self.id = RunId(f"run-{number}")
        self.dice = dice
        self.steering = steering
        names = [f"s{n}" for n in range(dice.randint(1, 12))]
        needs = {n: dice.sample(names[:i], min(i, dice.randint(0, 2))) for i, n in enumerate(names)}
        self.graph: TaskGraph = graph_of(needs)
        self.offers: Sequence[Offer] = [
            offer(f"n{n}", price=dice.randint(0, 9), concurrency=dice.randint(1, 3))
            for n in range(dice.randint(1, 4))
        ]
        cheapest = min(o.price for o in self.offers) * len(names)
        self.budget = Budget(max(0, cheapest + dice.randint(-2, 40)))
        self.journal = MemoryJournal()
        self.ledger = Ledger(self.budget.limit or 0)
        self.invoker = FakeInvoker({"work": work}, latency_s=self._latency_s)
        for node in self.offers:
            self.invoker.fail(node.node, *(self._trouble() for _ in range(dice.choice((0, 0, 0, 1, 3)))))
        self.is_confirmed = dice.random() < 0.2
        self.is_once = dice.random() < 0.1

    def _latency_s(self, call: Call) -> float:
        return self.dice.uniform(0.5, 1.5) * (40 if self.dice.random() < 0.04 else 1)

    def _trouble(self) -> EasyNetError:
        return self.dice.choice(
            (NodeUnreachable("gone"), NotStarted("busy"), RemoteFailure("ValueError", "no", ""))
        )

    async def run(self) -> None:
        """Run it; of some, the first process is cancelled, and another one goes on."""
        stops_after_s = self.dice.choice((None, None, self.dice.uniform(0, 8)))
        task = asyncio.ensure_future(self._part())
        done, _ = await asyncio.wait([task], timeout=stops_after_s)
        if not done:
            task.cancel()
            await asyncio.wait([task])
            self._check()
            spent = self.budget.spent
            self.budget = Budget(self.budget.limit, spent=spent)
            task = asyncio.ensure_future(self._part())
        outcome = await task
        self._check()
        assert outcome.status in ("succeeded", "failed", "over_budget")

    async def _part(self) -> Outcome:
        events = self.journal.events(self.id)
        log = RunLog(self.id, self.journal, SimulatedClock(), len(events), publish=self.ledger.book)
        log.emit(PlanMade, graph=self.graph, planner="dice", titles={})

        async def find(_: CapabilityName) -> Sequence[Offer]:
            return self.offers

        runner = Runner(
            self.invoker,
            log,
            SimulatedClock(),
            find,
            lambda value: json.dumps(value).encode(),
            json.loads,
            pauses_s=(0.1,),
            steering=self.steering,
        )
        return await runner.run(
            self.graph,
            {WORK: plain("work", idempotent=not self.is_once)},
            {},
            {WORK: self.offers},
            Schedule(assignments=()),
            self.budget,
            done=self.journal.results(self.id),
            history=History.of(events),
            confirm=self.is_confirmed,
        )

    def _check(self) -> None:
        """Nothing is set aside for attempts that have ended, and only what counted was paid."""
        events = self.journal.events(self.id)
        assert self.ledger.open == {}
        assert self.budget.reserved == 0
        assert self.budget.spent == self.ledger.paid == self.ledger.earned
        finished = [e for e in events if isinstance(e, SubtaskFinished)]
        due = sum(self.ledger.price[e.subtask, e.attempt] for e in finished)
        confirming = sum(len(e.confirmed_by) for e in finished)
        assert due <= self.ledger.paid <= due + 9 * confirming

    @property
    def kinds(self) -> Counter[str]:
        """Why attempts were made, and how the run ended."""
        return Counter(e.reason for e in self.journal.events(self.id) if isinstance(e, AttemptStarted))


async def spend() -> Counter[str]:
    steering, seen = Steering(hedging=Hedging(extra=0.3)), Counter[str]()
    for number in range(RUNS):
        trial = Trial(number, Random(number), steering)
        await trial.run()
        seen += trial.kinds
    return seen


def test_a_thousand_runs_never_exceed_their_caps() -> None:
    seen = simulated(spend())
    # That hedges, second opinions and repetitions were among them, or nothing was shown of these.
    assert all(seen[reason] > 50 for reason in ("first", "retry", "hedge", "opinion")), seen
