"""What `@authenticated`, `@requiresScopes`, `@policy` ask of a client: alternatives, of which one must hold whole."""

from __future__ import annotations

from typing import Final

from federation.composition.model import Applied

Claim = tuple[str, str]
"""A directive's name, and the scope or policy."""

Alternatives = frozenset[frozenset[Claim]]
NOTHING: Final[Alternatives] = frozenset({frozenset()})
CLAIMS: Final[dict[str, str | None]] = {"authenticated": None, "requiresScopes": "scopes", "policy": "policies"}
"""The directives, with the argument that lists what they ask for."""


def both(left: Alternatives, right: Alternatives) -> Alternatives:
    """Return what is asked where both hold."""
    return frozenset(one | other for one in left for other in right)


def claimed(item: Applied, name: str) -> Alternatives:
    """Return what one directive asks for; `name` is the one in `CLAIMS`, whatever a schema calls it."""
    argument = CLAIMS[name]
    if argument is None:
        return frozenset({frozenset({(name, "")})})
    return frozenset(frozenset((name, text) for text in group) for group in item.alternatives(argument))
