"""What the reference directory holds: who has a file on whom, in which capacity, since when. No content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from federation.contract.errors import BadInputError
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym, capacity_code, member_id


@dataclass(frozen=True, slots=True, order=True)
class HeldFile:
    """A member's file on a subject (directory section 2).

    `subject` is a pseudonym of the directory's own domain; `capacity` a code such as `resident`, `patient`, `pupil`;
    `until` is the last day, None while the file is open. `mark` is the member's secret name of the subject, by which
    both sides compare what they have; empty for what the member did not publish itself.
    """

    subject: str
    member: MemberId
    capacity: str
    since: date
    until: date | None = None
    mark: bytes = b""

    @classmethod
    def parse(
        cls, subject: str, member: str, capacity: str, since: date, until: date | None = None, mark: bytes = b""
    ) -> Self:
        """Make a row from what another party says.

        Raises:
            BadInputError: a subject of another domain, a member or capacity that is no code, or an end too early.
        """
        if Pseudonym.parse(subject).member != DIRECTORY:
            raise BadInputError("expected a pseudonym of the directory")
        if until is not None and until < since:
            raise BadInputError(f"file ends on {until}, before it begins on {since}")
        return cls(subject, member_id(member), capacity_code(capacity), since, until, mark)

    def open_on(self, day: date) -> bool:
        """Say whether the file is open on that day."""
        return self.since <= day and (self.until is None or day <= self.until)
