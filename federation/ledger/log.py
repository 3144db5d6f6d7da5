"""The ledger: an entry is on disk, in the tree and under a signed checkpoint before its receipt is given out."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final, Self

import msgspec

from federation.contract.errors import BadInputError, LedgerCorruptError, LedgerUnavailableError
from federation.contract.receipts import Receipt
from federation.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from federation.ledger.frontier import Frontier
from federation.ledger.leaf import MAX_LEAF_BYTES, NONCE_BYTES, Leaf, leaf_length
from federation.ledger.note import Ed25519Signer
from federation.ledger.proof import make_receipt
from federation.ledger.store import LedgerStore, StoredLeaf
from federation.ledger.stored_hashes import StoredHashes
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.tiles import OpenTiles
from federation.ledger.tree import EMPTY_ROOT, leaf_hash

MAX_BATCH = 512
"""Entries in one commit; more wait for the next."""

MAX_WAITING = 20_000
"""Entries that may wait; beyond, a request is refused rather than kept waiting for its record."""


class LedgerState(StrEnum):
    """Whether the ledger takes entries."""

    OPEN = "open"
    CLOSED = "closed"
    """A write failed, or the file does not fit its last checkpoint; no data may leave."""


class _Wanted(Enum):
    """What whoever waits for an entry is told once it is durable."""

    RECEIPT = "where it is, and the proof of it"
    RECORD = "that it is"
    """Its proof is not worked out, which is a third of what an entry among many costs."""


class _Waiting(msgspec.Struct, frozen=True):
    """An entry that waits for its batch; with an event loop, `receipt` is a future of that loop."""

    entry: bytes | None
    """None asks only whether the ledger can be written to."""
    subjects: Mapping[str, bytes]
    wanted: _Wanted
    receipt: asyncio.Future[Receipt | None] | Future[Receipt | None]
    loop: asyncio.AbstractEventLoop | None


@dataclass(frozen=True, slots=True)
class _Failed:
    """The batch was not recorded."""


_Outcome = Receipt | _Failed | None
_NOBODY: Final[Mapping[str, bytes]] = {}


@dataclass(slots=True)
class _Writer:
    """The open file and the edge of its tree, as one writer sees them."""

    store: LedgerStore
    frontier: Frontier
    tiles: OpenTiles


@dataclass(slots=True)
class Ledger:
    """One party's append-only log (trust section 4).

    * *No record, no data*: `append` returns when the entry is on disk under a signed checkpoint.
    * One thread writes. What arrives while it syncs is the next batch, so many waiting entries cost one sync and one
      signature, and a lonely one waits for nobody.
    * After any failed write the ledger is closed: every waiting entry is refused. It opens again, by itself, when the
      file can be opened, synced, and its tree has the root of its last checkpoint.
    * Several processes may append to one file: each batch begins with the leaves that others wrote.

    `open_store` opens the file anew; `random` returns that many random bytes (`secrets.token_bytes`).
    """

    signer: Ed25519Signer
    _open_store: Callable[[], LedgerStore] = field(repr=False)
    _subject_keys: SubjectKeys = field(repr=False)
    _random: Callable[[int], bytes] = field(repr=False)
    _writer: _Writer | None = field(init=False, repr=False, default=None)
    _waiting: queue.SimpleQueue[_Waiting | None] = field(init=False, repr=False, default_factory=queue.SimpleQueue)
    _thread: threading.Thread = field(init=False, repr=False)
    _failure: Exception | None = field(init=False, repr=False, default=None)
    _ended: bool = field(init=False, repr=False, default=False)

    def __post_init__(self) -> None:
        self._writer = self._derive()
        self._thread = threading.Thread(target=self._write_batches, name=f"ledger {self.origin}", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        signer: Ed25519Signer,
        open_store: Callable[[], LedgerStore],
        subject_keys: SubjectKeys,
        random: Callable[[int], bytes],
    ) -> Self:
        """Open the ledger and start its writer.

        Raises:
            LedgerUnavailableError: the file cannot be opened.
            LedgerCorruptError: its tree does not have the root of its last checkpoint.
        """
        return cls(signer, open_store, subject_keys, random)

    @property
    def origin(self) -> str:
        """Return the ledger's name, which is also its key's."""
        return self.signer.verifier.name

    @property
    def state(self) -> LedgerState:
        """Say whether the ledger takes entries."""
        return LedgerState.OPEN if self._failure is None and not self._ended else LedgerState.CLOSED

    @property
    def failure(self) -> Exception | None:
        """Return what closed the ledger, for the log and for health; None while it is open."""
        return self._failure

    async def append(self, entry: bytes, subjects: Mapping[str, bytes] | Iterable[str] = ()) -> Receipt:
        """Record `entry` (canonical JSON) about `subjects`, and return its receipt once it is durable.

        `subjects` are pseudonyms; a mapping gives each the personal part that is to be sealed for it.

        Raises:
            LedgerUnavailableError: the record was not written; no data may leave.
            BadInputError: the leaf would pass `MAX_LEAF_BYTES`.
        """
        receipt = await self._durable(entry, _personal_parts(subjects), _Wanted.RECEIPT)
        assert receipt is not None
        return receipt

    async def record(self, entry: bytes) -> None:
        """Record `entry` as `append` does, about nobody and for a caller who shows its receipt to nobody.

        Raises:
            LedgerUnavailableError, BadInputError: see `append`.
        """
        await self._durable(entry, _NOBODY, _Wanted.RECORD)

    def append_blocking(self, entry: bytes, subjects: Mapping[str, bytes] | Iterable[str] = ()) -> Receipt:
        """Do what `append` does, for a caller without an event loop."""
        future: Future[Receipt | None] = Future()
        self._submit(_Waiting(entry, _personal_parts(subjects), _Wanted.RECEIPT, future, None))
        receipt = future.result()
        assert receipt is not None
        return receipt

    async def ready(self) -> bool:
        """Say whether an entry could be recorded now; a closed ledger tries to open again."""
        if self.state is LedgerState.OPEN:
            return True
        try:
            await self._durable(None, _NOBODY, _Wanted.RECORD)
        except LedgerUnavailableError:
            return False
        return True

    def close(self) -> None:
        """Write what waits, then let go of the file; later entries are refused."""
        if not self._ended:
            self._ended = True
            self._waiting.put(None)
        self._thread.join()

    async def _durable(self, entry: bytes | None, subjects: Mapping[str, bytes], wanted: _Wanted) -> Receipt | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt | None] = loop.create_future()
        self._submit(_Waiting(entry, subjects, wanted, future, loop))
        return await future

    def _submit(self, waiting: _Waiting) -> None:
        if self._ended:
            raise LedgerUnavailableError("ledger is shut down")
        if self._waiting.qsize() >= MAX_WAITING:
            raise LedgerUnavailableError(f"{MAX_WAITING} entries wait for the ledger; try again")
        if waiting.entry is not None:
            length = leaf_length(waiting.entry, waiting.subjects.values())
            if length > MAX_LEAF_BYTES:
                raise BadInputError(f"ledger entry of {length} bytes is over the limit of {MAX_LEAF_BYTES}")
        self._waiting.put(waiting)

    def _write_batches(self) -> None:
        """Write batch after batch, until `close`; the writer thread's whole life."""
        while (batch := self._next_batch()) is not None:
            try:
                receipts = self._write(batch)
            except Exception as error:  # noqa: BLE001  # whatever failed, the entries are not recorded: refuse them all
                self._fail(error)
                _settle(batch, [_Failed()] * len(batch))
            else:
                _settle(batch, receipts)
        if self._writer is not None:
            self._writer.store.close()
            self._writer = None

    def _next_batch(self) -> list[_Waiting] | None:
        """Wait for an entry, and take with it everything that arrived meanwhile; None ends the thread."""
        first = self._waiting.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                another = self._waiting.get_nowait()
            except queue.Empty:
                break
            if another is None:
                self._waiting.put(None)
                break
            batch.append(another)
        return batch

    def _write(self, batch: Sequence[_Waiting]) -> list[Receipt | None]:
        """Record a batch.

        (1) Open if closed, (2) make subject keys durable, (3) lock and catch up, (4) hash, (5) sign, (6) commit.

        INVARIANT: no checkpoint leaves this function before its commit succeeded, so no two different ones of a size
        are ever seen outside.
        """
        writer = self._writer = self._writer or self._derive()  # (1)
        self._failure = None
        recorded = [waiting for waiting in batch if waiting.entry is not None]
        if not recorded:
            return [None] * len(batch)
        keys = self._subject_keys.of(pseudonym for waiting in recorded for pseudonym in waiting.subjects)  # (2)
        before = self._catch_up(writer, writer.store.begin())  # (3)
        stored: list[StoredLeaf] = []
        for index, waiting in enumerate(recorded, start=before):  # (4)
            about = [(keys[pseudonym], personal) for pseudonym, personal in waiting.subjects.items()]
            leaf = Leaf.about(waiting.entry or b"", self._random(NONCE_BYTES), about).to_bytes()
            stored.append(StoredLeaf(index, leaf, leaf_hash(leaf), tuple(key.lookup for key, _ in about)))
        hashes = [each.leaf_hash for each in stored]
        writer.frontier.extend(hashes)
        tiles = list(writer.tiles.fill(before, hashes, writer.frontier.hash_at))
        checkpoint = Checkpoint(self.origin, writer.frontier.size, writer.frontier.root())
        note = str(sign_checkpoint(checkpoint, self.signer))  # (5)
        writer.store.add(stored, tiles, [(checkpoint.size, note)])
        writer.store.commit()  # (6)
        receipts = {
            id(waiting): self._receipt(leaf_of, note, writer.frontier)
            for waiting, leaf_of in zip(recorded, stored, strict=True)
            if waiting.wanted is _Wanted.RECEIPT
        }
        writer.frontier.settle()
        return [receipts.get(id(waiting)) for waiting in batch]

    def _receipt(self, stored: StoredLeaf, note: str, frontier: Frontier) -> Receipt:
        path = frontier.inclusion_path(stored.index)
        return make_receipt(self.origin, stored.index, stored.leaf_hash, note, path)

    def _catch_up(self, writer: _Writer, size: int) -> int:
        """Take in the leaves that another process appended since our last batch."""
        known = writer.frontier.size
        if size < known:
            raise LedgerCorruptError(f"ledger `{self.origin}` shrank from {known} entries to {size}")
        if size > known:
            hashes = writer.store.leaf_hashes(known, size)
            writer.frontier.extend(hashes)
            for _ in writer.tiles.fill(known, hashes, writer.frontier.hash_at):
                pass  # the other process stored these
            writer.frontier.settle()
        return size

    def _derive(self) -> _Writer:
        """Open the store and believe it only if its tree has the root of its last checkpoint, signed by our key."""
        store = self._open_store()
        try:
            size = store.begin()  # while nobody else writes: entries and checkpoint are of one moment
            note = store.last_checkpoint()
            hashes = StoredHashes(store)
            frontier = Frontier.of(size, hashes)
            expected = Checkpoint(self.origin, 0, EMPTY_ROOT)
            if note is not None:
                expected = open_checkpoint(note, self.signer.verifier).checkpoint
            if expected != Checkpoint(self.origin, size, frontier.root()):
                raise LedgerCorruptError(  # noqa: TRY301  # the store must be closed on the way out
                    f"ledger `{self.origin}` has {size} entries whose root is not that of its last checkpoint; "
                    "run `crocevia ledger verify`"
                )
            tiles = OpenTiles.of(size, hashes)
            store.rollback()
            return _Writer(store, frontier, tiles)
        except BaseException:
            store.close()
            raise

    def _fail(self, error: Exception) -> None:
        """Close the ledger after `error`; what was written of the open transaction ends with its connection."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.store.close()
        self._failure = error


def _settle(batch: Sequence[_Waiting], outcomes: Sequence[_Outcome]) -> None:
    """Wake whoever waits: each event loop once, whatever the number of its entries."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[_Waiting, _Outcome]]] = {}
    for waiting, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting, outcome))
    for loop, settled in by_loop.items():
        if loop is None:
            _wake(settled)
            continue
        with suppress(RuntimeError):  # the loop was closed, and with it everybody who waited there
            loop.call_soon_threadsafe(_wake, settled)


def _wake(settled: Sequence[tuple[_Waiting, _Outcome]]) -> None:
    for waiting, outcome in settled:
        if waiting.receipt.done():  # its request was cancelled; the entry stands all the same
            continue
        match outcome:
            case _Failed():
                waiting.receipt.set_exception(
                    LedgerUnavailableError("access cannot be recorded, so no data may leave; try again")
                )
            case _:
                waiting.receipt.set_result(outcome)


def _personal_parts(subjects: Mapping[str, bytes] | Iterable[str]) -> Mapping[str, bytes]:
    return subjects if isinstance(subjects, Mapping) else dict.fromkeys(subjects, b"")
