"""What a supergraph asks of clients by `@authenticated`, `@requiresScopes` and `@policy`, and what a request may have.

Open mode proves nobody's identity. Unless a proxy in front is believed, requests hold no claims, and what asks for some
is denied: null with `FIELD_DENIED`, and no subgraph is asked for it. It still serves as a key, and as an input of
fields that ask for the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from typing import Self

from federation.composition.claims import CLAIMS, NOTHING, Alternatives, Claim, both, claimed
from federation.composition.fieldset import FieldSet, Fragment, parse_field_set
from federation.composition.model import Applied, Kind, named
from federation.composition.supergraph import Supergraph, SuperType
from federation.gateway.passing import Passing

Claims = frozenset[Claim]
NO_CLAIMS: Claims = frozenset()

_AUTHENTICATED: Claim = ("authenticated", "")
_KNOWN: Alternatives = frozenset({frozenset({_AUTHENTICATED})})


@dataclass(frozen=True, slots=True)
class Believed:
    """Who says what a client may: nobody, or a proxy in front, by a header that it sets or removes on every request.

    The header's presence says that the client is authenticated; it lists scopes as tokens do (RFC 6749 section 3.3).
    """

    header: bytes | None = None

    @classmethod
    def of(cls, name: str | None) -> Self:
        """Check a name that somebody wrote.

        Raises:
            ConfigurationError: it is no header name, or a header that every connection has of its own.
        """
        return cls(None if name is None else Passing.of([name]).names[0])

    def claims(self, headers: Mapping[bytes, bytes]) -> Claims:
        """Return what a request may, by its headers under lower-case names."""
        if self.header is None or self.header not in headers:
            return NO_CLAIMS
        scopes = headers[self.header].decode("latin-1").split(" ")
        return frozenset({_AUTHENTICATED, *(("requiresScopes", scope) for scope in scopes if scope)})


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What fields of object types ask for, by coordinate (`Type.field`); those that are not listed ask for nothing."""

    needs: Mapping[str, Alternatives] = field(default_factory=dict)

    @classmethod
    def of(cls, supergraph: Supergraph) -> Self:
        """Collect what types and fields ask for.

        A field asks for what it says itself, what its own type and the type it leads to say, what interfaces above say
        of both, and what the fields ask for that it is computed from: those it `@requires`, or a context gives.
        """
        reader = _Reader(supergraph)
        for type_ in supergraph.types.values():
            if type_.kind is Kind.OBJECT:
                for name in type_.fields:
                    reader.read(type_.name, name)
        return cls({coordinate: needs for coordinate, needs in reader.found.items() if needs != NOTHING})

    def relevant(self, claims: Claims) -> Claims:
        """Return those of a request's claims that any field asks for: what tells its plans from those of others."""
        return claims & frozenset(chain.from_iterable(chain.from_iterable(self.needs.values())))

    def denied(self, claims: Claims) -> frozenset[str]:
        """Return the coordinates that ask for more."""
        return frozenset(name for name, needs in self.needs.items() if not any(one <= claims for one in needs))


@dataclass(frozen=True, slots=True)
class _Reader:
    supergraph: Supergraph
    found: dict[str, Alternatives] = field(default_factory=dict)

    def read(self, type_name: str, name: str) -> Alternatives:
        """Return what a field of an object type asks for. Fields that require each other are read once."""
        coordinate = f"{type_name}.{name}"
        if coordinate not in self.found:
            type_ = self.supergraph.types[type_name]
            self.found[coordinate] = _all_of(map(_asked, chain.from_iterable(self._asking(type_, name))))
            self.found[coordinate] = _all_of([self.found[coordinate], *self._inputs(type_, name)])
        return self.found[coordinate]

    def _owners(self, type_: SuperType, name: str) -> Iterator[SuperType]:
        """Yield the type and the interfaces above it, where they have a field."""
        types = self.supergraph.types
        above = (types[interface] for interface in type_.interfaces if interface in types)
        return (owner for owner in (type_, *above) if name in owner.fields)

    def _asking(self, type_: SuperType, name: str) -> Iterator[tuple[Applied, ...]]:
        """Yield the directives of everything that has a say about a field."""
        for owner in self._owners(type_, name):
            yield owner.directives
            yield owner.fields[name].directives
            target = self.supergraph.types.get(named(owner.fields[name].type))
            yield () if target is None else target.directives

    def _inputs(self, type_: SuperType, name: str) -> Iterator[Alternatives]:
        """Yield what the fields ask for that a field is computed from."""
        for owner in self._owners(type_, name):
            for here in owner.fields[name].subgraphs.values():
                if here.requires is not None:
                    yield from self._selected(type_.name, parse_field_set(here.requires))
                for argument in here.context_arguments:
                    selections = parse_field_set(argument.selection)
                    for above in self.supergraph.types.values():
                        if argument.context in above.contexts:
                            yield from self._selected(above.name, selections)

    def _selected(self, type_name: str, selections: FieldSet) -> Iterator[Alternatives]:
        """Yield what the fields of a field set ask for, on every object type that may stand there."""
        for selection in selections:
            if isinstance(selection, Fragment):
                yield from self._selected(selection.on or type_name, selection.selections)
                continue
            for concrete in self.supergraph.possible(type_name):
                declared = self.supergraph.types[concrete].fields.get(selection.name)
                if declared is not None:
                    yield self.read(concrete, selection.name)
                    yield from self._selected(named(declared.type), selection.selections)


def _all_of(asked: Iterable[Alternatives]) -> Alternatives:
    return reduce(both, asked, NOTHING)


def _asked(applied: Applied) -> Alternatives:
    """Return what a directive asks for; whoever has scopes is known, and a list without alternatives lets nobody in."""
    return both(_KNOWN, claimed(applied, applied.name)) if applied.name in CLAIMS else NOTHING
