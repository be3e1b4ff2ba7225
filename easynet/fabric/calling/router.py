"""Sends calls to nodes: chooses one, and another one where that did not take the call."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.errors import (
    EasyNetError,
    GatewayUnreachable,
    NodeRefused,
    NodeUnreachable,
    NotStarted,
    OutcomeUnknown,
    Overloaded,
    UnknownFunction,
    nearest,
)
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.calling.balancing import Balancer, Load
from easynet.fabric.calling.catalogue import Candidate, Catalogue
from easynet.fabric.calling.inbox import SETTLING_S, Inbox
from easynet.fabric.calling.pending_call import AwaitedCall, FollowedCall, PendingCall
from easynet.fabric.telemetry.tracing import Tracer
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values.held_values import HeldValues
from easynet.fabric.values.transfer import Transfer
from easynet.fabric.wire import codec
from easynet.fabric.wire.envelope import Alive, End, Failure, Item, Result, Update
from easynet.fabric.wire.failures import error_of
from easynet.fabric.wire.names import checked_name

_MAX_TARGETS: Final = 10_000
_NEVER_RAN: Final = (NotStarted, NodeRefused, Overloaded)


@dataclass(frozen=True, slots=True)
class Target:
    """What a call names."""

    function: CapabilityName
    node: NodeId | None = None
    """None stands for any node that offers it."""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `function` or `node.function`; raises UsageError."""
        node, dot, name = text.rpartition(".")
        checked_name("function", name)
        if dot:
            checked_name("node", node)
        return cls(CapabilityName(name), NodeId(node) if dot else None)


