"""Makes calls and gives what their nodes say of them, update by update or item by item."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing
from typing import Any

from easynet.core.errors import EasyNetError, NodeUnreachable, NotStarted, PrivacyBreach
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.intent import Privacy
from easynet.core.offer import Trust
from easynet.core.privacy import may_see
from easynet.fabric.calling.catalogue import Catalogue
from easynet.fabric.calling.explanations import explained
from easynet.fabric.calling.failover import NEVER_RAN, Failover
from easynet.fabric.calling.marshaller import Marshaller
from easynet.fabric.calling.node_choice import NodeChoice
from easynet.fabric.calling.outbox import Outbox
from easynet.fabric.calling.pending_call import FollowedCall
from easynet.fabric.calling.target import Target, target_of
from easynet.fabric.telemetry.tracing import Span, Tracer
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.wire.calls import PrivateTo
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.limits import MAX_CALL_BYTES, MAX_INLINE_BYTES
from easynet.fabric.wire.names import checked_name
from easynet.fabric.wire.updates import Alive, End, Failure, Item, Result, Update


class Follower:
    """Makes the calls of one client whose way matters, and not only their end."""

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

    async def stream(
        self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], sent: Callable[[str], object]
    ) -> AsyncGenerator[Any]:
        """The items of a call, or its one result."""
        target = target_of(function)
        span = self._tracer.call(target.function, target.node or "") if self._tracer is not None else None
        values = self._marshaller.hold()
        with _ended(span):
            try:
                packed = await self._marshaller.packed(args, kwargs, MAX_CALL_BYTES, values)
                async with aclosing(self._items(target, packed, values, sent, span)) as items:
                    async for item in items:
                        yield item
            finally:
                values.release()

    async def _items(
        self,
        target: Target,
        packed: bytes,
        values: HeldValues,
        sent: Callable[[str], object],
        span: Span | None,
    ) -> AsyncGenerator[Any]:
        tried: dict[NodeId, EasyNetError] = {}
        calls: list[FollowedCall] = []

        def note(call: FollowedCall) -> None:
            calls.append(call)
            sent(call.id)

        while True:
            # An asynchronous generator does not say what is current in whoever reads it.
            with span.current() if span is not None else contextlib.nullcontext():
                node = target.node or await self._nodes.choose(target.function, tried)
            given = 0
            key = calls[0].id if calls else ""
            if span is not None:
                span.goes_to(node)
            updates = self._updates(
                node, target.function, packed, key=key, begun=note, values=values, trace=_trace(span)
            )
            try:
                async with aclosing(updates):
                    async for update in updates:
                        if isinstance(update, Item):
                            yield await self._marshaller.value(update.value)
                            given += 1
                        elif isinstance(update, Result):
                            yield await self._marshaller.value(update.value, calls[-1])
                            given += 1
                return
            except (*NEVER_RAN, NodeUnreachable) as error:
                # What was given already would come a second time from another node.
                if target.node is not None or given:
                    raise await explained(error, target, self._catalogue) from error.__cause__
                tried[node] = error

    async def invoke(
        self,
        node: NodeId,
        function: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
        privacy: Privacy = Privacy.NORMAL,
    ) -> AsyncGenerator[Update]:
        """The updates of a call at one node; large parts are references.

        Nothing is sent, not even to the gateway, before it is known that the node may see it.
        """
        checked_name("node", node)
        checked_name("function", function)
        private_to = await self._private_to(node, function) if privacy is Privacy.HIGH else ""
        packed = await self._marshaller.packed((), arguments)
        span = self._tracer.call(function, node) if self._tracer is not None else None
        updates = self._updates(
            node,
            function,
            packed,
            key=key,
            timeout_s=timeout_s,
            inline_bytes=MAX_INLINE_BYTES,
            trace=_trace(span),
            private_to=private_to,
        )
        with _ended(span):
            try:
                async with aclosing(updates):
                    async for update in updates:
                        yield update
            except NotStarted as error:
                raise await explained(error, Target(function, node), self._catalogue) from None

    async def _private_to(self, node: NodeId, function: CapabilityName) -> PrivateTo:
        """What a call with private arguments says of its node; raises PrivacyBreach or NotStarted."""
        trust = await self._catalogue.trust_in(node, function)
        if trust is None:
            gone = NotStarted(f"the node {node!r} does not offer {function!r} now")
            raise await explained(gone, Target(function, node), self._catalogue)
        if not may_see(trust, Privacy.HIGH):
            raise PrivacyBreach.at(node, function)
        return "own" if trust is Trust.OWN else "trusted"

    async def _updates(
        self,
        node: NodeId,
        function: CapabilityName,
        arguments: bytes,
        *,
        key: str = "",
        timeout_s: float | None = None,
        inline_bytes: int = MAX_CALL_BYTES,
        begun: Callable[[FollowedCall], object] | None = None,
        values: HeldValues | None = None,
        trace: str = "",
        private_to: PrivateTo = "",
    ) -> AsyncGenerator[Update]:
        """The updates of an encoded call at one node; a failure is raised as the error that it is.

        With `values` the two sides give each other the large ones; otherwise they go by way of the gateway.
        Closing the generator cancels the call.
        """
        if not self._connection.is_ready:
            await self._connection.ready()
        call = self._outbox.begin(
            FollowedCall,
            node,
            function,
            arguments,
            key=key,
            timeout_s=timeout_s,
            inline_bytes=inline_bytes,
            trace=trace,
            is_direct=values is not None,
            values=values,
            private_to=private_to,
        )
        try:
            if begun is not None:
                begun(call)
            update: Update = Alive()
            while not isinstance(update, Result | End):
                update = await call.next()
                if call.owes_acknowledgement:
                    self._outbox.acknowledge(call)
                if isinstance(update, Failure):
                    raise error_of(update)
                yield update
            self._nodes.learn(call)
        except EasyNetError as error:
            self._nodes.learn(call, error)
            final = self._failover.final(Target(function, node), call, error)
            assert final is not None, "an addressed call goes nowhere else"
            raise final from final.__cause__
        finally:
            self._outbox.cancel(call)


def _trace(span: Span | None) -> str:
    return span.traceparent if span is not None else ""


@contextlib.contextmanager
def _ended(span: Span | None) -> Generator[None]:
    """End the span with the block, and with the error that it was left by."""
    problem: BaseException | None = None
    try:
        yield
    except (EasyNetError, asyncio.CancelledError) as error:
        problem = error
        raise
    finally:
        if span is not None:
            span.end(problem)
