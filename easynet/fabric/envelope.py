"""What travels between a client and a node: calls one way, updates the other, each a small msgpack list."""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from easynet.core.errors import BadFrame
from easynet.fabric import wire

VERSION: Final = 1
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class Call:
    """A client asks a node to run a function."""

    id: str
    """Names the call; whoever knows it may answer or cancel it, so it cannot be guessed."""
    client: str
    """Names the client's inbox, likewise."""
    function: str
    arguments: bytes
    """An encoded list of the positional arguments and a mapping of the named ones."""
    deadline_s: float | None = None
    """Seconds from its arrival after which the result is of no use."""
    key: str = ""
    """The same for all attempts at the same piece of work; "" where the caller keeps no count."""


@dataclass(frozen=True, slots=True)
class Alive:
    """The call still waits or runs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The function said how far it is."""

    fraction: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Item:
    """A generator function gave one item."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The function returned."""

    value: bytes


@dataclass(frozen=True, slots=True)
class End:
    """A generator function gave its last item before this."""


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


Update = Alive | Progress | Item | Result | End | Failure

_ALIVE: Final = wire.pack([VERSION, "alive"])
_END: Final = wire.pack([VERSION, "end"])


def encode_call(call: Call) -> bytes:
    """The message that asks for a call."""
    return _pack(call.id, call.client, call.function, call.arguments, call.deadline_s, call.key)


def decode_call(data: bytes) -> Call:
    """Read a call; raises BadFrame."""
    match _fields(data):
        case [str(id_), str(client), str(function), bytes(arguments), deadline, str(key)] if (
            _TOKEN.fullmatch(id_) and _TOKEN.fullmatch(client) and _is_number_or_none(deadline)
        ):
            return Call(id_, client, function, arguments, deadline, key)
        case _:
            raise BadFrame("a call that cannot be read")


def encode_update(update: Update) -> bytes:
    """The message that tells a caller how its call is going."""
    match update:
        case Alive():
            return _ALIVE
        case Progress(fraction, message):
            return _pack("progress", fraction, message)
        case Item(value):
            return _pack("item", value)
        case Result(value):
            return _pack("result", value)
        case End():
            return _END
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
            )


def decode_update(data: bytes) -> Update:
    """Read an update; raises BadFrame."""
    match _fields(data):
        case ["result", bytes(value)]:
            return Result(value)
        case ["item", bytes(value)]:
            return Item(value)
        case ["alive"]:
            return Alive()
        case ["end"]:
            return End()
        case ["progress", fraction, str(message)] if _is_number_or_none(fraction):
            return Progress(fraction, message)
        case ["failure", code, kind, text, traceback, hint, name, [*choices]] if _are_texts(
            [code, kind, text, traceback, hint, name, *choices]
        ):
            return Failure(code, kind, text, traceback, hint, name, tuple(choices))
        case _:
            raise BadFrame("an update that cannot be read")


def _pack(*fields: Any) -> bytes:
    return wire.pack([VERSION, *fields], unicode_errors="replace")


def _fields(data: bytes) -> list[Any]:
    try:
        frame = msgpack.unpackb(data)
    # Whatever a stranger sends, there is one answer to it.
    except Exception as error:
        raise BadFrame("a message that is not msgpack") from error
    match frame:
        case [int(version), *fields] if version == VERSION:
            return fields
        case [int(version), *_]:
            raise BadFrame(
                f"a message of version {version}; this side speaks version {VERSION}",
                hint="Install the same version of EasyNet on both sides.",
            )
        case _:
            raise BadFrame("a message that is not a frame of EasyNet")


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
