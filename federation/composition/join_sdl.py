"""Writes a supergraph in the join specification: v0.3, which every router reads, or a later one where that is needed.

v0.4 adds labels of overrides, v0.5 arguments that come from a context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from graphql.language.print_string import print_string

from federation.composition.links import Link
from federation.composition.merged import (
    JoinField,
    Merged,
    MergedEnumValue,
    MergedField,
    MergedInput,
    MergedType,
)
from federation.composition.model import Applied, Directive, InputValue, Kind, literal
from federation.composition.specifications import SCALARS_OF
from federation.composition.subgraph import ReadSubgraph, applied, has

_FRAME = """
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) \
repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, \
external: Boolean, override: String, usedOverridden: Boolean{more}) \
repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, \
resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) \
repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

scalar join__DirectiveArguments

scalar join__FieldSet

scalar link__Import

enum link__Purpose {{
  SECURITY
  EXECUTION
}}
"""
_CONTEXT_ARGUMENT = """
input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar join__FieldValue
"""
_ROOTS = ("Query", "Mutation", "Subscription")


def write_supergraph(merged: Merged) -> str:
    """Return the supergraph's text: machinery first, then every type in the order of its first declaration."""
    minor = _minor_version(merged)
    more = (", overrideLabel: String" if minor > 3 else "") + (  # noqa: PLR2004  # v0.4 and v0.5
        ", contextArguments: [join__ContextArgument!]" if minor > 4 else ""  # noqa: PLR2004
    )
    parts = [
        _schema(merged, minor),
        _FRAME.format(more=more),
        *([_CONTEXT_ARGUMENT] if minor > 4 else []),  # noqa: PLR2004
        *_specified_scalars(merged),
        *(_directive(definition) for definition in merged.directives.values() if definition.name != "fromContext"),
        _graphs(merged.subgraphs),
        *(_type(type_) for type_ in merged.types.values()),
    ]
    return "\n".join(parts)


def _minor_version(merged: Merged) -> int:
    joins = [join for type_ in merged.types.values() for item in type_.fields.values() for join in item.joins]
    if any(join.context_arguments for join in joins):
        return 5
    return 4 if any(join.override_label is not None for join in joins) else 3


def _schema(merged: Merged, minor: int) -> str:
    links = [
        '@link(url: "https://specs.apollo.dev/link/v1.0")',
        f'@link(url: "https://specs.apollo.dev/join/v0.{minor}", for: EXECUTION)',
        *(_link(composed.link) for composed in merged.links),
    ]
    roots = "".join(f"  {name.lower()}: {name}\n" for name in _ROOTS if name in merged.types)
    return "schema\n" + "".join(f"  {link}\n" for link in links) + f"{{\n{roots}}}\n"


def _link(link: Link) -> str:
    arguments = [f"url: {print_string(link.url)}"]
    if link.imports:
        imports = (
            print_string(item.name)
            if item.name == item.alias
            else f"{{name: {print_string(item.name)}, as: {print_string(item.alias)}}}"
            for item in link.imports
        )
        arguments.append(f"import: [{', '.join(imports)}]")
    if link.purpose:
        arguments.append(f"for: {link.purpose}")
    return f"@link({', '.join(arguments)})"


def _specified_scalars(merged: Merged) -> Iterator[str]:
    for composed in merged.links:
        for name in SCALARS_OF.get(composed.link.identity, ()):
            yield f"scalar {composed.link.alias}__{name}\n"


def _directive(definition: Directive) -> str:
    arguments = ", ".join(_argument(item) for item in definition.arguments.values())
    repeatable = " repeatable" if definition.repeatable else ""
    head = f"directive @{definition.name}" + (f"({arguments})" if arguments else "")
    return f"{head}{repeatable} on {' | '.join(definition.locations)}\n"


def _argument(value: InputValue) -> str:
    return f"{value.name}: {value.type}" + (f" = {literal(value.default)}" if value.default else "")


def _graphs(subgraphs: Sequence[ReadSubgraph]) -> str:
    values = "".join(
        f"  {each.enum} @join__graph(name: {print_string(each.name)}, url: {print_string(each.subgraph.url)})\n"
        for each in subgraphs
    )
    return f"enum join__Graph {{\n{values}}}\n"


def _type(type_: MergedType) -> str:
    head = f"{_described(type_.description, '')}{_KEYWORD[type_.kind]} {type_.name}"
    if type_.interfaces:
        head += f" implements {' & '.join(type_.interfaces)}"
    lines = [head, *(f"  {text}" for text in _joins(type_)), *(f"  {item}" for item in type_.directives)]
    if type_.kind is Kind.UNION:
        return "\n".join(lines) + f"\n  = {' | '.join(type_.members)}\n"
    body = "".join(_body(type_))
    return "\n".join(lines) + (f"\n{{\n{body}}}\n" if body else "\n")


