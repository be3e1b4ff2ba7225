"""The ready queue: runs a task graph on nodes, and keeps each outcome before anything builds on it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from easynet.core.capability import Capability
from easynet.core.clock import Clock
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.caller import Caller
from easynet.execution.execution import Execution, Order, Tools
from easynet.execution.history import History
from easynet.execution.invoker import Invoker
from easynet.execution.outcome import Outcome
from easynet.execution.run_log import RunLog
from easynet.execution.search import Search

PAUSES_S = (0.25, 1.0, 2.0)
"""How long to wait, time after time, for a node that has not failed a subtask: workers restart in seconds."""


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
    ) -> None:
        """`find_offers` asks the registry again after a failure."""
        self._tools = Tools(
            log, clock, Caller(invoker, encode, clock, log.run_id), Search(find_offers, pauses_s)
        )
        self._decode = decode

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
    ) -> Outcome:
        """Run what `done` does not have yet; `deadline_at` is in Unix seconds, `done` is encoded.

        Offers found later are used only where they are trusted like one of `offers`: a run planned for the
        user's own nodes never leaves them.

        `history` is the fold of the run's events so far; with it a resumed run keeps counting attempts, ends
        reservations that were left open, and does not repeat effects.

        What goes wrong on nodes is in the outcome. Cancelling it cancels the calls, keeps what has finished,
        ends all reservations, and leaves the run ready to be resumed. Raises PlanRejected where the graph
        could never finish, DataDirectoryUnusable where the journal cannot be written.
        """
        values = {subtask: self._decode(body) for subtask, body in (done or {}).items()}
        order = Order(
            graph, capabilities, inputs, offers, schedule, budget, deadline_at, history or History()
        )
        return await Execution(self._tools, order, values).drive()
