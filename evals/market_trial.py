"""One way of choosing nodes, on one market: all jobs of it on the real runner, in simulated time."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from easynet.core.events import AttemptFailed, AttemptStarted, PlanMade, RunEvent
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome
from easynet.execution.run_log import RunLog
from easynet.execution.runner import Runner
from easynet.execution.steering import Steering
from easynet.testing.journal import MemoryJournal
from easynet.testing.simulated_time import SimulatedClock, simulated
from evals.leads import run
from evals.simulation.market import Market
from evals.simulation.market_jobs import RATE, Job, Needs, jobs
from evals.simulation.market_nodes import MarketInvoker

_WARM_UP = 0.2
"""The share of jobs that are dropped from the statistics, for nothing is known of the nodes yet."""
_ANY_NUMBER = 10**6
_LATE = 5.0
"""A job is on time within so many times its longest path at speed 1, which is the median node's."""


Offers = Mapping[CapabilityName, Sequence[Offer]]


@dataclass(frozen=True)
class Way:
    """How nodes are chosen."""

    steering: Callable[[Market], Steering]
    """Made anew for each market: all its jobs share it, as all runs of one process do."""
    plan: Callable[[TaskGraph, Offers, Steering, float], Schedule] | None = None
    """The schedule that a job begins with; none where nodes are only chosen late."""
    queues_at_nodes: bool = False
    """A subtask goes to its node at once and waits there; else in the run, until the node is free."""
    lead: Callable[[Runner, Order], Awaitable[Outcome]] | None = None
    """Makes the plan as the run goes on; None where the graph is there from the beginning."""
    attempts: int = 5
    """At a subtask, before a run gives it up or plans anew."""
    replans: int = 0
    """How often a run that failed goes on, with offers that failed it left out."""


@dataclass(frozen=True)
class Kill:
    """A share of the nodes crashes at a time, for good."""

    at: float
    share: float


@dataclass(frozen=True)
class JobDone:
    """What became of one job."""

    at: float
    seconds: float
    least_s: float
    """The longest path on the truly fastest node."""
    is_success: bool
    is_on_time: bool
    credits: int
    subtasks: int
    attempts: int
    used_s: float
    wasted_s: float
    """Seconds that nodes worked on what failed, was given up, or was there already."""
    replans: int


@dataclass
class _Account:
    """The events of one run, as far as they are needed again."""

    keeps_all: bool
    events: list[RunEvent] = field(default_factory=list[RunEvent])
    attempts: int = 0
    failed: set[tuple[SubtaskId, NodeId]] = field(default_factory=set[tuple[SubtaskId, NodeId]])

    def take(self, event: RunEvent) -> None:
        if isinstance(event, AttemptStarted):
            self.attempts += 1
        elif isinstance(event, AttemptFailed):
            self.failed.add((event.subtask, event.node))
        if self.keeps_all:
            self.events.append(event)


class _NoJournal(MemoryJournal):
    """Keeps nothing: what a journal costs is measured elsewhere."""

    def append(self, events: Sequence[RunEvent], results: Mapping[SubtaskId, bytes] | None = None) -> None:
        pass


def trial(
    market: Market,
    way: Way,
    count: int,
    kill: Kill | None = None,
    *,
    shape: Needs | None = None,
    rate: float = RATE,
) -> list[JobDone]:
    """What became of the jobs after those that warm up, in order of their arrival.

    Jobs have three shapes unless all are to have one; so many come a second.
    """
    made = jobs(market.chance, count, market.work, shape, rate)
    return simulated(_Trial(market, way, kill).run(made))


class _Trial:
    def __init__(self, market: Market, way: Way, kill: Kill | None) -> None:
        self._market = market
        self._way = way
        self._kill = kill
        self._steering = way.steering(market)
        slots = _ANY_NUMBER if way.queues_at_nodes else 1
        self._offers = {
            name: tuple(o.model_copy(update={"concurrency": slots}) for o in found)
            for name, found in market.offers.items()
        }
        self._invoker = MarketInvoker(market)
        self._clock = SimulatedClock()

    async def run(self, made: Sequence[Job]) -> list[JobDone]:
        loop = asyncio.get_running_loop()
        if self._kill is not None:
            names = sorted(self._market.nodes)
            doomed = self._market.chance.of("doomed").sample(names, round(self._kill.share * len(names)))
            loop.call_at(self._kill.at, self._invoker.kill, doomed)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._job(job)) for job in made]
        return [task.result() for task in tasks][round(_WARM_UP * len(made)) :]

    async def _job(self, job: Job) -> JobDone:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(job.at - loop.time())
        account, budget = _Account(keeps_all=self._way.replans > 0), Budget(None)
        log = RunLog(job.run, _NoJournal(), self._clock, publish=account.take)
        runner = Runner(
            self._invoker,
            log,
            self._clock,
            self._find,
            _encoded,
            json.loads,
            steering=self._steering,
        )
        replans, outcome = 0, await self._attempt(job, runner, log, account, budget, None, ())
        while outcome.status == "failed" and replans < self._way.replans:
            replans += 1
            by_id = job.graph.by_id
            avoid = {(node, by_id[subtask].capability) for subtask, node in account.failed}
            outcome = await self._attempt(job, runner, log, account, budget, outcome, avoid)
        seconds, is_success = loop.time() - job.at, outcome.status == "succeeded"
        return JobDone(
            at=job.at,
            seconds=seconds,
            least_s=job.work / self._market.fastest,
            is_success=is_success,
            is_on_time=is_success and seconds <= _LATE * job.work,
            credits=budget.spent,
            subtasks=len(job.graph.subtasks),
            attempts=account.attempts,
            used_s=self._invoker.used_s[job.run],
            wasted_s=self._invoker.wasted_s[job.run],
            replans=replans,
        )

    async def _attempt(
        self,
        job: Job,
        runner: Runner,
        log: RunLog,
        account: _Account,
        budget: Budget,
        before: Outcome | None,
        avoid: Collection[tuple[NodeId, CapabilityName]],
    ) -> Outcome:
        """Run what is left, without the offers that are to be avoided where there are others."""
        offers, planned = _without(self._offers, avoid), _without(self._market.offers, avoid)
        done = frozenset() if before is None else before.values.keys()
        left = TaskGraph(subtasks=tuple(s for s in job.graph.subtasks if s.id not in done))
        if account.keeps_all:
            log.emit(PlanMade, graph=job.graph, planner="", titles={})
        plan = self._way.plan
        order = Order(
            job.graph,
            self._market.capabilities,
            {},
            offers,
            Schedule(assignments=())
            if plan is None
            else plan(left, planned, self._steering, self._clock.now()),
            budget,
            None,
            History.of(account.events),
            avoid,
            attempts=self._way.attempts,
        )
        if self._way.lead is not None and before is None:
            return await self._way.lead(runner, order)
        return await run(runner, order, {} if before is None else before.values)

    async def _find(self, capability: CapabilityName) -> Sequence[Offer]:
        # A node that is silent is still known to the registry: the market tells nobody who has crashed.
        return self._offers[capability]


def _without(offers: Offers, avoid: Collection[tuple[NodeId, CapabilityName]]) -> Offers:
    return {name: tuple(o for o in found if (o.node, name) not in avoid) for name, found in offers.items()}


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()
