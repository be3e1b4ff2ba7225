"""The ready queue: runs a task graph on nodes, and keeps each outcome before anything builds on it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from easynet.core.capability import Capability
from easynet.core.clock import Clock
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.privacy import Labels
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.caller import Caller
from easynet.execution.execution import Execution, Tools
from easynet.execution.history import History
from easynet.execution.invoker import Invoker
from easynet.execution.order import Order
from easynet.execution.outcome import Outcome
from easynet.execution.run_log import RunLog
from easynet.execution.search import Search
from easynet.execution.state import MAX_ATTEMPTS
from easynet.execution.steering import Steering

PAUSES_S = (0.25, 1.0, 2.0)
"""How long to wait, time after time, for a node that has not failed a subtask: workers restart in seconds."""


@dataclass(frozen=True)
class _Begun:
    """An execution of a plan that is not complete."""

    execution: Execution
    task: "asyncio.Task[Outcome]"


class Runner:
    """Executes task graphs of one run, one after another."""

    def __init__(
        self,
        invoker: Invoker,
        log: RunLog,
        clock: Clock,
        find_offers: Callable[[CapabilityName], Awaitable[Sequence[Offer]]],
        encode: Callable[[Any], bytes],
        decode: Callable[[bytes], Any],
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        steering: Steering | None = None,
    ) -> None:
        """`find_offers` asks the registry again after a failure. Runs sharing a `steering` learn together."""
        self._tools = Tools(
            log,
            clock,
            Caller(invoker, encode, clock, log.run_id),
            Search(find_offers, pauses_s),
            steering or Steering(),
        )
        self._decode = decode
        self._begun: _Begun | None = None

    async def run(
        self,
        graph: TaskGraph,
        capabilities: Mapping[CapabilityName, Capability],
        inputs: Mapping[str, Any],
        offers: Mapping[CapabilityName, Sequence[Offer]],
        schedule: Schedule,
        budget: Budget,
        deadline_at: float | None = None,
        done: Mapping[SubtaskId, bytes] | None = None,
        history: History | None = None,
        avoid: Collection[tuple[NodeId, CapabilityName]] = (),
        confirm: bool = False,
        attempts: int = MAX_ATTEMPTS,
        labels: Labels | None = None,
    ) -> Outcome:
        """Run what `done` does not have yet; `deadline_at` is in Unix seconds, `done` is encoded.

        Offers found later are used only where they are trusted like one of `offers`: a run planned for the
        user's own nodes never leaves them.

        `history` is the fold of the run's events so far; with it a resumed run keeps counting attempts, ends
        reservations that were left open, and does not repeat effects. `avoid` are offers that failed in it;
        they are not turned to when the registry is asked again. With `confirm`, a result of a node that is
        not trusted counts once another node has come to the same. A subtask is tried `attempts` times at
        most. `labels` say which subtasks are given private data, which go only to nodes that may see it.

        Where a part of the graph was begun, that goes on, with the history and the limit it was begun with;
        of `budget` what was spent in the meantime counts.

        What goes wrong on nodes is in the outcome. Cancelling it cancels the calls, keeps what has finished,
        ends all reservations, and leaves the run ready to be resumed. Raises PlanRejected where the graph
        could never finish, DataDirectoryUnusable where the journal cannot be written.
        """
        order = Order(
            graph,
            capabilities,
            inputs,
            offers,
            schedule,
            budget,
            deadline_at,
            history or History(),
            avoid,
            confirm,
            attempts,
            labels or {},
        )
        values = self._decoded(done)
        if self._begun is None:
            return await Execution(self._tools, order, values).drive()
        begun, self._begun = self._begun, None
        begun.execution.grow(order, values, is_complete=True)
        return await begun.task

    def begin(self, order: Order, done: Mapping[SubtaskId, bytes]) -> None:
        """Run a part of a graph while the rest is still being planned; each call has all parts so far.

        Nothing that goes wrong is raised here: `run` goes on with the whole graph and has the outcome.
        """
        values = self._decoded(done)
        if self._begun is not None:
            self._begun.execution.grow(order, values, is_complete=False)
            return
        execution = Execution(self._tools, order, values, is_complete=False)
        self._begun = _Begun(execution, asyncio.create_task(execution.drive(), name="begun plan"))

    async def abandon(self) -> None:
        """Give up what was begun: calls are cancelled, what has finished is kept, reservations are ended."""
        if self._begun is not None:
            begun, self._begun = self._begun, None
            begun.task.cancel()
            await asyncio.wait([begun.task])
            if not begun.task.cancelled():
                begun.task.exception()  # looked at: what it ran into does not matter any longer

    def _decoded(self, done: Mapping[SubtaskId, bytes] | None) -> dict[SubtaskId, Any]:
        return {subtask: self._decode(body) for subtask, body in (done or {}).items()}
