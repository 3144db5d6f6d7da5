"""Which fields of a schema must have a policy (policy R1, R34): nodes hold bundles against it, operators proposals."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from graphql import parse
from graphql.language import ObjectTypeDefinitionNode, ObjectTypeExtensionNode

from federation.contract.coverage import is_plumbing

_ROOTS: Final = frozenset({"Query", "Mutation", "Subscription", "_Service", "PageInfo"})
MATCHES: Final = "Matches"
"""What ends the name of a field that compares another with a guess (policy, form `verify`)."""
REACHED: Final = "Reached"
"""What ends the name of a field that compares the age at another, a date of birth (policy, form `age_over`)."""
_ENDINGS: Final = (MATCHES, REACHED)


def is_governed_type(name: str) -> bool:
    """Say whether a type has a policy: roots and the plumbing of connections have none."""
    return name not in _ROOTS and not is_plumbing(name)


def asks_about(name: str) -> str | None:
    """Return the field that a field with such an ending asks about; None if the name has none of them."""
    return next((name.removesuffix(end) for end in _ENDINGS if name.endswith(end)), None)


def is_governed_field(name: str, fields: Collection[str]) -> bool:
    """Say whether a field of a type has a policy of its own: one that asks about another is decided with it."""
    return asks_about(name) not in fields


def governed_fields(sdl: str) -> frozenset[str]:
    """Return the coordinates of a schema, as `Type.field`, that must have a policy.

    Raises:
        GraphQLError: the text is not SDL.
    """
    types: dict[str, set[str]] = {}
    for definition in parse(sdl, no_location=True).definitions:
        if not isinstance(definition, (ObjectTypeDefinitionNode, ObjectTypeExtensionNode)):
            continue
        if is_governed_type(definition.name.value):
            names = (field.name.value for field in definition.fields or ())
            types.setdefault(definition.name.value, set()).update(names)
    return frozenset(
        f"{name}.{field}" for name, fields in types.items() for field in fields if is_governed_field(field, fields)
    )
