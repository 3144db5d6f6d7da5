"""A log's rounds to its witnesses: it shows them its head, and keeps what they cosigned (trust section 4).

Exchange goes on while witnesses are down, but not for ever: entries that no quorum has seen for longer than the
settings' patience stop the answers, because a log that nobody watches can be rewritten by whoever holds its key.

A cosignature says when it was made, under the witness's key: what a quorum says about this clock decides readiness
(`federation.ledger.clock_drift`).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgspec

from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import CroceviaError, LedgerUnavailableError, LedgerUnwitnessedError, NotFoundError
from federation.ledger.checkpoint import SignedCheckpoint
from federation.ledger.clock_drift import require_agreement, seconds_ahead
from federation.ledger.cosignature import CosignatureVerifier, timestamp
from federation.ledger.note import SignedNote
from federation.ledger.reader import LedgerReader
from federation.ledger.witnessing import cosigners, size_in, submission, with_cosignatures

ADD_CHECKPOINT: Final = "/witness/add-checkpoint"
"""Where a member's node takes heads of other ledgers (C2SP tlog-witness); its prefix is the node's origin."""

_LOOK_SECONDS = 1.0
"""How old the file's answer to `require` may be: it is asked before every disclosure."""

_CLOCK_SECONDS = 30.0
"""How old what witnesses say about the clock may be; then they are asked to cosign the same head again."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS witness (name TEXT PRIMARY KEY, size INTEGER NOT NULL, standing TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cosigned (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unseen (since INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS clock (name TEXT PRIMARY KEY, ahead INTEGER NOT NULL) WITHOUT ROWID;
"""

_log = logging.getLogger("crocevia.ledger.witness")


class WitnessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a ledger is witnessed.

    Every `every` seconds witnesses are shown the head; `quorum` of them must cosign it; for `patience` seconds entries
    may stay unseen by so many before no data leaves any more. A clock that a quorum finds wrong by more than `skew`
    seconds is not ready.
    """

    every: float = 5.0
    quorum: int = 2
    patience: float = 14_400.0
    skew: float = 30.0


class Reply(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """Return the body's bytes."""
        ...


class Post(Protocol):
    """Sends bytes to a server of another party."""

    def __call__(self, url: str, content_type: str, body: bytes, /) -> Awaitable[Reply]:
        """Return the answer.

        Raises:
            UnavailableError: there was none.
        """
        ...


@dataclass(frozen=True, slots=True)
class WitnessAt:
    """A witness by its key, and where it takes heads."""

    verifier: CosignatureVerifier
    url: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far witnesses have come: `unseen_since` is when the first entry that no quorum saw was found, or None."""

    witnessed: int
    unseen_since: int | None
    witnesses: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return it for a readiness document."""
        found: dict[str, Any] = {"witnessed": self.witnessed, "witnesses": dict(self.witnesses)}
        if self.unseen_since is not None:
            found["unseenSince"] = self.unseen_since
        return found


