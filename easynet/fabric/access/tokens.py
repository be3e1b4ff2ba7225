"""Tokens as one word each, which shows whether it arrived as it was written."""

import base64
import binascii
from hashlib import sha256
from typing import Any, Final

import msgpack

from easynet.core.errors import TokenRejected
from easynet.fabric.wire.packing import pack

_SUM_BYTES: Final = 4


def written(prefix: str, content: Any) -> str:
    """The content as one word that begins with `prefix`."""
    data = pack(content)
    return prefix + base64.urlsafe_b64encode(data + _sum(prefix, data)).rstrip(b"=").decode()


def read(prefix: str, token: str) -> Any:
    """The content of a token; raises TokenRejected where it is none, or not whole."""
    word = "".join(token.split())  # it may have been wrapped on its way
    if not word.startswith(prefix):
        raise TokenRejected(
            "that is not a token of EasyNet, or its beginning is missing",
            hint=f"A token begins with {prefix}; copy it again, whole.",
        )
    body = word.removeprefix(prefix)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), b"-_", validate=True)
        if _sum(prefix, data[:-_SUM_BYTES]) == data[-_SUM_BYTES:]:
            return msgpack.unpackb(data[:-_SUM_BYTES])
    except (ValueError, binascii.Error, msgpack.UnpackException):
        pass
    raise TokenRejected(
        "the token was damaged on its way: a part of it is missing, or was changed",
        hint="Copy it again, whole, as it was printed.",
    )


def digest(token: str) -> str:
    """Names a token without giving it away."""
    return sha256(token.encode()).hexdigest()


def _sum(prefix: str, data: bytes) -> bytes:
    return sha256(prefix.encode() + data).digest()[:_SUM_BYTES]
