"""Tiles of the tree (C2SP tlog-tiles): filled while the ledger grows, and named by their paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from typing_extensions import override

from federation.contract.errors import NotFoundError
from federation.ledger.hashes import SubtreeHashes
from federation.ledger.store import StoredTile
from federation.ledger.stored_hashes import TILE_HEIGHT, TILE_WIDTH

_MAX_LEVEL = 63
_PATH = re.compile(
    r"tile/(?P<level>[0-9]{1,2}|entries)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(slots=True)
class OpenTiles:
    """The rightmost tile of each level, not yet full."""

    hashes: list[list[bytes]]

    @classmethod
    def of(cls, size: int, hashes: SubtreeHashes) -> OpenTiles:
        """Return the unfinished tiles of a tree of `size` leaves."""
        levels: list[list[bytes]] = []
        level = 0
        while size >> (TILE_HEIGHT * level):
            width = size >> (TILE_HEIGHT * level)
            start = width - width % TILE_WIDTH
            levels.append([hashes((TILE_HEIGHT * level, index)) for index in range(start, width)])
            level += 1
        return cls(levels)

    def fill(self, size: int, leaves: Iterable[bytes], hashes: SubtreeHashes) -> Iterator[StoredTile]:
        """Add the leaf hashes that follow the first `size`, and yield every tile that became full."""
        for index, leaf in enumerate(leaves, start=size):
            yield from self._add(0, index, leaf, hashes)

    def _add(self, level: int, index: int, value: bytes, hashes: SubtreeHashes) -> Iterator[StoredTile]:
        if level == len(self.hashes):
            self.hashes.append([])
        row = self.hashes[level]
        row.append(value)
        if len(row) == TILE_WIDTH:
            number = index >> TILE_HEIGHT
            yield StoredTile(level, number, b"".join(row))
            row.clear()
            above = hashes((TILE_HEIGHT * (level + 1), number))
            yield from self._add(level + 1, number, above, hashes)


@dataclass(frozen=True, slots=True)
class TilePath:
    """Where a tile is served: `tile/<level>/<number>[.p/<width>]`; level None means a bundle of entries."""

    level: int | None
    number: int
    width: int

    @classmethod
    def parse(cls, path: str) -> TilePath:
        """Read a path.

        Raises:
            NotFoundError: no tile can have that path.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise NotFoundError("no tile has this path")
        groups = match["number"].replace("x", "").split("/")
        number = int("".join(groups))
        level = None if match["level"] == "entries" else int(match["level"])
        width = TILE_WIDTH if match["width"] is None else int(match["width"])
        found = cls(level, number, width)
        if (level or 0) > _MAX_LEVEL or not 0 < width <= TILE_WIDTH or str(found) != path:
            raise NotFoundError("no tile has this path")
        return found

    @override
    def __str__(self) -> str:
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{number}{partial}"


def tiles_of(size: int) -> list[TilePath]:
    """Return the paths of all hash tiles of a tree of `size` leaves, full and partial."""
    paths: list[TilePath] = []
    level = 0
    while size >> (TILE_HEIGHT * level):
        width = size >> (TILE_HEIGHT * level)
        paths += [TilePath(level, number, TILE_WIDTH) for number in range(width // TILE_WIDTH)]
        if width % TILE_WIDTH:
            paths.append(TilePath(level, width // TILE_WIDTH, width % TILE_WIDTH))
        level += 1
    return paths
