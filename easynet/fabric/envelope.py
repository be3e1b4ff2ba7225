"""What travels between a client and a node: calls one way, updates the other, each a small msgpack list."""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from easynet.core.errors import BadFrame, VersionMismatch
from easynet.fabric import wire

VERSION: Final = 2
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_MAX_KEY_CHARACTERS: Final = 512


# Not frozen, like the updates that most calls consist of: freezing triples the time to make one.
@dataclass(slots=True)
class Call:
    """A client asks a node to run a function, which the subject names."""

    id: str
    """Names the call; whoever knows it may answer it, so it cannot be guessed."""
    inbox: str
    """Names the client's inbox, likewise."""
    arguments: bytes
    """An encoded list of the positional arguments and a mapping of the named ones."""
    deadline_s: float | None = None
    """Seconds from its arrival after which the result is of no use."""
    key: str = ""
    """The same for all attempts at the same piece of work; "" where the id serves as such."""
    inline_bytes: int = 0
    """The largest part of the result that may travel in a message; 0 leaves that to the node."""
    trace: str = ""
    """The caller's trace context (W3C traceparent), or ""."""
    is_direct: bool = False
    """Whether the two sides give each other the large values; otherwise they go by way of the gateway."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A client still waits for its calls at a node, and says who it is."""

    token: str
    """The last part of the subject that the answers go to; nobody but this node is told."""
    easynet: str
    """The version of EasyNet that it runs."""
    calls: tuple[str, ...] = ()
    """The ids of calls that it has waited for for some time."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A node says who it is, and that it lives."""

    instance: str
    easynet: str
    """The version of EasyNet that it runs."""
    key: str = ""
    """Its public key, which signs its receipts."""
    once: tuple[str, ...] = ()
    """Its functions that must not run twice."""
    unknown: tuple[str, ...] = ()
    """The ids of calls that were asked after and never arrived."""


@dataclass(frozen=True, slots=True)
class Resume:
    """A client that was cut off asks how a call goes."""

    inbox: str
    received: int = 0
    """Items of the call that have arrived."""


@dataclass(frozen=True, slots=True)
class Alive:
    """The call still waits or runs."""


@dataclass(frozen=True, slots=True)
class Want:
    """The node, or the client, wants a part of a large value of the call."""

    digest: str
    offset: int = 0
    store: str = ""
    """The identity of the store of the side that asks; the value can be put there where it is the same."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The node has never seen the call, or has long forgotten it."""

    instance: str
    """Of the node; another one than the call was sent to knows nothing of it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The function said how far it is."""

    fraction: float | None
    message: str


@dataclass(slots=True)
class Item:
    """A generator function gave one item."""

    value: bytes
    number: int = 0
    """Counts from 0."""


@dataclass(slots=True)
class Result:
    """The function returned."""

    value: bytes


@dataclass(frozen=True, slots=True)
class End:
    """A generator function gave its last item before this."""

    items: int = 0
    """How many it gave."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The call came to nothing."""

    code: str
    """The slug of one of this project's errors; "remote_failure" for any other."""
    type: str
    message: str
    traceback: str = ""
    hint: str = ""
    name: str = ""
    """Of the input that a question asks for."""
    choices: tuple[str, ...] = ()
    """The answers that such a question allows."""
    retry_after_s: float = 0.0
    """When a node that has too much to do may take the call."""


Update = Alive | Want | Unknown | Progress | Item | Result | End | Failure

_ALIVE: Final = wire.pack([VERSION, "alive"])


def encode_call(call: Call) -> bytes:
    """The message that asks for a call."""
    return _pack(
        call.id,
        call.inbox,
        call.arguments,
        call.deadline_s,
        call.key,
        call.inline_bytes,
        call.trace,
        call.is_direct,
    )


def decode_call(data: bytes) -> Call:
    """Read a call; raises BadFrame, or VersionMismatch where it is of another version."""
    fields = _fields(data)
    # Patterns would take longer than all the rest of it, and every call comes by here.
    if len(fields) == 8 and tuple(map(type, fields[:3])) == (str, str, bytes):
        id_, inbox, arguments, deadline_s, key, inline_bytes, trace, is_direct = fields
        if (
            type(key) is str
            and type(inline_bytes) is int
            and type(trace) is str
            and type(is_direct) is bool
            and _is_token(id_)
            and _is_token(inbox)
            and _is_number_or_none(deadline_s)
            and len(key) <= _MAX_KEY_CHARACTERS
        ):
            return Call(id_, inbox, arguments, deadline_s, key, inline_bytes, trace, is_direct)
    raise BadFrame("a call that cannot be read")


def encode_ping(ping: Ping) -> bytes:
    """The message by which a client shows that it is there."""
    return _pack(ping.token, ping.easynet, ping.calls)


