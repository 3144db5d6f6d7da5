"""One member's schema as composition sees it: its types, and what its federation directives say about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from graphql import GraphQLError, parse

from federation.composition.errors import CompositionError, Finding
from federation.composition.links import Link, LinkError, read_links
from federation.composition.model import BUILT_IN_SCALARS, Applied, Model, Type, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator

FEDERATION_V1 = Link("https://specs.apollo.dev/federation", "federation", (1, 0), "federation")
_V1_DIRECTIVES = frozenset({"key", "external", "requires", "provides", "extends"})
_MACHINERY_TYPES = frozenset({"_Any", "_Entity", "_Service", "_FieldSet"})
_MACHINERY_FIELDS = frozenset({"_entities", "_service"})


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A subgraph to compose: its name, where it answers (may be empty), and its schema."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True, slots=True)
class ReadSubgraph:
    """A subgraph, read: `enum` is its value in `join__Graph`, `links` the specifications that its schema uses."""

    subgraph: Subgraph
    enum: str
    model: Model
    links: tuple[Link, ...]

    @classmethod
    def read(cls, subgraph: Subgraph) -> Self:
        """Read a subgraph's schema.

        Raises:
            CompositionError: `INVALID_GRAPHQL` or a fault in its links.
        """
        try:
            model = read_model(parse(subgraph.sdl, no_location=True))
            links = read_links(model.applied)
        except GraphQLError as error:
            finding = Finding("INVALID_GRAPHQL", f"[{subgraph.name}] {error.message}", (subgraph.name,))
            raise CompositionError([finding]) from error
        except LinkError as error:
            finding = Finding(error.code, f"[{subgraph.name}] {error}", (subgraph.name,))
            raise CompositionError([finding]) from error
        return cls(subgraph, re.sub(r"[^A-Z0-9_]", "_", subgraph.name.upper()), model, links)

    @property
    def name(self) -> str:
        """The subgraph's name."""
        return self.subgraph.name

    @property
    def federation(self) -> Link:
        """The federation specification that the schema links; the first version when it links none."""
        return next((link for link in self.links if link.name == "federation"), FEDERATION_V1)

    @property
    def first_version(self) -> bool:
        """Whether this is a federation v1 schema, where sharing needs no permission."""
        return self.federation is FEDERATION_V1

    def applied(self, directives: tuple[Applied, ...], name: str) -> Iterator[Applied]:
        """Yield the applications of a federation directive, under whatever name it is imported."""
        here = name if self.first_version and name in _V1_DIRECTIVES else self.federation.directive(name)
        return (applied for applied in directives if applied.name == here)

    def has(self, directives: tuple[Applied, ...], name: str) -> bool:
        """Say whether a federation directive is applied."""
        return next(self.applied(directives, name), None) is not None

    def types(self) -> Iterator[Type]:
        """Yield the types that belong to the federated schema."""
        for type_ in self.model.types.values():
            owned = any(link.owns_type(type_.name) for link in self.links)
            if not owned and type_.name not in BUILT_IN_SCALARS | _MACHINERY_TYPES:
                yield type_

    def composed(self) -> Iterator[str]:
        """Yield the names of custom directives that the supergraph keeps (`@composeDirective`)."""
        for applied in self.applied(self.model.applied, "composeDirective"):
            yield (applied.text("name") or "").removeprefix("@")

    @staticmethod
    def is_machinery(field_name: str) -> bool:
        """Say whether a root field is the federation's own."""
        return field_name in _MACHINERY_FIELDS
