"""Roots and proofs from complete subtrees: RFC 6962 section 2.1 for a tree whose hashes are looked up, not held."""

from __future__ import annotations

from collections.abc import Callable

from federation.ledger.tree import EMPTY_ROOT, largest_power_of_two_below, node_hash

Place = tuple[int, int]
"""A complete subtree: (level, index) spans the leaves from index * 2**level to (index + 1) * 2**level."""

SubtreeHashes = Callable[[Place], bytes]
"""Looks up the hash of a complete subtree."""

RangeRoots = Callable[[int, int], bytes]
"""Returns MTH(D[low:high]) of a range that a proof names."""


def tree_root(size: int, hashes: SubtreeHashes) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _range_root(0, size, hashes) if size else EMPTY_ROOT


def range_roots(hashes: SubtreeHashes) -> RangeRoots:
    """Return the roots of ranges; who makes many proofs of one tree may keep what it returns."""
    return lambda low, high: _range_root(low, high, hashes)


def inclusion_path(index: int, size: int, root_of: RangeRoots) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]) (RFC 6962 section 2.1.1), from the leaf upwards."""
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + largest_power_of_two_below(high - low)
        if index < middle:
            path.append(root_of(middle, high))
            high = middle
        else:
            path.append(root_of(low, middle))
            low = middle
    path.reverse()
    return tuple(path)


def consistency_path(first: int, second: int, hashes: SubtreeHashes) -> tuple[bytes, ...]:
    """Return PROOF(first, D[second]) (RFC 6962 section 2.1.2); empty when `first` is 0 or equal to `second`."""
    if first in {0, second}:
        return ()
    path: list[bytes] = []
    low, high, whole = 0, second, True
    while first != high:
        middle = low + largest_power_of_two_below(high - low)
        if first <= middle:
            path.append(_range_root(middle, high, hashes))
            high = middle
        else:
            path.append(_range_root(low, middle, hashes))
            low, whole = middle, False
    if not whole:
        path.append(_range_root(low, high, hashes))
    path.reverse()
    return tuple(path)


def _range_root(low: int, high: int, hashes: SubtreeHashes) -> bytes:
    """Return MTH(D[low:high]), where `low` is a multiple of the largest power of two within the range."""
    length = high - low
    if length & (length - 1) == 0:
        level = length.bit_length() - 1
        return hashes((level, low >> level))
    middle = low + largest_power_of_two_below(length)
    return node_hash(_range_root(low, middle, hashes), _range_root(middle, high, hashes))
