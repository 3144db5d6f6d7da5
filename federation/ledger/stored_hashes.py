"""Subtree hashes of a stored ledger, through its tiles: bounded memory, a few rows for each proof."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from federation.contract.errors import LedgerCorruptError
from federation.ledger.hashes import Place
from federation.ledger.tree import node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
HASH_BYTES = 32
_CACHED_TILES = 256
_CACHED_EDGE = 4 * TILE_WIDTH


class HashRows(Protocol):
    """The part of a store that holds hashes."""

    def leaf_hashes(self, first: int, end: int) -> list[bytes]:
        """Return the leaf hashes of a half-open range, as far as it exists."""
        ...

    def tile(self, level: int, number: int) -> bytes | None:
        """Return a full tile, or None when it is not full yet."""
        ...


@dataclass(slots=True)
class StoredHashes:
    """Looks up complete subtrees: in full tiles where they exist, else from the leaves of the unfinished edge.

    A complete subtree never changes, so what was read or computed is kept: the last full tiles, every hash from the top
    of a leaf tile upwards (one for every 128 leaves), and what lies below in the unfinished tile.
    """

    rows: HashRows
    _tops: dict[Place, bytes] = field(default_factory=dict, repr=False)
    _edge: dict[Place, bytes] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _tiles: OrderedDict[tuple[int, int], list[list[bytes]]] = field(default_factory=OrderedDict, repr=False)

    def __call__(self, place: Place) -> bytes:
        """Return the hash of the complete subtree at `place`.

        Raises:
            LedgerCorruptError: the store does not hold it.
        """
        kept = self._tops if place[0] >= TILE_HEIGHT else self._edge
        known = kept.get(place)
        if known is not None:
            return known
        tile_level, inner = divmod(place[0], TILE_HEIGHT)
        expanded = self._expanded(tile_level, (place[1] << inner) >> TILE_HEIGHT)
        if expanded is not None:
            return expanded[inner][place[1] & ((1 << (TILE_HEIGHT - inner)) - 1)]
        if len(self._edge) > _CACHED_EDGE:
            self._edge.clear()
        found = kept[place] = self._computed(place)
        return found

    def _computed(self, place: Place) -> bytes:
        """Return a subtree that no full tile holds: a leaf, the top of the tile below, or two children."""
        level, index = place
        if level == 0:
            found = self.rows.leaf_hashes(index, index + 1)
            if not found:
                raise LedgerCorruptError(f"ledger entry {index} is missing")
            return found[0]
        if level % TILE_HEIGHT == 0:
            below = self._expanded(level // TILE_HEIGHT - 1, index)
            if below is None:
                raise LedgerCorruptError(f"ledger tile {level // TILE_HEIGHT - 1}/{index} is missing")
            return below[TILE_HEIGHT][0]
        return node_hash(self((level - 1, 2 * index)), self((level - 1, 2 * index + 1)))

    def _expanded(self, level: int, number: int) -> list[list[bytes]] | None:
        """Return the nine rows of hashes of a full tile, from its 256 hashes up to its top."""
        with self._lock:
            known = self._tiles.get((level, number))
            if known is not None:
                self._tiles.move_to_end((level, number))
                return known
        content = self.rows.tile(level, number)
        if content is None:
            return None
        if len(content) != TILE_WIDTH * HASH_BYTES:
            raise LedgerCorruptError(f"ledger tile {level}/{number} has {len(content)} bytes")
        rows = [[content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)]]
        while len(rows[-1]) > 1:
            pairs = iter(rows[-1])
            rows.append([node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)])
        with self._lock:
            self._tiles[level, number] = rows
            if len(self._tiles) > _CACHED_TILES:
                self._tiles.popitem(last=False)
        return rows
