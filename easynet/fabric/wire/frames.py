"""The form of every message between a client and a node: a small msgpack list that begins with a version."""

import re
from typing import Any, Final, Protocol, cast

import msgpack

from easynet.core.errors import BadFrame, VersionMismatch
from easynet.fabric.wire.packing import pack

VERSION: Final = 2
SMALL_BYTES: Final = 16 * 1024
"""What the shared packers take, at most."""
_LARGE_BYTES: Final = 256 * 1024
"""What is larger is large because of one value in it, and has few parts."""
_MAX_FRAMES: Final = 1024
_MAX_FIELDS: Final = 64 * 1024
"""In one list."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Packer(Protocol):
    """Turns values into msgpack."""

    def pack(self, value: Any, /) -> bytes: ...


# Making a packer takes longer than packing a call. One serves all threads, for packing what calls and results
# are made of never lets another one in; it keeps the largest buffer that it needed, hence only small ones.
small_packer: Final = cast("Packer", msgpack.Packer(unicode_errors="replace"))


class SeveralFrames(BadFrame):
    """A message is more than the one frame that was looked for."""


def frame_of(*fields: Any) -> bytes:
    """The frame that holds these fields."""
    return pack((VERSION, *fields), unicode_errors="replace")


def fields_of(data: bytes) -> list[Any]:
    """The fields of a message's one frame; raises BadFrame, or VersionMismatch."""
    try:
        frame = msgpack.unpackb(data, **_limits(data))
    except msgpack.ExtraData as error:
        raise SeveralFrames("more than one frame") from error
    # Whatever a stranger sends, there is one answer to it.
    except Exception as error:
        raise BadFrame("a message that is not msgpack") from error
    return checked_fields(frame)


def frames_in(data: bytes) -> list[Any]:
    """What stands one after another in a message; raises BadFrame."""
    frames: list[Any] = []
    try:
        unpacker = msgpack.Unpacker(max_buffer_size=len(data), **_limits(data))
        unpacker.feed(data)
        while unpacker.tell() < len(data):
            frames.append(unpacker.unpack())
            if len(frames) > _MAX_FRAMES and len(data) > _LARGE_BYTES:
                raise BadFrame("more frames than a message has")
    # Whatever a stranger sends, there is one answer to it.
    except Exception as error:
        raise BadFrame("a message that is not msgpack") from error
    return frames


def _limits(data: bytes) -> dict[str, Any]:
    """What keeps a stranger from having millions of tiny values unpacked."""
    if len(data) <= _LARGE_BYTES:
        return {}
    return {
        "max_array_len": _MAX_FIELDS,
        "max_map_len": 0,
        "max_ext_len": 0,
        "list_hook": _Lists().count,
    }


class _Lists:
    """Counts the lists of a message; one too many raises BadFrame."""

    def __init__(self) -> None:
        self._left = 2 * _MAX_FRAMES

    def count(self, fields: list[Any]) -> list[Any]:
        self._left -= 1
        if self._left < 0:
            raise BadFrame("more lists than a frame has")
        return fields


def checked_fields(frame: Any) -> list[Any]:
    """The fields of what should be a frame; raises BadFrame, or VersionMismatch."""
    if type(frame) is not list or not frame or type(frame[0]) is not int:
        raise BadFrame("a message that is not a frame of EasyNet")
    if frame[0] != VERSION:
        raise VersionMismatch(
            f"a message in version {frame[0]} of the protocol; this side speaks version {VERSION}",
            hint="Install the same version of EasyNet on both sides.",
        )
    del frame[0]
    return frame


def is_token(text: str) -> bool:
    """Whether a text may name a call or an inbox: it becomes a part of a NATS subject."""
    if text.isalnum() and text.isascii():  # as nearly all are; the pattern takes longer
        return 16 <= len(text) <= 64
    return _TOKEN.fullmatch(text) is not None


def is_count(value: object) -> bool:
    """Whether a value is a whole number of something; True and False are not."""
    return type(value) is int and value >= 0


def is_length_of_time(value: object) -> bool:
    """Whether a value is a number of seconds that can pass: neither negative nor endless."""
    return (type(value) is float or type(value) is int) and 0 <= value < float("inf")


def are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
