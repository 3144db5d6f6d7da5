"""Verification of a whole ledger: everything is rebuilt from the entries, and only the public key is trusted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from federation.contract.errors import CroceviaError, LedgerCorruptError
from federation.ledger.checkpoint import Checkpoint, open_checkpoint
from federation.ledger.frontier import Frontier
from federation.ledger.leaf import Leaf, SubjectKey
from federation.ledger.note import Ed25519Verifier
from federation.ledger.store import LedgerStore, StoredTile
from federation.ledger.tiles import OpenTiles
from federation.ledger.tree import EMPTY_ROOT, leaf_hash


@dataclass(frozen=True, slots=True)
class VerifiedLedger:
    """What was verified: the head, and how many checkpoints, tiles and subject links agree with the entries."""

    head: Checkpoint
    checkpoints: int
    tiles: int
    subjects: int


def verify_ledger(store: LedgerStore, log: Ed25519Verifier, known: Iterable[Checkpoint] = ()) -> VerifiedLedger:
    """Rebuild the ledger from its entries and compare everything else with them.

    (1) The file is structurally sound. (2) Entries are numbered without gap, readable and canonical, and hash to what
    was stored. (3) Every checkpoint is signed by the log and has the root of the entries before it. (4) The last
    checkpoint covers the last entry. (5) Every tile holds the hashes of the tree, and none is missing. (6) Every tag of
    every entry has its row in the subject index. (7) Every checkpoint in `known`, which others kept (receipts,
    witnesses), is one of this history: without one, a ledger cut back to an older state looks like an old copy.

    Raises:
        LedgerCorruptError: with the first bad entry, as far as it can be named.
    """
    verification = _Verification(store, log)
    try:
        verification.structure()  # (1)
        subjects = verification.entries(_by_size(known))  # (2) (3) (7)
        verification.all_covered()  # (4)
        tiles = verification.compare_tiles()  # (5)
        verification.compare_subjects()  # (6)
    except (sqlite3.Error, TypeError, ValueError) as error:  # a row that cannot be read, or of another type
        first = verification.frontier.size
        raise LedgerCorruptError(f"ledger file is damaged at entry {first} or after", firstBad=first) from error
    head = Checkpoint(log.name, verification.frontier.size, verification.frontier.root())
    return VerifiedLedger(head, verification.checkpoints, tiles, subjects)


def verify_subject_index(store: LedgerStore, keys: Iterable[SubjectKey]) -> int:
    """Check with the subjects' keys that the index hides no entry from its subject; return how many links it has.

    The public verification cannot do this: that a link belongs to a tag is known to nobody without the key. A link
    must be of a key that exists and whose tag stands in the entry. A blank link, which erasure leaves behind, must not
    be of any key that still exists; each blank one costs a comparison with every key.

    Raises:
        LedgerCorruptError: with the first entry whose links are wrong.
    """
    by_lookup = {key.lookup: key for key in keys}
    links = 0
    try:
        for index, position, lookup in store.subject_rows():
            leaf = Leaf.parse(store.leaf(index) or b"")
            tag = leaf.subjects[position].tag
            if lookup:
                links += 1
                key = by_lookup.get(lookup)
                wrong = key is None or key.tag(leaf.nonce) != tag
            else:
                wrong = any(key.tag(leaf.nonce) == tag for key in by_lookup.values())
            if wrong:
                raise LedgerCorruptError(f"subject index is wrong about ledger entry {index}", firstBad=index)
    except (sqlite3.Error, TypeError, ValueError, IndexError) as error:
        raise LedgerCorruptError("subject index is damaged") from error
    return links


class _Verification:
    """The state of one verification: the tree so far, and what stands beside it."""

    def __init__(self, store: LedgerStore, log: Ed25519Verifier) -> None:
        self.store = store
        self.log = log
        self.frontier = Frontier(0, {})
        self.open_tiles = OpenTiles([])
        self.rebuilt_tiles: dict[tuple[int, int], bytes] = {}
        self.subject_counts: dict[int, int] = {}
        self.checkpoints = 0
        self.covered = 0
        self.tiles = 0

    def structure(self) -> None:
        complaint = self.store.integrity()
        if complaint != "ok":
            raise LedgerCorruptError(f"ledger file is damaged: {complaint}")

    def entries(self, known: dict[int, list[Checkpoint]]) -> int:
        """Walk entries and checkpoints together, in the order of the tree's size."""
        notes = _Peekable(self.store.checkpoints())
        subjects = 0
        self._compare_known(known)
        for expected, (index, content, stored_hash) in enumerate(self.store.rows()):
            if index != expected:
                raise LedgerCorruptError(f"ledger entry {expected} is missing", firstBad=expected)
            subjects += self._take(index, content, stored_hash)
            while notes.first is not None and notes.first[0] <= self.frontier.size:
                self._compare_checkpoint(*notes.take())
            self._compare_known(known)
        if notes.first is not None:
            size = self.frontier.size
            raise LedgerCorruptError(
                f"ledger entry {size} is missing: a checkpoint covers {notes.first[0]} entries", firstBad=size
            )
        beyond = [size for size in known if size > self.frontier.size]
        if beyond:
            size = self.frontier.size
            raise LedgerCorruptError(
                f"ledger entry {size} is missing: somebody holds a checkpoint of {min(beyond)} entries", firstBad=size
            )
        return subjects

    def _take(self, index: int, content: bytes, stored_hash: bytes) -> int:
        hashed = leaf_hash(content)
        if hashed != stored_hash:
            raise LedgerCorruptError(f"ledger entry {index} does not hash to what was recorded", firstBad=index)
        try:
            leaf = Leaf.parse(content)
        except LedgerCorruptError as error:
            raise LedgerCorruptError(f"ledger entry {index} cannot be read", firstBad=index) from error
        before = self.frontier.size
        self.frontier.extend([hashed])
        for tile in self.open_tiles.fill(before, [hashed], self.frontier.hash_at):
            self._keep_tile(tile)
        self.frontier.settle()
        if leaf.subjects:
            self.subject_counts[index] = len(leaf.subjects)
        return len(leaf.subjects)

    def _keep_tile(self, tile: StoredTile) -> None:
        self.rebuilt_tiles[tile.level, tile.number] = leaf_hash(tile.hashes)  # its digest is enough to compare

    def _compare_checkpoint(self, size: int, note: str) -> None:
        try:
            signed = open_checkpoint(note, self.log).checkpoint
        except CroceviaError as error:
            raise LedgerCorruptError(f"checkpoint of {size} entries is not the ledger's: {error.message}") from error
        if signed.size != size or size != self.frontier.size or signed.root != self.frontier.root():
            raise LedgerCorruptError(
                f"ledger entries {self.covered} to {size - 1} are not those of their checkpoint", firstBad=self.covered
            )
        self.checkpoints += 1
        self.covered = size

    def _compare_known(self, known: dict[int, list[Checkpoint]]) -> None:
        size = self.frontier.size
        for checkpoint in known.get(size, ()):
            root = self.frontier.root() if size else EMPTY_ROOT
            if checkpoint.origin != self.log.name or checkpoint.root != root:
                raise LedgerCorruptError(f"ledger forked: somebody holds another checkpoint of {size} entries")

    def all_covered(self) -> None:
        if self.covered != self.frontier.size:
            raise LedgerCorruptError(
                f"ledger entries from {self.covered} on are under no checkpoint", firstBad=self.covered
            )

    def compare_tiles(self) -> int:
        for level, number, hashes in self.store.tiles():
            if self.rebuilt_tiles.pop((level, number), None) != leaf_hash(hashes):
                first = number << (8 * (level + 1))
                raise LedgerCorruptError(f"ledger tile {level}/{number}, from entry {first} on, is not the tree's")
            self.tiles += 1
        if self.rebuilt_tiles:
            level, number = min(self.rebuilt_tiles)
            raise LedgerCorruptError(f"ledger tile {level}/{number} is missing")
        return self.tiles

    def compare_subjects(self) -> None:
        expected = ((index, position) for index, count in self.subject_counts.items() for position in range(count))
        stored = ((index, position) for index, position, _ in self.store.subject_rows())
        for wanted, found in zip_longest(expected, stored):
            if wanted != found:
                first = min(place[0] for place in (wanted, found) if place is not None)
                raise LedgerCorruptError(f"subject index does not fit ledger entry {first}", firstBad=first)


class _Peekable:
    """Rows of (size, note) of which the first can be looked at before it is taken."""

    def __init__(self, rows: Iterator[tuple[int, str]]) -> None:
        self._rows = rows
        self.first = next(rows, None)

    def take(self) -> tuple[int, str]:
        taken = self.first
        assert taken is not None
        self.first = next(self._rows, None)
        return taken


def _by_size(known: Iterable[Checkpoint]) -> dict[int, list[Checkpoint]]:
    found: dict[int, list[Checkpoint]] = {}
    for checkpoint in known:
        found.setdefault(checkpoint.size, []).append(checkpoint)
    return found
