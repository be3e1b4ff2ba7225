"""References to artifacts, which stand in encoded values for what is too large to travel in them."""

from typing import Any, Final

import msgpack
from pydantic import ValidationError

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData
from easynet.fabric.wire.packing import pack, unpack

REFERENCE: Final = 1
"""The code of the extension that a reference is."""
_CONTAINERS: Final = frozenset((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
"""The first bytes of msgpack's lists and mappings."""


def reference_to(artifact: Artifact) -> msgpack.ExtType:
    """What stands for an artifact."""
    return msgpack.ExtType(REFERENCE, pack([artifact.digest, artifact.size_bytes, artifact.filename]))


def artifact_of(raw: bytes) -> Artifact:
    """The artifact that a reference stands for; raises BadData."""
    try:
        digest, size_bytes, filename = msgpack.unpackb(raw)
        return Artifact(digest=digest, size_bytes=size_bytes, filename=filename)
    except (ValueError, TypeError, ValidationError) as error:
        raise BadData("a reference to an artifact that cannot be read") from error


def may_refer(first: bytes) -> bool:
    """Whether a large encoded value that begins with this byte can refer to artifacts."""
    return first[:1] == b"" or first[0] in _CONTAINERS


def references(data: bytes) -> list[Artifact]:
    """The artifacts that an encoded value refers to, each once; raises BadData."""
    found: dict[Artifact, None] = {}

    def note(code: int, raw: bytes) -> Any:
        if code == REFERENCE:
            found[artifact_of(raw)] = None

    unpack(data, note)
    return list(found)
