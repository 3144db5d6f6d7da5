"""The part of the API schema that one agreement opens: what introspection and the IDE show a consumer (policy R20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    is_interface_type,
    parse,
)

from federation.composition.supergraph import SuperType
from federation.contract import policy_view
from federation.contract.coverage import is_plumbing
from federation.contract.identifiers import DIRECTORY
from federation.contract.members import Agreement

_ROOT = "Query"
_MUTATION = "Mutation"
FIND = (_ROOT, "citizen")
"""The field by which a citizen is named; the directory answers it (docs/adr/0003)."""
_ALWAYS = frozenset({FIND, *((_ROOT, name) for name in policy_view.ROOTS)})


def covered_by(agreement: Agreement, types: Mapping[str, SuperType]) -> Callable[[str, str], bool]:
    """Return the test whether some provider that has a field agreed to it; `types` are the supergraph's.

    `Citizen.*` of one provider does not cover what only others know of citizens: those may be no providers at all.

    What carries nothing by itself always passes: the plumbing of connections, naming a citizen by the consumer's own
    pseudonym, and asking for the rules that decide for oneself. A look-up by tax code needs a provider's
    `Query.citizen` (`federation.gateway.finding`).
    """

    def covers(type_name: str, field_name: str) -> bool:
        if is_plumbing(type_name) or (type_name, field_name) in _ALWAYS:
            return True
        has = _members_with(types.get(type_name), field_name)
        return any(each.covers(type_name, field_name) and has(each.member) for each in agreement.providers)

    return covers


def _members_with(declared: SuperType | None, field_name: str) -> Callable[[str], bool]:
    """Return the test whether a member serves a field; whoever it is, where the gateway itself answers for members."""
    field = None if declared is None else declared.fields.get(field_name)
    serving = {} if field is None else {name: there for name, there in field.subgraphs.items() if there.resolvable}
    if not serving or DIRECTORY in serving:
        return lambda _: True
    return serving.__contains__


def on_every_type(schema: GraphQLSchema, covers: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Return the test for interfaces too: agreements name object types, and all that implement it must agree (R18)."""
    implementing = {
        name: frozenset(each.name for each in schema.get_possible_types(kind))
        for name, kind in schema.type_map.items()
        if is_interface_type(kind)
    }

    def covers_all(type_name: str, field_name: str) -> bool:
        return all(covers(each, field_name) for each in implementing.get(type_name) or (type_name,))

    return covers_all


def denied_coordinates(schema: GraphQLSchema, covers: Callable[[str, str], bool]) -> frozenset[str]:
    """Return every `Type.field` of the API schema that the agreement leaves out."""
    return frozenset(
        f"{name}.{field}"
        for name, kind in schema.type_map.items()
        if not name.startswith("__")
        for field in (getattr(kind, "fields", None) or ())
        if hasattr(kind, "interfaces") and not covers(name, field)
    )


def visible_schema(api_sdl: str, covers: Callable[[str, str], bool]) -> GraphQLSchema:
    """Return the API schema without the fields that the agreement leaves out and the types that only they reach.

    Object types that lose all fields go with the fields that lead to them.
    """
    definitions = {node.name.value: node for node in parse(api_sdl).definitions if isinstance(node, TypeDefinitionNode)}
    others = [node for node in parse(api_sdl).definitions if not isinstance(node, TypeDefinitionNode)]
    while True:
        kept = {name: _without_uncovered(node, definitions, covers) for name, node in definitions.items()}
        definitions_after = {name: node for name, node in kept.items() if node is not None}
        if definitions_after == definitions:
            break
        definitions = definitions_after
    reached = _reachable(definitions, [_ROOT, _MUTATION, *_of_directives(others)])
    visible: list[DefinitionNode] = [node for name, node in definitions.items() if name in reached]
    return build_ast_schema(DocumentNode(definitions=(*others, *visible)), assume_valid_sdl=True)


def _without_uncovered(
    node: TypeDefinitionNode, known: dict[str, TypeDefinitionNode], covers: Callable[[str, str], bool]
) -> TypeDefinitionNode | None:
    if isinstance(node, UnionTypeDefinitionNode):
        return _without_unknown(node, known)
    if not isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        return node
    name = node.name.value
    interfaces = tuple(each for each in node.interfaces or () if each.name.value in known)
    fields = tuple(
        field
        for field in node.fields or ()
        if covers(name, field.name.value) and (_named(field.type) in known or _is_built_in(_named(field.type)))
    )
    if len(fields) == len(node.fields or ()) and len(interfaces) == len(node.interfaces or ()):
        return node
    if not fields and name != _ROOT:
        return None
    return type(node)(
        name=node.name,
        description=node.description,
        interfaces=interfaces,
        directives=node.directives,
        fields=fields,
    )


def _without_unknown(
    node: UnionTypeDefinitionNode, known: dict[str, TypeDefinitionNode]
) -> UnionTypeDefinitionNode | None:
    types = tuple(each for each in node.types or () if each.name.value in known)
    if len(types) == len(node.types or ()):
        return node
    return UnionTypeDefinitionNode(name=node.name, description=node.description, types=types) if types else None


def _of_directives(nodes: list[DefinitionNode]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, DirectiveDefinitionNode):
            yield from (_named(argument.type) for argument in node.arguments or ())


def _reachable(definitions: dict[str, TypeDefinitionNode], roots: list[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        node = definitions.get(name)
        if node is None or name in found:
            continue
        found.add(name)
        waiting += _mentioned(node)
        waiting += (each for each, kind in definitions.items() if name in _interfaces(kind))
    return found


def _interfaces(node: TypeDefinitionNode) -> Iterator[str]:
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        yield from (each.name.value for each in node.interfaces or ())


def _mentioned(node: TypeDefinitionNode) -> Iterator[str]:
    match node:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            yield from _interfaces(node)
            for field in node.fields or ():
                yield from _of_field(field)
        case InputObjectTypeDefinitionNode():
            yield from (_named(field.type) for field in node.fields or ())
        case UnionTypeDefinitionNode():
            yield from (each.name.value for each in node.types or ())
        case _:
            return  # scalars and enums mention no type


def _of_field(field: FieldDefinitionNode) -> Iterator[str]:
    yield _named(field.type)
    yield from (_named(argument.type) for argument in field.arguments or ())


def _named(node: TypeNode) -> str:
    inner = node
    while not isinstance(inner, NamedTypeNode):
        inner = inner.type  # type: ignore[attr-defined]  # list and non-null nodes wrap a type
    return inner.name.value


def _is_built_in(name: str) -> bool:
    return name in {"Int", "Float", "String", "Boolean", "ID"}
