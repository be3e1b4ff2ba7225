"""A run's journal, told to the machine, brings it to where the execution was."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from easynet.core.errors import NodeUnreachable, NotStarted, RemoteFailure
from easynet.core.events import AttemptCancelled, AttemptFailed, AttemptStarted, RunEvent, SubtaskFinished
from easynet.core.ids import CapabilityName, RunId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.execution.budget import Budget
from easynet.execution.caller import Caller
from easynet.execution.execution import Execution, Tools
from easynet.execution.history import History
from easynet.execution.machine import step
from easynet.execution.order import Order
from easynet.execution.run_log import RunLog
from easynet.execution.search import Search
from easynet.execution.state import State
from easynet.execution.steering import Steering
from easynet.execution.stimuli import Abandoned, Begun, Failed, Overdue, Placed, Stimulus, Succeeded
from easynet.scheduling.hedging import Hedging
from easynet.testing.graphs import graph_of, offer
from easynet.testing.invoker import FakeInvoker
from easynet.testing.journal import MemoryJournal
from easynet.testing.simulated_time import SimulatedClock, simulated
from easynet.testing.stage import plain, work

RUNS, RUN, WORK = 60, RunId("run"), CapabilityName("work")
RETRYABLE = {e.code: e.retryable for e in (NodeUnreachable, NotStarted, RemoteFailure)}


def stimuli(events: Sequence[RunEvent]) -> Iterator[Stimulus]:
    """What the machine was told, as the journal has it."""
    yield Begun()
    running: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        match event:
            case AttemptStarted(subtask=subtask, attempt=attempt, reason=reason):
                if reason == "hedge":
                    yield Overdue(subtask, running[subtask][-1])
                running[subtask].append(attempt)
                yield Placed(subtask, attempt, event.node)
            case AttemptFailed(subtask=subtask, attempt=attempt, problem=problem):
                running[subtask].remove(attempt)
                yield Failed(subtask, attempt, event.node, problem, RETRYABLE[problem.code])
            case AttemptCancelled(subtask=subtask, attempt=attempt):
                running[subtask].remove(attempt)
                yield Abandoned(subtask, attempt)
            case SubtaskFinished(subtask=subtask, attempt=attempt):
                yield Succeeded(subtask, attempt)
            case _:
                pass


async def ran(number: int, steering: Steering) -> tuple[State, State, Sequence[RunEvent]]:
    """Where a run got to, and where its journal brings a machine that begins as it did."""
    dice = Random(number)
    names = [f"s{n}" for n in range(dice.randint(1, 10))]
    graph = graph_of({n: dice.sample(names[:i], min(i, dice.randint(0, 2))) for i, n in enumerate(names)})
    offers = [offer(f"n{n}", concurrency=2) for n in range(4)]
    invoker = FakeInvoker(
        {"work": work}, latency_s=lambda _: dice.uniform(0.5, 1.5) * (30 if dice.random() < 0.1 else 1)
    )
    troubles = (NodeUnreachable("gone"), NotStarted("busy"), RemoteFailure("ValueError", "no", ""))
    for node in offers:
        invoker.fail(node.node, *(dice.choice(troubles) for _ in range(dice.choice((0, 0, 1, 2)))))

    async def find(_: CapabilityName) -> Sequence[Offer]:
        return offers

    journal, clock = MemoryJournal(), SimulatedClock()
    log = RunLog(RUN, journal, clock, publish=lambda _: None)
    caller = Caller(invoker, lambda value: json.dumps(value).encode(), clock, RUN)
    order = Order(
        graph,
        {WORK: plain("work")},
        {},
        {WORK: offers},
        Schedule(assignments=()),
        Budget(None),
        None,
        History(),
    )
    execution = Execution(Tools(log, clock, caller, Search(find, (0.1,)), steering), order, {})
    before = execution.state
    await execution.drive()
    events = journal.events(RUN)
    after = before
    for stimulus in stimuli(events):
        after, _ = step(after, stimulus)
    return execution.state, after, events


async def all_of_them() -> set[str]:
    steering, seen = Steering(hedging=Hedging(extra=0.5)), set[str]()
    for number in range(RUNS):
        executed, replayed, events = await ran(number, steering)
        assert replayed == executed
        seen |= {e.reason for e in events if isinstance(e, AttemptStarted)}
        await asyncio.sleep(120)  # nobody is silent any longer
    return seen


def test_replaying_the_journal_gives_the_same_state() -> None:
    assert simulated(all_of_them()) == {"first", "retry", "hedge"}
