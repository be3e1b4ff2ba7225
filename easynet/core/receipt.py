"""A receipt: what a node states about one call, in a form that anybody can check later.

The text of a receipt is JSON in one form only: keys sorted, no spaces, UTF-8, numbers as Python writes them
(RFC 8785, except that a whole number of seconds keeps its ".0"). Any other text is refused, so that no byte
of it can be changed unnoticed.
"""

import json
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError

from easynet.core.capability import Capability, Text, Value
from easynet.core.errors import BadData, ReceiptInvalid
from easynet.core.ids import CapabilityName, NodeId

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in hexadecimal."""
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""An Ed25519 signature in hexadecimal."""
UnixSeconds = Annotated[float, Field(ge=0, le=1e11)]

_NAME = StringConstraints(max_length=10_000)
_MAX_DEPTH = 64


class CallFacts(Value):
    """What one call was and what came of it."""

    client: Text
    """The id of the client that called."""
    ended_at: UnixSeconds
    """By the node's clock, as `started_at`."""
    id: Text
    """Names the call."""
    input: Digest
    """Of the encoded arguments."""
    key: Text
    """The call's idempotency key; "" where it had none."""
    outcome: Text
    """"ok", or the code of the error that it ended in."""
    output: Digest
    """Of the encoded result; for a stream, of all its items (`StreamDigest`); of nothing after an error."""
    price: int = Field(ge=0, le=10**12)
    """Credits."""
    started_at: UnixSeconds


class OfferFacts(Value):
    """What was called, and who ran it."""

    capability: Digest
    """Of the capability as it was offered (`capability_digest`)."""
    easynet: Text
    """The version of EasyNet that the node ran."""
    function: Annotated[CapabilityName, _NAME]
    node: Annotated[NodeId, _NAME]
    node_key: Text
    """The node's public key, which signed the receipt."""
    python: Text
    """The version of Python that the node ran."""


class Facts(Value):
    """All that a node states about one call. This is what is signed."""

    call: CallFacts
    offer: OfferFacts

    def to_json(self) -> str:
        """The text whose hash is in the signed tree."""
        return canonical_json(self.model_dump())


class Receipt(Value):
    """A node's signed statement of one call.

    The node signs many calls at once: the root of a Merkle tree that has the facts of each as a leaf.
    """

    facts: Facts
    path: tuple[tuple[Literal["left", "right"], Digest], ...] = Field(max_length=_MAX_DEPTH)
    """From the leaf to the root: on which side the neighbour stands, and its hash."""
    signature: Signature
    """Of the root, by the key in the facts."""
    version: Literal[1] = 1

    def to_json(self) -> str:
        """The receipt as a line of text."""
        return canonical_json(self.model_dump())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The receipt in a text that `to_json` gave; raises BadData or ReceiptInvalid for any other."""
        try:
            receipt = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise BadData(
                f"that is not a receipt: {repr(place) + ': ' if place else ''}{first['msg']}",
                hint="Give a file with one receipt a line, as they were saved.",
            ) from None
        if receipt.to_json() != text:
            raise ReceiptInvalid(
                "the text of the receipt was changed",
                hint="Use the file as it was saved: formatting it anew makes it another text.",
            )
        return receipt


def receipts_in(data: bytes) -> list[Receipt]:
    """The receipts in a file with one a line; raises BadData or ReceiptInvalid, naming the line."""
    try:
        lines = data.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise BadData("that is not a file of receipts: it is not text in UTF-8") from error
    if lines == [""]:
        raise BadData("the file holds no receipt")
    receipts = []
    for number, line in enumerate(lines, 1):
        try:
            receipts.append(Receipt.from_json(line))
        except (BadData, ReceiptInvalid) as error:
            raise type(error)(f"line {number}: {error.message}", hint=error.hint) from None
    return receipts


def check_content(what: str, digest: str, content: bytes) -> None:
    """Raise ReceiptInvalid unless `content` is the `what` that has this digest."""
    if sha256(content).hexdigest() != digest:
        raise ReceiptInvalid(
            f"the {what} given is not the one in the receipt",
            hint=f"The receipt is about {what} with the SHA-256 digest {digest}.",
        )


def canonical_json(value: Any) -> str:
    """The one text for a value made of plain data."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def capability_digest(capability: Capability) -> str:
    """The digest of a capability, the same for all versions of EasyNet to which it means the same."""
    # Without defaults: what a later version adds to every capability leaves the digest as it was.
    plain = capability.model_dump(mode="json", exclude_defaults=True)
    return sha256(canonical_json(plain).encode()).hexdigest()
