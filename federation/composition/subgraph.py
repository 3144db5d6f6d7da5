"""One member's schema as composition sees it: its types under canonical names, and what its directives say about them.

Directives of the federation specification carry the specification's own names here (`key`), whatever the schema calls
them (`federation__key`, `myKey`); a directive of the member's own that has such a name carries the prefix `custom:`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSet, FieldSetError, Fragment, parse_field_set
from federation.composition.links import Link
from federation.composition.model import Applied, Directive, Field, Kind, Model, Type, named

CUSTOM = "custom:"
Coordinate = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A subgraph to compose: its name, where it answers (may be empty), and its schema."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True)
class ReadSubgraph:
    """A subgraph, read. Not slotted: what follows from its schema is computed when first asked for, and kept.

    `enum` is its value in `join__Graph`, `links` the specifications that its schema uses, `version` the federation
    version, `known` the definitions of all directives that may be applied, under canonical names, `spelled` what the
    schema calls those whose canonical name is another one, `faults` what reading found that is no reason to stop.
    """

    subgraph: Subgraph
    enum: str
    model: Model
    links: tuple[Link, ...]
    version: tuple[int, int]
    known: Mapping[str, Directive]
    spelled: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """The subgraph's name."""
        return self.subgraph.name

    @property
    def first_version(self) -> bool:
        """Whether this is a federation v1 schema, where sharing needs no permission."""
        return self.version < (2, 0)

    @property
    def types(self) -> Mapping[str, Type]:
        """The types that belong to the federated schema."""
        return self.model.types

    def written(self, directive: str) -> str:
        """Return what the schema calls a directive."""
        return self.spelled.get(directive, directive.removeprefix(CUSTOM))

    def finding(self, code: str, message: str, *coordinates: str) -> Finding:
        """Return a finding that only this subgraph can do something about."""
        return Finding(code, f"[{self.name}] {message}", (self.name,), coordinates)

    @cached_property
    def implementations(self) -> Mapping[str, tuple[str, ...]]:
        """The object types of each interface and union."""
        found: dict[str, list[str]] = {}
        for type_ in self.types.values():
            if type_.kind is Kind.UNION:
                found[type_.name] = list(type_.members)
            elif type_.kind is Kind.OBJECT:
                for interface in type_.interfaces:
                    found.setdefault(interface, []).append(type_.name)
        return {name: tuple(members) for name, members in found.items()}

    @cached_property
    def external(self) -> frozenset[Coordinate]:
        """The fields that carry `@external`, by themselves or through their type, and mean it.

        Keys of type extensions are not external although v1 schemas have to mark them so.
        """
        return self._marked - self._extended_keys

    @cached_property
    def keyed_external(self) -> frozenset[Coordinate]:
        """The fields that carry `@external` and do not mean it, being keys of a type extension."""
        return self._marked & self._extended_keys

    @cached_property
    def _marked(self) -> frozenset[Coordinate]:
        found: set[Coordinate] = set()
        for type_ in self.types.values():
            whole = has(type_.directives, "external")
            found |= {(type_.name, each.name) for each in type_.fields.values() if whole or external(each)}
        return frozenset(found)

    @cached_property
    def _extended_keys(self) -> frozenset[Coordinate]:
        found: set[Coordinate] = set()
        for type_ in self.types.values():
            extends = has(type_.directives, "extends")
            for key in applied(type_.directives, "key"):
                if extends or key.extended:
                    found.update(self.targets(type_.name, key.text("fields")))
        return frozenset(found)

    @cached_property
    def provided(self) -> frozenset[Coordinate]:
        """The fields that some `@provides` reaches."""
        found: set[Coordinate] = set()
        for _, each in self.fields():
            for provides in applied(each.directives, "provides"):
                found.update(self.targets(named(each.type), provides.text("fields")))
        return frozenset(found)

    @cached_property
    def key_fields(self) -> frozenset[Coordinate]:
        """The fields that some `@key` reaches."""
        found: set[Coordinate] = set()
        for type_ in self.types.values():
            for key in applied(type_.directives, "key"):
                found.update(self.targets(type_.name, key.text("fields")))
        return frozenset(found)

    @cached_property
    def required(self) -> frozenset[Coordinate]:
        """The fields that some `@requires` reaches."""
        found: set[Coordinate] = set()
        for type_, each in self.fields():
            for requires in applied(each.directives, "requires"):
                found.update(self.targets(type_.name, requires.text("fields")))
        return frozenset(found)

    def fields(self) -> Iterator[tuple[Type, Field]]:
        """Yield every field of every object and interface type."""
        for type_ in self.types.values():
            for each in type_.fields.values():
                yield type_, each

    def own_definitions(self) -> Iterator[Directive]:
        """Yield the definitions of directives that have nothing to do with a specification, and with its types."""
        for name, definition in self.model.directives.items():
            if self.known.get(name) is definition and name not in {"link", "core"} and not name.startswith(CUSTOM):
                yield definition

    def shareable(self, type_: Type, declared: Field) -> bool:
        """Whether other subgraphs may resolve the field too."""
        return (
            has(declared.directives, "shareable")
            or has(type_.directives, "shareable")
            or (type_.name, declared.name) in self.key_fields
        )

    def targets(self, type_name: str, fields: str | None) -> Iterator[Coordinate]:
        """Yield every field that a field set selects, with the fields that implement those of interfaces.

        A field set that does not hold, which has findings of its own, makes no use of anything.
        """
        try:
            selections = parse_field_set(fields or "")
        except FieldSetError:
            return
        if self._exists(type_name, selections):
            yield from self.selected(type_name, selections)

    def _exists(self, type_name: str, selections: FieldSet) -> bool:
        type_ = self.types.get(type_name)
        for selection in selections:
            if isinstance(selection, Fragment):
                if not self._exists(selection.on or type_name, selection.selections):
                    return False
            elif selection.name != "__typename":
                declared = type_.fields.get(selection.name) if type_ is not None else None
                if declared is None or not self._exists(named(declared.type), selection.selections):
                    return False
        return True

    def selected(self, type_name: str, selections: FieldSet) -> Iterator[Coordinate]:
        """Yield every field that a parsed field set selects; what does not exist is passed over."""
        type_ = self.types.get(type_name)
        for selection in selections:
            if isinstance(selection, Fragment):
                yield from self.selected(selection.on or type_name, selection.selections)
            elif type_ is not None and (declared := type_.fields.get(selection.name)) is not None:
                yield type_name, selection.name
                if type_.kind is Kind.INTERFACE:
                    for name in self.implementations.get(type_name, ()):
                        yield name, selection.name
                yield from self.selected(named(declared.type), selection.selections)


def applied(directives: Iterable[Applied], name: str) -> Iterator[Applied]:
    """Yield the applications of a directive, given by its canonical name."""
    return (item for item in directives if item.name == name)


def first(directives: Iterable[Applied], name: str) -> Applied | None:
    """Return the first application of a directive."""
    return next(applied(directives, name), None)


def has(directives: Iterable[Applied], name: str) -> bool:
    """Say whether a directive is applied."""
    return any(item.name == name for item in directives)


def external(declared: Field) -> bool:
    """Say whether a field itself is marked `@external`."""
    return has(declared.directives, "external")
