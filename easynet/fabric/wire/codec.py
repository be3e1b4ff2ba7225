"""Values as bytes: msgpack with a fixed set of extensions. Reading bytes never runs code from them.

A subtree that takes more than 64 KiB is put into an artifact store, and a reference travels in its place,
so that a record of tables stays small and its parts can be passed on one by one.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, Final, Protocol

import msgpack
from pydantic import BaseModel, ValidationError

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, EasyNetError, Unencodable
from easynet.fabric.wire import packing, tables

MAX_DEPTH: Final = 64
MAX_INLINE_BYTES: Final = 64 * 1024
"""What is larger becomes an artifact: a text, bytes, an array, a table, a long list."""
MAX_CALL_BYTES: Final = 1024 * 1024
"""What is larger becomes an artifact between two sides that only want the value, not its parts."""
MAX_PARTS: Final = 1024
"""A list or mapping of up to so many parts is kept, and its parts are looked at one by one ..."""
MAX_RECORD_BYTES: Final = 1024 * 1024
"""... unless all of them, with the large ones replaced, still take more than this."""
MAX_BYTES: Final = 6 * 1024 * 1024
"""The largest value that travels in one message, where there is no store to put it into."""

PutFile = Callable[[Path], Artifact]

_ARTIFACT, _BIG_INT, _DATETIME, _DATE, _TIME, _TIMEDELTA = 1, 2, 3, 4, 5, 6
_TABLES: Final = {kind: 16 + i for i, kind in enumerate(tables.KINDS)}
_TABLE_BY_CODE: Final = {code: kind for kind, code in _TABLES.items()}
_LEAVES: Final = frozenset({type(None), bool, int, float, str, bytes})
_SHORT: Final = 32
_SMALL: Final = frozenset({type(None), bool, int, float})
_SCALARS: Final = frozenset({type(None), bool, float})
BLOB_HEAD_BYTES: Final = 5
_BLOB: Final = b"\xc6"
_CONTAINERS: Final = frozenset((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
"""The first bytes of msgpack's lists and mappings."""
_KEYS: Final = frozenset({str, int, bool, float, bytes, type(None)})


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that was left undecoded; it encodes to the very bytes that it came as."""

    code: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Blob:
    """An encoded value that is nothing but bytes, without the few that come before them."""

    content: bytes


class Put(Protocol):
    """Keeps what several pieces are together."""

    def __call__(self, *pieces: bytes) -> Artifact: ...


Fetch = Callable[[Artifact], bytes | Blob]


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
                return _extension(self._put(*pieces)) if pieces else plain
            case list() if len(plain) <= MAX_PARTS:
                return [self._slim(part, where) for part in plain]
            case dict() if len(plain) <= MAX_PARTS:
                return {key: self._slim(part, where) for key, part in plain.items()}
            case list() | dict():
                packed = _pack(plain, where)
                return _extension(self._put(packed)) if len(packed) > self._inline_bytes else plain
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
        return packed if len(packed) <= limit else _pack(_extension(self._put(packed)), where)

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
            return value if -(2**63) <= value < 2**64 else _big_int(value)
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
                name = str(name) if isinstance(name, str) else tables.python_scalar(name, sys.modules)
            if type(name) not in _KEYS:
                raise Unencodable(f"{where} has the key {key!r}, {_type_name(key)}, which cannot travel")
            plain[name] = self._plain(item, f"{where}[{name!r}]", depth + 1)
        return plain

    def _other(self, value: Any, where: str, depth: int) -> Any:  # noqa: C901 (one branch for each type)
        match value:
            case Artifact():
                return _extension(value)
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
        if tables.is_missing(value, sys.modules):
            return None
        if (moment := _moment(value)) is not None:
            return moment
        if (kind := tables.kind_of(value, sys.modules)) is not None:
            payload = tables.flatten(kind, value, where, lambda v, w: self._plain(v, w, depth + 1))
            return msgpack.ExtType(_TABLES[kind], _pack(payload, where))
        scalar = tables.python_scalar(value, sys.modules)
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
        return _extension(self._put_file(path))


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


def encode_plain(value: Any, inline_bytes: int) -> bytes | None:
    """The bytes of a small value made of plain lists, dictionaries and scalars; `None` for any other."""
    if _is_large(value, inline_bytes, 3):
        return None
    try:
        packed = bytes(msgpack.packb(value, strict_types=True) or b"")
    # Whatever the reason, `encode` knows what to do, or says what is wrong.
    except (TypeError, ValueError, OverflowError, UnicodeEncodeError):
        return None
    size = len(packed)
    # As many levels as are allowed take more bytes than a small value has.
    return packed if size <= MAX_DEPTH or (size <= inline_bytes and _is_plain(value, MAX_DEPTH)) else None


def _is_large(value: Any, limit: int, depth: int) -> bool:
    """Whether a value is too large to be worth packing on trial, as far as a short look tells."""
    kind = type(value)
    if kind is bytes or kind is str:
        return len(value) > limit
    if kind is list or kind is dict:
        if len(value) > limit:
            return True
        if depth and len(value) <= _SHORT:
            for part in value if kind is list else value.values():
                if type(part) not in _SMALL and _is_large(part, limit, depth - 1):
                    return True
    return False


def _is_plain(value: Any, depth: int) -> bool:
    """Whether a value that msgpack takes is one that `encode` takes, and not nested deeper than `depth`."""
    kind = type(value)
    if kind is list or kind is dict:
        parts = value if kind is list else value.values()
        return depth > 0 and all(type(p) in _LEAVES or _is_plain(p, depth - 1) for p in parts)
    return kind in _LEAVES


def decode_plain(data: bytes) -> tuple[bool, Any]:
    """Whether the bytes are a value without any extension, and the value; raises BadData."""
    try:
        return True, msgpack.unpackb(data, strict_map_key=False, ext_hook=_refuse)
    except _Extended:
        return False, None
    except (ValueError, TypeError, RecursionError) as error:
        raise BadData(f"bytes that are not an encoded value ({type(error).__name__}: {error})") from error


class _Extended(Exception):
    """A value has an extension in it."""


def _refuse(code: int, data: bytes) -> Any:
    raise _Extended


def decode(data: bytes, fetch: Fetch | None = None) -> Any:
    """The value that was encoded; raises BadData where the bytes are not one.

    `fetch` gives the bytes behind references to values; references to files stay references.
    """
    return _decode(data, fetch, 0)


def decode_opaque(data: bytes) -> Any:
    """The value with references and all extensions left as they are, to look at and to pass on."""
    return _unpack(data, lambda code, raw: _artifact(raw) if code == _ARTIFACT else Opaque(code, bytes(raw)))


def may_refer(first: bytes) -> bool:
    """Whether a large encoded value that begins with this byte can refer to artifacts."""
    return first[:1] == b"" or first[0] in _CONTAINERS


def references(data: bytes) -> list[Artifact]:
    """The artifacts that an encoded value refers to, each once."""
    found: dict[Artifact, None] = {}

    def note(code: int, raw: bytes) -> None:
        if code == _ARTIFACT:
            found[_artifact(raw)] = None

    _unpack(data, note)
    return list(found)


def blob_begins(head: bytes, size_bytes: int) -> int:
    """Where the content begins of an encoded value that is nothing but bytes; 0 for any other value.

    `head` is the first bytes of the value, five or more, and `size_bytes` says how many there are.
    """
    content_bytes = size_bytes - BLOB_HEAD_BYTES
    is_blob = head[:1] == _BLOB and int.from_bytes(head[1:BLOB_HEAD_BYTES], "big") == content_bytes
    return BLOB_HEAD_BYTES if is_blob and len(head) >= BLOB_HEAD_BYTES else 0


def pieces_of(value: bytes | Blob) -> tuple[bytes, ...]:
    """What an encoded value consists of."""
    if isinstance(value, Blob):
        return _BLOB + len(value.content).to_bytes(4, "big"), value.content
    return (value,)


def _decode(data: bytes | Blob, fetch: Fetch | None, depth: int) -> Any:
    if isinstance(data, Blob):
        return data.content
    if depth > MAX_DEPTH:
        raise BadData("a value that is nested too deep")

    def extension(code: int, raw: bytes) -> Any:
        if code == _ARTIFACT:
            artifact = _artifact(raw)
            if artifact.filename or fetch is None:
                return artifact
            return _decode(fetch(artifact), fetch, depth + 1)
        if code in _TABLE_BY_CODE:
            return tables.restore(_TABLE_BY_CODE[code], _decode(raw, fetch, depth + 1))
        if code == _BIG_INT:
            return int.from_bytes(raw, "big", signed=True)
        return _restore_moment(code, raw)

    return _unpack(data, extension)


def _unpack(data: bytes, extension: Callable[[int, bytes], Any]) -> Any:
    try:
        return msgpack.unpackb(data, strict_map_key=False, ext_hook=extension)
    except EasyNetError:
        raise
    # A stranger's bytes break numpy and pandas in many ways, and they all mean the same.
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BadData(f"bytes that are not an encoded value ({type(error).__name__}: {error})") from error


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
        return _BLOB + size.to_bytes(4, "big"), leaf
    except (OverflowError, UnicodeEncodeError) as error:
        raise Unencodable(f"{where} cannot travel: {error}") from error


def _extension(artifact: Artifact) -> msgpack.ExtType:
    packed = packing.pack([artifact.digest, artifact.size_bytes, artifact.filename])
    return msgpack.ExtType(_ARTIFACT, packed)


def _artifact(raw: bytes) -> Artifact:
    try:
        digest, size_bytes, filename = msgpack.unpackb(raw)
        return Artifact(digest=digest, size_bytes=size_bytes, filename=filename)
    except (ValueError, TypeError, ValidationError) as error:
        raise BadData("a reference to an artifact that cannot be read") from error


def _big_int(value: int) -> msgpack.ExtType:
    return msgpack.ExtType(_BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _moment(value: Any) -> msgpack.ExtType | None:
    match value:
        case datetime():
            return msgpack.ExtType(_DATETIME, value.isoformat().encode())
        case date():
            return msgpack.ExtType(_DATE, value.isoformat().encode())
        case time():
            return msgpack.ExtType(_TIME, value.isoformat().encode())
        case timedelta():
            parts = [value.days, value.seconds, value.microseconds]
            return msgpack.ExtType(_TIMEDELTA, packing.pack(parts))
        case _:
            return None


def _restore_moment(code: int, raw: bytes) -> Any:
    match code:
        case 3:
            return datetime.fromisoformat(raw.decode())
        case 4:
            return date.fromisoformat(raw.decode())
        case 5:
            return time.fromisoformat(raw.decode())
        case 6:
            days, seconds, microseconds = msgpack.unpackb(raw)
            return timedelta(days, seconds, microseconds)
        case _:
            raise BadData(f"a value of an unknown kind ({code}); a newer version of EasyNet may know it")


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
