"""What is hidden from clients leaves a schema that holds together (inaccessible v0.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import EnumValueNode, ListValueNode, ObjectValueNode, ValueNode

from federation.composition.errors import Finding
from federation.composition.merged import Merged, MergedField, MergedInput, MergedType
from federation.composition.model import Applied, Kind, named
from federation.composition.subgraph import has


def inaccessible_consistent(merged: Merged) -> Iterator[Finding]:
    """Nothing that clients see refers to, depends on or consists only of what is `@inaccessible`."""
    yield from _hidden_in_directives(merged)
    if any("inaccessible" in link.directives for link in merged.links):
        yield from _View(merged).findings()


def _hidden_in_directives(merged: Merged) -> Iterator[Finding]:
    """Yield the arguments of composed directives that would be hidden: a directive is whole or not there."""
    for subgraph in merged.subgraphs:
        for directive in subgraph.own_definitions():
            if directive.name in merged.directives:
                for argument in directive.arguments.values():
                    if has(argument.directives, "inaccessible"):
                        where = f"@{directive.name}({argument.name}:)"
                        message = f"`{where}` cannot be @inaccessible: the directive belongs to a specification"
                        yield subgraph.finding("DISALLOWED_INACCESSIBLE", message, where)


class _View:
    """The merged schema as clients see it."""

    def __init__(self, merged: Merged) -> None:
        self.merged = merged
        self.name = merged.kept["inaccessible"]
        self.hidden = {type_.name for type_ in merged.types.values() if self._hides(type_.directives)}

    def _hides(self, directives: Iterable[Applied]) -> bool:
        return has(directives, self.name)

    def findings(self) -> Iterator[Finding]:
        if "Query" in self.hidden:
            message = "`Query` is @inaccessible, and is what every client begins with"
            yield Finding("QUERY_ROOT_TYPE_INACCESSIBLE", message, coordinates=("Query",))
        for type_ in self.merged.types.values():
            if type_.name not in self.hidden:
                yield from self._visible(type_)

    def _visible(self, type_: MergedType) -> Iterator[Finding]:
        if type_.kind is not Kind.SCALAR and not self._has_visible_parts(type_):
            message = f"`{type_.name}` is visible, but everything in it is @inaccessible"
            yield Finding("ONLY_INACCESSIBLE_CHILDREN", message, coordinates=(type_.name,))
        for declared in type_.fields.values():
            yield from self._field(type_, declared)
        for value in type_.inputs.values():
            yield from self._input(f"{type_.name}.{value.name}", value)

    def _has_visible_parts(self, type_: MergedType) -> bool:
        directives = [part.directives for part in type_.fields.values()]
        directives += [part.directives for part in type_.inputs.values()]
        directives += [part.directives for part in type_.values.values()]
        members = [name for name in type_.members if name not in self.hidden]
        return bool(members) or not all(map(self._hides, directives))

    def _field(self, type_: MergedType, declared: MergedField) -> Iterator[Finding]:
        coordinate = f"{type_.name}.{declared.name}"
        asked = list(self._asked(type_, declared.name))
        if self._hides(declared.directives):
            for interface, _ in asked:
                message = (
                    f"`{coordinate}` is @inaccessible and implements `{interface}.{declared.name}`, which is visible"
                )
                yield Finding("IMPLEMENTED_BY_INACCESSIBLE", message, coordinates=(coordinate,))
            return
        yield from self._reference(coordinate, declared.type)
        for argument in declared.arguments.values():
            where = f"{coordinate}({argument.name}:)"
            yield from self._input(where, argument)
            if not self._hides(argument.directives):
                continue
            for interface, other in asked:
                same = other.arguments.get(argument.name)
                if same is not None and not self._hides(same.directives):
                    message = f"`{where}` is @inaccessible, and visible in interface `{interface}`"
                    yield Finding("IMPLEMENTED_BY_INACCESSIBLE", message, coordinates=(where,))

    def _asked(self, type_: MergedType, name: str) -> Iterator[tuple[str, MergedField]]:
        """Yield the visible interfaces that ask for a field."""
        for interface in type_.interfaces:
            found = self.merged.types.get(interface)
            if found is None or interface in self.hidden:
                continue
            other = found.fields.get(name)
            if other is not None and not self._hides(other.directives):
                yield interface, other

    def _input(self, coordinate: str, value: MergedInput) -> Iterator[Finding]:
        if self._hides(value.directives):
            if value.required:
                message = f"`{coordinate}` is @inaccessible and required"
                yield Finding("REQUIRED_INACCESSIBLE", message, coordinates=(coordinate,))
            return
        yield from self._reference(coordinate, value.type)
        if value.default is not None and self._uses_hidden(value.default, named(value.type)):
            message = f"the default value of `{coordinate}` uses something @inaccessible"
            yield Finding("DEFAULT_VALUE_USES_INACCESSIBLE", message, coordinates=(coordinate,))

    def _reference(self, coordinate: str, type_text: str) -> Iterator[Finding]:
        if named(type_text) in self.hidden:
            message = f"`{named(type_text)}` is @inaccessible, and `{coordinate}`, which is of this type, is visible"
            yield Finding("REFERENCED_INACCESSIBLE", message, coordinates=(coordinate,))

    def _uses_hidden(self, value: ValueNode, type_name: str) -> bool:
        type_ = self.merged.types.get(type_name)
        if isinstance(value, ListValueNode):
            return any(self._uses_hidden(part, type_name) for part in value.values or ())
        if type_ is None:
            return False
        if isinstance(value, EnumValueNode):
            found = type_.values.get(value.value)
            return found is not None and self._hides(found.directives)
        if isinstance(value, ObjectValueNode):
            for part in value.fields or ():
                declared = type_.inputs.get(part.name.value)
                if declared is not None and (
                    self._hides(declared.directives) or self._uses_hidden(part.value, named(declared.type))
                ):
                    return True
        return False
