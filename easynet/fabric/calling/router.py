"""Sends calls to nodes: chooses one, and another one where that did not take the call."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from easynet.core.errors import EasyNetError
from easynet.core.ids import NodeId
from easynet.fabric.calling.catalogue import Catalogue
from easynet.fabric.calling.explanations import explained
from easynet.fabric.calling.failover import Failover
from easynet.fabric.calling.marshaller import Marshaller
from easynet.fabric.calling.node_choice import NodeChoice
from easynet.fabric.calling.outbox import Outbox
from easynet.fabric.calling.pending_call import AwaitedCall
from easynet.fabric.calling.target import Target, target_of
from easynet.fabric.telemetry.tracing import Span, Tracer
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.limits import MAX_CALL_BYTES
from easynet.fabric.wire.plain_values import decode_plain, encode_arguments
from easynet.fabric.wire.updates import Failure, Result


class Router:
    """Makes the calls of one client of which only the end matters."""

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        catalogue: Catalogue,
        nodes: NodeChoice,
        failover: Failover,
        marshaller: Marshaller,
        tracer: Tracer | None,
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._catalogue = catalogue
        self._nodes = nodes
        self._failover = failover
        self._marshaller = marshaller
        self._tracer = tracer

    async def execute(
        self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], sent: Callable[[str], object]
    ) -> Any:
        """The result of a call, or the list of its items; `sent` is told the call's id."""
        target = target_of(function)
        if self._tracer is None:
            return await self._packed_and_sent(target, args, kwargs, sent, None)
        with self._tracer.call(target.function, target.node or "") as span:
            return await self._packed_and_sent(target, args, kwargs, sent, span)

    async def _packed_and_sent(
        self,
        target: Target,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        sent: Callable[[str], object],
        span: Span | None,
    ) -> Any:
        if (packed := encode_arguments(args, kwargs, MAX_CALL_BYTES)) is not None:
            return await self._sent(target, packed, None, sent, span)
        values = self._marshaller.hold()
        try:
            packed = await self._marshaller.packed(args, kwargs, MAX_CALL_BYTES, values)
            return await self._sent(target, packed, values, sent, span)
        finally:
            values.release()

    async def _sent(
        self,
        target: Target,
        packed: bytes,
        values: HeldValues | None,
        sent: Callable[[str], object],
        span: Span | None,
    ) -> Any:
        key = ""
        tried: dict[NodeId, EasyNetError] = {}
        while True:
            node = target.node or await self._nodes.choose(target.function, tried)
            if not self._connection.is_ready:
                await self._connection.ready()
            if span is not None:
                span.goes_to(node)
            call = self._outbox.begin(
                AwaitedCall,
                node,
                target.function,
                packed,
                key=key,
                inline_bytes=MAX_CALL_BYTES,
                trace=span.traceparent if span is not None else "",
                is_direct=True,
                values=values,
            )
            try:
                last = await call.end
                sent(call.id)
                if type(last) is Failure:
                    raise error_of(last)
                self._nodes.learn(call)
                if type(last) is Result:
                    is_plain, value = decode_plain(last.value)
                    return value if is_plain else await self._marshaller.value(last.value, call)
                return [await self._marshaller.value(item) for item in call.items or ()]
            except EasyNetError as error:
                self._nodes.learn(call, error)
                if (final := self._failover.final(target, call, error)) is not None:
                    raise await explained(final, target, self._catalogue) from final.__cause__
                tried[node] = error
                key = key or call.id
            except asyncio.CancelledError:
                self._outbox.cancel(call)
                raise
            finally:
                self._outbox.values.drop(call)
