"""Merkle trees as in RFC 6962, section 2.1: one hash for many texts, and short proofs that it holds a text.

A leaf and an inner node are hashed with different first bytes, so that neither can pass for the other, and an
odd node at the end of a level moves up as it is, so that no two lists of leaves share a root.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Literal

Step = tuple[Literal["left", "right"], bytes]
"""On which side a neighbour stands, and its hash."""


def leaf_hash(text: bytes) -> bytes:
    return sha256(b"\x00" + text).digest()


def parent_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """A tree over all its leaves."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """`leaves` are hashes, at least one."""
        level = list(leaves)
        self._levels = [level]
        while len(level) > 1:
            above = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(level[::2], level[1::2], strict=False)
            ]
            if len(level) % 2:
                above.append(level[-1])
            self._levels.append(above)
            level = above

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def neighbours(self, first: int, count: int) -> list[bytes]:
        """The hashes that, with `count` leaves from `first` on, give the root: a `MerkleRange` takes them."""
        last = first + count - 1
        found = []
        for level in self._levels:
            if first % 2:
                found.append(level[first - 1])
            if last % 2 == 0 and last + 1 < len(level):
                found.append(level[last + 1])
            first, last = first // 2, last // 2
        return found


class MerkleRange:
    """Some adjacent leaves of a tree, with what it takes to know its root."""

    def __init__(self, leaves: Sequence[bytes], first: int, size: int, neighbours: Iterable[bytes]) -> None:
        """`first` is the position of the first of `leaves` among the `size` leaves of the tree.

        Raises ValueError where these do not fit together.
        """
        if not leaves or first < 0 or first + len(leaves) > size:
            raise ValueError("leaves outside the tree")
        self._first = first
        self._levels: list[dict[int, bytes]] = []
        rest = iter(neighbours)
        level = dict(enumerate(leaves, first))
        while size > 1:
            lowest, highest = min(level), max(level)
            for index in (lowest - 1) if lowest % 2 else None, highest + 1 if highest % 2 == 0 else None:
                if index is not None and index < size:
                    hash_ = next(rest, None)
                    if hash_ is None:
                        raise ValueError("too few neighbours")
                    level[index] = hash_
            self._levels.append(level)
            level = {
                index // 2: parent_hash(level[index], level[index + 1]) if index + 1 < size else level[index]
                for index in level
                if index % 2 == 0
            }
            size = (size + 1) // 2
        if next(rest, None) is not None:
            raise ValueError("too many neighbours")
        self.root = level[0]

    def path(self, position: int) -> tuple[Step, ...]:
        """The way to the root from the leaf at `position` of this range."""
        index = self._first + position
        steps: list[Step] = []
        for level in self._levels:
            if index % 2:
                steps.append(("left", level[index - 1]))
            elif index + 1 in level:
                steps.append(("right", level[index + 1]))
            index //= 2
        return tuple(steps)


def root_of(leaf: bytes, path: Iterable[Step]) -> bytes:
    """The root of the tree in which `path` leads up from `leaf`."""
    for side, neighbour in path:
        leaf = parent_hash(neighbour, leaf) if side == "left" else parent_hash(leaf, neighbour)
    return leaf
