"""A ledger in PostgreSQL, for a party that several hosts serve: the same tables as in the file, the same rules.

One writer at a time: `begin` takes an advisory lock that belongs to the transaction, and a batch, its tiles and its
checkpoint are that transaction. So the lock is its own fence: a writer that lost its connection, or that the server
ended because it stood still, has lost lock and transaction together and cannot commit; the one after it begins with
what was committed. A number that is taken twice, or a gap, is refused by the tables themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from typing_extensions import override

from federation.contract.errors import LedgerCorruptError, LedgerUnavailableError
from federation.ledger.store import FORMAT, StoredLeaf, StoredTile
from federation.ledger.stored_reads import StoredReads
from federation.shared.place import SharedPlace
from federation.shared.session import Session
from federation.shared.store import Synchronous

LEDGER: Final = "ledger"
_ROWS: Final = 1_000

_SCHEMA: Final = """
CREATE TABLE ledger (origin TEXT NOT NULL, format BIGINT NOT NULL);
CREATE TABLE entry (idx BIGINT PRIMARY KEY, leaf BYTEA NOT NULL, hash BYTEA NOT NULL);
CREATE TABLE checkpoint (size BIGINT PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE tile (level BIGINT, number BIGINT, hashes BYTEA NOT NULL, PRIMARY KEY (level, number));
CREATE TABLE subject (
    idx BIGINT, position BIGINT, lookup BYTEA NOT NULL,  -- empty once the subject was erased
    PRIMARY KEY (idx, position)
);
CREATE INDEX subject_lookup ON subject (lookup, idx);

CREATE FUNCTION ledger_is_appended_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a ledger is appended to'; END $$;
-- A table that grows within one transaction has no statistics: its index is used all the same.
CREATE FUNCTION entry_continues() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    -- Numbers are unique, and what was there had no gap: so the new ones follow it if they have none and touch it.
    IF (SELECT max(idx) - min(idx) + 1 <> count(*)
               OR min(idx) < 0
               OR min(idx) > 0 AND NOT EXISTS (SELECT 1 FROM entry WHERE idx = (SELECT min(idx) - 1 FROM fresh))
        FROM fresh)
    THEN RAISE EXCEPTION 'a ledger is appended to'; END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION checkpoint_continues() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM checkpoint WHERE size >= NEW.size)
    THEN RAISE EXCEPTION 'a ledger is appended to'; END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION subject_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.idx <> OLD.idx OR NEW.position <> OLD.position OR length(NEW.lookup) <> 0
    THEN RAISE EXCEPTION 'a ledger is appended to'; END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER entry_appends AFTER INSERT ON entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION entry_continues();
CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON entry EXECUTE FUNCTION ledger_is_appended_to();
CREATE TRIGGER checkpoint_appends BEFORE INSERT ON checkpoint FOR EACH ROW EXECUTE FUNCTION checkpoint_continues();
CREATE TRIGGER checkpoint_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
    EXECUTE FUNCTION ledger_is_appended_to();
CREATE TRIGGER tile_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON tile EXECUTE FUNCTION ledger_is_appended_to();
CREATE TRIGGER subject_remains BEFORE DELETE OR TRUNCATE ON subject EXECUTE FUNCTION ledger_is_appended_to();
CREATE TRIGGER subject_is_only_erased BEFORE UPDATE ON subject FOR EACH ROW
    EXECUTE FUNCTION subject_is_only_erased();
