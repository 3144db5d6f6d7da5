"""RFC 3161 timestamps of a ledger's heads: proof by an outsider that what is below them existed by then.

A timestamp of a head covers every entry below it, so what an outage of the authority leaves behind is never more than
one request: it stops nothing, and what is not covered yet is visible.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from federation.contract.clock import Clock, rfc3339
from federation.contract.errors import (
    ConfigurationError,
    CroceviaError,
    LedgerCorruptError,
    LedgerUnavailableError,
    NotFoundError,
    UnavailableError,
)
from federation.ledger.checkpoint import SignedCheckpoint
from federation.ledger.reader import LedgerReader
from federation.ledger.witness_rounds import Post

_QUERY = "application/timestamp-query"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS stamped (
    size INTEGER PRIMARY KEY, note TEXT NOT NULL, response BLOB NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS failure (since TEXT NOT NULL);
"""
_log = logging.getLogger("crocevia.ledger.timestamps")


class TimestampSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The authority's address, the file of root certificates (PEM) it must chain to, and the seconds between two."""

    url: str
    roots: Path
    every: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Stamped:
    """A head with its timestamp: `response` is the authority's whole answer (RFC 3161 section 2.4.2)."""

    size: int
    note: str
    response: bytes
    at: str


def read_roots(path: Path) -> tuple[Certificate, ...]:
    """Read root certificates.

    Raises:
        ConfigurationError: the file is missing or holds none; names it.
    """
    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"root certificates `{path}` of the timestamp authority cannot be read") from error


def verify_timestamp(response: bytes, note: str, roots: Sequence[Certificate], nonce: int | None = None) -> datetime:
    """Return when the authority saw the head `note`, once its signature chains to one of `roots`.

    Raises:
        LedgerCorruptError: it is no timestamp of this head, by nobody we trust, or answers another request.
    """
    builder = VerifierBuilder(nonce=nonce)
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        read = decode_timestamp_response(response)
        builder.build().verify_message(read, note.encode())
    except (VerificationError, ValueError) as error:
        raise LedgerCorruptError("timestamp does not prove that the authority saw this checkpoint") from error
    return read.tst_info.gen_time


@dataclass(slots=True)
class Timestamps:
    """The timestamps of one ledger, in a file of their own beside it."""

    reader: LedgerReader
    settings: TimestampSettings
    clock: Clock
    roots: tuple[Certificate, ...]
    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, path: Path, reader: LedgerReader, settings: TimestampSettings, clock: Clock) -> Self:
        """Open the file of timestamps, or make it.

        Raises:
            ConfigurationError: the root certificates cannot be read.
            LedgerUnavailableError: the file cannot be opened.
        """
        roots = read_roots(settings.roots)
        try:
            connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"file of timestamps `{path.name}` cannot be opened") from error
        return cls(reader, settings, clock, roots, connection)

    async def round(self, post: Post) -> None:
        """Have the newest head timestamped, unless it is; a failure is remembered and changes nothing else."""
        try:
            head = await asyncio.to_thread(self.reader.head)
        except NotFoundError:  # nothing was recorded yet
            return
        last = self.last()
        if last is not None and last.size == head.checkpoint.size:
            return
        try:
            stamped = await self._stamped(head, post)
        except CroceviaError as error:
            self._fail()
            _log.warning("head of %d entries is not timestamped yet: %s", head.checkpoint.size, error)
            return
        self._keep(stamped)

    def all(self) -> list[Stamped]:
        """Return every timestamp, oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT size, note, response, at FROM stamped ORDER BY size").fetchall()
        return [Stamped(*row) for row in rows]

    def last(self) -> Stamped | None:
        """Return the newest timestamp."""
        with self._lock:
            row = self._connection.execute(
                "SELECT size, note, response, at FROM stamped ORDER BY size DESC LIMIT 1"
            ).fetchone()
        return None if row is None else Stamped(*row)

    def standing(self) -> dict[str, Any]:
        """Return how far timestamps have come, and since when the authority fails, for a readiness document."""
        last = self.last()
        found: dict[str, Any] = {"timestamped": 0 if last is None else last.size}
        if last is not None:
            found["timestampedAt"] = last.at
        with self._lock:
            row = self._connection.execute("SELECT since FROM failure").fetchone()
        if row is not None:
            found["authorityFailsSince"] = row[0]
        return found

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    async def _stamped(self, head: SignedCheckpoint, post: Post) -> Stamped:
        note = str(head.note)
        request = TimestampRequestBuilder(note.encode(), HashAlgorithm.SHA256).build()
        reply = await post(self.settings.url, _QUERY, request.as_bytes())
        if reply.status != HTTPStatus.OK:
            raise UnavailableError(f"timestamp authority answered {reply.status}")
        at = verify_timestamp(reply.body, note, self.roots, request.nonce)
        return Stamped(head.checkpoint.size, note, reply.body, rfc3339(at))

    def _keep(self, stamped: Stamped) -> None:
        with self._lock:
            self._connection.execute(
                "INSERT OR IGNORE INTO stamped VALUES (?, ?, ?, ?)",
                (stamped.size, stamped.note, stamped.response, stamped.at),
            )
            self._connection.execute("DELETE FROM failure")

    def _fail(self) -> None:
        with self._lock:
            if self._connection.execute("SELECT 1 FROM failure").fetchone() is None:
                self._connection.execute("INSERT INTO failure VALUES (?)", (rfc3339(self.clock.now()),))
