"""The Merkle tree of RFC 6962 section 2.1, written as the standard writes it.

This file is for reading and for checking; `federation.ledger.frontier` and `federation.ledger.hashes` compute the same
hashes and proofs without holding all leaves, and are tied to this file by a property and by published vectors. Every
function takes *leaf hashes*, never entries, so that who checks a proof does not need the other entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""MTH({}): the hash of the empty tree."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf: SHA-256(0x00 ‖ entry) (section 2.1)."""
    return sha256(b"\x00" + entry).digest()  # the prefix keeps a leaf from passing as an inner node


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent: SHA-256(0x01 ‖ left ‖ right) (section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash MTH of the leaf hashes (section 2.1)."""
    match len(leaves):
        case 0:
            return EMPTY_ROOT
        case 1:
            return leaves[0]
        case n:
            k = largest_power_of_two_below(n)
            return node_hash(root(leaves[:k]), root(leaves[k:]))


def inclusion_proof(m: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return PATH(m, D[n]): the hashes that lead from leaf `m` to the root (section 2.1.1)."""
    n = len(leaves)
    if n <= 1:
        return ()
    k = largest_power_of_two_below(n)
    if m < k:
        return (*inclusion_proof(m, leaves[:k]), root(leaves[k:]))
    return (*inclusion_proof(m - k, leaves[k:]), root(leaves[:k]))


def consistency_proof(m: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return PROOF(m, D[n]), 0 < m <= n: the first `m` leaves are a prefix of this tree (section 2.1.2)."""
    return _subproof(m, leaves, whole=True)


def _subproof(m: int, leaves: Sequence[bytes], *, whole: bool) -> tuple[bytes, ...]:
    """SUBPROOF(m, D[n], b) of section 2.1.2; `whole` is the standard's `b`: the verifier already has this subtree."""
    n = len(leaves)
    if m == n:
        return () if whole else (root(leaves),)
    k = largest_power_of_two_below(n)
    if m <= k:
        return (*_subproof(m, leaves[:k], whole=whole), root(leaves[k:]))
    return (*_subproof(m - k, leaves[k:], whole=False), root(leaves[:k]))


def proves_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Tell whether `proof` leads from the leaf hash at `index` to the root of a tree of `size`.

    The algorithm of RFC 9162 section 2.1.3.2; step numbers are the standard's.
    """
    if not 0 <= index < size:  # 1
        return False
    fn, sn, r = index, size - 1, leaf  # 2, 3
    for p in proof:  # 4
        if sn == 0:  # 4a
            return False
        if fn & 1 or fn == sn:  # 4b
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1  # 4c
    return sn == 0 and r == expected_root  # 5


def proves_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the tree of size `first` is a prefix of the one of size `second` (RFC 9162 section 2.1.4.2).

    The empty tree is a prefix of every tree, by an empty proof (C2SP tlog-witness, `add-checkpoint`), and so is a tree
    of itself. Step numbers are the standard's.
    """
    if not 0 <= first <= second:
        return False
    if first == second:
        return first_root == second_root and not proof
    if first == 0:
        return first_root == EMPTY_ROOT and not proof
    if not proof:  # 1
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)  # 2
    fn, sn = first - 1, second - 1  # 3
    while fn & 1:  # 4
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]  # 5
    for c in path[1:]:  # 6
        if sn == 0:  # 6a
            return False
        if fn & 1 or fn == sn:  # 6b
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1  # 6c
    return sn == 0 and fr == first_root and sr == second_root  # 7


def largest_power_of_two_below(n: int) -> int:
    """Return k, the largest power of two smaller than `n` > 1 (section 2.1)."""
    return 1 << ((n - 1).bit_length() - 1)
