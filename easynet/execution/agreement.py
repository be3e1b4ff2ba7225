"""Whether two results of one call mean the same."""

import struct
from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData
from easynet.fabric.wire.decoding import TABLES, Opaque, decode_opaque

_RELATIVE: Final = 1e-6
_ABSOLUTE: Final = 1e-9
"""Other processors and libraries add up in another order; what differs by more was computed otherwise."""
_FRACTIONS: Final = {"<f8": "d", "<f4": "f"}
"""Arrays of fractions by their type, and how they are packed."""
_TABLES: Final = frozenset(TABLES.values())

_Pairs = Iterator[tuple[Any, Any]]


def agree(one: Any, other: Any) -> bool:
    """Whether two results are the same but for the last digits of their fractions.

    The order of a mapping's keys does not matter. What is not a number is the same as itself. Files and
    large values, which are only referred to, are the same where their bytes are.
    """
    if _is_equal(one, other):
        return True
    pairs: list[_Pairs] = [iter([(one, other)])]
    # No recursion: a value may be nested deeper than Python calls itself.
    while pairs:
        pair = next(pairs[-1], None)
        if pair is None:
            pairs.pop()
            continue
        parts = _parts(*pair)
        if parts is None:
            return False
        pairs.append(parts)
    return True


def _parts(one: Any, other: Any) -> _Pairs | None:
    """What has to agree so that two values do; `None` where they do not."""
    match one, other:
        case list() | tuple(), list() | tuple():
            return _in_lists(one, other) if len(one) == len(other) else None
        case Mapping(), Mapping():
            return ((one[key], other[key]) for key in one) if one.keys() == other.keys() else None
        case Artifact(), Artifact():
            same = one.digest == other.digest
        case Opaque(), Opaque() if one.code in _TABLES and one.code == other.code and one != other:
            return _in_tables(one, other)
        case int() | float(), int() | float():
            same = _is_same_number(one, other)
        case _:
            same = _is_equal(one, other)
    return iter(()) if same else None


def _in_lists(one: Any, other: Any) -> _Pairs | None:
    """The items of two lists that are as long, two by two, but for those that were compared at once."""
    if set(map(type, one)) | set(map(type, other)) <= {int, float}:
        return iter(()) if all(map(_is_same_number, one, other)) else None
    match one, other:
        case [str(kind), list() as shape, bytes() as content], [str(also), list() as like, bytes() as others]:
            is_alike = kind == also and shape == like and len(content) == len(others)
            if is_alike and kind in _FRACTIONS and len(content) % struct.calcsize(_FRACTIONS[kind]) == 0:
                return zip(_fractions(kind, content), _fractions(kind, others), strict=True)
        case _:
            pass
    return zip(one, other, strict=True)


def _in_tables(one: Opaque, other: Opaque) -> _Pairs | None:
    """What two tables or arrays are made of, which no library is needed for."""
    try:
        return iter([(decode_opaque(one.data), decode_opaque(other.data))])
    except BadData:  # what cannot be read is not the same as anything
        return None


def _fractions(kind: str, content: bytes) -> Iterator[float]:
    return (number for (number,) in struct.iter_unpack(f"<{_FRACTIONS[kind]}", content))


def _is_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except (RecursionError, TypeError, ValueError):  # nested deep, or nothing that compares
        return one is other


def _is_same_number(one: int | float, other: int | float) -> bool:
    # Nothing else is unlike itself.
    if one == other or (one != one and other != other):
        return True
    if isinstance(one, int) and isinstance(other, int):
        return False
    try:
        return isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    except OverflowError:  # a whole number beyond all fractions
        return False
