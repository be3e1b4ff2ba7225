"""Values from bytes. Reading bytes never runs code from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData
from easynet.fabric.wire import scalars, tables
from easynet.fabric.wire.blobs import Blob
from easynet.fabric.wire.limits import MAX_DEPTH
from easynet.fabric.wire.packing import unpack
from easynet.fabric.wire.references import REFERENCE, artifact_of

Fetch = Callable[[Artifact], bytes | Blob]
"""Gives the encoded value that an artifact is."""

TABLES: Final = {kind: 16 + i for i, kind in enumerate(tables.KINDS)}
"""The codes of the extensions that tables and arrays are."""
_TABLE_BY_CODE: Final = {code: kind for kind, code in TABLES.items()}


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that was left undecoded; it encodes to the very bytes that it came as."""

    code: int
    data: bytes


def decode(data: bytes, fetch: Fetch | None = None) -> Any:
    """The value that was encoded; raises BadData where the bytes are not one.

    `fetch` gives the bytes behind references to values; references to files stay references.
    """
    return _decode(data, fetch, 0)


def decode_opaque(data: bytes) -> Any:
    """The value with references and all extensions left as they are, to look at and to pass on."""
    return unpack(data, lambda code, raw: artifact_of(raw) if code == REFERENCE else Opaque(code, bytes(raw)))


def _decode(data: bytes | Blob, fetch: Fetch | None, depth: int) -> Any:
    if isinstance(data, Blob):
        return data.content
    if depth > MAX_DEPTH:
        raise BadData("a value that is nested too deep")

    def extension(code: int, raw: bytes) -> Any:
        if code == REFERENCE:
            artifact = artifact_of(raw)
            if artifact.filename or fetch is None:
                return artifact
            return _decode(fetch(artifact), fetch, depth + 1)
        if code in _TABLE_BY_CODE:
            return tables.restore(_TABLE_BY_CODE[code], _decode(raw, fetch, depth + 1))
        return scalars.restored(code, raw)

    return unpack(data, extension)
