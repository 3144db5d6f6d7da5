"""What the demo needs of its members' nodes: their registers, policies and schemas, and what each question must answer.

The federation knows no node, so it comes in from outside; `node.demo.side` gives it and `crocevia.py` joins the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from federation.demo.checking import Showcase

Pseudonym = Callable[[str, bytes], str]
"""From a member's code and an opaque subject id to the member's own pseudonym of that subject."""
Subject = Callable[[str], bytes]
"""From a tax code to the opaque subject id that enrolment finds for it."""


class Held(Protocol):
    """A row of the reference directory: who holds a file on a subject (hexadecimal), as what, since when."""

    @property
    def subject(self) -> str: ...  # the class says it
    @property
    def member(self) -> str: ...
    @property
    def capacity(self) -> str: ...
    @property
    def since(self) -> str: ...


class Known(Protocol):
    """A synthetic person as the citizens' portal knows them."""

    @property
    def tax_code(self) -> str: ...
    @property
    def subject_id(self) -> bytes: ...


class Seeded(Protocol):
    """What was written: people in all and by member, files in all, and each member's register."""

    @property
    def people(self) -> int: ...
    @property
    def known(self) -> Mapping[str, int]: ...
    @property
    def holdings(self) -> int: ...
    @property
    def registers(self) -> Mapping[str, Path]: ...

    def held(self) -> Iterable[Held]:
        """Yield the rows of the reference directory."""
        ...

    def persons(self) -> Iterable[Known]:
        """Yield the people."""
        ...


class MembersSide(Protocol):
    """The members' part of the demo. Folders are those of a `federation.demo.layout.Home`."""

    @property
    def files(self) -> Path:
        """The folder of the demo's files: charter, people, mappings, queries."""
        ...

    @property
    def vocabulary(self) -> Path:
        """The federation's policy vocabulary."""
        ...

    def seed(
        self,
        home: Path,
        citizens: int,
        progress: Callable[[int, int], None],
        pseudonym: Pseudonym,
        subject: Subject,
    ) -> Seeded:
        """Make so many people and write them into the members' registers below `home`."""
        ...

    def publish_policy(self, member: str, party: Path) -> dict[str, str]:
        """Sign a member's policy and bring it into force in its folder; return the settings that say so."""
        ...

    def published_sdl(self, member: str) -> str:
        """Return the schema that a member publishes to the federation."""
        ...

    def showcases(self, home: Path, today: date, pseudonym: Pseudonym) -> Iterable[Showcase]:
        """Yield the questions of the demo's check, each with the judge of its answer."""
        ...
