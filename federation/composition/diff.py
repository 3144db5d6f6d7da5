"""What changes for clients from one API schema to another: breaking, dangerous or safe, and for whom.

The codes are those of the GraphQL reference implementation's comparison, and nothing is judged milder than there, but
for a built-in scalar that is no longer used, which no client notices. Beyond it: an argument that loses its default and
so becomes required breaks, and so do root operations and `@oneOf`.

Every change names the fields whose users may notice it, so that with a record of what was asked (`contract.coverage`
measures operations in the same coordinates) a change that nobody who asked can notice is *safe by usage*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from graphql import (
    GraphQLArgument,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
    is_specified_directive,
    is_specified_scalar_type,
    print_ast,
)
from graphql.utilities.get_default_value_ast import get_default_value_ast
from graphql.utilities.sort_value_node import sort_value_node
from typing_extensions import override

from federation.composition.model import ROOTS


class Severity(StrEnum):
    """What a change does to operations that clients already have."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two schemas.

    `touches` are the field coordinates (of object types, as usage is recorded) whose users may notice, None when
    everybody may. `unused` says that the change would be worse, were one of them used.
    """

    severity: Severity
    code: str
    coordinate: str
    message: str
    touches: frozenset[str] | None
    unused: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.severity} {self.code}: {self.message}{' (safe by usage)' if self.unused else ''}"


def schema_changes(old: GraphQLSchema, new: GraphQLSchema, used: Collection[str] | None = None) -> tuple[Change, ...]:
    """Return every change between two API schemas, judged by the coordinates that were asked for, if they are known."""
    found = compare(old, new)
    return found if used is None else judge(found, used)


def compare(old: GraphQLSchema, new: GraphQLSchema) -> tuple[Change, ...]:
    """Return every change between two API schemas, the worst first, then by coordinate."""
    return _sorted([*_types(old, new), *_roots(old, new), *_directives(old, new)])


def judge(changes: Collection[Change], used: Collection[str]) -> tuple[Change, ...]:
    """Let what breaks or endangers no field of `used` (coordinates such as `Citizen.givenName`) be safe by usage."""
    asked = frozenset(used)
    return _sorted(
        [
            replace(change, severity=Severity.SAFE, unused=True)
            if change.severity is not Severity.SAFE and change.touches is not None and not change.touches & asked
            else change
            for change in changes
        ]
    )


def _sorted(changes: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: (_ORDER.index(change.severity), change.coordinate, change.code)))


class _Users:
    """Whose users notice a change of what: fields by the types that they return, and by those that they take."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.returning: dict[str, set[str]] = {}
        self.taking: dict[str, set[str]] = {}
        for type_ in schema.type_map.values():
            if not isinstance(type_, GraphQLObjectType):
                continue
            for name, field in type_.fields.items():
                coordinate = f"{type_.name}.{name}"
                self.returning.setdefault(get_named_type(field.type).name, set()).add(coordinate)
                for argument in field.args.values():
                    self._take(get_named_type(argument.type), coordinate)

    def _take(self, type_: GraphQLNamedType, coordinate: str) -> None:
        """Note that a field takes values of a type, and of the types of its input fields."""
        users = self.taking.setdefault(type_.name, set())
        if coordinate in users:
            return
        users.add(coordinate)
        if isinstance(type_, GraphQLInputObjectType):
            for field in type_.fields.values():
                self._take(get_named_type(field.type), coordinate)

    def of_field(self, type_: GraphQLObjectType | GraphQLInterfaceType, name: str) -> frozenset[str]:
        """Return the field itself, or for an interface the fields that implement it."""
        if isinstance(type_, GraphQLObjectType):
            return frozenset({f"{type_.name}.{name}"})
        return frozenset(f"{each.name}.{name}" for each in self.schema.get_possible_types(type_))

    def of_type(self, type_: GraphQLNamedType) -> frozenset[str]:
        """Return every field that returns or takes the type, or that is its own or its members'."""
        found = self.returning.get(type_.name, set()) | self.taking.get(type_.name, set())
        if isinstance(type_, GraphQLObjectType):
            found = found | {f"{type_.name}.{name}" for name in type_.fields} | self._returning_abstractly(type_)
        elif isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            for member in self.schema.get_possible_types(type_):
                found = found | {f"{member.name}.{name}" for name in member.fields}
        return frozenset(found)

    def of_member(self, abstract: GraphQLNamedType, member: str) -> frozenset[str]:
        """Return what notices that a type is (no longer) one of an abstract type's."""
        type_ = self.schema.type_map.get(member)
        own = {f"{member}.{name}" for name in type_.fields} if isinstance(type_, GraphQLObjectType) else set()
        return frozenset(self.returning.get(abstract.name, set()) | own)

    def _returning_abstractly(self, type_: GraphQLObjectType) -> set[str]:
        found: set[str] = set()
        for abstract in self.schema.type_map.values():
            if isinstance(
                abstract, GraphQLInterfaceType | GraphQLUnionType
            ) and type_ in self.schema.get_possible_types(abstract):
                found |= self.returning.get(abstract.name, set())
        return found