"""


@dataclass(slots=True)
class DatabaseStore(StoredReads):
    """A ledger in the party's schema of a PostgreSQL database; see `federation.ledger.store.LedgerStore`.

    A commit returns when the server has its write-ahead log on disk (`synchronous_commit = on`), and on its standbys
    where the server has synchronous ones. INVARIANT: one store writes over one connection: after it was lost, the
    server may be another one, with another history, and the ledger is derived anew before it is continued.
    """

    _session: Session = field(repr=False)
    _connection: int = field(init=False, default=0)

    @classmethod
    def open(cls, place: SharedPlace, origin: str) -> Self:
        """Open the ledger of `origin`, or make it.

        Raises:
            ConfigurationError: `place` names no database.
            LedgerUnavailableError: the database does not answer.
            LedgerCorruptError: its ledger is of another origin or format.
        """
        store = cls(place.session(LEDGER, Synchronous.FULL, LedgerUnavailableError))
        try:
            store._lay_out(origin)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open_to_read(cls, place: SharedPlace) -> Self:
        """Open an existing ledger as it is at this moment, for verification.

        Raises:
            LedgerUnavailableError: the database does not answer, or holds no ledger of this party.
        """
        store = cls(place.session(LEDGER, Synchronous.FULL, LedgerUnavailableError))
        try:
            store._session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            store.size()
        except BaseException:
            store.close()
            raise
        return store

    def begin(self) -> int:
        """Take the lock of this ledger, on whatever host its others are, and return the number of leaves."""
        self._session.begin_alone()
        if self._session.connections != self._connection:
            self._session.rollback()
            raise LedgerUnavailableError("connection to the ledger's database was lost: it must be opened anew")
        return self.size()

    def add(
        self, leaves: Sequence[StoredLeaf], tiles: Sequence[StoredTile], checkpoints: Sequence[tuple[int, str]]
    ) -> None:
        """Write entries and the checkpoints (size, note) that cover them."""
        run = self._session.run
        run(
            "INSERT INTO entry SELECT * FROM unnest(?::bigint[], ?::bytea[], ?::bytea[])",
            [stored.index for stored in leaves],
            [stored.leaf for stored in leaves],
            [stored.leaf_hash for stored in leaves],
        )
        subjects = [(leaf.index, position, lookup) for leaf in leaves for position, lookup in enumerate(leaf.lookups)]
        if subjects:
            run("INSERT INTO subject SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bytea[])", *_columns(subjects))
        if tiles:
            rows = [(tile.level, tile.number, tile.hashes) for tile in tiles]
            run("INSERT INTO tile SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bytea[])", *_columns(rows))
        run("INSERT INTO checkpoint SELECT * FROM unnest(?::bigint[], ?::text[])", *_columns(checkpoints))

    def commit(self) -> None:
        """Return once everything since `begin` is on disk."""
        self._session.commit()

    def rollback(self) -> None:
        """Give up what was written since `begin`, and the lock."""
        self._session.rollback()

    def erase(self, lookup: bytes) -> int:
        """Forget which leaves are about a subject, and let the server clear away what it kept of the old rows."""
        erased = self._column("UPDATE subject SET lookup = '' WHERE lookup = ? RETURNING idx", lookup)
        self._session.vacuum("subject")
        return len(erased)

    def rows(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (index, leaf, leaf hash) of every row, in order, as stored; for verification."""
        yield from self._pages("SELECT idx, leaf, hash FROM entry WHERE idx > ? ORDER BY idx LIMIT ?", (-1,))

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Yield (size, note) of every checkpoint, in order; for verification."""
        yield from self._pages("SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?", (-1,))

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (level, number, hashes) of every tile, in order; for verification."""
        yield from self._pages(
            "SELECT level, number, hashes FROM tile WHERE (level, number) > (?, ?) ORDER BY level, number LIMIT ?",
            (-1, -1),
        )

    def subject_rows(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (index, position, lookup) of every row of the subject index, in order; for verification."""
        yield from self._pages(
            "SELECT idx, position, lookup FROM subject WHERE (idx, position) > (?, ?) ORDER BY idx, position LIMIT ?",
            (-1, -1),
        )

    def integrity(self) -> str:
        """Return `ok`: the server checks its pages itself, and says so when one cannot be read."""
        return "ok"

    def close(self) -> None:
        """Let go of the connection; what was not committed is not there."""
        self._session.close()

    def _lay_out(self, origin: str) -> None:
        run = self._session.run
        self._session.lay_out(_SCHEMA, LEDGER)
        self._connection = self._session.connections
        name = "INSERT INTO ledger SELECT ?::text, ?::bigint WHERE NOT EXISTS (SELECT 1 FROM ledger)"
        if not run("SELECT 1 FROM ledger"):
            self._session.alone(lambda: run(name, origin, FORMAT))
        ((stored, known),) = run("SELECT origin, format FROM ledger")
        if known != FORMAT:
            raise LedgerCorruptError(f"ledger in `{self._session.schema}` has format {known}, expected {FORMAT}")
        if stored != origin:
            raise LedgerCorruptError(f"ledger in `{self._session.schema}` is of `{stored}`, expected `{origin}`")

    @override
    def _one(self, statement: str, *values: object) -> Any:
        rows = self._session.run(statement, *values)
        return rows[0][0] if rows else None

    @override
    def _column(self, statement: str, *values: object) -> list[Any]:
        return [row[0] for row in self._session.run(statement, *values)]

    def _pages(self, statement: str, before: tuple[int, ...]) -> Iterator[Any]:
        """Yield rows page by page; the first columns of each row are where the next page begins."""
        while rows := self._session.run(statement, *before, _ROWS):
            yield from rows
            before = rows[-1][: len(before)]


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
