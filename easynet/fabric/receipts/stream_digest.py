"""What a receipt says of a stream."""

from hashlib import sha256


class StreamDigest:
    """The digest of a stream so far: of each item its length, in eight bytes, and the item."""

    def __init__(self) -> None:
        self._hash = sha256()

    def add(self, item: bytes) -> None:
        self._hash.update(len(item).to_bytes(8, "big") + item)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
