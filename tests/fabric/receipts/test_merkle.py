"""Trees over many texts: RFC 6962's own hashes, and proofs that hold for what is in the tree alone."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.receipts.merkle import MerkleRange, MerkleTree, leaf_hash, parent_hash, root_of

LEAVES = st.lists(st.binary(max_size=3).map(leaf_hash), min_size=1, max_size=70)


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1: the tree is split at the largest power of two under its size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return parent_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


def test_hashes_are_those_of_certificate_transparency() -> None:
    # The test vectors of the reference implementation.
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    leaves = [leaf_hash(bytes.fromhex(text)) for text in inputs]
    for size, root in roots.items():
        assert MerkleTree(leaves[:size]).root.hex() == root


@given(LEAVES)
def test_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert MerkleTree(leaves).root == root_by_definition(leaves)


@given(LEAVES, st.data())
def test_every_leaf_of_a_range_leads_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(leaves) - 1))
    count = data.draw(st.integers(1, len(leaves) - first))
    tree = MerkleTree(leaves)
    part = MerkleRange(leaves[first : first + count], first, len(leaves), tree.neighbours(first, count))
    assert part.root == tree.root
    for position in range(count):
        assert root_of(leaves[first + position], part.path(position)) == tree.root


@given(LEAVES, st.data())
def test_leaf_that_is_not_in_the_tree_leads_elsewhere(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    tree = MerkleTree(leaves)
    path = MerkleRange([leaves[at]], at, len(leaves), tree.neighbours(at, 1)).path(0)
    assert root_of(leaf_hash(b"forged"), path) != tree.root
    for step, (side, neighbour) in enumerate(path):
        other = (side, sha256(neighbour).digest())
        assert root_of(leaves[at], (*path[:step], other, *path[step + 1 :])) != tree.root


def test_inner_node_cannot_pass_for_a_text() -> None:
    a, b = leaf_hash(b"a"), leaf_hash(b"b")
    assert MerkleTree([a, b]).root != leaf_hash(a + b)


def test_repeated_last_leaf_changes_the_root() -> None:
    a, b, c = (leaf_hash(text) for text in (b"a", b"b", b"c"))
    assert MerkleTree([a, b, c]).root != MerkleTree([a, b, c, c]).root


def test_each_of_two_equal_leaves_has_its_own_way() -> None:
    same = leaf_hash(b"same")
    tree = MerkleTree([same, same])
    part = MerkleRange([same, same], 0, 2, [])
    assert part.root == tree.root
    assert [part.path(0), part.path(1)] == [(("right", same),), (("left", same),)]


@pytest.mark.parametrize(
    ("count", "first", "size", "neighbours"),
    [(0, 0, 1, 0), (1, -1, 2, 1), (1, 1, 1, 0), (2, 0, 1, 0), (1, 0, 2, 0), (1, 0, 2, 2), (1, 0, 2**63, 3)],
)
def test_range_that_contradicts_itself_is_refused(count: int, first: int, size: int, neighbours: int) -> None:
    with pytest.raises(ValueError, match=r"leaves|neighbours"):
        MerkleRange([bytes(32)] * count, first, size, [bytes(32)] * neighbours)