@dataclass(slots=True)
class WitnessRounds:
    """Shows one ledger's heads to its witnesses; the file is shared by all processes that write the ledger.

    * A head counts as witnessed when `quorum` of them cosigned it, or all of them where there are fewer.
    * What a witness says about itself is believed only under its key on the member list.
    """

    reader: LedgerReader
    settings: WitnessSettings
    clock: Clock
    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _looked: tuple[float, int | None] = (float("-inf"), None)
    _measured: float = float("-inf")

    @classmethod
    def open(cls, path: Path, reader: LedgerReader, settings: WitnessSettings, clock: Clock) -> Self:
        """Open the file of what witnesses said, or make it.

        Raises:
            LedgerUnavailableError: the file cannot be opened.
        """
        try:
            connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"file of cosignatures `{path.name}` cannot be opened") from error
        return cls(reader, settings, clock, connection)

    def require(self) -> None:
        """Refuse to go on when entries have been unseen for too long.

        Raises:
            LedgerUnwitnessedError: says for how long.
        """
        now = time.monotonic()
        if now - self._looked[0] > _LOOK_SECONDS:
            self._looked = (now, self._since())
        since = self._looked[1]
        if since is not None and (waited := epoch_seconds(self.clock) - since) > self.settings.patience:
            raise LedgerUnwitnessedError(
                f"no quorum of witnesses has seen this ledger for {waited} s; answers go on once it has"
            )

    def require_clock(self) -> None:
        """Refuse to be ready while a quorum of witnesses finds this clock wrong.

        Raises:
            ClockDriftError: names the drift, the witnesses, and the way out.
        """
        with self._lock:
            ahead = dict(self._connection.execute("SELECT name, ahead FROM clock ORDER BY name").fetchall())
        require_agreement(ahead, self.settings.quorum, self.settings.skew)

    def standing(self) -> Standing:
        """Say how far witnesses have come."""
        with self._lock:
            witnessed = self._connection.execute("SELECT coalesce(max(size), 0) FROM cosigned").fetchone()[0]
            rows = self._connection.execute("SELECT name, standing FROM witness ORDER BY name").fetchall()
        return Standing(int(witnessed), self._since(), dict(rows))

    def cosigned(self) -> str | None:
        """Return the newest head that a quorum cosigned, with the cosignatures."""
        with self._lock:
            row = self._connection.execute("SELECT note FROM cosigned ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else str(row[0])

    async def round(self, witnesses: Sequence[WitnessAt], post: Post) -> Standing:
        """Show the newest head to every witness, unless they cosigned it a moment ago, and keep what they answer."""
        try:
            head = await asyncio.to_thread(self.reader.head)
        except NotFoundError:  # nothing was recorded yet
            return self.standing()
        last = self.cosigned()
        new = last is None or SignedNote.parse(last).text != head.note.text
        if new or time.monotonic() - self._measured > _CLOCK_SECONDS:
            ahead: dict[str, int] = {}
            notes = await asyncio.gather(*(self._show(witness, head, post, ahead) for witness in witnesses))
            await asyncio.to_thread(self._keep_clock, ahead)
            if new:
                await asyncio.to_thread(self._keep, head, [witness.verifier for witness in witnesses], notes)
        return self.standing()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    async def _show(self, witness: WitnessAt, head: SignedCheckpoint, post: Post, ahead: dict[str, int]) -> str | None:
        """Return the head with the witness's cosignature, or None when it gave none; note how it sees this clock."""
        name, asked_at = witness.verifier.name, epoch_seconds(self.clock)
        old = min(self._known(name), head.checkpoint.size)  # a ledger that was cut back is told so by the witness
        try:
            reply = await self._sent(witness, old, head, post)
            actual = size_in(reply.status, reply.body.decode("utf-8", "replace"))
            if actual is not None and actual <= head.checkpoint.size:  # the witness knows better what it has seen
                reply = await self._sent(witness, actual, head, post)
            if reply.status != HTTPStatus.OK:
                self._refused(name, reply, head)
                return None
            note = with_cosignatures(str(head.note), reply.body.decode("utf-8"), [witness.verifier])
        except (CroceviaError, UnicodeDecodeError) as error:
            self._note(name, old, "silent")
            _log.warning("witness `%s` gives no cosignature: %s", name, error)
            return None
        self._note(name, head.checkpoint.size, "cosigned")
        made_at = timestamp(SignedNote.parse(note).signatures[-1].signature)
        ahead[name] = seconds_ahead(asked_at, made_at, epoch_seconds(self.clock))
        return note

    async def _sent(self, witness: WitnessAt, old: int, head: SignedCheckpoint, post: Post) -> Reply:
        asked = await asyncio.to_thread(submission, self.reader, old, head)
        return await post(witness.url, "text/plain; charset=utf-8", str(asked).encode())

    def _refused(self, name: str, reply: Reply, head: SignedCheckpoint) -> None:
        """A witness that saw more, or something else, is the alarm that witnesses exist for."""
        self._note(name, 0, f"refused {reply.status}")
        if reply.status in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
            _log.error(
                "witness `%s` refuses the head of %d entries of `%s` with status %d: "
                "the ledger was cut back or rewritten, or the witness lies; run `crocevia ledger witness`",
                name,
                head.checkpoint.size,
                head.checkpoint.origin,
                reply.status,
            )

    def _keep(
        self, head: SignedCheckpoint, witnesses: Sequence[CosignatureVerifier], notes: Sequence[str | None]
    ) -> None:
        merged = str(head.note)
        for note in notes:
            if note is not None:
                signatures = SignedNote.parse(note).signatures[len(head.note.signatures) :]
                merged = with_cosignatures(merged, "\n".join(map(str, signatures)), witnesses)
        enough = min(self.settings.quorum, len(witnesses))
        seen = len(cosigners(merged, self.reader.verifier, witnesses))
        with self._lock:
            run = self._connection
            if seen >= enough:
                run.execute("INSERT OR REPLACE INTO cosigned VALUES (?, ?)", (head.checkpoint.size, merged))
                run.execute("DELETE FROM unseen")
            elif run.execute("SELECT 1 FROM unseen").fetchone() is None:
                run.execute("INSERT INTO unseen VALUES (?)", (epoch_seconds(self.clock),))

    def _keep_clock(self, ahead: Mapping[str, int]) -> None:
        self._measured = time.monotonic()
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DELETE FROM clock")
            self._connection.executemany("INSERT INTO clock VALUES (?, ?)", ahead.items())
            self._connection.execute("COMMIT")

    def _known(self, name: str) -> int:
        with self._lock:
            row = self._connection.execute("SELECT size FROM witness WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def _note(self, name: str, size: int, standing: str) -> None:
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO witness VALUES (?, ?, ?)", (name, size, standing))

    def _since(self) -> int | None:
        with self._lock:
            row = self._connection.execute("SELECT since FROM unseen").fetchone()
        return None if row is None else int(row[0])


def witnesses_at(published: Mapping[str, tuple[str, str]]) -> list[WitnessAt]:
    """Return the witnesses of a member list (`MemberList.witnesses`); one whose key cannot be read is left out."""
    found = []
    for member, (vkey, origin) in published.items():
        try:
            found.append(WitnessAt(CosignatureVerifier.parse(vkey), origin + ADD_CHECKPOINT))
        except CroceviaError as error:
            _log.warning("witness key of `%s` on the member list cannot be used: %s", member, error)
    return found


Witnesses = Callable[[], Sequence[WitnessAt]]
"""The witnesses of one ledger, as the member list in force has them."""
