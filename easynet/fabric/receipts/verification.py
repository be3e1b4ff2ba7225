"""Receipts as anybody checks them."""

from easynet.core.errors import ReceiptInvalid
from easynet.core.receipt import Receipt
from easynet.fabric.access.identity import verify
from easynet.fabric.receipts.merkle import leaf_hash, root_of
from easynet.fabric.receipts.receipt_batch import signed_bytes


def verify_receipt(receipt: Receipt, *, key: str | None = None) -> None:
    """Raise ReceiptInvalid unless the key in the receipt signed it, and that key is `key` if one is given."""
    call, offer = receipt.facts.call, receipt.facts.offer
    leaf = leaf_hash(receipt.facts.to_json().encode())
    root = root_of(leaf, ((side, bytes.fromhex(hash_)) for side, hash_ in receipt.path))
    if not verify(offer.node_key, signed_bytes(root), bytes.fromhex(receipt.signature)):
        raise ReceiptInvalid(
            f"the receipt of call {call.id!r} was changed, or its key did not sign it",
            hint="What it says is worth nothing. Ask the client that got it for the file as it was saved.",
        )
    if key is not None and key != offer.node_key:
        raise ReceiptInvalid(
            f"the receipt of call {call.id!r} is signed, but by another key, {offer.node_key}",
            hint=f"Somebody else may have signed in the name of {offer.node!r}.",
        )
