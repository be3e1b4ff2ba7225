"""The market's nodes at work: one call at a time each, in the order of their arrival."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from easynet.core.call import CallUpdate, Returned
from easynet.core.errors import CallTimeout, FunctionCrashed, NodeUnreachable
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy
from easynet.fabric.registry import DEAD_AFTER_S
from evals.simulation.market import Market, MarketNode


class _Call:
    """A call that waits or runs at a node."""

    def __init__(self, job: str, task: str, work: float) -> None:
        self.job = job
        self.task = task
        self.work = work
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.started_at = 0.0
        self.fails = False


class MarketInvoker:
    """Calls the market's nodes in simulated time, and counts how much of their work was of use.

    A crashed node keeps silent: its calls end `DEAD_AFTER_S` later, which is when the network misses its
    heartbeats.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._queues = {name: _Queue(node, self) for name, node in market.nodes.items()}
        self._counts: Counter[tuple[str, NodeId]] = Counter()
        self.used_s: dict[str, float] = defaultdict(float)
        """By job: seconds that nodes worked on first results."""
        self.wasted_s: dict[str, float] = defaultdict(float)
        """By job: seconds that nodes worked on what failed, was given up, or was there already."""
        self._done: set[str] = set()

    def kill(self, nodes: list[NodeId]) -> None:
        """These nodes crash now, for good."""
        for name in nodes:
            self._queues[name].die()

    async def invoke(
        self,
        node: NodeId,
        capability: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncGenerator[CallUpdate]:
        job, task, *_ = key.split("/")
        call = _Call(job, task, self._market.work[capability])
        queue = self._queues[node]
        queue.add(call)
        patience = asyncio.get_running_loop().call_later(timeout_s, queue.expire, call)
        try:
            await call.ended
        finally:
            patience.cancel()
            queue.leave(call)
        yield Returned(task)

    def count(self, task: str, node: NodeId) -> int:
        """The number of an attempt at a task on a node."""
        self._counts[task, node] += 1
        return self._counts[task, node]

    def worked(self, call: _Call, seconds: float, *, is_result: bool) -> None:
        """A node has worked on a call."""
        if is_result and call.task not in self._done:
            self._done.add(call.task)
            self.used_s[call.job] += seconds
        else:
            self.wasted_s[call.job] += seconds


class _Queue:
    """What one node has to do."""

    def __init__(self, node: MarketNode, invoker: MarketInvoker) -> None:
        self._node = node
        self._invoker = invoker
        self._waiting: deque[_Call] = deque()
        self._running: _Call | None = None
        self._end: asyncio.TimerHandle | None = None
        self._crash: asyncio.TimerHandle | None = None
        self._is_dead = False

    def add(self, call: _Call) -> None:
        loop = asyncio.get_running_loop()
        down, _ = self._node.outage(loop.time())
        if self._is_dead or down <= loop.time():
            self._miss(call)
            return
        if self._crash is None:
            self._crash = loop.call_at(down, self._go_down)
        self._waiting.append(call)
        if self._running is None:
            self._next()

    def leave(self, call: _Call) -> None:
        """The caller wants nothing more of it."""
        if call is self._running:
            self._stop(is_result=False)
            self._next()
        elif call in self._waiting:
            self._waiting.remove(call)

    def expire(self, call: _Call) -> None:
        if not call.ended.done():
            call.ended.set_exception(CallTimeout(f"{call.task} took too long on {self._node.name}"))

    def die(self) -> None:
        self._is_dead = True
        self._go_down()

    def _next(self) -> None:
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        call = self._running = self._waiting.popleft()
        count = self._invoker.count(call.task, self._node.name)
        attempt = self._node.attempt(call.job, call.task, count, call.work)
        call.started_at, call.fails = loop.time(), attempt.fails
        self._end = loop.call_later(attempt.work / self._node.speed_at(call.started_at), self._finish)

    def _finish(self) -> None:
        call = self._running
        assert call is not None
        self._stop(is_result=not call.fails)
        if call.ended.done():
            pass  # it was given up in this very moment
        elif call.fails:
            call.ended.set_exception(FunctionCrashed(f"{call.task} broke on {self._node.name}"))
        else:
            call.ended.set_result(None)
        self._next()

    def _stop(self, *, is_result: bool) -> None:
        assert self._running is not None
        assert self._end is not None
        self._end.cancel()
        seconds = asyncio.get_running_loop().time() - self._running.started_at
        self._invoker.worked(self._running, seconds, is_result=is_result)
        self._running = None

    def _go_down(self) -> None:
        self._crash = None
        lost = [*self._waiting]
        self._waiting.clear()
        if self._running is not None:
            lost.insert(0, self._running)
            self._stop(is_result=False)
        for call in lost:
            self._miss(call)

    def _miss(self, call: _Call) -> None:
        """The caller learns of it when it has missed the node for long enough."""
        asyncio.get_running_loop().call_later(DEAD_AFTER_S, self._give_up, call)

    def _give_up(self, call: _Call) -> None:
        if not call.ended.done():
            call.ended.set_exception(NodeUnreachable(f"{self._node.name} is silent"))
