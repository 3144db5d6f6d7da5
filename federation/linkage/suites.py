"""What every pseudonym suite does, so that exchange and tools know one interface."""

from __future__ import annotations

from typing import Protocol

from federation.contract.identifiers import MemberId, Pseudonym

SUBJECT_BYTES = 16
"""A subject is an opaque random id of this length, known to nobody but the exchange."""


class PseudonymSuite(Protocol):
    """Makes and converts pseudonyms; holds the secrets of every member's domain, and lives in the exchange only."""

    @property
    def name(self) -> str:
        """Return the suite's name in a pseudonym's text."""
        ...

    def pseudonym(self, member: MemberId, subject: bytes) -> Pseudonym:
        """Return how `member` knows `subject`."""
        ...

    def subject(self, pseudonym: Pseudonym) -> bytes:
        """Return the subject behind a pseudonym of its own member."""
        ...

    def convert(self, pseudonym: Pseudonym, to: MemberId) -> Pseudonym:
        """Return how `to` knows the subject that another member knows by `pseudonym`."""
        ...
