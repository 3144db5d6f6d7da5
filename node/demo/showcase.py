"""Reads the demo's documented people from `deploy/demo/people.yaml`."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

import msgspec
import yaml

from node.demo.facts import (
    CivilRecord,
    HealthRecord,
    Person,
    SchoolRecord,
    SecurityRecord,
    SupportRecord,
)

_RECORDS: Final = {
    "civil": CivilRecord,
    "health": HealthRecord,
    "security": SecurityRecord,
    "school": SchoolRecord,
    "support": SupportRecord,
}
_EMPTY_LISTS: Final = frozenset(
    {"contacts", "cases", "dealings", "consents", "exemptions", "benefits", "contributions", "enrolments", "programmes"}
)


def read_showcase(text: str, subject: Callable[[], str]) -> list[Person]:
    """Return the documented people, each with a fresh subject id.

    Raises:
        msgspec.ValidationError: the file does not describe people; the message has the path of the wrong entry.
    """
    written = yaml.safe_load(text)
    return msgspec.convert([_complete(person, subject()) for person in written], list[Person])


def _complete(person: dict[str, Any], subject: str) -> dict[str, Any]:
    """Give every record what it inherits from its person, and null or an empty list for what it leaves out."""
    complete = {**person, "subject": subject}
    for name, record in _RECORDS.items():
        if name in person:
            nothing: dict[str, Any] = {
                field.name: [] if field.name in _EMPTY_LISTS else None for field in fields(record)
            }
            inherited = {key: value for key, value in person.items() if key in nothing}
            complete[name] = nothing | inherited | person[name]
    return complete
