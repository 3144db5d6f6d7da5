"""Whom an agreement lets be asked about a citizen, as the reference directory has it on the day (directory section 2).

* A member is asked about the citizens on whom it holds an open file, in a capacity that the agreement names if it
  names any.
* A member that answers broadcasts publishes no files and is asked about everybody, so that nobody sees whom it knows.
* A consumer that must itself hold a file on a citizen is refused where it holds none, and where nobody knows the
  citizen just so: the refusal tells of the consumer's own files only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from federation.contract.errors import NoOpenFileError
from federation.contract.members import Agreement


class Files(Protocol):
    """The reference directory."""

    def members_holding(self, subjects: Collection[str], day: date) -> Mapping[str, frozenset[str]]:
        """Return the members with an open file on each subject; unknown ones left out."""
        ...

    def open_files(self, subjects: Collection[str], day: date) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Return the capacities in which members have an open file on each subject; unknown ones left out."""
        ...


@dataclass(frozen=True, slots=True)
class AgreedHolders:
    """The directory under one agreement, on one day in Rome; `broadcast` are those asked about everybody."""

    files: Files
    agreement: Agreement
    day: date
    broadcast: frozenset[str]

    def members_holding(self, subjects: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the members that may be asked about each pseudonym of the directory's domain."""
        known = self._fitting(subjects)
        if not self.broadcast:
            return known
        return {subject: known.get(subject, frozenset()) | self.broadcast for subject in subjects}

    def require_own_file(self, subject: str | None) -> None:
        """Refuse a consumer that must hold a file on whom it names and holds none, or shows none: None is nobody found.

        Raises:
            NoOpenFileError: it holds none, or none in a capacity that the agreement asks for.
        """
        wanted = self.agreement.holding
        if not wanted:
            return
        open_files = {} if subject is None else self.files.open_files([subject], self.day).get(subject, {})
        if open_files.get(self.agreement.consumer, frozenset()).isdisjoint(wanted):
            raise NoOpenFileError(
                f"agreement `{self.agreement.id}` is for citizens on whom `{self.agreement.consumer}` holds an open "
                f"file as {' or '.join(wanted)}; none was found on this one",
                capacities=list(wanted),
            )

    def _fitting(self, subjects: Collection[str]) -> Mapping[str, frozenset[str]]:
        wanted = {str(each.member): each.capacities for each in self.agreement.providers if each.capacities}
        if not wanted:
            return self.files.members_holding(subjects, self.day)
        return {
            subject: frozenset(
                member for member, held in members.items() if member not in wanted or held.intersection(wanted[member])
            )
            for subject, members in self.files.open_files(subjects, self.day).items()
        }
