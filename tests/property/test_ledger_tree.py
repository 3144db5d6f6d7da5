"""The fast tree says what the standard's tree says, and no flipped bit passes a proof."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from federation.ledger.frontier import Frontier
from federation.ledger.hashes import Place, consistency_path, inclusion_path, range_roots, tree_root
from federation.ledger.tree import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    proves_consistency,
    proves_inclusion,
    root,
)

pytestmark = pytest.mark.property

ENTRIES = [sha256(str(number).encode()).digest() for number in range(300)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def subtree(place: Place) -> bytes:
    level, index = place
    return root(LEAVES[index << level : (index + 1) << level])


sizes = st.integers(1, len(LEAVES))


@given(sizes, st.data())
@settings(max_examples=60)
def test_roots_and_proofs_from_subtrees_are_the_standards(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    assert tree_root(size, subtree) == root(LEAVES[:size])
    assert inclusion_path(index, size, range_roots(subtree)) == inclusion_proof(index, LEAVES[:size])
    assert consistency_path(first, size, subtree) == consistency_proof(first, LEAVES[:size])


@given(st.lists(st.integers(0, 40), max_size=12), st.data())
@settings(max_examples=60)
def test_a_frontier_fed_in_batches_proves_every_fresh_leaf(batches: list[int], data: st.DataObject) -> None:
    frontier = Frontier(0, {})
    for batch in batches:
        before = frontier.size
        frontier.extend(LEAVES[before : before + batch])
        after = frontier.size
        assert frontier.root() == root(LEAVES[:after])
        if after > before:
            index = data.draw(st.integers(before, after - 1))
            proof = frontier.inclusion_path(index)
            assert proof == inclusion_proof(index, LEAVES[:after])
        frontier.settle()
    resumed = Frontier.of(frontier.size, subtree)
    assert resumed.edge == frontier.edge


@given(sizes, st.data())
@settings(max_examples=100)
def test_a_flipped_bit_anywhere_fails_an_inclusion_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    top = root(LEAVES[:size])
    chain = [LEAVES[index], *inclusion_proof(index, LEAVES[:size]), top]
    assert proves_inclusion(chain[0], index, size, chain[1:-1], chain[-1])
    which = data.draw(st.integers(0, len(chain) - 1))
    chain[which] = flip(chain[which], data.draw(st.integers(0, 255)))
    assert not proves_inclusion(chain[0], index, size, chain[1:-1], chain[-1])
    assert not proves_inclusion(LEAVES[index], index + size, size, chain[1:-1], top)


@given(sizes, st.data())
@settings(max_examples=100)
def test_a_flipped_bit_anywhere_fails_a_consistency_proof(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    chain = [root(LEAVES[:first]), *consistency_proof(first, LEAVES[:size]), root(LEAVES[:size])]
    assert proves_consistency(first, chain[0], size, chain[-1], chain[1:-1])
    which = data.draw(st.integers(0, len(chain) - 1))
    chain[which] = flip(chain[which], data.draw(st.integers(0, 255)))
    assert not proves_consistency(first, chain[0], size, chain[-1], chain[1:-1])


@given(sizes, st.data())
@settings(max_examples=100)
def test_a_longer_or_shorter_proof_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    path, link = inclusion_proof(index, LEAVES[:size]), consistency_proof(first, LEAVES[:size])
    top, old = root(LEAVES[:size]), root(LEAVES[:first])
    assert not proves_inclusion(LEAVES[index], index, size, (*path, LEAVES[0]), top)
    assert not proves_consistency(first, old, size, top, (*link, LEAVES[0]))
    if path:
        assert not proves_inclusion(LEAVES[index], index, size, path[:-1], top)
    if link:
        assert not proves_consistency(first, old, size, top, link[:-1])


@given(sizes)
@settings(max_examples=30)
def test_the_roots_are_those_of_an_independent_library(size: int) -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for entry in ENTRIES[:size]:
        oracle.append_entry(entry)
    assert oracle.get_root(size) == root(LEAVES[:size])


def flip(digest: bytes, bit: int) -> bytes:
    return bytes(octet ^ (1 << bit % 8 if place == bit // 8 else 0) for place, octet in enumerate(digest))
