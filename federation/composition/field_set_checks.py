"""What `@key`, `@requires` and `@provides` ask of their field sets alike; each rule says what is allowed where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import StringValueNode

from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSet, FieldSetError, Fragment, Selected, parse_field_set
from federation.composition.model import BUILT_IN_SCALARS, Applied, Kind, Type, literal, named
from federation.composition.subgraph import ReadSubgraph

_COMPOSITE = frozenset({Kind.OBJECT, Kind.INTERFACE, Kind.UNION})


@dataclass(frozen=True, slots=True)
class FieldSetUse:
    """One field set in use: `directive` holds it, `place` is the coordinate it stands on, `type_name` what it selects.

    `external_leaves` demands that what is selected be external, `arguments` allows fields with arguments, `abstract`
    allows interfaces and unions.
    """

    subgraph: ReadSubgraph
    directive: Applied
    place: str
    type_name: str
    external_leaves: bool
    arguments: bool
    abstract: bool

    def check(self) -> Iterator[Finding]:
        """Yield what is wrong with the field set."""
        value = self.directive.arguments.get("fields")
        if not isinstance(value, StringValueNode):
            said = literal(value) if value is not None else "nothing"
            yield self._finding("INVALID_FIELDS_TYPE", f"`fields` must be a string, got `{said}`")
            return
        try:
            selections = parse_field_set(value.value)
        except FieldSetError as error:
            yield self._finding("INVALID_FIELDS", str(error))
            return
        if not selections:
            yield self._finding("INVALID_FIELDS", "it selects nothing")
        invalid = list(self._invalid(self.type_name, selections))
        yield from invalid or self._unwanted(self.type_name, selections, below_external=False)

    def _finding(self, code: str, message: str) -> Finding:
        name = self.directive.name
        text = f"`{self.place}`, @{name}(fields: {literal(self.directive.arguments['fields'])}): {message}"
        return self.subgraph.finding(f"{name.upper()}_{code}", text, self.place)

    def _invalid(self, type_name: str, selections: FieldSet) -> Iterator[Finding]:
        """Yield what makes the field set no valid selection."""
        type_ = self.subgraph.types.get(type_name)
        for selection in selections:
            for name in selection.directives:
                if name not in self.subgraph.known:
                    yield self._finding("INVALID_FIELDS", f"unknown directive `@{name}`")
            if isinstance(selection, Fragment):
                on = selection.on or type_name
                if (found := self.subgraph.types.get(on)) is None or found.kind not in _COMPOSITE:
                    yield self._finding("INVALID_FIELDS", f"`{on}` is no type that a fragment can be on")
                else:
                    yield from self._invalid(on, selection.selections)
            elif type_ is not None and selection.name != "__typename":
                yield from self._invalid_field(type_, selection)

    def _invalid_field(self, type_: Type, selection: Selected) -> Iterator[Finding]:
        declared = type_.fields.get(selection.name)
        if declared is None:
            message = (
                f"`{type_.name}` has no field `{selection.name}` here; when another subgraph resolves it, it must be"
                " added with @external"
            )
            yield self._finding("INVALID_FIELDS", message)
            return
        if selection.alias is not None:
            yield self._finding("INVALID_FIELDS", f"`{selection.name}` cannot have an alias in a field set")
        coordinate = f"{type_.name}.{declared.name}"
        for name, _ in selection.arguments:
            if name not in declared.arguments:
                yield self._finding("INVALID_FIELDS", f"`{coordinate}` has no argument `{name}`")
        given = {name for name, _ in selection.arguments}
        for argument in declared.arguments.values():
            if argument.required and argument.name not in given:
                yield self._finding("INVALID_FIELDS", f"`{coordinate}` needs the argument `{argument.name}`")
        below = named(declared.type)
        found = self.subgraph.types.get(below)
        leaf = below in BUILT_IN_SCALARS or (found is not None and found.kind in {Kind.SCALAR, Kind.ENUM})
        if leaf and selection.selections:
            yield self._finding("INVALID_FIELDS", f"`{coordinate}` is a leaf, nothing can be selected below it")
        elif not leaf and not selection.selections:
            yield self._finding("INVALID_FIELDS", f"something must be selected below `{coordinate}: {declared.type}`")
        else:
            yield from self._invalid(below, selection.selections)

    def _unwanted(self, type_name: str, selections: FieldSet, *, below_external: bool) -> Iterator[Finding]:
        """Yield what a valid selection has that this directive does not allow."""
        for selection in selections:
            if selection.directives:
                names = ", ".join(f"@{name}" for name in selection.directives)
                yield self._finding("DIRECTIVE_IN_FIELDS_ARG", f"directives cannot be applied in it, found {names}")
            if isinstance(selection, Fragment):
                below = selection.on or type_name
                yield from self._unwanted(below, selection.selections, below_external=below_external)
            elif selection.name != "__typename":
                yield from self._unwanted_field(type_name, selection, below_external=below_external)

    def _unwanted_field(self, type_name: str, selection: Selected, *, below_external: bool) -> Iterator[Finding]:
        declared = self.subgraph.types[type_name].fields[selection.name]
        coordinate = f"{type_name}.{declared.name}"
        if declared.arguments and not self.arguments:
            yield self._finding("FIELDS_HAS_ARGS", f"`{coordinate}` has arguments, which is not allowed here")
        below = named(declared.type)
        found = self.subgraph.types.get(below)
        if not self.abstract and found is not None and found.kind in {Kind.INTERFACE, Kind.UNION}:
            message = f"`{coordinate}` is of {found.kind} type, which cannot be in a key"
            yield self._finding("FIELDS_SELECT_INVALID_TYPE", message)
        external = (type_name, declared.name) in self.subgraph.external
        if self.external_leaves and not selection.selections and not external and not below_external:
            why = "not marked @external"
            if (type_name, declared.name) in self.subgraph.keyed_external:
                why = "marked @external, but that means nothing on the key of a type extension"
            yield self._finding("FIELDS_MISSING_EXTERNAL", f"this subgraph resolves `{coordinate}` itself ({why})")
        inside = below_external or external or self._implemented_externally(type_name, declared.name)
        yield from self._unwanted(below, selection.selections, below_external=inside)

    def _implemented_externally(self, type_name: str, field_name: str) -> bool:
        if self.subgraph.types[type_name].kind is not Kind.INTERFACE:
            return False
        return any(
            (name, field_name) in self.subgraph.external for name in self.subgraph.implementations.get(type_name, ())
        )
