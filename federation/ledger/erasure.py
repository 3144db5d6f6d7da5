"""Erasure of a subject: the key is destroyed, every entry and every proof stays."""

from __future__ import annotations

from federation.ledger.store import LedgerStore
from federation.ledger.subject_keys import SubjectKeys


def erase_subject(pseudonym: str, store: LedgerStore, subject_keys: SubjectKeys) -> int:
    """Unlink a subject from the ledger for ever, and return how many entries were about it.

    (1) The index forgets which entries they are; (2) the key is destroyed, and with it the meaning of their tags and
    what was sealed; (3) the index forgets what was recorded meanwhile. Interrupted before (2), it may simply be done
    again. A batch of another process that took the key before (2) and commits after (3) leaves an entry in the index
    under a key that nobody has. The caller records that it was done.

    Raises:
        LedgerUnavailableError: a file cannot be written; do it again.
    """
    key = subject_keys.find(pseudonym)
    if key is None:
        return 0
    erased = store.erase(key.lookup)  # (1)
    subject_keys.destroy(pseudonym)  # (2)
    return erased + store.erase(key.lookup)  # (3)
