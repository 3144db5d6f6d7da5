"""What the demo's check compares: the documented people, the showcase queries, and what each must answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from node.demo.answers import differences
from node.demo.facts import Person
from node.demo.truth import ABOUT_ONE, Expectation, read_town, statistics

_DENIED = "FIELD_DENIED"
_WITHOUT_LOOKUPS = frozenset({"coop_ponte"})
"""Consumers whose agreement names no provider for look-ups by tax code, whatever policies say."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One question to ask and what must come back."""

    name: str
    consumer: str
    purpose: str
    query: str
    variables: Mapping[str, Any]
    expectation: Expectation

    def faults(self, answer: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with an answer; no line holds a value."""
        privacy = answer.get("extensions", {}).get("privacy", {})
        denied = {
            ".".join(part for part in error.get("path", ()) if isinstance(part, str))
            for error in answer.get("errors", ())
            if error["extensions"]["code"] == _DENIED
        }
        other = [error for error in answer.get("errors", ()) if error["extensions"]["code"] != _DENIED]
        masked = {entry["coordinate"] for entry in privacy.get("masked", ())}
        return [
            *(f"error {error['extensions']['code']} at {error.get('path')}" for error in other),
            *differences(self.expectation.data, answer.get("data")),
            *(f"`{path}` is denied and should not be" for path in sorted(denied - self.expectation.denied)),
            *(f"`{name}` is masked and should not be" for name in sorted(masked - self.expectation.masked)),
        ]


def expected_answers(
    truth: Path, queries: Path, today: date, pseudonym: Callable[[str, bytes], str]
) -> Iterator[Expected]:
    """Yield every showcase question about every documented person, by pseudonym and by tax code, and the statistics."""
    town = read_town(truth, lambda _, person: person.showcase is not None)
    for person in town.people:
        if person.showcase is None:
            continue
        for showcase in ABOUT_ONE:
            yield from _about(person, showcase(person, town, today, pseudonym), queries, pseudonym)
    counted = statistics(town)
    yield Expected("statistics", counted.consumer, counted.purpose, _text(queries, counted), {}, counted)


def _about(
    person: Person, expected: Expectation, queries: Path, pseudonym: Callable[[str, bytes], str]
) -> Iterator[Expected]:
    query = _text(queries, expected)
    name = f"{expected.query} of {person.showcase}"
    by_id = {"by": {"id": pseudonym(expected.consumer, person.subject_id)}}
    yield Expected(name, expected.consumer, expected.purpose, query, by_id, expected)
    if expected.found_by_tax_code and expected.consumer not in _WITHOUT_LOOKUPS:
        by_code = {"by": {"taxCode": person.tax_code}}
        yield Expected(f"{name}, by tax code", expected.consumer, expected.purpose, query, by_code, expected)


def _text(queries: Path, expected: Expectation) -> str:
    return (queries / f"{expected.query}.graphql").read_text(encoding="utf-8")
