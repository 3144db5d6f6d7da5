"""Writes a supergraph in the join specification v0.3, the dialect that every router reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphql.language.print_string import print_string

from federation.composition.model import Applied, Directive, InputValue, Kind, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from federation.composition.merging import Merged, MergedField, MergedType
    from federation.composition.model import Field
    from federation.composition.subgraph import ReadSubgraph

_KEPT = frozenset({"deprecated", "specifiedBy", "oneOf"})
_FRAME = """
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(
  graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean,
  override: String, usedOverridden: Boolean
) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(
  graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true,
  isInterfaceObject: Boolean! = false
) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

scalar join__FieldSet

scalar link__Import

enum link__Purpose {
  SECURITY
  EXECUTION
}
"""


def write_supergraph(subgraphs: Sequence[ReadSubgraph], merged: Merged) -> str:
    """Return the supergraph's text: machinery first, then every type in the order of its first declaration."""
    composed = frozenset(name for subgraph in subgraphs for name in subgraph.composed())
    roots = [name for name in ("Query", "Mutation", "Subscription") if any(each.name == name for each in merged.types)]
    parts = [
        'schema\n  @link(url: "https://specs.apollo.dev/link/v1.0")'
        '\n  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)\n{\n'
        + "".join(f"  {name.lower()}: {name}\n" for name in roots)
        + "}\n",
        _FRAME,
        *(_directive(definition) for definition in _definitions(subgraphs, composed)),
        _graphs(subgraphs),
        *(_type(type_, composed) for type_ in merged.types),
    ]
    return "\n".join(parts)


def _definitions(subgraphs: Sequence[ReadSubgraph], composed: frozenset[str]) -> Iterator[Directive]:
    seen: set[str] = set()
    for subgraph in subgraphs:
        for name, definition in subgraph.model.directives.items():
            if name in composed and name not in seen:
                seen.add(name)
                yield definition


def _directive(definition: Directive) -> str:
    arguments = f"({', '.join(map(_input, definition.arguments.values()))})" if definition.arguments else ""
    repeatable = " repeatable" if definition.repeatable else ""
    return f"directive @{definition.name}{arguments}{repeatable} on {' | '.join(definition.locations)}\n"


def _graphs(subgraphs: Sequence[ReadSubgraph]) -> str:
    values = "".join(
        f"  {each.enum} @join__graph(name: {_quoted(each.name)}, url: {_quoted(each.subgraph.url)})\n"
        for each in subgraphs
    )
    return f"enum join__Graph {{\n{values}}}\n"


def _type(type_: MergedType, composed: frozenset[str]) -> str:
    description = next((each.description for _, each in type_.declared if each.description), None)
    head = f"{_described(description, '')}{_KEYWORD[type_.kind]} {type_.name}"
    interfaces = dict.fromkeys(name for _, each in type_.declared for name in each.interfaces)
    if interfaces:
        head += f" implements {' & '.join(interfaces)}"
    lines = [head, *(f"  {text}" for text in _joins(type_))]
    lines += [f"  {applied}" for applied in _kept([each.directives for _, each in type_.declared], composed)]
    body = "".join(_body(type_, composed))
    if type_.kind is Kind.UNION:
        members = dict.fromkeys(name for _, each in type_.declared for name in each.members)
        return "\n".join(lines) + f"\n  = {' | '.join(members)}\n"
    return "\n".join(lines) + (f"\n{{\n{body}}}\n" if body else "\n")


def _joins(type_: MergedType) -> Iterator[str]:
    for subgraph, each in type_.declared:
        interface_object = ", isInterfaceObject: true" if subgraph.has(each.directives, "interfaceObject") else ""
        keys = list(subgraph.applied(each.directives, "key"))
        for key in keys:
            resolvable = "" if key.flag("resolvable", default=True) else ", resolvable: false"
            fields = _quoted(key.text("fields") or "")
            yield f"@join__type(graph: {subgraph.enum}, key: {fields}{resolvable}{interface_object})"
        if not keys:
            yield f"@join__type(graph: {subgraph.enum}{interface_object})"
        for interface in each.interfaces:
            yield f"@join__implements(graph: {subgraph.enum}, interface: {_quoted(interface)})"
        for member in each.members:
            yield f"@join__unionMember(graph: {subgraph.enum}, member: {_quoted(member)})"


def _body(type_: MergedType, composed: frozenset[str]) -> Iterator[str]:
    for field in type_.fields:
        yield _field(field, type_, composed)
    for value in type_.inputs:
        yield f"{_described(value.description, '  ')}  {_input(value)}{_tail(_kept([value.directives], composed))}\n"
    values: dict[str, list[str]] = {}
    for subgraph, each in type_.declared:
        for name in each.values:
            values.setdefault(name, []).append(f"@join__enumValue(graph: {subgraph.enum})")
    for name, joins in values.items():
        yield f"  {name} {' '.join(joins)}\n"


def _field(field: MergedField, type_: MergedType, composed: frozenset[str]) -> str:
    description = next((each.description for _, each in field.declared if each.description), None)
    arguments = f"({', '.join(map(_input, field.arguments.values()))})" if field.arguments else ""
    kept = _kept([each.directives for _, each in field.declared], composed)
    joins = [_join(subgraph, each, field) for subgraph, each in field.declared]
    plain = len(field.declared) == len(type_.declared) and all("," not in join for join in joins)
    shown = [*kept, *([] if plain else joins)]
    return f"{_described(description, '  ')}  {field.name}{arguments}: {field.type}{_tail(shown)}\n"


def _join(subgraph: ReadSubgraph, declared: Field, field: MergedField) -> str:
    parts = [f"graph: {subgraph.enum}"]
    if declared.type != field.type:
        parts.append(f"type: {_quoted(declared.type)}")
    for name in ("requires", "provides"):
        parts += [
            f"{name}: {_quoted(applied.text('fields') or '')}"
            for applied in subgraph.applied(declared.directives, name)
        ]
    if subgraph.has(declared.directives, "external"):
        parts.append("external: true")
    parts += [
        f"override: {_quoted(applied.text('from') or '')}"
        for applied in subgraph.applied(declared.directives, "override")
    ]
    return f"@join__field({', '.join(parts)})"


def _kept(directives: list[tuple[Applied, ...]], composed: frozenset[str]) -> list[str]:
    """Return the directives that the supergraph keeps, each once."""
    texts = (str(applied) for each in directives for applied in each if applied.name in composed | _KEPT)
    return list(dict.fromkeys(texts))


def _input(value: InputValue) -> str:
    return f"{value.name}: {value.type}" + (f" = {literal(value.default)}" if value.default else "")


def _tail(parts: list[str]) -> str:
    return "".join(f" {part}" for part in parts)


def _described(description: str | None, indent: str) -> str:
    if not description:
        return ""
    escaped = description.replace('"""', '\\"""')
    lines = "".join(f"{indent}{line}\n" for line in escaped.splitlines())
    return f'{indent}"""\n{lines}{indent}"""\n'


def _quoted(text: str) -> str:
    return print_string(text)


_KEYWORD = {
    Kind.OBJECT: "type",
    Kind.INTERFACE: "interface",
    Kind.UNION: "union",
    Kind.ENUM: "enum",
    Kind.INPUT: "input",
    Kind.SCALAR: "scalar",
}
