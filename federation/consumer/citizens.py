"""Who is who in the evidence of one answer: which names of nodes are of one citizen, by the exchange's word alone.

A node commits to a handle of the citizen whom an object is about. The exchange signs which handles are of one citizen:
of two nodes, or of a node and the consumer, which makes the handles of its own pseudonyms itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from federation.contract.evidence import CITIZEN, Commitment, Path, citizen_handle, is_pseudonym

Handle = tuple[str, str]
"""A domain, and the handle of a citizen there."""


@dataclass(slots=True)
class Citizens:
    """The citizens of one answer, numbered; `places` are the objects of the response that are known to be about one.

    Where nothing is `vouched` for, the exchange's keys are not known, and nobody says who is who.
    """

    consumer: str
    request_digest: str
    vouched: bool
    places: dict[Path, int] = field(default_factory=dict)
    _numbers: dict[Handle, int] = field(default_factory=dict)
    _handles: dict[str, list[str]] = field(default_factory=dict)

    def join(self, one: Handle, other: Handle) -> None:
        """Take in that two handles are of one citizen."""
        number, kept = self._number(one), self._number(other)
        if number != kept:
            self._numbers.update({handle: kept for handle, each in self._numbers.items() if each == number})

    def of(self, member: str) -> CitizensOf:
        """Return the citizens as one member committed to them."""
        return CitizensOf(self, member)

    def numbered(self, domain: str, handle: str) -> int | None:
        """Return the citizen of a handle."""
        return self._numbers.get((domain, handle))

    def handles(self, domain: str) -> list[str]:
        """Return the handles of a domain."""
        return self._handles.get(domain, [])

    def _number(self, handle: Handle) -> int:
        if handle not in self._numbers:
            self._numbers[handle] = len(self._numbers)
            self._handles.setdefault(handle[0], []).append(handle[1])
        return self._numbers[handle]


@dataclass(frozen=True, slots=True)
class CitizensOf:
    """The citizens to whom one member committed. A verdict is None where nobody can say."""

    citizens: Citizens
    member: str

    @property
    def consumer(self) -> str:
        """Whose pseudonyms the response shows."""
        return self.citizens.consumer

    def is_named(self, one: Commitment, pseudonym: str) -> bool | None:
        """Say whether the member gave the name of the citizen whom the consumer knows by a pseudonym."""
        if not self.citizens.vouched:
            return None
        number = self._of_pseudonym(pseudonym)
        return number is not None and number == self._committed(one)

    def is_about(self, one: Commitment, place: Path, shown: Mapping[str, Any]) -> bool | None:
        """Say whether the object at a place is about the citizen to whom the member committed.

        Whom it is about say the pseudonyms that it shows, or a node that gave another part of it.
        """
        if not self.citizens.vouched:
            return None
        number = self._committed(one)
        named = {self._of_pseudonym(each) for each in shown.values() if is_pseudonym(each, self.consumer)}
        if place in self.citizens.places:
            named.add(self.citizens.places[place])
        if not named and one.path[-1] != CITIZEN:  # the node itself gave the object its place, in a list of its own
            return True
        if number is None:  # of whoever was asked about the exchange has said something: the gateway has left it out
            return False
        return number in named if named else None

    def found(self, one: Commitment, place: Path) -> dict[Path, int]:
        """Return whom a member says that the object at a place is about."""
        number = self._committed(one)
        return {} if number is None else {place: number}

    def _of_pseudonym(self, pseudonym: str) -> int | None:
        return self.citizens.numbered(self.consumer, citizen_handle(pseudonym, self.citizens.request_digest))

    def _committed(self, one: Commitment) -> int | None:
        handle = next((each for each in self.citizens.handles(self.member) if one.shows(each)), None)
        return None if handle is None else self.citizens.numbered(self.member, handle)
