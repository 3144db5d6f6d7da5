"""The directives of the specifications that a subgraph may use: since which version, where they stand, what they take.

The tables are those of the federation specification v1 to v2.11 with tag, inaccessible, cost and the rest that it takes
in. Types of arguments are written with the specification's own names (`FieldSet`, not `federation__FieldSet`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from graphql import BooleanValueNode, IntValueNode

from federation.composition.links import APOLLO, CORE, FEDERATION, LINK
from federation.composition.model import Directive, InputValue

Version = tuple[int, int]

LATEST: Version = (2, 12)
"""The newest version of the federation specification that is understood."""

MERGED = frozenset(
    {
        "tag",
        "inaccessible",
        "deprecated",
        "specifiedBy",
        "authenticated",
        "requiresScopes",
        "policy",
        "cost",
        "listSize",
    }
)
"""Directives that the supergraph keeps without being told to."""

AUTHORISING = ("authenticated", "requiresScopes", "policy")
FIELD_SETS = frozenset({"FieldSet", "_FieldSet"})

SCALARS_OF = {f"{APOLLO}/requiresScopes": ("Scope",), f"{APOLLO}/policy": ("Policy",)}
"""Scalars that the definitions of some specifications need."""

_OF = {
    f"{APOLLO}/inaccessible": ("inaccessible",),
    f"{APOLLO}/tag": ("tag",),
    f"{APOLLO}/cost": ("cost", "listSize"),
    f"{APOLLO}/authenticated": ("authenticated",),
    f"{APOLLO}/requiresScopes": ("requiresScopes",),
    f"{APOLLO}/policy": ("policy",),
}
"""Specifications that a subgraph may link by themselves, and their directives."""

_KNOWN_VERSIONS: dict[str, frozenset[Version]] = {
    FEDERATION: frozenset((2, minor) for minor in range(LATEST[1] + 1)) | {(1, 0)},
    LINK: frozenset({(1, 0)}),
    CORE: frozenset({(0, 1), (0, 2)}),
    f"{APOLLO}/inaccessible": frozenset({(0, 1), (0, 2)}),
    f"{APOLLO}/tag": frozenset({(0, 1), (0, 2), (0, 3)}),
    f"{APOLLO}/cost": frozenset({(0, 1)}),
    f"{APOLLO}/authenticated": frozenset({(0, 1)}),
    f"{APOLLO}/requiresScopes": frozenset({(0, 1)}),
    f"{APOLLO}/policy": frozenset({(0, 1)}),
}


@dataclass(frozen=True, slots=True)
class Specified:
    """A directive of the federation specification; `since` and `moved` are the versions that know it and extend it.

    `optional` names the arguments that a subgraph's own definition may leave out although they are listed; from the
    version in `moved` on, the directive may also stand on `more_locations`.
    """

    definition: Directive
    since: Version
    moved: Version | None = None
    more_locations: tuple[str, ...] = ()
    newer: tuple[tuple[str, Version], ...] = ()

    def at(self, version: Version) -> Directive:
        """Return the definition as a version of the specification has it."""
        late = {name for name, since in self.newer if version < since}
        arguments = {name: item for name, item in self.definition.arguments.items() if name not in late}
        locations = self.definition.locations
        if self.moved is not None and version >= self.moved:
            locations += self.more_locations
        return Directive(self.definition.name, arguments, locations, self.definition.repeatable)


def known_version(identity: str, version: Version | None) -> bool:
    """Say whether a version of a specification is known; of a specification not listed here, every version is."""
    versions = _KNOWN_VERSIONS.get(identity)
    return versions is None or version is None or version in versions


def directives_of(identity: str) -> tuple[str, ...]:
    """Return the directives of a specification that stands on its own; none when it is not known here."""
    return _OF.get(identity, ())


@cache
def federation_directives(version: Version) -> dict[str, Directive]:
    """Return the directives that a version of the federation specification defines."""
    if version < (2, 0):
        return {name: _TABLE[name].at((2, 0)) for name in _FIRST_VERSION}
    return {name: item.at(version) for name, item in _TABLE.items() if version >= item.since}


@cache
def federation_types(version: Version) -> frozenset[str]:
    """Return the types that a version of the federation specification defines."""
    return frozenset(name for name, since in _TYPES if version >= since)


def single_directives(identity: str) -> dict[str, Directive]:
    """Return the definitions of a specification that stands on its own."""
    return {name: _TABLE[name].at(LATEST) for name in directives_of(identity)}


def _define(name: str, arguments: str, locations: str, *, repeatable: bool = False) -> Directive:
    """Write a definition shortly: `fields: FieldSet!, resolvable: Boolean = true`."""
    found: dict[str, InputValue] = {}
    for part in arguments.split(", ") if arguments else ():
        argument, _, rest = part.partition(": ")
        type_text, _, default = rest.partition(" = ")
        found[argument] = InputValue(argument, type_text, _DEFAULTS[default] if default else None)
    return Directive(name, found, tuple(locations.split(" | ")), repeatable)


_DEFAULTS = {
    "true": BooleanValueNode(value=True),
    "false": BooleanValueNode(value=False),
    "1": IntValueNode(value="1"),
}
_FIRST_VERSION = ("key", "requires", "provides", "external", "extends", "tag")
_TYPES = (
    ("FieldSet", (2, 0)),
    ("Scope", (2, 5)),
    ("Policy", (2, 6)),
    ("ContextFieldValue", (2, 8)),
)
_EVERYWHERE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT"
    " | INPUT_FIELD_DEFINITION"
)
_AUTHORISED = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
_LISTED = (
    Specified(
        _define("key", "fields: FieldSet!, resolvable: Boolean = true", "OBJECT | INTERFACE", repeatable=True), (2, 0)
    ),
    Specified(_define("requires", "fields: FieldSet!", "FIELD_DEFINITION"), (2, 0)),
    Specified(_define("provides", "fields: FieldSet!", "FIELD_DEFINITION"), (2, 0)),
    Specified(_define("external", "reason: String", "OBJECT | FIELD_DEFINITION"), (2, 0)),
    Specified(_define("extends", "", "OBJECT | INTERFACE"), (2, 0)),
    Specified(_define("shareable", "", "OBJECT | FIELD_DEFINITION", repeatable=True), (2, 0)),
    Specified(_define("inaccessible", "", _EVERYWHERE), (2, 0)),
    Specified(
        _define("tag", "name: String!", _EVERYWHERE, repeatable=True), (2, 0), moved=(2, 3), more_locations=("SCHEMA",)
    ),
    Specified(
        _define("override", "from: String!, label: String", "FIELD_DEFINITION"), (2, 0), newer=(("label", (2, 7)),)
    ),
    Specified(_define("composeDirective", "name: String", "SCHEMA", repeatable=True), (2, 1)),
    Specified(_define("interfaceObject", "", "OBJECT"), (2, 3)),
    Specified(_define("authenticated", "", _AUTHORISED), (2, 5)),
    Specified(_define("requiresScopes", "scopes: [[Scope!]!]!", _AUTHORISED), (2, 5)),
    Specified(_define("policy", "policies: [[Policy!]!]!", _AUTHORISED), (2, 6)),
    Specified(_define("context", "name: String!", "INTERFACE | OBJECT | UNION", repeatable=True), (2, 8)),
    Specified(_define("fromContext", "field: ContextFieldValue", "ARGUMENT_DEFINITION"), (2, 8)),
    Specified(
        _define(
            "cost",
            "weight: Int!",
            "ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        ),
        (2, 9),
    ),
    Specified(
        _define(
            "listSize",
            "assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
            " requireOneSlicingArgument: Boolean = true",
            "FIELD_DEFINITION",
        ),
        (2, 9),
    ),
    Specified(_define("cacheTag", "format: String!", "OBJECT | FIELD_DEFINITION", repeatable=True), (2, 12)),
)
_TABLE = {item.definition.name: item for item in _LISTED}