def _types(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    users = _Users(old)
    for name, before in old.type_map.items():
        after = new.type_map.get(name)
        if _own(before) and after is None:
            yield Change(Severity.BREAKING, "TYPE_REMOVED", name, f"type `{name}` was removed", users.of_type(before))
        elif _own(before) and after is not None:
            yield from _type(users, before, after)
    for name, added in new.type_map.items():
        if _own(added) and name not in old.type_map:
            yield Change(Severity.SAFE, "TYPE_ADDED", name, f"type `{name}` was added", frozenset())


def _own(type_: GraphQLNamedType) -> bool:
    """Whether a type is the schema's own: not a built-in scalar, not one of introspection's."""
    return not type_.name.startswith("__") and not is_specified_scalar_type(type_)


def _type(users: _Users, before: GraphQLNamedType, after: GraphQLNamedType) -> Iterator[Change]:
    match before, after:
        case (GraphQLObjectType(), GraphQLObjectType()) | (GraphQLInterfaceType(), GraphQLInterfaceType()):
            yield from _fields(users, before, after)  # type: ignore[arg-type]  # the pattern says so; mypy does not follow tuples
            yield from _interfaces(users, before, after)  # type: ignore[arg-type]  # the same
        case GraphQLUnionType(), GraphQLUnionType():
            yield from _members(users, before, after)
        case GraphQLEnumType(), GraphQLEnumType():
            yield from _values(users, before, after)
        case GraphQLInputObjectType(), GraphQLInputObjectType():
            yield from _input_fields(users, before, after)
        case _ if type(before) is not type(after):
            message = f"`{before.name}` was {_kind(before)} and is now {_kind(after)}"
            yield Change(Severity.BREAKING, "TYPE_CHANGED_KIND", before.name, message, users.of_type(before))
        case _:
            pass
    yield from _described(before.name, before.description, after.description)


def _kind(type_: GraphQLNamedType) -> str:
    return type(type_).__name__.removeprefix("GraphQL").removesuffix("Type").lower().replace("inputobject", "input")


Fielded = GraphQLObjectType | GraphQLInterfaceType


def _fields(users: _Users, before: Fielded, after: Fielded) -> Iterator[Change]:
    for name, field in before.fields.items():
        coordinate = f"{before.name}.{name}"
        touches = users.of_field(before, name)
        other = after.fields.get(name)
        if other is None:
            yield Change(Severity.BREAKING, "FIELD_REMOVED", coordinate, f"field `{coordinate}` was removed", touches)
        else:
            yield from _field(coordinate, field, other, touches)
    for name in after.fields.keys() - before.fields.keys():
        coordinate = f"{before.name}.{name}"
        yield Change(Severity.SAFE, "FIELD_ADDED", coordinate, f"field `{coordinate}` was added", frozenset())


def _field(coordinate: str, before: GraphQLField, after: GraphQLField, touches: frozenset[str]) -> Iterator[Change]:
    old, new = str(before.type), str(after.type)
    if old != new:
        message = f"field `{coordinate}` was `{old}` and is now `{new}`"
        if _narrower(new, old):
            yield Change(Severity.SAFE, "FIELD_CHANGED_KIND_SAFE", coordinate, message, touches)
        else:
            yield Change(Severity.BREAKING, "FIELD_CHANGED_KIND", coordinate, message, touches)
    yield from _arguments(coordinate, before.args, after.args, touches)
    yield from _described(coordinate, before.description, after.description)
    yield from _deprecated(coordinate, before.deprecation_reason, after.deprecation_reason)


def _narrower(narrow: str, wide: str) -> bool:
    """Whether printed type `narrow` promises at least what `wide` does: the same, with less null."""
    if narrow == wide:
        return True
    if narrow.endswith("!"):
        return _narrower(narrow[:-1], wide.removesuffix("!"))
    if wide.endswith("!") or not narrow.startswith("[") or not wide.startswith("["):
        return False
    return _narrower(narrow[1:-1], wide[1:-1])


def _arguments(
    coordinate: str,
    before: Mapping[str, GraphQLArgument],
    after: Mapping[str, GraphQLArgument],
    touches: frozenset[str] | None,
) -> Iterator[Change]:
    prefix = "DIRECTIVE_ARG" if coordinate.startswith("@") else "ARG"
    for name, argument in before.items():
        where = f"{coordinate}({name}:)"
        other = after.get(name)
        if other is None:
            yield Change(Severity.BREAKING, f"{prefix}_REMOVED", where, f"argument `{where}` was removed", touches)
        else:
            yield from _input("ARG", where, argument, other, touches)
    for name in after.keys() - before.keys():
        where = f"{coordinate}({name}:)"
        if is_required_argument(after[name]):
            message = f"required argument `{where}` was added"
            yield Change(Severity.BREAKING, f"REQUIRED_{prefix}_ADDED", where, message, touches)
        elif prefix == "ARG":
            message = f"optional argument `{where}` was added"
            yield Change(Severity.DANGEROUS, "OPTIONAL_ARG_ADDED", where, message, touches)
        else:
            message = f"optional argument `{where}` was added"
            yield Change(Severity.SAFE, "OPTIONAL_DIRECTIVE_ARG_ADDED", where, message, touches)


def _input(
    what: str,
    coordinate: str,
    before: GraphQLArgument | GraphQLInputField,
    after: GraphQLArgument | GraphQLInputField,
    touches: frozenset[str] | None,
) -> Iterator[Change]:
    """Compare an argument or an input field; `what` begins the codes of its kind."""
    kind = "FIELD" if what == "INPUT_FIELD" else what
    old, new = str(before.type), str(after.type)
    default, other = _default(before), _default(after)
    if not _narrower(old, new):
        message = f"`{coordinate}` took `{old}` and now takes `{new}`"
        yield Change(Severity.BREAKING, f"{kind}_CHANGED_KIND", coordinate, message, touches)
    elif default is not None and other is None and new.endswith("!"):
        message = f"`{coordinate}` lost its default `{default}` and so is required"
        yield Change(Severity.BREAKING, f"{what}_DEFAULT_VALUE_CHANGE", coordinate, message, touches)
    elif default is not None and default != other:
        message = f"`{coordinate}` had the default `{default}` and now has {f'`{other}`' if other else 'none'}"
        yield Change(Severity.DANGEROUS, f"{what}_DEFAULT_VALUE_CHANGE", coordinate, message, touches)
    elif default != other:
        message = f"`{coordinate}` now has the default `{other}`"
        yield Change(Severity.SAFE, f"{what}_DEFAULT_VALUE_ADDED", coordinate, message, touches)
    elif old != new:
        message = f"`{coordinate}` took `{old}` and now takes `{new}`"
        yield Change(Severity.SAFE, f"{kind}_CHANGED_KIND_SAFE", coordinate, message, touches)
    yield from _described(coordinate, before.description, after.description)
    yield from _deprecated(coordinate, before.deprecation_reason, after.deprecation_reason)


def _default(value: GraphQLArgument | GraphQLInputField) -> str | None:
    node = get_default_value_ast(value)
    return print_ast(sort_value_node(node)) if node is not None else None


def _interfaces(users: _Users, before: Fielded, after: Fielded) -> Iterator[Change]:
    old = {interface.name: interface for interface in before.interfaces}
    new = {interface.name: interface for interface in after.interfaces}
    for name in old.keys() - new.keys():
        touches = users.of_member(old[name], before.name) | users.of_type(before)
        message = f"`{before.name}` no longer implements `{name}`"
        yield Change(Severity.BREAKING, "IMPLEMENTED_INTERFACE_REMOVED", before.name, message, touches)
    for name in new.keys() - old.keys():
        touches = users.of_member(new[name], before.name)
        message = f"`{before.name}` now implements `{name}`"
        yield Change(Severity.DANGEROUS, "IMPLEMENTED_INTERFACE_ADDED", before.name, message, touches)


def _members(users: _Users, before: GraphQLUnionType, after: GraphQLUnionType) -> Iterator[Change]:
    old, new = ({member.name for member in union.types} for union in (before, after))
    for name in old - new:
        message = f"`{name}` was removed from union `{before.name}`"
        touches = users.of_member(before, name)
        yield Change(Severity.BREAKING, "TYPE_REMOVED_FROM_UNION", before.name, message, touches)
    for name in new - old:
        message = f"`{name}` was added to union `{before.name}`"
        touches = users.of_member(before, name)
        yield Change(Severity.DANGEROUS, "TYPE_ADDED_TO_UNION", before.name, message, touches)


def _values(users: _Users, before: GraphQLEnumType, after: GraphQLEnumType) -> Iterator[Change]:
    touches = users.of_type(before)
    for name, value in before.values.items():
        coordinate = f"{before.name}.{name}"
        other = after.values.get(name)
        if other is None:
            message = f"enum value `{coordinate}` was removed"
            yield Change(Severity.BREAKING, "VALUE_REMOVED_FROM_ENUM", coordinate, message, touches)
        else:
            yield from _described(coordinate, value.description, other.description)
            yield from _deprecated(coordinate, value.deprecation_reason, other.deprecation_reason)
    for name in after.values.keys() - before.values.keys():
        coordinate = f"{before.name}.{name}"
        message = f"enum value `{coordinate}` was added"
        yield Change(Severity.DANGEROUS, "VALUE_ADDED_TO_ENUM", coordinate, message, touches)


def _input_fields(users: _Users, before: GraphQLInputObjectType, after: GraphQLInputObjectType) -> Iterator[Change]:
    touches = users.of_type(before)
    for name, field in before.fields.items():
        coordinate = f"{before.name}.{name}"
        other = after.fields.get(name)
        if other is None:
            message = f"input field `{coordinate}` was removed"
            yield Change(Severity.BREAKING, "FIELD_REMOVED", coordinate, message, touches)
        else:
            yield from _input("INPUT_FIELD", coordinate, field, other, touches)
    for name in after.fields.keys() - before.fields.keys():
        coordinate = f"{before.name}.{name}"
        if is_required_input_field(after.fields[name]):
            message = f"required input field `{coordinate}` was added"
            yield Change(Severity.BREAKING, "REQUIRED_INPUT_FIELD_ADDED", coordinate, message, touches)
        else:
            message = f"optional input field `{coordinate}` was added"
            yield Change(Severity.DANGEROUS, "OPTIONAL_INPUT_FIELD_ADDED", coordinate, message, touches)
    if before.is_one_of != after.is_one_of:
        message = f"input `{before.name}` {'now takes' if after.is_one_of else 'no longer takes'} exactly one field"
        severity = Severity.BREAKING if after.is_one_of else Severity.SAFE
        yield Change(severity, "ONE_OF_CHANGED", before.name, message, touches)


def _roots(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for root in ROOTS:
        before, after = (getattr(schema, f"{root}_type") for schema in (old, new))
        if before is not None and (after is None or after.name != before.name):
            what = "there is none" if after is None else f"it is `{after.name}`"
            message = f"the {root} type was `{before.name}`, and now {what}"
            touches = frozenset(f"{before.name}.{name}" for name in before.fields)
            yield Change(Severity.BREAKING, "ROOT_TYPE_CHANGED", before.name, message, touches)


def _directives(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """Compare directives; usage does not record them, so everybody may notice."""
    before, after = (
        {item.name: item for item in schema.directives if not is_specified_directive(item)} for schema in (old, new)
    )
    for name, directive in before.items():
        other = after.get(name)
        if other is None:
            yield Change(Severity.BREAKING, "DIRECTIVE_REMOVED", f"@{name}", f"directive `@{name}` was removed", None)
        else:
            yield from _directive(directive, other)
    for name in after.keys() - before.keys():
        yield Change(Severity.SAFE, "DIRECTIVE_ADDED", f"@{name}", f"directive `@{name}` was added", frozenset())


def _directive(before: GraphQLDirective, after: GraphQLDirective) -> Iterator[Change]:
    coordinate = f"@{before.name}"
    yield from _arguments(coordinate, before.args, after.args, None)
    if before.is_repeatable != after.is_repeatable:
        severity, what = (Severity.BREAKING, "REMOVED") if before.is_repeatable else (Severity.SAFE, "ADDED")
        message = f"directive `{coordinate}` {'no longer' if before.is_repeatable else 'now'} is repeatable"
        yield Change(severity, f"DIRECTIVE_REPEATABLE_{what}", coordinate, message, None)
    old, new = ({location.name for location in each.locations} for each in (before, after))
    for location in sorted(old - new):
        message = f"directive `{coordinate}` no longer stands on {location}"
        yield Change(Severity.BREAKING, "DIRECTIVE_LOCATION_REMOVED", coordinate, message, None)
    for location in sorted(new - old):
        message = f"directive `{coordinate}` now stands on {location}"
        yield Change(Severity.SAFE, "DIRECTIVE_LOCATION_ADDED", coordinate, message, None)
    yield from _described(coordinate, before.description, after.description)


def _described(coordinate: str, before: str | None, after: str | None) -> Iterator[Change]:
    if before != after:
        yield Change(
            Severity.SAFE, "DESCRIPTION_CHANGED", coordinate, f"`{coordinate}` is described otherwise", frozenset()
        )


def _deprecated(coordinate: str, before: str | None, after: str | None) -> Iterator[Change]:
    if (before is None) != (after is None):
        what = "no longer deprecated" if after is None else f"deprecated: {after}"
        code = "DEPRECATION_REMOVED" if after is None else "DEPRECATION_ADDED"
        yield Change(Severity.SAFE, code, coordinate, f"`{coordinate}` is {what}", frozenset())
