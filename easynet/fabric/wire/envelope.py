"""What travels between a client and a node: calls one way, updates the other, each a small msgpack list."""

import re
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import msgpack

from easynet.core.errors import BadFrame, VersionMismatch
from easynet.fabric.wire import packing

VERSION: Final = 2
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_KEY_CHARACTERS: Final = 512
MAX_CALLS_TOGETHER: Final = 64
"""In one message, so that a client's rate of messages bounds its rate of calls."""
_MAX_PARTS_WANTED: Final = 64


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
    instance: str = ""
    """The node process that this work was given to before, and that alone is meant; "" for any."""


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
    age_s: float = 0.0
    """How long this instance has been there."""


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
    """The node, or the client, wants parts of a large value of the call."""

    digest: str
    offset: int = 0
    """Where the first of them begins."""
    parts: int = 1
    """How many, one after the other."""
    store: str = ""
    """The identity of the store of the side that asks; the value can be put there where it is the same."""


@dataclass(frozen=True, slots=True)
class Coming:
    """The function has made a large value, whose digest is not known yet; it can be had under a name."""

    name: str
    """In the form of a digest."""
    size_bytes: int
    store: str
    """The identity of the node's store."""


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of a value that was said to be coming is known now."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The node has never seen the call, or has long forgotten it."""

    age_s: float
    """How long this instance of the node has been there; what is older may have run at another one."""


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


class Packer(Protocol):
    """Turns values into msgpack."""

    def pack(self, value: Any, /) -> bytes: ...


Update = Alive | Want | Coming | Known | Unknown | Progress | Item | Result | End | Failure

_ALIVE: Final = packing.pack([VERSION, "alive"])
_SMALL_BYTES: Final = 16 * 1024
# Making a packer takes longer than packing a call. One serves all threads, for packing what calls and results
# are made of never lets another one in; it keeps the largest buffer that it needed, hence only small ones.
_packer: Final = cast("Packer", msgpack.Packer(unicode_errors="replace"))


def encode_call(call: Call) -> bytes:
    """The message that asks for a call."""
    fields: tuple[Any, ...] = (
        VERSION,
        call.id,
        call.inbox,
        call.arguments,
        call.deadline_s,
        call.key,
        call.inline_bytes,
        call.trace,
        call.is_direct,
    )
    if call.instance:
        fields = (*fields, call.instance)
    if len(call.arguments) <= _SMALL_BYTES:
        return _packer.pack(fields)
    return packing.pack(fields, unicode_errors="replace")


def decode_call(data: bytes) -> Call:
    """Read a call; raises BadFrame, or VersionMismatch where it is of another version."""
    return _call(_fields(data))


def decode_calls(data: bytes) -> list[Call]:
    """Read one or more calls, one after another; raises BadFrame or VersionMismatch."""
    try:
        return [decode_call(data)]
    except _Longer:
        frames = _frames(data)
    if len(frames) > MAX_CALLS_TOGETHER:
        raise BadFrame(f"{len(frames):,} calls in one message")
    return [_call(_checked(frame)) for frame in frames]


def _call(fields: list[Any]) -> Call:
    # Patterns would take longer than all the rest of it, and every call comes by here.
    instance = fields.pop() if len(fields) == 9 else ""
    if len(fields) == 8:
        id_, inbox, arguments, deadline_s, key, inline_bytes, trace, is_direct = fields
        if (
            type(id_) is type(inbox) is type(key) is str
            and type(arguments) is bytes
            and type(inline_bytes) is int
            and type(trace) is str
            and type(is_direct) is bool
            and type(instance) is str
            and _is_token(id_)
            and _is_token(inbox)
            and (deadline_s is None or _is_number_or_none(deadline_s))
            and len(key) <= _MAX_KEY_CHARACTERS
        ):
            return Call(id_, inbox, arguments, deadline_s, key, inline_bytes, trace, is_direct, instance)
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
    return _pack(hello.instance, hello.easynet, hello.key, hello.once, hello.unknown, hello.age_s)


def decode_hello(data: bytes) -> Hello:
    """Read a hello; raises BadFrame or VersionMismatch."""
    match _fields(data):
        case [str(instance), str(easynet), str(key), [*once], [*unknown], float(age_s)] if _are_texts(
            [*once, *unknown]
        ):
            return Hello(instance, easynet, key, tuple(once), tuple(unknown), age_s)
        case _:
            raise BadFrame("a hello that cannot be read")


