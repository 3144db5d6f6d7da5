"""What a ledger shows: its entries with their proofs, by position or by subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Self

from federation.contract.errors import LedgerCorruptError, NotFoundError
from federation.contract.receipts import Receipt
from federation.ledger.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from federation.ledger.hashes import RangeRoots, consistency_path, inclusion_path, range_roots, tree_root
from federation.ledger.leaf import Leaf
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import make_receipt
from federation.ledger.store import LedgerStore
from federation.ledger.stored_hashes import TILE_WIDTH, StoredHashes
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.tiles import TilePath
from federation.ledger.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry as the ledger holds it, with the proof that it does.

    `personal` is what was sealed for the subject who asks, empty when nothing was or when nobody in particular asks.
    """

    index: int
    leaf: bytes
    entry: bytes
    receipt: Receipt
    personal: bytes = b""


@dataclass(slots=True)
class LedgerReader:
    """Reads a ledger beside its writer, on a connection of its own; methods may be called from any thread."""

    verifier: Ed25519Verifier
    store: LedgerStore
    _hashes: StoredHashes = field(repr=False)

    @classmethod
    def of(cls, store: LedgerStore, verifier: Ed25519Verifier) -> Self:
        """Return the reader of a store that is `verifier`'s name's; the reader closes it."""
        return cls(verifier, store, StoredHashes(store))

    def head(self) -> SignedCheckpoint:
        """Return the newest checkpoint.

        Raises:
            NotFoundError: nothing was recorded yet.
            LedgerCorruptError: the checkpoint is not signed by the ledger's key.
        """
        note = self.store.last_checkpoint()
        if note is None:
            raise NotFoundError("ledger has no checkpoint yet: nothing was recorded")
        return open_checkpoint(note, self.verifier)

    def entry(self, index: int) -> RecordedEntry:
        """Return the entry at `index`, proved under the newest checkpoint.

        Raises:
            NotFoundError: the ledger has no such entry.
        """
        head = self.head()
        if not 0 <= index < head.checkpoint.size:
            raise NotFoundError(f"ledger has entries 0 to {head.checkpoint.size - 1}, not {index}")
        return self._recorded(index, _Prover.under(head, range_roots(self._hashes)))

    def leaf(self, index: int) -> bytes:
        """Return the bytes of one leaf, without proof: for whoever holds its receipt.

        Raises:
            LedgerCorruptError: the ledger does not hold it.
        """
        content = self.store.leaf(index)
        if content is None:
            raise LedgerCorruptError(f"ledger entry {index} is missing")
        return content

    def entries(self, first: int = 0) -> Iterator[RecordedEntry]:
        """Yield every entry from `first` on, proved under the checkpoint that was newest at the call."""
        head = self.head()
        prover = _Prover.under(head, range_roots(self._hashes))
        for index in range(first, head.checkpoint.size):
            yield self._recorded(index, prover)

    def about(self, pseudonym: str, subject_keys: SubjectKeys, before: int | None = None) -> Iterator[RecordedEntry]:
        """Yield the entries about a subject, newest first, each with what was sealed for it; those below `before` only.

        Raises:
            LedgerCorruptError: the index names an entry that does not carry the subject's tag.
        """
        key = subject_keys.find(pseudonym)
        indices = [] if key is None else self.store.indices_of(key.lookup)
        if key is None or not indices:
            return
        head = self.head()
        prover = _Prover.under(head, cache(range_roots(self._hashes)))  # proofs of one tree share much
        end = head.checkpoint.size if before is None else min(before, head.checkpoint.size)
        for index in reversed(indices):
            if index >= end:
                continue  # told already, or committed after `head` was read
            content = self.leaf(index)
            leaf = Leaf.parse(content)
            mine = next((subject for subject in leaf.subjects if subject.tag == key.tag(leaf.nonce)), None)
            if mine is None:
                raise LedgerCorruptError(f"subject index names entry {index}, which is not about the subject")
            personal = key.unseal(leaf.nonce, mine.sealed, leaf.entry) if mine.sealed else b""
            yield RecordedEntry(index, content, leaf.entry, prover.receipt(index, content), personal)

    def root_at(self, size: int) -> bytes:
        """Return the root of the tree of the first `size` entries.

        Raises:
            NotFoundError: the ledger is smaller.
        """
        self._require_size(size)
        return tree_root(size, self._hashes)

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of `first` entries is a prefix of the one of `second` (RFC 6962 2.1.2).

        Raises:
            NotFoundError: not 0 <= first <= second <= size.
        """
        self._require_size(second)
        if not 0 <= first <= second:
            raise NotFoundError(f"no consistency proof leads from {first} to {second}")
        return consistency_path(first, second, self._hashes)

    def tile(self, path: TilePath) -> bytes:
        """Return a tile's hashes, or a bundle of entries, each with its length in two bytes (C2SP tlog-tiles).

        Raises:
            NotFoundError: the tree has no such tile.
        """
        level = path.level or 0
        size = self.head().checkpoint.size >> (8 * level)
        start = path.number * TILE_WIDTH
        if start + path.width > size:
            raise NotFoundError("no tile has this path")
        if path.level is None:
            leaves = self.store.leaves(start, start + path.width)
            return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
        return b"".join(self._hashes((8 * level, start + offset)) for offset in range(path.width))

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _require_size(self, size: int) -> None:
        known = self.store.size()
        if not 0 <= size <= known:
            raise NotFoundError(f"ledger has {known} entries, not {size}")

    def _recorded(self, index: int, prover: _Prover) -> RecordedEntry:
        content = self.leaf(index)
        return RecordedEntry(index, content, Leaf.parse(content).entry, prover.receipt(index, content))


@dataclass(frozen=True, slots=True)
class _Prover:
    """Proves leaves under one checkpoint."""

    checkpoint: Checkpoint
    note: str
    root_of: RangeRoots

    @classmethod
    def under(cls, head: SignedCheckpoint, root_of: RangeRoots) -> Self:
        return cls(head.checkpoint, str(head.note), root_of)

    def receipt(self, index: int, content: bytes) -> Receipt:
        """Prove that the leaf of these bytes stands at `index`."""
        proof = inclusion_path(index, self.checkpoint.size, self.root_of)
        return make_receipt(self.checkpoint.origin, index, leaf_hash(content), self.note, proof)