class Router:
    """Makes the calls of one client."""

    def __init__(
        self,
        connection: Connection,
        inbox: Inbox,
        catalogue: Catalogue,
        transfer: Transfer,
        tracer: Tracer | None,
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._catalogue = catalogue
        self._transfer = transfer
        self._tracer = tracer
        self._loop = asyncio.get_running_loop()
        self._balancer = Balancer(self._loop.time)
        self._target_by_text: dict[str, Target] = {}
        self._returned_at = -SETTLING_S

    def returned(self) -> None:
        """The connection is back; nodes may not be, yet."""
        self._returned_at = self._loop.time()

    # ── calls ───────────────────────────────────────────────────────────────────────────────────

    async def execute(
        self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], sent: Callable[[str], object]
    ) -> Any:
        """The result of a call, or the list of its items; `sent` is told the call's id."""
        target = self._target_by_text.get(function) or self._target(function)
        packed = codec.encode_plain([[*args], kwargs], codec.MAX_CALL_BYTES)
        if packed is not None:
            return await self._executed(target, packed, None, sent)
        values = self._inbox.values.hold()
        try:
            packed = await self._packed([[*args], kwargs], codec.MAX_CALL_BYTES, values)
            return await self._executed(target, packed, values, sent)
        finally:
            values.release()

    async def _executed(
        self, target: Target, packed: bytes, values: HeldValues | None, sent: Callable[[str], object]
    ) -> Any:
        key = ""
        tried: dict[NodeId, EasyNetError] = {}
        while True:
            node = target.node or await self.choose(target.function, tried)
            if not self._connection.is_ready:
                await self._connection.ready()
            call = None
            try:
                if self._tracer is None:
                    call = self._begin(
                        AwaitedCall, node, target.function, packed, key, is_direct=True, values=values
                    )
                    last = await call.end
                else:
                    with self._tracer.call(target.function, node) as span:
                        call = self._begin(
                            AwaitedCall,
                            node,
                            target.function,
                            packed,
                            key,
                            trace=span.traceparent,
                            is_direct=True,
                            values=values,
                        )
                        last = _checked(await call.end)
                sent(call.id)
                if type(last) is Failure:
                    raise error_of(last)
                self.learn(call, None)
                if type(last) is Result:
                    return await self._value(last.value, call)
                return [await self._value(item) for item in call.items or ()]
            except EasyNetError as error:
                self.learn(call, error)
                if (passed := self._passes(target, call, error)) is not None:
                    raise await self._explained(target, passed) from passed.__cause__
                tried[node] = error
                key = key or (call.id if call is not None else "")
                continue
            except asyncio.CancelledError:
                if call is not None:
                    self._inbox.cancel(call)
                raise
            finally:
                if call is not None:
                    self._inbox.values.drop(call)

    async def stream(
        self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], sent: Callable[[str], object]
    ) -> AsyncGenerator[Any]:
        """The items of a call, or its one result."""
        target = self._target_by_text.get(function) or self._target(function)
        values = self._inbox.values.hold()
        try:
            packed = await self._packed([[*args], dict(kwargs)], codec.MAX_CALL_BYTES, values)
            async with aclosing(self._streamed(target, packed, values, sent)) as items:
                async for item in items:
                    yield item
        finally:
            values.release()

    async def _streamed(
        self, target: Target, packed: bytes, values: HeldValues, sent: Callable[[str], object]
    ) -> AsyncGenerator[Any]:
        tried: dict[NodeId, EasyNetError] = {}
        calls: list[FollowedCall] = []

        def note(call: FollowedCall) -> None:
            calls.append(call)
            sent(call.id)

        while True:
            node = target.node or await self.choose(target.function, tried)
            given = 0
            key = calls[0].id if calls else ""
            updates = self.updates(node, target.function, packed, key=key, begun=note, values=values)
            try:
                async with aclosing(updates):
                    async for update in updates:
                        if isinstance(update, Item):
                            yield await self._value(update.value)
                            given += 1
                        elif isinstance(update, Result):
                            yield await self._value(update.value, calls[-1])
                            given += 1
                return
            except (*_NEVER_RAN, NodeUnreachable) as error:
                # What was given already would come a second time from another node.
                if target.node is not None or given:
                    raise await self._explained(target, error) from error.__cause__
                tried[node] = error

    async def invoke(
        self,
        node: NodeId,
        function: CapabilityName,
        arguments: Mapping[str, Any],
        *,
        key: str,
        timeout_s: float,
    ) -> AsyncGenerator[Update]:
        """The updates of a call at one node; large parts are references."""
        checked_name("node", node)
        checked_name("function", function)
        packed = await self._packed([[], dict(arguments)], codec.MAX_INLINE_BYTES)
        updates = self.updates(
            node, function, packed, key=key, timeout_s=timeout_s, inline_bytes=codec.MAX_INLINE_BYTES
        )
        try:
            async with aclosing(updates):
                async for update in updates:
                    yield update
        except NotStarted as error:
            raise await self._explained(Target(function, node), error) from None

    async def updates(
        self,
        node: NodeId,
        function: CapabilityName,
        arguments: bytes,
        *,
        key: str = "",
        timeout_s: float | None = None,
        inline_bytes: int = codec.MAX_CALL_BYTES,
        begun: Callable[[FollowedCall], object] | None = None,
        values: HeldValues | None = None,
    ) -> AsyncGenerator[Update]:
        """The updates of an encoded call at one node; a failure is raised as the error that it is.

        With `values` the two sides give each other the large ones; otherwise they go by way of the gateway.
        Closing the generator cancels the call.
        """
        if not self._connection.is_ready:
            await self._connection.ready()
        span = self._tracer.call(function, node) if self._tracer is not None else None
        trace = span.traceparent if span is not None else ""
        call, problem = None, None
        try:
            call = self._begin(
                FollowedCall,
                node,
                function,
                arguments,
                key,
                timeout_s=timeout_s,
                inline_bytes=inline_bytes,
                trace=trace,
                is_direct=values is not None,
                values=values,
            )
            if begun is not None:
                begun(call)
            update: Update = Alive()
            while not isinstance(update, Result | End):
                update = await call.next()
                if call.owes_acknowledgement:
                    self._inbox.acknowledge(call)
                if isinstance(update, Failure):
                    raise error_of(update)
                yield update
            self.learn(call, None)
        except EasyNetError as error:
            problem = error
            self.learn(call, error)
            passed = self._passes(Target(function, node), call, error)
            assert passed is not None, "an addressed call goes nowhere else"
            raise passed from passed.__cause__
        finally:
            if call is not None:
                self._inbox.cancel(call)
            if span is not None:
                span.end(problem)

    def _begin(
        self,
        kind: type[Any],
        node: NodeId,
        function: CapabilityName,
        arguments: bytes,
        key: str,
        *,
        timeout_s: float | None = None,
        inline_bytes: int = codec.MAX_CALL_BYTES,
        trace: str = "",
        is_direct: bool = False,
        values: HeldValues | None = None,
    ) -> Any:
        return self._inbox.begin(
            kind,
            node,
            function,
            arguments,
            key=key,
            timeout_s=timeout_s,
            inline_bytes=inline_bytes,
            trace=trace,
            is_direct=is_direct,
            values=values,
        )

    def _target(self, text: str) -> Target:
        target = Target.parse(text)
        if len(self._target_by_text) >= _MAX_TARGETS:
            self._target_by_text.clear()
        self._target_by_text[text] = target
        return target

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    async def packed(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """The arguments of a call that somebody else will make: the large ones are at the gateway."""
        return await self._packed([[*args], dict(kwargs)], codec.MAX_INLINE_BYTES)

    async def value(self, data: bytes) -> Any:
        """The result of a call that somebody else made, with its large parts fetched from the gateway."""
        return await self._value(data)

    async def _packed(
        self, arguments: list[Any], inline_bytes: int, values: HeldValues | None = None
    ) -> bytes:
        """Arguments ready to travel: the large ones held for the node, or else at the gateway."""
        store = self._transfer.store

        def pack() -> bytes:
            keep = store.put if values is None else values.put
            data = codec.encode(arguments, keep, store.put_file, where="arguments", inline_bytes=inline_bytes)
            if values is not None:
                values.settle()
            return data

        try:
            data = codec.encode(arguments, _not_now, _not_now, where="arguments", inline_bytes=inline_bytes)
        except _NotNow:
            data = await asyncio.to_thread(pack)
        if made := [a for a in codec.references(data) if values is None or a not in values]:
            await self._transfer.push_all(made)
        return data

    async def _value(self, data: bytes, call: PendingCall | None = None) -> Any:
        """A result, with its large parts fetched: from the node of the call, or else from the gateway."""
        is_plain, value = codec.decode_plain(data)
        if is_plain:
            return value
        wanted = [a for a in codec.references(data) if not a.filename]
        if not wanted:
            return codec.decode(data)
        if call is None:
            await self._transfer.pull_all(wanted)
            return await asyncio.to_thread(codec.decode, data, self._transfer.store.value)
        intake = await self._inbox.values.get(call, wanted)
        return await asyncio.to_thread(codec.decode, data, intake.value)

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────

    async def choose(self, function: CapabilityName, tried: Mapping[NodeId, EasyNetError]) -> NodeId:
        """The node that a call goes to next; raises UnknownFunction, or why none of them took it."""
        found = self._catalogue.known(function)
        while True:
            left = [c for c in found if c.offer.node not in tried] if tried else found
            if left:
                return self._balancer.choose(function, [self._load(c) for c in left])
            if found and tried:
                # Others may have joined since.
                fresh = await self._catalogue.candidates(function)
                if all(c.offer.node in tried for c in fresh):
                    break
                found = fresh
                continue
            found = await self._catalogue.candidates(function)
            if not found:
                if self._loop.time() - self._returned_at > SETTLING_S:
                    break
                await asyncio.sleep(0.1)
        if not tried:
            raise await self._unknown(function)
        raise _reason(function, list(tried.values()))

    def _load(self, candidate: Candidate) -> Load:
        """What a call has to expect: this client's own calls at once, others' when they are reported."""
        offer = candidate.offer
        outstanding = max(candidate.running + candidate.waiting, self._inbox.peers.in_flight(offer.node))
        return Load(offer.node, offer.concurrency, outstanding, candidate.mean_s)

    def learn(self, call: PendingCall | None, error: EasyNetError | None) -> None:
        """Remember how long a node took, or how long it is better left alone."""
        if call is None:
            return
        seconds = self._loop.time() - call.began_at
        if isinstance(error, Overloaded):
            seconds = max(seconds, error.retry_after_s)
        elif error is not None:
            if isinstance(error, NotStarted | NodeRefused | NodeUnreachable):
                self._catalogue.forget()
            return  # a node that fails fast is not a fast node
        self._balancer.observe(call.peer.node, CapabilityName(call.function), seconds)

    def _passes(self, target: Target, call: PendingCall | None, error: EasyNetError) -> EasyNetError | None:
        """The error that the caller gets, or None where the call goes to another node."""
        if isinstance(error, _NEVER_RAN):
            return error if target.node is not None else None
        if (
            call is None
            or self._inbox.is_closed
            or not isinstance(error, NodeUnreachable | GatewayUnreachable)
        ):
            return error
        once = call.peer.once
        may_run_twice = (
            call.function not in once if once is not None else self._catalogue.is_idempotent(target.function)
        )
        if not may_run_twice:
            unknown = OutcomeUnknown(
                f"{error.message}; {call.peer.node}.{call.function} may have run, and must not run twice",
                hint="Find out whether it had its effect before you call it again.",
            )
            unknown.__cause__ = error
            return unknown
        return error if target.node is not None or isinstance(error, GatewayUnreachable) else None

    async def _explained(self, target: Target, error: EasyNetError) -> EasyNetError:
        """The error itself; where there is no such node, with the nearest name."""
        if not isinstance(error, NotStarted) or target.node is None:
            return error
        self._catalogue.forget()
        names = [n.name for n in await self._catalogue.nodes()]
        if target.node in names:
            return NotStarted(f"the node {target.node!r} does not answer")
        return NotStarted(
            f"no node named {target.node!r} is on this network",
            hint=nearest(target.node, names) or "See client.nodes().",
        )

    async def _unknown(self, capability: CapabilityName) -> UnknownFunction:
        names = list(await self._catalogue.capabilities())
        hint = nearest(capability, names) or (
            "The functions on offer are listed by client.functions()." if names else "No node has joined yet."
        )
        return UnknownFunction(f"no node offers a function named {capability!r}", hint=hint)


class _NotNow(Exception):
    """Something has to be put into a store, which takes too long for the event loop."""


def _not_now(*_: object) -> Artifact:
    raise _NotNow


def _checked(last: Any) -> Any:
    """Raise the error that a call ended in, where its span sees it."""
    if isinstance(last, Failure):
        raise error_of(last)
    return last


def _reason(function: CapabilityName, errors: list[EasyNetError]) -> EasyNetError:
    """Why none of the nodes took a call: all have too much to do, or what the last one said."""
    if overloaded := [error for error in errors if isinstance(error, Overloaded)]:
        wait_s = min(error.retry_after_s for error in overloaded)
        return Overloaded(
            f"the nodes that offer {function!r} have as much to do as they accept", retry_after_s=wait_s
        )
    return NodeUnreachable(f"no node that offers {function!r} could be reached: {errors[-1].message}")
