"""How many rows a table or an array has, read off its first bytes."""

from collections.abc import Callable
from typing import Any, Final

import msgpack

from easynet.fabric.wire.decoding import TABLES, Opaque

_KIND_BY_CODE: Final = {code: kind for kind, code in TABLES.items()}


def rows_of(opaque: Opaque) -> int | None:
    """The rows of a table, the items of a column or of an array's first dimension.

    `None` where the value is something else or cannot be read. Nothing is decoded but what tells the size.
    """
    kind = _KIND_BY_CODE.get(opaque.code)
    if kind is None:
        return None
    unpacker = msgpack.Unpacker(max_buffer_size=len(opaque.data) + 1, strict_map_key=False)
    unpacker.feed(opaque.data)
    try:
        return _READERS[kind](unpacker)
    # A stranger's bytes break off, or hold something else than what should be there.
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        return None


def _array(unpacker: Any) -> int | None:
    unpacker.read_array_header()
    unpacker.skip()  # of which type
    shape = unpacker.unpack()
    return shape[0] if isinstance(shape, list) and shape and _is_count(shape[0]) else None


def _frame(unpacker: Any) -> int | None:
    unpacker.read_array_header()
    unpacker.skip()  # the names of the columns
    return _index(unpacker)


def _series(unpacker: Any) -> int | None:
    unpacker.read_array_header()
    unpacker.skip()  # its name
    return _index(unpacker)


def _index(unpacker: Any) -> int | None:
    unpacker.read_array_header()
    kind = unpacker.unpack()
    unpacker.skip()  # its name, or their names
    match kind:
        case "range":
            start, stop, step = unpacker.unpack(), unpacker.unpack(), unpacker.unpack()
            return len(range(start, stop, step))
        case "levels":
            unpacker.read_array_header()
            return _column(unpacker)
        case "column":
            return _column(unpacker)
        case _:
            return None


def _column(unpacker: Any) -> int | None:
    unpacker.read_array_header()
    match unpacker.unpack():
        case "array" | "category" | "zoned":
            return _array(unpacker)
        case "masked":
            unpacker.skip()
            return _array(unpacker)
        case "string":
            unpacker.skip()
            return int(unpacker.read_array_header())
        case "object":
            return int(unpacker.read_array_header())
        case _:
            return None


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


_READERS: Final[dict[str, Callable[[Any], int | None]]] = {
    "array": _array,
    "frame": _frame,
    "series": _series,
    "index": _index,
}