def _joins(type_: MergedType) -> Iterator[str]:
    for subgraph, each in type_.places:
        interface_object = ", isInterfaceObject: true" if has(each.directives, "interfaceObject") else ""
        keys = dict.fromkeys(_keys(subgraph, each.directives))
        for key in keys or ("",):
            yield f"@join__type(graph: {subgraph.enum}{key}{interface_object})"
    yield from _listed("implements", "interface", ((subgraph, each.interfaces) for subgraph, each in type_.places))
    yield from _listed("unionMember", "member", ((subgraph, each.members) for subgraph, each in type_.places))


def _keys(subgraph: ReadSubgraph, directives: Iterable[Applied]) -> Iterator[str]:
    extends = subgraph.first_version and has(directives, "extends")
    for key in applied(directives, "key"):
        extension = ", extension: true" if key.extended or extends else ""
        resolvable = "" if key.flag("resolvable", default=True) else ", resolvable: false"
        yield f", key: {print_string(key.text('fields') or '')}{extension}{resolvable}"


def _listed(directive: str, argument: str, places: Iterable[tuple[ReadSubgraph, Sequence[str]]]) -> Iterator[str]:
    for subgraph, names in places:
        for name in names:
            yield f"@join__{directive}(graph: {subgraph.enum}, {argument}: {print_string(name)})"


def _body(type_: MergedType) -> Iterator[str]:
    for field in type_.fields.values():
        yield _field(field)
    for value in type_.inputs.values():
        yield f"{_described(value.description, '  ')}  {_input(value)}\n"
    for member in type_.values.values():
        yield _value(member)


def _field(field: MergedField) -> str:
    described = any(argument.description for argument in field.arguments.values())
    if described:
        inner = "".join(
            f"{_described(item.description, '    ')}    {_input(item)}\n" for item in field.arguments.values()
        )
        arguments = f"(\n{inner}  )"
    else:
        inner = ", ".join(_input(item) for item in field.arguments.values())
        arguments = f"({inner})" if inner else ""
    tail = _tail([*map(_join, field.joins), *map(str, field.directives)])
    return f"{_described(field.description, '  ')}  {field.name}{arguments}: {field.type}{tail}\n"


def _value(value: MergedEnumValue) -> str:
    joins = [f"@join__enumValue(graph: {graph})" for graph in value.graphs]
    return f"{_described(value.description, '  ')}  {value.name}{_tail([*joins, *map(str, value.directives)])}\n"


def _join(join: JoinField) -> str:
    parts = [f"graph: {join.graph}"] if join.graph is not None else []
    for name, text in (("requires", join.requires), ("provides", join.provides), ("type", join.type)):
        if text is not None:
            parts.append(f"{name}: {print_string(text)}")
    if join.external:
        parts.append("external: true")
    if join.override is not None:
        parts.append(f"override: {print_string(join.override)}")
    if join.used_overridden:
        parts.append("usedOverridden: true")
    if join.override_label is not None:
        parts.append(f"overrideLabel: {print_string(join.override_label)}")
    if join.context_arguments:
        parts.append(f"contextArguments: [{', '.join(map(_context_argument, join.context_arguments))}]")
    return f"@join__field({', '.join(parts)})" if parts else "@join__field"


def _context_argument(argument: tuple[str, str, str, str]) -> str:
    named: Mapping[str, str] = dict(zip(("name", "type", "context", "selection"), argument, strict=True))
    return f"{{{', '.join(f'{name}: {print_string(text)}' for name, text in named.items())}}}"


def _input(value: MergedInput) -> str:
    default = f" = {literal(value.default)}" if value.default else ""
    return f"{value.name}: {value.type}{default}{_tail([*map(_join, value.joins), *map(str, value.directives)])}"


def _tail(parts: Iterable[str]) -> str:
    return "".join(f" {part}" for part in parts)


def _described(description: str | None, indent: str) -> str:
    if not description:
        return ""
    escaped = description.replace('"""', '\\"""')
    lines = "".join(f"{indent}{line}\n" if line else "\n" for line in escaped.splitlines())
    return f'{indent}"""\n{lines}{indent}"""\n'


_KEYWORD = {
    Kind.OBJECT: "type",
    Kind.INTERFACE: "interface",
    Kind.UNION: "union",
    Kind.ENUM: "enum",
    Kind.INPUT: "input",
    Kind.SCALAR: "scalar",
}
