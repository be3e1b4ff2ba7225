"""Values as bytes: msgpack with a fixed set of extensions.

A subtree that takes more than 64 KiB is put into an artifact store, and a reference travels in its place,
so that a record of tables stays small and its parts can be passed on one by one.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, Final, Protocol

import msgpack
from pydantic import BaseModel

from easynet.core.artifact import Artifact
from easynet.core.errors import Unencodable
from easynet.fabric.wire import packing, scalars, tables
from easynet.fabric.wire.blobs import blob_head
from easynet.fabric.wire.decoding import TABLES, Opaque
from easynet.fabric.wire.limits import MAX_BYTES, MAX_DEPTH, MAX_INLINE_BYTES, MAX_PARTS, MAX_RECORD_BYTES
from easynet.fabric.wire.references import reference_to

PutFile = Callable[[Path], Artifact]

_SCALARS: Final = frozenset({type(None), bool, float})
_KEYS: Final = frozenset({str, int, bool, float, bytes, type(None)})


class Put(Protocol):
    """Keeps what several pieces are together."""

    def __call__(self, *pieces: bytes) -> Artifact: ...


class _Encoder:
    """Turns one value into msgpack's own types, and large parts of it into references."""

    def __init__(self, put: Put | None, put_file: PutFile | None, inline_bytes: int) -> None:
        self._put = put
        self._put_file = put_file
        self._inline_bytes = inline_bytes

    def encode(self, value: Any, where: str) -> bytes:
        packed = self._split(self._slim(self._plain(value, where, 0), where), where)
        if len(packed) > MAX_BYTES:
            raise Unencodable(
                f"{where} takes {len(packed):,} bytes, more than one message holds ({MAX_BYTES:,})"
            )
        return packed

    def _slim(self, plain: Any, where: str) -> Any:
        """The value with references where single parts of it are large, none of which is copied for that."""
        if self._put is None:
            return plain
        match plain:
            case str() | bytes() | msgpack.ExtType():
                pieces = _pieces(plain, self._inline_bytes, where)
                return reference_to(self._put(*pieces)) if pieces else plain
            case list() if len(plain) <= MAX_PARTS:
                return [self._slim(part, where) for part in plain]
            case dict() if len(plain) <= MAX_PARTS:
                return {key: self._slim(part, where) for key, part in plain.items()}
            case list() | dict():
                packed = _pack(plain, where)
                return reference_to(self._put(packed)) if len(packed) > self._inline_bytes else plain
            case _:
                return plain

    def _split(self, plain: Any, where: str) -> bytes:
        """Pack, with the parts that are too large for a message moved into the store."""
        packed = _pack(plain, where)
        if len(packed) <= self._inline_bytes or self._put is None:
            return packed
        limit = self._inline_bytes
        if isinstance(plain, dict | list) and len(plain) <= MAX_PARTS:
            limit = MAX_RECORD_BYTES
            if isinstance(plain, dict):
                plain = {key: self._reference(part, where) for key, part in plain.items()}
            else:
                plain = [self._reference(part, where) for part in plain]
            packed = _pack(plain, where)
        return packed if len(packed) <= limit else _pack(reference_to(self._put(packed)), where)

    def _reference(self, part: Any, where: str) -> Any:
        """The part itself, or something that stands for it and fits."""
        if isinstance(part, dict | list) or (isinstance(part, str | bytes) and len(part) > 1024):
            packed = self._split(part, where)
            return msgpack.unpackb(packed, strict_map_key=False, ext_hook=msgpack.ExtType)
        return part

    def _plain(self, value: Any, where: str, depth: int) -> Any:
        """The same value made of msgpack's types alone; raises Unencodable."""
        if depth > MAX_DEPTH:
            raise Unencodable(f"{where} is nested more than {MAX_DEPTH} levels deep, or contains itself")
        kind = type(value)
        if kind is str or kind is bytes or kind in _SCALARS:
            return value
        if kind is int:
            return scalars.number(value)
        if kind is dict:
            return self._mapping(value, where, depth)
        if kind is list or kind is tuple:
            if set(map(type, value)) <= _SCALARS:
                return list(value)
            return [self._plain(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        return self._other(value, where, depth)

    def _mapping(self, value: Mapping[Any, Any], where: str, depth: int) -> dict[Any, Any]:
        plain: dict[Any, Any] = {}
        for key, item in value.items():
            name = key.value if isinstance(key, Enum) else key
            if type(name) not in _KEYS:
                name = str(name) if isinstance(name, str) else scalars.python_scalar(name, sys.modules)
            if type(name) not in _KEYS:
                raise Unencodable(f"{where} has the key {key!r}, {_type_name(key)}, which cannot travel")
            plain[name] = self._plain(item, f"{where}[{name!r}]", depth + 1)
        return plain

    def _other(self, value: Any, where: str, depth: int) -> Any:  # noqa: C901 (one branch for each type)
        match value:
            case Artifact():
                return reference_to(value)
            case Opaque():
                return msgpack.ExtType(value.code, value.data)
            case PurePath():
                return self._file(Path(value), where)
            case Enum():
                return self._plain(value.value, where, depth + 1)
            case bytearray() | memoryview():
                return bytes(value)
            case set() | frozenset():
                return [self._plain(item, f"{where}{{}}", depth + 1) for item in _ordered(value)]
            case BaseModel():
                fields = {name: getattr(value, name) for name in type(value).model_fields}
                return self._mapping(fields | (value.model_extra or {}), where, depth)
            case Mapping():
                return self._mapping(value, where, depth)
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
                return self._mapping(named, where, depth)
            case _:
                pass
        if scalars.is_missing(value, sys.modules):
            return None
        if (moment := scalars.moment(value)) is not None:
            return moment
        if (kind := tables.kind_of(value, sys.modules)) is not None:
            payload = tables.flatten(kind, value, where, lambda v, w: self._plain(v, w, depth + 1))
            return msgpack.ExtType(TABLES[kind], _pack(payload, where))
        scalar = scalars.python_scalar(value, sys.modules)
        if scalar is not value:
            return self._plain(scalar, where, depth + 1)
        bases: tuple[Callable[[Any], Any], ...] = (str, bytes, int, float, list)
        for base, kinds in zip(bases, (str, bytes, int, float, list | tuple), strict=True):
            if isinstance(value, kinds):
                return self._plain(base(value), where, depth + 1)
        raise Unencodable(
            f"{where} is {_type_name(value)}, which cannot travel",
            hint="Give plain values, tables and arrays; save anything else to a file and give its path.",
        )

    def _file(self, path: Path, where: str) -> msgpack.ExtType:
        if not path.is_file():
            raise Unencodable(f"{where} is the path of a file that does not exist: {path}")
        if self._put_file is None:
            raise Unencodable(f"{where} is a file ({path.name}), and there is no store to put it into")
        return reference_to(self._put_file(path))


def encode(
    value: Any,
    put: Put | None = None,
    put_file: PutFile | None = None,
    *,
    where: str = "result",
    inline_bytes: int = MAX_INLINE_BYTES,
) -> bytes:
    """The bytes that a value travels as; raises Unencodable, which names the part by its path from `where`.

    `put` takes parts larger than `inline_bytes`, each in pieces that belong together, and `put_file` takes
    files; both give the reference that travels instead. Tuples and sets arrive as lists, models and data
    classes as dictionaries.
    """
    return _Encoder(put, put_file, inline_bytes).encode(value, where)


def _pack(plain: Any, where: str) -> bytes:
    try:
        return packing.pack(plain)
    except (ValueError, OverflowError, UnicodeEncodeError) as error:
        raise Unencodable(f"{where} cannot travel: {error}") from error


def _pieces(leaf: str | bytes | msgpack.ExtType, limit: int, where: str) -> tuple[bytes, ...]:
    """What a text, bytes or an extension is packed as, in two pieces; nothing where it is not large."""
    size = len(leaf.data) if isinstance(leaf, msgpack.ExtType) else len(leaf)
    if size <= max(limit, 0xFFFF):
        return ()
    try:
        if isinstance(leaf, msgpack.ExtType):
            return b"\xc9" + size.to_bytes(4, "big") + leaf.code.to_bytes(1, "big"), leaf.data
        if isinstance(leaf, str):
            text = leaf.encode()
            return b"\xdb" + len(text).to_bytes(4, "big"), text
        return blob_head(size), leaf
    except (OverflowError, UnicodeEncodeError) as error:
        raise Unencodable(f"{where} cannot travel: {error}") from error


def _ordered(values: Any) -> list[Any]:
    """A set's members, sorted where they can be, so that equal sets give equal bytes."""
    try:
        return sorted(values)
    except TypeError:
        return list(values)


def _type_name(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    name = f"{module}{kind.__qualname__}"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
