"""A subgraph that writes the federation's definitions itself writes them as the specification has them."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.model import Directive
from federation.composition.specifications import FIELD_SETS
from federation.composition.subgraph import ReadSubgraph

_SPECIFICATION_TYPES = FIELD_SETS | {"Scope", "Policy", "ContextFieldValue"}


def definitions_valid(subgraph: ReadSubgraph) -> Iterator[Finding]:
    """A directive or scalar of the specification, defined again, has no other arguments, types or places."""
    for name, written in subgraph.model.directives.items():
        specified = subgraph.known.get(name)
        if specified is not None and specified is not written:
            for problem in _problems(subgraph, specified, written):
                message = f"invalid definition of directive `@{subgraph.written(name)}`: {problem}"
                yield subgraph.finding("DIRECTIVE_DEFINITION_INVALID", message, f"@{subgraph.written(name)}")


def _problems(subgraph: ReadSubgraph, specified: Directive, written: Directive) -> Iterator[str]:
    for name, expected in specified.arguments.items():
        found = written.arguments.get(name)
        if found is None:
            if expected.required:
                yield f"missing required argument `{name}`"
        elif not _same_type(subgraph, expected.type, found.type, in_place=bool(expected.default or found.default)):
            yield f"argument `{name}` should have type `{expected.type}` but has `{found.type}`"
    for name in written.arguments.keys() - specified.arguments.keys():
        yield f"unknown argument `{name}`"
    if written.repeatable and not specified.repeatable:
        yield "it should not be repeatable"
    strange = [location for location in written.locations if location not in specified.locations]
    if strange:
        yield f"it should stand on {', '.join(specified.locations)}, not on {', '.join(strange)}"


def _same_type(subgraph: ReadSubgraph, expected: str, found: str, *, in_place: bool) -> bool:
    """Compare types; those of the specification go by several names, and what has a default may be non-null."""
    if in_place:
        expected, found = expected.rstrip("!"), found.rstrip("!")
    name = expected.strip("[]!")
    if name not in _SPECIFICATION_TYPES:
        return found in {expected, f"{expected}!"}
    federation = [link for link in subgraph.links if link.name == "federation"]
    names = {"String", "_FieldSet"}
    if not subgraph.first_version:
        names = {"String", f"federation__{name}"} | {link.type(name) for link in federation}
    if expected == "FieldSet!" and found == "[String!]!":
        return True  # many libraries for federation v1 print it so
    return any(expected.replace(name, other) == found for other in names)
