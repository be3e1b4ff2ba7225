"""Orders and events of jobs as bytes, in a form of their own.

They are kept for longer than two sides agree on how to speak to each other.
"""

from typing import Any, Final, NoReturn

import msgpack

from easynet.core.errors import BadFrame
from easynet.core.ids import JobId, NodeId
from easynet.fabric.jobs.job_events import (
    Ended,
    JobEvent,
    Order,
    Placement,
    Postponed,
    Resumed,
    Signed,
    Started,
    Submitted,
)
from easynet.fabric.wire.packing import pack
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result

VERSION: Final = 2


def encode_order(order: Order) -> bytes:
    """The message in the queue."""
    return pack(
        [
            VERSION,
            order.id,
            order.client,
            order.owner,
            order.function,
            order.arguments,
            order.submitted_at,
            order.timeout_s,
            order.trace,
        ]
    )


def decode_order(data: bytes) -> Order:
    """Read an order; raises BadFrame."""
    match _fields(data, "an order"):
        case [str(id_), str(client), str(owner), str(function), bytes(arguments), float(at), *rest]:
            timeout_s, trace = _timeout_and_trace(rest)
            return Order(JobId(id_), client, owner, function, arguments, at, timeout_s, trace)
        case _:
            _refuse("an order")


def _timeout_and_trace(fields: list[Any]) -> tuple[float | None, str]:
    match fields:
        case [None | float() as timeout_s, str(trace)]:
            return timeout_s, trace
        case _:
            _refuse("an order")


def encode_event(event: JobEvent, at: float) -> bytes:
    """The message that keeps an event; `at` is in Unix seconds."""
    match event:
        case Submitted():
            fields: list[Any] = [
                "submitted",
                event.client,
                event.owner,
                event.function,
                event.digest,
                event.size_bytes,
            ]
        case Started(attempt, placement, delivery):
            where = [placement.node, placement.instance, placement.idempotent]
            fields = ["started", attempt, *where, delivery]
        case Resumed():
            fields = ["resumed", event.delivery, event.told]
        case Progress():
            fields = ["progress", event.fraction, event.message, event.number]
        case Item():
            fields = ["item", event.value]
        case Postponed():
            fields = ["postponed", event.attempt, event.delay_s, event.is_counted, *_plain(event.failure)]
        case Ended(outcome, kept_bytes):
            fields = ["ended", kept_bytes, *_outcome(outcome)]
        case Signed(receipt):
            fields = ["signed", receipt]
    return pack([VERSION, float(at), *fields], unicode_errors="replace")


def decode_event(data: bytes) -> tuple[float, JobEvent]:
    """Read an event and its time; raises BadFrame."""
    match _fields(data, "an event"):
        case [float(at), "submitted", str(client), str(owner), str(function), str(digest), int(size)]:
            return at, Submitted(client, owner, function, digest, size)
        case [float(at), "started", int(attempt), str(node), str(instance), bool(idempotent), str(delivery)]:
            return at, Started(attempt, Placement(NodeId(node), instance, idempotent), delivery)
        case [float(at), "resumed", str(delivery), int(told)]:
            return at, Resumed(delivery, told)
        case [float(at), "progress", None | int() | float() as fraction, str(message), int(number)]:
            return at, Progress(fraction, message, number)
        case [float(at), "item", bytes(value)]:
            return at, Item(value)
        case [float(at), "postponed", int(attempt), float() | int() as delay_s, bool(counted), *failure]:
            return at, Postponed(attempt, delay_s, _failure(failure), counted)
        case [float(at), "ended", int(kept_bytes), *outcome]:
            return at, Ended(_read_outcome(outcome), kept_bytes)
        case [float(at), "signed", str(receipt)]:
            return at, Signed(receipt)
        case _:
            _refuse("an event")


def _outcome(outcome: Result | End | Failure | None) -> list[Any]:
    match outcome:
        case None:
            return ["cancelled"]
        case Result(value):
            return ["result", value]
        case End():
            return ["end"]
        case Failure():
            return ["failure", *_plain(outcome)]


def _read_outcome(fields: list[Any]) -> Result | End | Failure | None:
    match fields:
        case ["cancelled"]:
            return None
        case ["result", bytes(value)]:
            return Result(value)
        case ["end"]:
            return End()
        case ["failure", *failure]:
            return _failure(failure)
        case _:
            _refuse("an event")


def _plain(failure: Failure) -> list[Any]:
    told = [failure.code, failure.type, failure.message, failure.traceback, failure.hint, failure.name]
    return [told, list(failure.choices)]


def _failure(fields: list[Any]) -> Failure:
    match fields:
        case [[str(code), str(kind), str(message), str(traceback), str(hint), str(name)], [*choices]] if all(
            isinstance(choice, str) for choice in choices
        ):
            return Failure(code, kind, message, traceback, hint, name, tuple(choices))
        case _:
            _refuse("an event")


def _fields(data: bytes, what: str) -> list[Any]:
    try:
        frame = msgpack.unpackb(data)
    # Whatever the bytes are, there is one answer to it.
    except Exception as error:
        raise BadFrame(f"{what} of a job that is not msgpack") from error
    match frame:
        case [int(version), *fields] if version == VERSION:
            return fields
        case _:
            _refuse(what)


def _refuse(what: str) -> NoReturn:
    raise BadFrame(
        f"{what} of a job that cannot be read",
        hint="A gateway of another version may have written it; install the same on both sides.",
    )
