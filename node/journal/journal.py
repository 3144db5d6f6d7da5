"""What this node did with its data: entries go in before any data leaves, and citizens read those about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from federation.contract.entries import Entry
from federation.contract.receipts import Receipt
from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys


@dataclass(frozen=True, slots=True)
class RecordedAccess:
    """An entry about a citizen with the proof that it stands in the ledger.

    `leaf` is what the proof is about; `personal` was sealed for this citizen, and is empty when nothing was.
    """

    entry: Entry
    receipt: Receipt
    leaf: bytes
    personal: bytes = b""


def _unwatched() -> None:
    """Ask nobody: for ledgers that no witness watches."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A node's ledger, written and read.

    `require_witnessed` refuses with `LedgerUnwitnessedError` once nobody outside has seen the ledger for too long; it
    is asked before data is read.
    """

    ledger: Ledger
    reader: LedgerReader
    subject_keys: SubjectKeys
    require_witnessed: Callable[[], None] = _unwatched

    async def record(self, entry: Entry, subjects: Iterable[str] | Mapping[str, bytes] = ()) -> Receipt:
        """Append `entry` about the citizens of these pseudonyms; returns once it is durable (policy R38).

        A mapping gives each citizen what is to be sealed for it alone.

        Raises:
            LedgerUnavailableError: it was not written, and no data may leave.
        """
        return await self.ledger.append(entry.to_bytes(), subjects)

    def about(self, pseudonym: str, before: int | None = None) -> Iterator[RecordedAccess]:
        """Yield every entry about a citizen, newest first; with `before`, those at lower positions of the ledger.

        Raises:
            LedgerCorruptError: the ledger does not hold what its index names.
        """
        for found in self.reader.about(pseudonym, self.subject_keys, before):
            yield RecordedAccess(Entry.parse(found.entry), found.receipt, found.leaf, found.personal)
