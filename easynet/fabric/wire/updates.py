"""What a node tells a caller: how its call is going, and how it ended."""

from dataclasses import dataclass
from typing import Any, Final

import msgpack

from easynet.core.errors import BadFrame
from easynet.fabric.wire.frames import (
    SMALL_BYTES,
    VERSION,
    are_texts,
    checked_fields,
    fields_of,
    frame_of,
    frames_in,
    is_count,
    is_length_of_time,
    small_packer,
)
from easynet.fabric.wire.large_values import Coming, Known, Want, is_digest


@dataclass(frozen=True, slots=True)
class Alive:
    """The call still waits or runs."""


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
    number: int = 0
    """Its place among those of its call, from 1."""
    age_s: float = 0.0
    """How long ago it was said; more than nothing where it is told once more."""


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


Last = Result | End | Failure
"""After which a call has no other update."""
Update = Alive | Want | Coming | Known | Unknown | Progress | Item | Last

_SHORT_TEXT, _SHORT_TEXT_MASK = 0xA0, 0xE0
"""How msgpack begins a text of up to 31 bytes; the other bits say how many."""
_ALIVE: Final = frame_of("alive")


def encode_update(update: Update) -> bytes:
    """The message that tells a caller how its call is going."""
    if type(update) is Result and len(update.value) <= SMALL_BYTES:
        return small_packer.pack((VERSION, "result", update.value))
    match update:
        case Result(value):
            return frame_of("result", value)
        case Item(value, number):
            return frame_of("item", number, value)
        case Alive():
            return _ALIVE
        case Unknown(age_s):
            return frame_of("unknown", age_s)
        case Want(digest, offset, parts, store):
            return frame_of("want", digest, offset, parts, store)
        case Coming(name, size_bytes, store):
            return frame_of("coming", name, size_bytes, store)
        case Known(name, digest):
            return frame_of("known", name, digest)
        case Progress(fraction, message, number, age_s):
            return frame_of("progress", fraction, message, number, age_s)
        case End(items):
            return frame_of("end", items)
        case Failure():
            return frame_of(
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
    return small_packer.pack(id_) + update


def decode_pieces(data: bytes) -> list[tuple[str, Any]]:
    """The ids of calls, each with what should be the frame of an update of that call; raises BadFrame."""
    # Mostly there is one piece, and to look for others takes ten times as long as to read it.
    if data and data[0] & _SHORT_TEXT_MASK == _SHORT_TEXT:
        begin = 1 + (data[0] & ~_SHORT_TEXT_MASK)
        try:
            return [(data[1:begin].decode(), msgpack.unpackb(data[begin:]))]
        except ValueError:
            pass  # there are others, or it is none
    parts = frames_in(data)
    ids = parts[::2]
    if not are_texts(ids) or len(parts) % 2:
        raise BadFrame("updates that cannot be read")
    return list(zip(ids, parts[1::2], strict=True))


def decode_update(data: bytes) -> Update:
    """Read an update; raises BadFrame, or VersionMismatch where it is of another version."""
    return _update(fields_of(data))


def update_of(frame: Any) -> Update:
    """The update that a frame is; raises BadFrame or VersionMismatch."""
    return _update(checked_fields(frame))


def _update(fields: list[Any]) -> Update:
    if len(fields) == 2 and fields[0] == "result" and type(fields[1]) is bytes:
        return Result(fields[1])
    match fields:
        case ["item", number, bytes(value)] if is_count(number):
            return Item(value, number)
        case ["alive"]:
            return Alive()
        case ["unknown", age_s] if is_length_of_time(age_s):
            return Unknown(age_s)
        case ["want", *wish]:
            return Want.read(wish)
        case ["coming", str(name), size_bytes, str(store)] if (
            is_digest(name) and is_count(size_bytes) and size_bytes > 0
        ):
            return Coming(name, size_bytes, store)
        case ["known", str(name), str(digest)] if is_digest(name) and is_digest(digest):
            return Known(name, digest)
        case ["end", items] if is_count(items):
            return End(items)
        case ["progress", None | int() | float() as fraction, str(message), number, age_s] if (
            type(fraction) is not bool and is_count(number) and is_length_of_time(age_s)
        ):
            return Progress(fraction, message, number, age_s)
        case ["failure", code, kind, text, traceback, hint, name, [*choices], retry_after_s] if are_texts(
            [code, kind, text, traceback, hint, name, *choices]
        ) and is_length_of_time(retry_after_s):
            return Failure(code, kind, text, traceback, hint, name, tuple(choices), retry_after_s)
        case _:
            raise BadFrame("an update that cannot be read")
