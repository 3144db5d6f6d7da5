"""What a node answers, before it is recorded and signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from federation.contract.decisions import FieldDecision


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer with what must be recorded about it.

    `data` holds what JSON has and, in the place of objects that the database wrote itself, `msgspec.Raw`.

    `decisions` hold one entry per coordinate and form; `subjects` are the member's own pseudonyms of every citizen of
    whom something was read. Neither ever holds a value.
    """

    data: dict[str, Any]
    errors: list[dict[str, Any]]
    decisions: tuple[FieldDecision, ...]
    subjects: frozenset[str]
