"""Tiles are laid out as C2SP tlog-tiles says."""

from __future__ import annotations

import asyncio

import pytest

from federation.contract.errors import NotFoundError
from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.tiles import TilePath, tiles_of
from federation.ledger.tree import leaf_hash, root
from tests.support.ledger import entry


def test_the_published_example_of_70_000_entries_has_its_tiles() -> None:
    paths = tiles_of(70_000)
    assert sum(path.level == 0 and path.width == 256 for path in paths) == 273
    assert [(path.level, path.width) for path in paths if path.width < 256] == [(0, 112), (1, 17), (2, 1)]
    assert sum(path.level == 1 and path.width == 256 for path in paths) == 1


def test_the_published_path_is_printed_and_read() -> None:
    path = TilePath(0, 1234067, 256)
    assert str(path) == "tile/0/x001/x234/067"
    assert TilePath.parse(str(path)) == path
    assert str(TilePath(None, 5, 7)) == "tile/entries/005.p/7"


NOT_PATHS = (
    "tile/0/1",
    "tile/00/001",
    "tile/0/x000/001",
    "tile/64/001",
    "tile/0/001.p/0",
    "tile/0/001.p/256",
    "tile/x/001",
)


@pytest.mark.parametrize("path", NOT_PATHS)
def test_text_that_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(NotFoundError):
        TilePath.parse(path)


async def test_a_reader_of_tiles_alone_rebuilds_the_root(ledger: Ledger, reader: LedgerReader) -> None:
    await asyncio.gather(*(ledger.append(entry(number)) for number in range(777)))
    head = reader.head().checkpoint
    hashes = b"".join(reader.tile(path) for path in tiles_of(777) if path.level == 0)
    leaves = [hashes[start : start + 32] for start in range(0, len(hashes), 32)]
    assert root(leaves) == head.root
    (above,) = (path for path in tiles_of(777) if path.level == 1)
    assert reader.tile(above) == b"".join(root(leaves[start : start + 256]) for start in (0, 256, 512))
    bundle = reader.tile(TilePath(None, 3, 9))
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert [leaf_hash(each) for each in entries] == leaves[768:]
    with pytest.raises(NotFoundError):
        reader.tile(TilePath(0, 3, 10))
