"""Ledger entries: what is recorded of every access, and by construction never a value.

An entry is stored as canonical JSON (RFC 8785); its leaf hash commits to every byte. The link to the citizens it is
about is kept beside it by the ledger store, under per-subject keys that can be destroyed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from federation.contract.decisions import FieldDecision, PolicyVersion
from federation.contract.errors import LedgerCorruptError
from federation.contract.identifiers import MemberId

_ENCODE = msgspec.json.Encoder(order="sorted").encode


class EntryKind(StrEnum):
    """What happened."""

    DISCLOSURE = "disclosure"
    """A node answered an operation."""
    WRITE = "write"
    """A node wrote what a consumer told it, and answered with the record."""
    SIGNAL = "signal"
    """A node told a consumer that something changed, and not what it is now."""
    REFUSAL = "refusal"
    """A node or the gateway refused a request; `code` says why."""
    MEDIATION = "mediation"
    """The gateway answered a consumer from several nodes."""
    TRANSLATION = "translation"
    """The exchange translated pseudonyms; `subjects` counts them."""
    ENROLMENT = "enrolment"
    """The exchange gave a member pseudonyms of its own; `subjects` counts them."""
    REPORT = "report"
    """A citizen asked who looked."""
    POLICY = "policy"
    """A node began to decide by another bundle."""
    MEMBERSHIP = "membership"
    """A party began to act on another member list."""


class Entry(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """One record. `at` is RFC 3339 UTC; `subjects` counts the citizens concerned; digests are `sha256:…`.

    `answer` commits to the values of a disclosure where the consumer asked for it (`federation.contract.evidence`), and
    of a report to the entries that were shown.
    `end_user`, `office` and `case` are the consumer's own evidence about who asked there and for which file
    (ModI AUDIT_REST), pseudonymous and unverified.
    """

    VERSION: ClassVar[int] = 1

    kind: EntryKind
    at: str
    writer: MemberId
    trace_id: str = ""
    consumer: str = ""
    purpose: str = ""
    legal_basis: tuple[str, ...] = ()
    agreement: str = ""
    operation_digest: str = ""
    request_digest: str = ""
    policy: PolicyVersion | None = None
    decisions: tuple[FieldDecision, ...] = ()
    subjects: int = 0
    code: str = ""
    detail: str = ""
    end_user: str = ""
    office: str = ""
    case: str = ""
    answer: str = ""
    version: int = 1

    def to_bytes(self) -> bytes:
        """Return the canonical JSON of the entry, the bytes that the ledger hashes.

        Entries hold no floating-point numbers and only ASCII keys, so sorted compact JSON is RFC 8785's; a generated
        test holds it against `canonical`.
        """
        return _ENCODE(self)

    @classmethod
    def parse(cls, content: bytes) -> Entry:
        """Read an entry back.

        Raises:
            LedgerCorruptError: the bytes are not an entry in canonical form.
        """
        try:
            entry = msgspec.json.decode(content, type=cls)
        except (ValueError, RecursionError) as error:  # of msgspec, no UTF-8, or too deep
            raise LedgerCorruptError(f"ledger entry cannot be read: {error}") from error
        if entry.to_bytes() != content:
            raise LedgerCorruptError("ledger entry is not in canonical form")
        return entry
