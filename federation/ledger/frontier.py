"""The growing edge of the tree: appends in amortised constant time and logarithmic memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from federation.ledger.hashes import Place, SubtreeHashes, inclusion_path, range_roots, tree_root
from federation.ledger.tree import node_hash


@dataclass(slots=True)
class Frontier:
    """What must be remembered of a tree in order to append to it: one hash for every power of two in its size.

    `fresh` holds the complete subtrees that `extend` closed, until `settle`: the hashes that a proof for a fresh leaf
    needs are either fresh or on the edge, because a left neighbour that is older than the batch is one of the powers of
    two of the old size.
    """

    size: int
    edge: dict[Place, bytes]
    fresh: dict[Place, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, size: int, hashes: SubtreeHashes) -> Frontier:
        """Return the edge of the tree of `size` leaves whose subtrees `hashes` knows."""
        return cls(size, {place: hashes(place) for place in _edge_places(size)})

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes and close every subtree that they complete."""
        known = self.fresh
        for leaf in leaves:
            level, index, closed = 0, self.size, leaf
            known[0, index] = closed
            while index & 1:
                closed = node_hash(self.hash_at((level, index - 1)), closed)
                level, index = level + 1, index >> 1
                known[level, index] = closed
            self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree, fresh leaves included."""
        return tree_root(self.size, self.hash_at)

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """Return the proof of the fresh leaf `index` in the present tree."""
        return inclusion_path(index, self.size, range_roots(self.hash_at))

    def settle(self) -> None:
        """Forget the fresh subtrees, once nobody needs a proof from here, and keep the new edge."""
        self.edge = {place: self.hash_at(place) for place in _edge_places(self.size)}
        self.fresh = {}

    def hash_at(self, place: Place) -> bytes:
        """Return a fresh subtree, or one on the edge."""
        found = self.fresh.get(place)
        return self.edge[place] if found is None else found


def _edge_places(size: int) -> list[Place]:
    """Name the complete subtrees that make up a tree of `size`, one for each bit of it."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]
