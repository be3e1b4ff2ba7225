"""Makes the calls of a gateway's jobs, each in the name of the client whose job it is."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from typing import Final

from easynet.core.errors import (
    EasyNetError,
    GatewayUnreachable,
    NodeRefused,
    NodeUnreachable,
    NotStarted,
    OutcomeUnknown,
    Overloaded,
)
from easynet.core.ids import NodeId
from easynet.fabric.access.client_rights import ClientRights
from easynet.fabric.calling.line import Line
from easynet.fabric.calling.pending_call import FollowedCall
from easynet.fabric.calling.target import Target
from easynet.fabric.gateway.client_lines import ClientLine, ClientLines
from easynet.fabric.jobs.job_events import Placement
from easynet.fabric.telemetry.tracing import Span
from easynet.fabric.values.artifacts import ArtifactStore
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.limits import MAX_INLINE_BYTES
from easynet.fabric.wire.updates import End, Failure, Result, Update

_RECEIPT_S: Final = 5.0
"""How long a receipt is waited for; nodes sign every twentieth of a second."""
_MAX_REMEMBERED: Final = 10_000
_NEVER_RAN: Final = (NotStarted, NodeRefused, Overloaded)


class GatewayCaller:
    """Makes calls in the names of clients: with their rights, at their expense.

    The server sees a connection of the client's own, so whatever it and the nodes hold against the client
    holds for its jobs as well.
    """

    def __init__(self, address: Address, store: ArtifactStore, rights: ClientRights) -> None:
        self._lines = ClientLines(address, store, rights)
        self._loop = asyncio.get_running_loop()
        self._last_by_key: dict[str, tuple[ClientLine, str]] = {}
        """The call that was made last under a key, whose receipt nobody has asked for yet."""

    async def call(
        self,
        function: str,
        arguments: bytes,
        *,
        client: str,
        key: str,
        at: Placement | None = None,
        trace: str = "",
    ) -> AsyncGenerator[Placement | Update]:
        """See `JobCaller.call`."""
        target = Target.parse(function)
        held = await self._lines.of(client)
        tracer = held.line.tracer
        span = tracer.call(target.function, target.node or "", trace) if tracer is not None else None
        problem: BaseException | None = None
        try:
            attempts = self._attempts(held, target, arguments, key, at, span, trace)
            async with aclosing(attempts):
                async for update in attempts:
                    yield update
        except (EasyNetError, asyncio.CancelledError) as error:
            problem = error
            raise
        finally:
            if span is not None:
                span.end(problem)

    async def _attempts(
        self,
        held: ClientLine,
        target: Target,
        arguments: bytes,
        key: str,
        at: Placement | None,
        span: Span | None,
        trace: str,
    ) -> AsyncGenerator[Placement | Update]:
        """The updates of a call at one node, or at another one where that did not take it."""
        tried: dict[NodeId, EasyNetError] = {}
        held.calls += 1
        try:
            while True:
                # What is current here belongs to whichever order woke the worker.
                with span.current() if span is not None else nullcontext():
                    place = at or await self._place(held.line, target, tried)
                if span is not None:
                    span.goes_to(place.node)
                    trace = span.traceparent
                await held.line.connection.ready()
                yield place
                again = place.instance if at is not None else ""
                try:
                    updates = self._updates(held, place, target, arguments, key, again, trace)
                    async with aclosing(updates):
                        async for update in updates:
                            yield update
                    return
                except _NEVER_RAN as error:
                    if at is not None or target.node is not None:
                        raise
                    tried[place.node] = error
                except NodeUnreachable as error:
                    if at is not None or place.idempotent:
                        raise
                    raise _unknown(place, target, error) from error
        finally:
            held.calls -= 1
            held.idle_since = self._loop.time()

    async def receipt(self, key: str) -> str | None:
        """See `JobCaller.receipt`."""
        held, call_id = self._last_by_key.pop(key, (None, ""))
        if held is None:
            return None
        held.calls += 1  # the receipt comes to this line
        try:
            return (await held.line.receipts.receipt(call_id, _RECEIPT_S)).to_json()
        except EasyNetError:
            return None
        finally:
            held.calls -= 1
            held.idle_since = self._loop.time()

    async def leave(self) -> None:
        """See `JobCaller.leave`."""
        await self._lines.close()

    async def _updates(
        self,
        held: ClientLine,
        place: Placement,
        target: Target,
        arguments: bytes,
        key: str,
        instance: str,
        trace: str,
    ) -> AsyncGenerator[Update]:
        """The updates of a call at one node; a node's word that it came to nothing is raised as an error."""
        if held.denied is not None:
            raise held.denied
        if self._lines.are_closed:
            raise GatewayUnreachable("the gateway stops")
        outbox = held.line.outbox
        call = outbox.begin(
            FollowedCall,
            place.node,
            target.function,
            arguments,
            key=key,
            inline_bytes=MAX_INLINE_BYTES,
            instance=instance,
            trace=trace,
        )
        held.followed.add(call)
        self._last_by_key[key] = held, call.id
        if len(self._last_by_key) > _MAX_REMEMBERED:
            del self._last_by_key[next(iter(self._last_by_key))]
        problem: EasyNetError | None = None
        try:
            update: Update | None = None
            while not isinstance(update, Result | End):
                update = await call.next()
                if call.owes_acknowledgement:
                    outbox.acknowledge(call)
                if isinstance(update, Failure):
                    raise error_of(update)
                yield update
            held.line.nodes.learn(call)
        except EasyNetError as error:
            problem = error
            held.line.nodes.learn(call, problem)
            raise
        finally:
            held.followed.discard(call)
            outbox.cancel(call)

    async def _place(self, line: Line, target: Target, tried: dict[NodeId, EasyNetError]) -> Placement:
        """The node process that a call goes to next; raises why there is none."""
        while True:
            node = target.node or await line.nodes.choose(target.function, tried)
            offers = line.catalogue.known(target.function) or await line.catalogue.candidates(target.function)
            for candidate in offers:
                if candidate.offer.node == node:
                    return Placement(node, candidate.instance, candidate.idempotent)
            line.catalogue.forget()
            if target.node is not None:
                raise NotStarted(
                    f"no node named {node!r} that offers {target.function!r} is on this network now"
                )


def _unknown(place: Placement, target: Target, error: EasyNetError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{error.message}; {place.node}.{target.function} may have run, and must not run twice",
        hint="Find out whether it had its effect before you submit it again under another key.",
    )
