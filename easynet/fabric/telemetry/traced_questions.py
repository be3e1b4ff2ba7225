"""Questions to the gateway within traces: the asker's span, and the gateway's below it.

The trace travels in the header `traceparent`, which is there only where the asker traces.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import REQUEST_TIMEOUT_S, Connection, Message
from easynet.fabric.transport.questions import TRACE_HEADER, ask

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_WAITING: Final = frozenset({"read"})
"""Questions that wait for something to happen and are asked again and again."""

Think = Callable[[str, Any], Awaitable[Any]]


async def ask_traced(
    tracer: Tracer | None,
    connection: Connection,
    subject: str,
    content: Any = None,
    *,
    timeout_s: float = REQUEST_TIMEOUT_S,
) -> Any:
    """The gateway's answer, as `ask` gives it, with a span of the question where there is a tracer."""
    what = subject.split(".")[1]
    if tracer is None or what in _WAITING:
        return await ask(connection, subject, content, timeout_s=timeout_s)
    with tracer.question(what, connection.address.host, connection.address.port) as span:
        return await ask(connection, subject, content, timeout_s=timeout_s, trace=span.traceparent)


def trace_of(message: Message) -> str:
    """The trace context that a question came with, or ""; a stranger may have written anything there."""
    headers: dict[str, str] | None = message.headers
    trace = headers.get(TRACE_HEADER, "") if headers else ""
    return trace if _TRACEPARENT.fullmatch(trace) else ""


def traced(tracer: Tracer | None, message: Message, think: Think) -> Think:
    """`think`, with a span of the answer where the question is part of a trace."""
    trace = trace_of(message)
    if tracer is None or not trace:
        return think

    async def think_traced(subject: str, content: Any) -> Any:
        with tracer.answered(subject.split(".")[1], trace):
            return await think(subject, content)

    return think_traced
