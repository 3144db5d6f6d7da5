"""What a change of a schema means for those who use it: breaking, dangerous, or safe.

A change that would break clients is safe as far as nobody uses what it touches: recorded usage says so, as the set of
schema coordinates that were asked for.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from graphql import GraphQLSchema
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    SafeChange,
    find_schema_changes,
)

_SPEECH = re.compile(
    r"^(?:An? |The )?(?:Argument|Field|Enum value|Directive|(?:required|optional) (?:argument|field)) "
)
_NAMED = re.compile(r"@?[_A-Za-z][_0-9A-Za-z]*(?:\.[_A-Za-z][_0-9A-Za-z]*(?:\([_A-Za-z][_0-9A-Za-z]*:?\))?)?")


class Severity(StrEnum):
    """What a change does to clients."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `coordinate` is what it touches, and `unused` says that only missing use makes it safe."""

    severity: Severity
    kind: str
    message: str
    coordinate: str
    unused: bool = False


def schema_changes(old: GraphQLSchema, new: GraphQLSchema, used: AbstractSet[str] | None = None) -> tuple[Change, ...]:
    """Return what changed between two API schemas, the worst first.

    `used` are the coordinates (`Type`, `Type.field`, `Type.field(argument:)`, enum values as `Type.VALUE`) that clients
    were seen to use; without it, everything counts as used.
    """
    found = [_change(change, used) for change in find_schema_changes(old, new)]
    order = list(Severity)
    return tuple(sorted(found, key=lambda change: (order.index(change.severity), change.coordinate, change.message)))


_OF_THE_PARENT = frozenset(
    {
        "REQUIRED_ARG_ADDED",
        "OPTIONAL_ARG_ADDED",
        "REQUIRED_INPUT_FIELD_ADDED",
        "OPTIONAL_INPUT_FIELD_ADDED",
        "VALUE_ADDED_TO_ENUM",
        "REQUIRED_DIRECTIVE_ARG_ADDED",
    }
)
"""Changes that touch whoever uses what has been added to."""


def _change(change: BreakingChange | DangerousChange | SafeChange, used: AbstractSet[str] | None) -> Change:
    severity = _severity(change)
    named = _NAMED.search(_SPEECH.sub("", change.description))
    coordinate = named[0] if named is not None else ""
    touched = re.split(r"[.(]", coordinate)[0] if "(" not in coordinate else coordinate.partition("(")[0]
    if change.type.name not in _OF_THE_PARENT:
        touched = coordinate
    unused = severity is not Severity.SAFE and used is not None and not _is_used(touched, used)
    return Change(Severity.SAFE if unused else severity, change.type.name, change.description, coordinate, unused)


def _severity(change: BreakingChange | DangerousChange | SafeChange) -> Severity:
    match change:
        case BreakingChange():
            return Severity.BREAKING
        case DangerousChange():
            return Severity.DANGEROUS
        case SafeChange():
            return Severity.SAFE


def _is_used(coordinate: str, used: AbstractSet[str]) -> bool:
    """Whether something is used, or something in it."""
    inside = (f"{coordinate}.", f"{coordinate}(")
    return coordinate in used or any(each.startswith(inside) for each in used)
