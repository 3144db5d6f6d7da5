"""Subject keys in PostgreSQL, for a party that several hosts serve; see `federation.ledger.subject_keys`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from federation.contract.errors import LedgerUnavailableError
from federation.ledger.leaf import SubjectKey
from federation.ledger.subject_keys import KeyMaker
from federation.shared.place import SharedPlace
from federation.shared.session import Session
from federation.shared.store import Synchronous

_NAME: Final = "subjects"
_SCHEMA: Final = "CREATE TABLE subject_key (name BYTEA PRIMARY KEY, salt BYTEA NOT NULL)"


@dataclass(slots=True)
class DatabaseSubjectKeys:
    """Subject keys in a table beside the ledger's.

    * A row holds a random salt, nothing without the member's key, which is not in the database.
    * Every batch asks for its keys anew: what another host destroyed before is not used again.
    * Destroying has the server clear the row away. Its write-ahead log and backups hold it as long as they are kept.
    """

    _session: Session = field(repr=False)
    _maker: KeyMaker

    @classmethod
    def open(cls, place: SharedPlace, member_key: bytes, random: Callable[[int], bytes]) -> Self:
        """Open the table, or make it; `random` returns that many random bytes (`secrets.token_bytes`).

        Raises:
            ConfigurationError: `place` names no database.
            LedgerUnavailableError: the database does not answer.
        """
        session = place.session(_NAME, Synchronous.FULL, LedgerUnavailableError)
        try:
            session.lay_out(_SCHEMA, "subject_key")
        except BaseException:
            session.close()
            raise
        return cls(session, KeyMaker(member_key, random))

    def of(self, pseudonyms: Iterable[str]) -> dict[str, SubjectKey]:
        """Return the key of every pseudonym, made durably where there was none.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        names = {self._maker.name(pseudonym): pseudonym for pseudonym in pseudonyms}
        if not names:
            return {}
        salts = self._load(names)
        # Another host may make the same key: the row that was there first counts, so read again after writing. Or it
        # destroys one between: then there is none to read, and it is made again.
        while missing := [name for name in names if name not in salts]:
            self.keep((name, self._maker.salt()) for name in missing)
            salts = self._load(names)
        return {names[name]: self._maker.key(name, salt) for name, salt in salts.items()}

    def find(self, pseudonym: str) -> SubjectKey | None:
        """Return the key of one pseudonym, or None when nothing was ever recorded about it, or it was erased.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        name = self._maker.name(pseudonym)
        salt = self._load([name]).get(name)
        return None if salt is None else self._maker.key(name, salt)

    def all(self) -> Iterator[SubjectKey]:
        """Yield every key that was not destroyed, for the verification of a whole ledger.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        yield from (self._maker.key(name, salt) for name, salt in self.kept())

    def destroy(self, pseudonym: str) -> bool:
        """Destroy a key for ever; False when there was none.

        Raises:
            LedgerUnavailableError: the database does not answer; the key may still exist.
        """
        name = self._maker.name(pseudonym)
        destroyed = self._session.run("DELETE FROM subject_key WHERE name = ? RETURNING name", name)
        self._session.vacuum("subject_key")
        return bool(destroyed)

    def kept(self) -> list[tuple[bytes, bytes]]:
        """Return every name with its salt, as they are kept.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        return [(name, salt) for name, salt in self._session.run("SELECT name, salt FROM subject_key")]

    def keep(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep names with their salts, those that are there already as they are.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        salts = dict(rows)
        self._session.run(
            "INSERT INTO subject_key SELECT * FROM unnest(?::bytea[], ?::bytea[]) ON CONFLICT DO NOTHING",
            list(salts),
            list(salts.values()),
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _load(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        return dict(self._session.run("SELECT name, salt FROM subject_key WHERE name = ANY(?::bytea[])", list(names)))
