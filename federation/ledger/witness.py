"""A witness (C2SP tlog-witness): it cosigns a head of a log only as a continuation of what it cosigned before.

It sees sizes, roots and proofs, never an entry. Each outcome is the HTTP status that the protocol gives it.
"""

from __future__ import annotations

import re
import sqlite3
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Self

from typing_extensions import override

from federation.contract.clock import Clock
from federation.contract.errors import BadInputError, LedgerUnavailableError, SignatureError
from federation.ledger.checkpoint import Checkpoint, open_checkpoint
from federation.ledger.cosignature import Cosigner
from federation.ledger.note import Ed25519Verifier, SignedNote, exact_b64
from federation.ledger.tree import EMPTY_ROOT, proves_consistency
from federation.shared.place import SharedPlace, moving
from federation.shared.store import Shared, SharedFile, Synchronous

MAX_PROOF = 63
MAX_SUBMISSION = 65_536
"""Bytes of a request to cosign: a proof of 63 hashes and a note of 64 signatures fit."""

SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_HASH_BYTES = 32
_NAME = "witness"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS witnessed (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
) WITHOUT ROWID;
"""
_HEAD = "SELECT note FROM witnessed WHERE origin = ?"
_REMEMBER = """
INSERT INTO witnessed VALUES (?, ?, ?, ?)
ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note
WHERE excluded.size >= witnessed.size
"""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign: the size that the log believes the witness has, the proof from there, the checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read the body of `add-checkpoint`.

        Raises:
            BadInputError: it has another form.
        """
        head, separator, note = body.partition("\n\n")
        lines = head.split("\n")
        old = _OLD.fullmatch(lines[0])
        if not separator or old is None or len(lines) - 1 > MAX_PROOF:
            raise BadInputError("expected `old SIZE`, at most 63 hashes, an empty line and a checkpoint")
        proof = tuple(exact_b64(line) for line in lines[1:])
        if any(len(part) != _HASH_BYTES for part in proof):
            raise BadInputError("expected hashes of 32 bytes in the consistency proof")
        return cls(int(old[1]), proof, note)

    @override
    def __str__(self) -> str:
        lines = [f"old {self.old_size}", *(b64encode(part).decode("ascii") for part in self.proof)]
        return "\n".join(lines) + "\n\n" + self.note


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What the witness says: cosignature lines, its own size, or a reason."""

    status: HTTPStatus
    body: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Witness:
    """Remembers, for each known log, the last head it cosigned.

    * Comparing and remembering are one transaction, so two requests at once cannot take it back.
    * A head is on disk before its cosignature is given out.
    """

    cosigner: Cosigner
    clock: Clock
    _shared: Shared = field(repr=False)

    @classmethod
    def open(cls, place: SharedPlace, cosigner: Cosigner, clock: Clock) -> Self:
        """Open the witness's memory, or make it; a database is given what this host's file remembers.

        Raises:
            ConfigurationError: `shared` is no address of a database.
            UnavailableError: it cannot be opened.
        """
        witness = cls(cosigner, clock, place.open(_NAME, _SCHEMA, Synchronous.FULL))
        if place.url is not None:
            try:
                witness._take_over(place.state / f"{_NAME}.db")
            except BaseException:
                witness.close()
                raise
        return witness

    def add_checkpoint(self, body: str, logs: Mapping[str, Sequence[Ed25519Verifier]]) -> WitnessAnswer:
        """Answer `add-checkpoint`; `logs` are the known logs' keys by origin.

        400 malformed, or the old size is above the new; 404 unknown log; 403 not signed by it; 409 with our size when
        the log is wrong about it; 422 not consistent; 200 with the cosignature.

        Raises:
            UnavailableError: the head cannot be remembered, so it is not cosigned.
        """
        try:
            asked = AddCheckpoint.parse(body)
            offered = Checkpoint.parse(SignedNote.parse(asked.note).text)
        except BadInputError as error:
            return WitnessAnswer(HTTPStatus.BAD_REQUEST, f"{error.message}\n")
        keys = logs.get(offered.origin, ())
        if not keys:
            return WitnessAnswer(HTTPStatus.NOT_FOUND, "log is not known here\n")
        if not _signed_by_one(asked.note, keys):
            return WitnessAnswer(HTTPStatus.FORBIDDEN, "checkpoint is not signed by its log\n")
        if asked.old_size > offered.size:
            return WitnessAnswer(HTTPStatus.BAD_REQUEST, "old size is above the checkpoint's\n")
        return self._compare_and_cosign(asked, offered)

    def checkpoint(self, origin: str) -> str | None:
        """Return the last cosigned head of a log, with the log's signature and ours, or None."""
        rows = self._shared.run(_HEAD, origin)
        return str(rows[0][0]) if rows else None

    def by_digest(self, digest: str) -> str | None:
        """Return the last cosigned head of the log whose origin has this SHA-256 (hex), or None."""
        rows = self._shared.run("SELECT origin, note FROM witnessed")
        return next((str(note) for origin, note in rows if sha256(origin.encode()).hexdigest() == digest), None)

    def close(self) -> None:
        """Let go of the memory."""
        self._shared.close()

    def _take_over(self, path: Path) -> None:
        with moving(path) as there:
            if there:
                with closing(SharedFile.open(path, _SCHEMA, Synchronous.FULL)) as file:
                    for event in ("INSERT", "UPDATE"):  # whoever still has the file open cosigns nothing more
                        file.run(
                            f"CREATE TRIGGER IF NOT EXISTS moved_{event} BEFORE {event} ON witnessed "
                            "BEGIN SELECT RAISE(ABORT, 'moved to the database'); END"
                        )
                    _copy(file, self._shared)

    def _compare_and_cosign(self, asked: AddCheckpoint, offered: Checkpoint) -> WitnessAnswer:
        return self._shared.alone(lambda: self._judged(asked, offered))

    def _judged(self, asked: AddCheckpoint, offered: Checkpoint) -> WitnessAnswer:
        rows = self._shared.run("SELECT size, root FROM witnessed WHERE origin = ?", offered.origin)
        size, root = rows[0] if rows else (0, EMPTY_ROOT)
        if asked.old_size != size:
            return WitnessAnswer(HTTPStatus.CONFLICT, f"{size}\n", SIZE_TYPE)
        if offered.size == 0 and offered.root != EMPTY_ROOT:
            return WitnessAnswer(HTTPStatus.UNPROCESSABLE_ENTITY, "an empty log has the empty root\n")
        if not proves_consistency(size, root, offered.size, offered.root, asked.proof):
            return WitnessAnswer(HTTPStatus.UNPROCESSABLE_ENTITY, "checkpoint does not continue the one before\n")
        line = self.cosigner.cosign(offered, self.clock)
        note = SignedNote.parse(asked.note)
        kept = SignedNote(note.text, (*note.signatures, line))
        self._shared.run(_REMEMBER, offered.origin, offered.size, offered.root, str(kept))
        return WitnessAnswer(HTTPStatus.OK, f"{line}\n")


