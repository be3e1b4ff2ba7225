"""Makes the calls of a gateway's jobs, each in the name of the client whose job it is."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field
from typing import Final

from easynet.core.errors import (
    AccessDenied,
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
from easynet.fabric.access.members import Member
from easynet.fabric.calling.line import Line
from easynet.fabric.calling.pending_call import FollowedCall
from easynet.fabric.calling.target import Target
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
IDLE_S: Final = 60.0
"""A client's line that no job needs is closed after so long."""
_LOOK_EVERY_S: Final = 0.5
"""How long a client that was shut out may go on, at most."""
_NEVER_RAN: Final = (NotStarted, NodeRefused, Overloaded)


@dataclass
class _ClientLine:
    """One client's line, and who uses it."""

    line: Line
    opening: asyncio.Task[None]
    calls: int = 0
    """Calls that use it now."""
    idle_since: float = 0.0
    denied: AccessDenied | None = None
    """Why it is of no more use."""
    followed: set[FollowedCall] = field(default_factory=set[FollowedCall])


class GatewayCaller:
    """Makes calls in the names of clients: with their rights, at their expense.

    The server sees a connection of the client's own, so whatever it and the nodes hold against the client
    holds for its jobs as well.
    """

    def __init__(self, address: Address, store: ArtifactStore, rights: ClientRights) -> None:
        self._address = address
        self._store = store
        self._rights = rights
        self._lines: dict[tuple[str, Member | None], _ClientLine] = {}
        self._loop = asyncio.get_running_loop()
        self._watching: asyncio.Task[None] | None = None
        self._has_left = False
        self._last_by_key: dict[str, tuple[_ClientLine, str]] = {}
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
        held = await self._line(client)
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
        held: _ClientLine,
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
        self._has_left = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        lines, self._lines = list(self._lines.values()), {}
        for held in lines:
            held.line.outbox.abandon_all(GatewayUnreachable("the gateway stops"))
            await self._close(held)

    async def _updates(
        self,
        held: _ClientLine,
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
        if self._has_left:
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

    # ── lines ───────────────────────────────────────────────────────────────────────────────────

    async def _line(self, client: str) -> _ClientLine:
        """The client's line, opened where it is not; raises AccessDenied or GatewayUnreachable."""
        if self._has_left:
            raise GatewayUnreachable("the gateway stops")
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        whose = client, self._rights.of(client)
        found = self._lines.get(whose)
        if found is None:
            found = self._lines[whose] = self._new_line(client)
        # Several jobs of one client wait for the same line; one that is cancelled leaves it to the others.
        found.calls += 1
        try:
            await asyncio.shield(found.opening)
        except EasyNetError:
            if self._lines.get(whose) is found:
                del self._lines[whose]
            raise
        finally:
            found.calls -= 1
        return found

    def _new_line(self, client: str) -> _ClientLine:
        membership = self._rights.membership(client)
        line = Line(self._address, lambda: membership, self._store, name="jobs", stays=True)
        return _ClientLine(line, asyncio.create_task(line.open()), idle_since=self._loop.time())

    async def _watch(self) -> None:
        """Shut out who is shut out, and close what nobody has needed for long."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = self._loop.time()
            for (client, member), held in list(self._lines.items()):
                held.denied = self._denied(client, member, held.line)
                if held.denied is None and (held.calls or now - held.idle_since < IDLE_S):
                    continue
                del self._lines[client, member]
                for call in list(held.followed):
                    held.line.outbox.cancel(call)
                    call.fail(held.denied or GatewayUnreachable("it was not needed"))
                await self._close(held)

    def _denied(self, client: str, member: Member | None, line: Line) -> AccessDenied | None:
        """Why a client may not go on as the member that it was."""
        try:
            now = self._rights.of(client)
        except AccessDenied as error:
            return error
        if (now.key if now else "") != (member.key if member else ""):
            return AccessDenied(f"the client {client!r} that asked for it was shut out of this network")
        if line.connection.denied:
            return AccessDenied(f"the gateway let {client!r} in no more: {line.connection.denied}")
        return None

    async def _close(self, held: _ClientLine) -> None:
        # Not cancelled: those who wait for it would take that for their own end.
        await asyncio.gather(held.opening, return_exceptions=True)
        await held.line.close()


def _unknown(place: Placement, target: Target, error: EasyNetError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{error.message}; {place.node}.{target.function} may have run, and must not run twice",
        hint="Find out whether it had its effect before you submit it again under another key.",
    )