def decode_ping(data: bytes) -> Ping:
    """Read a ping; raises BadFrame or VersionMismatch."""
    match _fields(data):
        case [str(token), str(easynet), [*calls]] if _is_token(token) and _are_texts(calls):
            return Ping(token, easynet, tuple(calls))
        case _:
            raise BadFrame("a ping that cannot be read")


def encode_hello(hello: Hello) -> bytes:
    """The message by which a node shows that it is there."""
    return _pack(hello.instance, hello.easynet, hello.key, hello.once, hello.unknown)


def decode_hello(data: bytes) -> Hello:
    """Read a hello; raises BadFrame or VersionMismatch."""
    match _fields(data):
        case [str(instance), str(easynet), str(key), [*once], [*unknown]] if _are_texts([*once, *unknown]):
            return Hello(instance, easynet, key, tuple(once), tuple(unknown))
        case _:
            raise BadFrame("a hello that cannot be read")


def encode_want(want: Want, inbox: str) -> bytes:
    """The message by which a client wants a part of a result."""
    return _pack(inbox, want.digest, want.offset, want.store)


def decode_want(data: bytes) -> tuple[Want, str]:
    """Read such a wish, and the inbox of whoever has it; raises BadFrame or VersionMismatch."""
    match _fields(data):
        case [str(inbox), str(digest), int(offset), str(store)] if _is_token(inbox) and offset >= 0:
            return Want(digest, offset, store), inbox
        case _:
            raise BadFrame("a wish for a value that cannot be read")


def encode_resume(resume: Resume) -> bytes:
    """The message that asks how a call goes."""
    return _pack(resume.inbox, resume.received)


def decode_resume(data: bytes) -> Resume:
    """Read such a question; raises BadFrame or VersionMismatch."""
    match _fields(data):
        case [str(inbox), int(received)] if _is_token(inbox) and received >= 0:
            return Resume(inbox, received)
        case _:
            raise BadFrame("a question after a call that cannot be read")


def encode_update(update: Update) -> bytes:
    """The message that tells a caller how its call is going."""
    match update:
        case Result(value):
            return _pack("result", value)
        case Item(value, number):
            return _pack("item", number, value)
        case Alive():
            return _ALIVE
        case Unknown(instance):
            return _pack("unknown", instance)
        case Want(digest, offset, store):
            return _pack("want", digest, offset, store)
        case Progress(fraction, message):
            return _pack("progress", fraction, message)
        case End(items):
            return _pack("end", items)
        case Failure():
            return _pack(
                "failure",
                update.code,
                update.type,
                update.message,
                update.traceback,
                update.hint,
                update.name,
                update.choices,
                update.retry_after_s,
            )


def decode_update(data: bytes) -> Update:
    """Read an update; raises BadFrame, or VersionMismatch where it is of another version."""
    fields = _fields(data)
    if len(fields) == 2 and fields[0] == "result" and type(fields[1]) is bytes:
        return Result(fields[1])
    match fields:
        case ["item", int(number), bytes(value)]:
            return Item(value, number)
        case ["alive"]:
            return Alive()
        case ["unknown", str(instance)]:
            return Unknown(instance)
        case ["want", str(digest), int(offset), str(store)] if offset >= 0:
            return Want(digest, offset, store)
        case ["end", int(items)]:
            return End(items)
        case ["progress", fraction, str(message)] if _is_number_or_none(fraction):
            return Progress(fraction, message)
        case ["failure", code, kind, text, traceback, hint, name, [*choices], float(retry_after_s)] if (
            _are_texts([code, kind, text, traceback, hint, name, *choices])
        ):
            return Failure(code, kind, text, traceback, hint, name, tuple(choices), retry_after_s)
        case _:
            raise BadFrame("an update that cannot be read")


def _pack(*fields: Any) -> bytes:
    return wire.pack((VERSION, *fields), unicode_errors="replace")


def _fields(data: bytes) -> list[Any]:
    try:
        frame = msgpack.unpackb(data)
    # Whatever a stranger sends, there is one answer to it.
    except Exception as error:
        raise BadFrame("a message that is not msgpack") from error
    if type(frame) is not list or not frame or type(frame[0]) is not int:
        raise BadFrame("a message that is not a frame of EasyNet")
    if frame[0] != VERSION:
        raise VersionMismatch(
            f"a message in version {frame[0]} of the protocol; this side speaks version {VERSION}",
            hint="Install the same version of EasyNet on both sides.",
        )
    del frame[0]
    return frame


def _is_token(text: str) -> bool:
    if text.isalnum() and text.isascii():  # as nearly all are; the pattern takes longer
        return 16 <= len(text) <= 64
    return _TOKEN.fullmatch(text) is not None


def _is_number_or_none(value: object) -> bool:
    return (
        value is None
        or type(value) is float
        or (isinstance(value, int | float) and not isinstance(value, bool))
    )


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
