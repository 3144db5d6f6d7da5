"""Looks for citizens' values where none may be: logs, refusals, and what a process keeps beside its register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from federation.demo.layout import Home
from node.demo.facts import Person
from node.demo.seed import TRUTH, read_truth

_PSEUDONYM = re.compile(rb"v1\.[a-z0-9-]{1,24}\.[a-z][a-z0-9_]{1,31}\.[A-Za-z0-9_-]{20,}")
_SHORTEST = 6
"""Shorter values would be met by chance in signatures and digests."""
_INTERNALS = re.compile(
    rb"Traceback|site-packages|\.py\b|SELECT |INSERT |sqlite|sqlalchemy|asyncpg|postgresql:"
    rb"|(?<![\w/:.-])/(?:[a-z]\w*/){2}|eyJ[A-Za-z0-9_-]{20}"
)
"""What no refusal tells: stacks, paths, statements, drivers, addresses of databases, tokens."""


def in_home(home: Home) -> list[str]:
    """Return every value of a citizen in a log or in a party's state; the member's own tables are its register's part.

    Pseudonyms are looked for in logs only: ledgers keep them encrypted, the directory's work is to hold them.
    """
    values = sorted({value for person in read_truth(home.root / TRUTH) for value in values_of(person)})
    wanted = re.compile(b"|".join(re.escape(value.encode()) for value in values))
    found = []
    for path in _kept(home):
        content = path.read_bytes()
        found += [f"{path.relative_to(home.root)}: {each.decode()}" for each in sorted(set(wanted.findall(content)))]
        if path.suffix == ".log" and _PSEUDONYM.search(content):
            found.append(f"{path.relative_to(home.root)}: a pseudonym")
    return found


def in_refusal(body: bytes, sent: str) -> list[str]:
    """Return what a refusal repeats of the values that were sent, and what it tells about our insides."""
    found = [sent] if sent.encode() in body else []
    return found + [each.decode() for each in _INTERNALS.findall(body)]


def values_of(person: Person) -> Iterator[str]:
    """Yield what identifies a citizen or is a secret of one, if it is long enough to be no accident."""
    found = [person.tax_code, person.family_name]
    if person.civil:
        for contact in person.civil.contacts:
            found += [contact.email or "", contact.telephone or ""]
        found += [case.number for case in person.civil.cases]
    yield from (value for value in found if len(value) >= _SHORTEST)


def _kept(home: Home) -> Iterator[Path]:
    yield from home.logs.glob("*")
    for path in home.root.glob("*/state/*"):
        if path.is_file() and not path.name.startswith("own.db"):
            yield path
