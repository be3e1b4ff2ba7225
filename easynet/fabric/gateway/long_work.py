"""A lasting gateway's long work, from the gateway's start to its stop."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from easynet.core.clock import Clock
from easynet.core.errors import EasyNetError, GatewayError
from easynet.fabric.gateway.cluster import QUEUE
from easynet.fabric.jobs.job_caller import JobCaller, JobRights, KeepValues
from easynet.fabric.jobs.job_peers import JobPeers
from easynet.fabric.jobs.job_service import JobService
from easynet.fabric.telemetry.traced_questions import trace_of, traced
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import Connection, Message, Subscription
from easynet.fabric.transport.questions import answer

SUBJECT: Final = "job.*.*"
_MOMENT_S: Final = 0.5
"""How long a gateway's start waits for its jobs; with several gateways they need more than half of these."""
_AGAIN_S: Final = 0.2


class LongWork:
    """Keeps a gateway's jobs and answers what clients ask about them."""

    def __init__(
        self,
        control: Connection,
        caller: JobCaller,
        rights: JobRights,
        clock: Clock,
        *,
        tracer: Tracer | None = None,
        others: JobPeers | None = None,
        keep: KeepValues,
        on_refusal: Callable[[str], None],
    ) -> None:
        """`on_refusal` is told the reason wherever a client gets an error for an answer."""
        self._control = control
        self._tracer = tracer
        self._queue = QUEUE if others is not None else ""
        self._service = JobService(control.nats, caller, rights, clock, others=others, keep=keep)
        self._on_refusal = on_refusal
        self._starting: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._answering: set[asyncio.Task[None]] = set()

    def counts(self) -> Mapping[str, int]:
        """How many jobs there are, by their state."""
        return {str(state): count for state, count in self._service.counts().items()}

    async def start(self) -> None:
        """Go on with the jobs that there are, later where their store is not ready in a moment."""
        self._starting = asyncio.create_task(self._start())
        await asyncio.wait({self._starting}, timeout=_MOMENT_S)

    async def stop(self) -> None:
        """Take no more questions, and leave the calls to go on at their nodes."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._subscription is not None:
            with contextlib.suppress(Exception):  # the connection may be gone
                await self._subscription.unsubscribe()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._service.stop()

    async def _start(self) -> None:
        while True:
            with contextlib.suppress(GatewayError):
                await self._service.start()
                break
            await asyncio.sleep(_AGAIN_S)
        self._subscription = await self._control.subscribe(SUBJECT, self._receive, queue=self._queue)
        await self._control.flush()

    async def _receive(self, message: Message) -> None:
        # A task for each: one that waits for news of a job does not hold up the others.
        think = traced(self._tracer, message, partial(self._answer, message))
        task = asyncio.create_task(answer(self._control, message, think))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, message: Message, subject: str, content: Any) -> Any:
        trace = trace_of(message)
        if trace and self._tracer is not None:
            trace = self._tracer.inject()  # the answer's own span
        try:
            return await self._service.answer_to(subject, content, trace)
        except EasyNetError as error:
            self._on_refusal(error.code)
            raise
