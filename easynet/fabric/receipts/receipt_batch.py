"""Receipts as they travel from a node to a client: many calls, next to each other in one signed tree."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import msgpack
from pydantic import ValidationError

from easynet.core.errors import BadFrame, ReceiptInvalid
from easynet.core.receipt import CallFacts, Facts, OfferFacts, Receipt
from easynet.fabric.access.identity import verify
from easynet.fabric.receipts.merkle import MerkleRange, leaf_hash
from easynet.fabric.wire import packing

_VERSION: Final = 1
_MAX_CALLS: Final = 4096
_MAX_OFFER_BYTES: Final = 64 * 1024
"""An offer is hashed once for every call of it, so a long one would make a short message a lot of work."""
# A node's key signs other things as well: its gateway sends it a text to sign whenever it connects.
# No text in UTF-8 holds the first byte, so no text is ever taken for the root of a tree.
_CONTEXT: Final = b"\xffeasynet receipts 1\n"


def signed_bytes(root: bytes) -> bytes:
    """What a node signs for a tree of receipts."""
    return _CONTEXT + root


def leaf_text(call: bytes, offer: bytes) -> bytes:
    """The text of `Facts`, from the texts of its parts."""
    return b'{"call":' + call + b',"offer":' + offer + b"}"


@dataclass(frozen=True, slots=True)
class ReceiptBatch:
    """Receipts for one client under one signature; of what all share, there is one copy."""

    signature: bytes
    size: int
    """Leaves in the tree."""
    first: int
    """The position in the tree of the first of `calls`."""
    neighbours: list[bytes]
    """Hashes that lead from these leaves to the root."""
    offers: list[bytes]
    """Texts of `OfferFacts`, each for one or more of the calls."""
    offer_indices: list[int]
    """For each call the position of its offer."""
    calls: list[bytes]
    """Texts of `CallFacts`."""

    def encode(self) -> bytes:
        return packing.pack(
            [
                _VERSION,
                self.signature,
                self.size,
                self.first,
                self.neighbours,
                self.offers,
                self.offer_indices,
                self.calls,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message; raises BadFrame."""
        try:
            frame = msgpack.unpackb(data)
        # Whatever a stranger sends, there is one answer to it.
        except Exception as error:
            raise BadFrame("receipts that are not msgpack") from error
        match frame:
            case [int(version), *_] if version != _VERSION:
                raise BadFrame(f"receipts of version {version}; this side reads version {_VERSION}")
            case [int(), bytes(signature), size, first, [*neighbours], [*offers], [*at], [*calls]] if (
                all(type(number) is int for number in (frame[0], size, first, *at))
                and all(isinstance(part, bytes) for part in (*neighbours, *offers, *calls))
                and all(len(offer) <= _MAX_OFFER_BYTES for offer in offers)
                and all(0 <= index < len(offers) for index in at)
                and 0 < len(calls) == len(at) <= _MAX_CALLS
                and 0 < len(offers) <= len(calls)
            ):
                return cls(signature, size, first, neighbours, offers, at, calls)
            case _:
                raise BadFrame("receipts that cannot be read")

    def receipts(self, key_of: Callable[[str], str | None]) -> list[Receipt]:
        """The receipts, each for itself; raises BadFrame or ReceiptInvalid unless all hold.

        `key_of` knows the public keys of nodes, and None for a node that it does not know.
        """
        try:
            offers = [OfferFacts.model_validate_json(text) for text in self.offers]
            texts = [
                leaf_text(call, self.offers[at])
                for call, at in zip(self.calls, self.offer_indices, strict=True)
            ]
            tree = MerkleRange([leaf_hash(text) for text in texts], self.first, self.size, self.neighbours)
            for offer in offers:
                if offer.node_key != key_of(offer.node):
                    raise ReceiptInvalid(f"a receipt in the name of {offer.node!r} is not of that node's key")
            if any(not verify(key, signed_bytes(tree.root), self.signature) for key in _keys(offers)):
                raise ReceiptInvalid(f"the node {offers[0].node!r} did not sign these receipts")
            calls = [CallFacts.model_validate_json(text) for text in self.calls]
        except (ValidationError, ValueError) as error:
            raise BadFrame("receipts that cannot be read") from error
        facts = [
            Facts(call=call, offer=offers[at]) for call, at in zip(calls, self.offer_indices, strict=True)
        ]
        if any(fact.to_json().encode() != text for fact, text in zip(facts, texts, strict=True)):
            raise ReceiptInvalid("receipts whose text is not in the one form that they may have")
        return [
            Receipt(
                facts=fact,
                path=tuple((side, hash_.hex()) for side, hash_ in tree.path(position)),
                signature=self.signature.hex(),
            )
            for position, fact in enumerate(facts)
        ]


def _keys(offers: list[OfferFacts]) -> set[str]:
    return {offer.node_key for offer in offers}