def copy_to_file(place: SharedPlace, folder: Path) -> None:
    """Copy a witness's memory out of the database into the file that it is on a host.

    Raises:
        UnavailableError: the database does not answer.
    """
    with (
        closing(place.open(_NAME, _SCHEMA, Synchronous.FULL)) as memory,
        closing(SharedFile.open(folder / f"{_NAME}.db", _SCHEMA, Synchronous.FULL)) as file,
    ):
        _copy(memory, file)


def _copy(source: Shared, target: Shared) -> None:
    for row in source.run("SELECT origin, size, root, note FROM witnessed"):
        target.run(_REMEMBER, *row)


def cosigned_head(place: SharedPlace, origin: str) -> str | None:
    """Return the last head of a log that this witness cosigned, without changing its memory; None if it has none.

    Raises:
        LedgerUnavailableError: the memory cannot be read.
    """
    rows = _kept_in_file(place.state / f"{_NAME}.db", origin) if place.url is None else _kept_in_database(place, origin)
    return str(rows[0][0]) if rows else None


def _kept_in_file(path: Path, origin: str) -> list[tuple[str]]:
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(_HEAD, (origin,)).fetchall()
    except sqlite3.Error as error:
        raise LedgerUnavailableError(f"witness `{path.name}` cannot be read") from error


def _kept_in_database(place: SharedPlace, origin: str) -> list[tuple[str]]:
    with closing(place.session(_NAME, Synchronous.FULL, LedgerUnavailableError)) as session:
        there = session.run("SELECT to_regclass('witnessed')") != [(None,)]
        return session.run(_HEAD, origin) if there else []


def _signed_by_one(note: str, keys: Sequence[Ed25519Verifier]) -> bool:
    """Tell whether a trusted key of the log signed, and no signature under one of them is wrong."""
    good = False
    for key in keys:
        try:
            open_checkpoint(note, key)
            good = True
        except BadInputError:
            return False
        except SignatureError:
            named = SignedNote.parse(note).signatures
            if any((line.name, line.key_id) == (key.name, key.key_id) for line in named):
                return False
    return good