def encode_want(want: Want, inbox: str) -> bytes:
    """The message by which a client wants a part of a result."""
    return _pack(inbox, want.digest, want.offset, want.parts, want.store)


def decode_want(data: bytes) -> tuple[Want, str]:
    """Read such a wish, and the inbox of whoever has it; raises BadFrame or VersionMismatch."""
    match _fields(data):
        case [str(inbox), *wish] if _is_token(inbox):
            return _want(wish), inbox
        case _:
            raise BadFrame("a wish for a value that cannot be read")


def _want(fields: list[Any]) -> Want:
    match fields:
        case [str(digest), int(offset), int(parts), str(store)] if (
            _DIGEST.fullmatch(digest) and offset >= 0 and 0 < parts <= _MAX_PARTS_WANTED
        ):
            return Want(digest, offset, parts, store)
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
    if type(update) is Result and len(update.value) <= _SMALL_BYTES:
        return _packer.pack((VERSION, "result", update.value))
    match update:
        case Result(value):
            return _pack("result", value)
        case Item(value, number):
            return _pack("item", number, value)
        case Alive():
            return _ALIVE
        case Unknown(age_s):
            return _pack("unknown", age_s)
        case Want(digest, offset, parts, store):
            return _pack("want", digest, offset, parts, store)
        case Coming(name, size_bytes, store):
            return _pack("coming", name, size_bytes, store)
        case Known(name, digest):
            return _pack("known", name, digest)
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


def encode_piece(id_: str, update: bytes) -> bytes:
    """An encoded update of a call as a piece of a message with updates of several."""
    return _packer.pack(id_) + update


def decode_pieces(data: bytes) -> list[tuple[str, Any]]:
    """The ids of calls, each with what should be the frame of an update of that call; raises BadFrame."""
    parts = _frames(data)
    ids = parts[::2]
    if not _are_texts(ids) or len(parts) % 2:
        raise BadFrame("updates that cannot be read")
    return list(zip(ids, parts[1::2], strict=True))


def decode_update(data: bytes) -> Update:
    """Read an update; raises BadFrame, or VersionMismatch where it is of another version."""
    return _update(_fields(data))


def update_of(frame: Any) -> Update:
    """The update that a frame is; raises BadFrame or VersionMismatch."""
    return _update(_checked(frame))


def _update(fields: list[Any]) -> Update:
    if len(fields) == 2 and fields[0] == "result" and type(fields[1]) is bytes:
        return Result(fields[1])
    match fields:
        case ["item", int(number), bytes(value)]:
            return Item(value, number)
        case ["alive"]:
            return Alive()
        case ["unknown", float(age_s)]:
            return Unknown(age_s)
        case ["want", *wish]:
            return _want(wish)
        case ["coming", str(name), int(size_bytes), str(store)] if _DIGEST.fullmatch(name) and size_bytes > 0:
            return Coming(name, size_bytes, store)
        case ["known", str(name), str(digest)] if _DIGEST.fullmatch(name) and _DIGEST.fullmatch(digest):
            return Known(name, digest)
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
    return packing.pack((VERSION, *fields), unicode_errors="replace")


def _fields(data: bytes) -> list[Any]:
    try:
        frame = msgpack.unpackb(data)
    except msgpack.ExtraData as error:
        raise _Longer("more than one frame") from error
    # Whatever a stranger sends, there is one answer to it.
    except Exception as error:
        raise BadFrame("a message that is not msgpack") from error
    return _checked(frame)


class _Longer(BadFrame):
    """A message is more than the one frame that was looked for."""


def _frames(data: bytes) -> list[Any]:
    """What stands one after another in a message; raises BadFrame."""
    frames: list[Any] = []
    try:
        unpacker = msgpack.Unpacker(max_buffer_size=len(data))
        unpacker.feed(data)
        while unpacker.tell() < len(data):
            frames.append(unpacker.unpack())
    # Whatever a stranger sends, there is one answer to it.
    except Exception as error:
        raise BadFrame("a message that is not msgpack") from error
    return frames


def _checked(frame: Any) -> list[Any]:
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
