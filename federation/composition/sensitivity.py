"""Levels of sensitivity, as `@privacy(category:, sensitivity:)` states them for a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphql import ValueNode

from federation.composition.model import Applied
from federation.composition.subgraph import first

PRIVACY = "privacy"
LEVELS = ("public", "internal", "personal", "confidential", "special")
"""From the least to the most sensitive."""


def stated(directives: Iterable[Applied]) -> str | None:
    """Return the level that is stated, which may be none of `LEVELS`; None when nothing is stated."""
    found = first(directives, PRIVACY)
    return found.text("sensitivity") if found is not None else None


def rank(level: str) -> int:
    """Return how sensitive a level is; a level that is not known comes below all others."""
    return LEVELS.index(level) if level in LEVELS else -1


def strictest(items: Sequence[Applied]) -> Mapping[str, ValueNode]:
    """Return the arguments of the most sensitive application."""
    return max(items, key=lambda item: rank(item.text("sensitivity") or "")).arguments
