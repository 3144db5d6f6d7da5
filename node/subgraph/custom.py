"""A member's custom fields in its schema: its module is loaded, and what it declares becomes definitions.

Types are read by Strawberry, as those of the vocabulary are, so that a member declares its own in the same words
(`node.vocabulary.terms`). Every field needs a category and may be null: a policy must be able to name and to deny it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, Final

import strawberry
from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    ListTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeNode,
    parse,
)
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types.base import StrawberryObjectDefinition

from federation.contract.identifiers import PERSON
from node.data.custom import CustomEntity, CustomField, CustomFields, ServedCustom
from node.data.expressions import ValueSet
from node.data.mapping import CustomModule, Source
from node.data.mapping import Mapping as NodeMapping
from node.data.written import MappingError
from node.policy.errors import nearest
from node.subgraph.additions import Additions
from node.vocabulary.directives import Category
from node.vocabulary.schema import scalar_map
from node.vocabulary.terms import field as declared_field

_QUERY: Final = "Query"
_MACHINERY: Final = frozenset({_QUERY, "_Any", "_Entity", "_Service"})
_KEY: Final = "id"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a member's module adds to the vocabulary, and what serves it."""

    additions: Additions
    served: ServedCustom


def declared_custom(mapping: NodeMapping) -> Declared | None:
    """Load the module that a mapping names and read what it declares.

    Raises:
        MappingError: it cannot be loaded, or declares what a node cannot serve; names the line and the field.
    """
    if mapping.custom is None:
        return None
    reader = _Reader(mapping, mapping.custom)
    found = reader.loaded()
    if not found.fields and not found.entities:
        raise reader.wrong(f"`{mapping.custom.attribute}` declares no field")
    for field in found.fields:
        reader.check_category(field)
    for entity in found.entities:
        reader.check_entity(entity)
    schema = reader.schema(found)
    for field in found.fields:
        reader.check_place(field, schema)
    definitions = [each for each in parse(schema.as_str()).definitions if isinstance(each, TypeDefinitionNode)]
    types = tuple(each for each in definitions if each.name.value not in _MACHINERY)
    entities = {each.name: each for each in found.entities}
    for each in types:
        reader.check_type(each, schema, entities)
    [query] = (each for each in definitions if each.name.value == _QUERY)
    assert isinstance(query, ObjectTypeDefinitionNode)
    extensions = tuple(
        reader.extension(*pair) for pair in zip(found.fields, _numbered(query, len(found.fields)), strict=True)
    )
    served = {(field.on, field.name): field for field in found.fields}
    additions = Additions(types, extensions, reader.wrong)
    return Declared(additions, ServedCustom(served, entities, dict(_attributes(types, schema)), found.close))


@dataclass(frozen=True, slots=True)
class _Reader:
    mapping: NodeMapping
    at: CustomModule

    def loaded(self) -> CustomFields:
        """Return what the module declares: an installed module, or a file beside the mapping."""
        try:
            found = getattr(_module(self.at.module, self.mapping), self.at.attribute)
        except Exception as error:  # whatever a member's own module raises
            raise self.wrong(f"`{self.at.module}` cannot be loaded ({type(error).__name__}: {error})") from error
        if not isinstance(found, CustomFields):
            raise self.wrong(f"`{self.at.attribute}` of `{self.at.module}` is no `CustomFields`")
        return found

    def schema(self, found: CustomFields) -> strawberry.federation.Schema:
        """Let Strawberry read the types: a schema whose root has the fields and then the entities, by number."""
        roots: list[Any] = []
        fields = [
            (each.type, declared_field(each.iri, Category(each.category), each.en, each.it)) for each in found.fields
        ]
        for number, (kind, root) in enumerate([*fields, *((each.type, strawberry.field()) for each in found.entities)]):
            root.graphql_name = root.python_name = f"f{number}"
            root.type_annotation = StrawberryAnnotation(kind | None)
            roots.append(root)
        try:
            return strawberry.federation.Schema(
                query=create_type(_QUERY, roots), config=StrawberryConfig(scalar_map=scalar_map())
            )
        except Exception as error:  # Strawberry has no one base for what it refuses
            raise self.wrong(f"has a type that is no GraphQL type ({type(error).__name__}: {error})") from error

    def check_category(self, field: CustomField) -> None:
        """Insist on a category of the vocabulary."""
        if field.category not in list(Category):
            problem = f"`{field.coordinate}`: `{field.category}` is no category"
            raise self.wrong(problem + nearest(field.category, list(Category)))

    def check_entity(self, entity: CustomEntity) -> None:
        """Insist on a class of which objects can be found by key, and by no other way."""
        declared = getattr(entity.type, "__strawberry_definition__", None)
        if not isinstance(declared, StrawberryObjectDefinition):
            raise self.wrong(
                f"`{entity.type.__name__}` is no type; declare it with `entity` of `node.vocabulary.terms`"
            )
        if self.mapping.sources_of(entity.name):
            raise self.wrong(f"`{entity.name}` has rows in the mapping, too; keep one of them")
        attributes = [each.name for each in fields(declared.origin)]
        if entity.subject and entity.subject not in attributes:
            problem = f"`{entity.name}` has no attribute `{entity.subject}`, which is to say whom it is about"
            raise self.wrong(problem + nearest(entity.subject, attributes))

    def check_place(self, field: CustomField, schema: strawberry.federation.Schema) -> None:
        """Hold a field's declaration against what its type gives: rows of the mapping, or objects of the module."""
        if self.mapping.broadcast and field.on == PERSON:  # code is asked about known citizens only (docs/adr/0041)
            raise self.wrong(f"`{field.coordinate}`: under `broadcast`, where code fails would tell who is known here")
        sources = self.mapping.sources_of(field.on)
        own = schema.get_type_by_name(field.on)
        for source in sources:
            if field.name in source.fields or field.name in source.relations:
                raise self.wrong(f"`{field.coordinate}` is mapped by `{source.name}`, too; keep one of them")
            self._check_needs(field, source.name, _given_by(source))
        if not sources and isinstance(own, StrawberryObjectDefinition) and field.on not in _MACHINERY:
            given = _given_by_object(own, schema)
            if field.name in given:
                raise self.wrong(f"`{field.coordinate}` is declared by its class, too; keep one of them")
            self._check_needs(field, field.on, given)
        elif not sources:
            known = sorted({source.type_name for source in self.mapping.sources.values()})
            problem = f"`{field.coordinate}`: no rows of `{field.on}` are mapped, and no field gives its objects"
            raise self.wrong(problem + nearest(field.on, known))

    def _check_needs(self, field: CustomField, of: str, given: list[str]) -> None:
        for name in field.needs:
            if name not in given:
                problem = f"`{field.coordinate}` needs `{name}`, which `{of}` has neither as a field"
                raise self.wrong(f"{problem} nor as an attribute{nearest(name, given)}")

    def check_type(
        self, declared: TypeDefinitionNode, schema: strawberry.federation.Schema, entities: Mapping[str, CustomEntity]
    ) -> None:
        """Insist that a policy can govern every field of a type, and that an entity is found by its key `id`."""
        name = declared.name.value
        match declared:
            case ScalarTypeDefinitionNode() | EnumTypeDefinitionNode():
                return
            case ObjectTypeDefinitionNode() if _has(declared, "key") and name not in entities:
                raise self.wrong(f"`{name}` is an entity; a `CustomEntity` of `{name}` says how it is found by its key")
            case ObjectTypeDefinitionNode() if name in entities and _keys(declared) != [_KEY]:
                raise self.wrong(
                    f"`{name}` needs the key `{_KEY}`; declare it with `entity` of `node.vocabulary.terms`"
                )
            case ObjectTypeDefinitionNode():
                resolved = {each.name for each in _definition(schema, name).fields if each.base_resolver}
            case _:
                raise self.wrong(f"`{name}` is neither an object nor an enumeration nor a scalar")
        for field in declared.fields or ():
            at = f"`{name}.{field.name.value}`"
            if not _has(field, "privacy"):
                raise self.wrong(f"{at} has no category; declare it with `field` of `node.vocabulary.terms`")
            if isinstance(field.type, NonNullTypeNode):
                raise self.wrong(f"{at} must admit null, which is what a policy that denies it leaves")
            self._check_depth(at, field)
            if field.arguments or resolved:
                raise self.wrong(f"`{name}` has resolvers or arguments of its own; use a `CustomField` on `{name}`")

    def extension(self, field: CustomField, declared: FieldDefinitionNode) -> ObjectTypeExtensionNode:
        """Return a field as an extension of its type."""
        self._check_depth(f"`{field.coordinate}`", declared)
        named = FieldDefinitionNode(
            name=NameNode(value=field.name),
            description=declared.description,
            arguments=(),
            type=declared.type,
            directives=declared.directives,
        )
        return ObjectTypeExtensionNode(name=NameNode(value=field.on), interfaces=(), directives=(), fields=(named,))

    def _check_depth(self, at: str, field: FieldDefinitionNode) -> None:
        if _depth(field.type) > 1:
            raise self.wrong(f"{at} is a list of lists; give the inner one a type of its own")

    def wrong(self, problem: str) -> MappingError:
        """Return an error at the line of `custom:`."""
        return self.mapping.wrong(self.at.line, f"`custom` {problem}")


def _module(name: str, mapping: NodeMapping) -> ModuleType:
    file = mapping.folder / f"{name}.py"
    if not file.is_file():
        return importlib.import_module(name)
    known = f"crocevia_custom.{file.resolve()}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, file)
        assert spec is not None  # it is a file with the suffix .py
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module  # dataclasses look their module up while it is run
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[known]
            raise
    return sys.modules[known]


def _given_by(source: Source) -> list[str]:
    """Return what a source can give a resolver of each row."""
    values = [name for name, each in source.attributes.items() if not isinstance(each, ValueSet)]
    key = [source.key.field] if source.key and source.key.field else []
    return [*source.fields, *values, *key]


def _given_by_object(own: StrawberryObjectDefinition, schema: strawberry.federation.Schema) -> list[str]:
    """Return what an object can give a resolver: its fields as the schema names them, and its Python attributes."""
    shown = [schema.config.name_converter.get_graphql_name(field) for field in own.fields]
    return [*shown, *(each.name for each in fields(own.origin))]


def _numbered(query: ObjectTypeDefinitionNode, count: int) -> Sequence[FieldDefinitionNode]:
    """Return the root's first fields in the order in which they were declared."""
    fields = [field for field in query.fields or () if not field.name.value.startswith("_")]
    return sorted(fields, key=lambda field: int(field.name.value[1:]))[:count]


def _keys(declared: ObjectTypeDefinitionNode) -> list[str]:
    keys = (each for each in declared.directives or () if each.name.value == "key")
    values = (argument.value for each in keys for argument in each.arguments or () if argument.name.value == "fields")
    return [value.value for value in values if isinstance(value, StringValueNode)]


def _attributes(
    types: Iterable[TypeDefinitionNode], schema: strawberry.federation.Schema
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield, by type, under which Python attribute the value of each field is."""
    graphql_name = schema.config.name_converter.get_graphql_name
    for each in types:
        if isinstance(each, ObjectTypeDefinitionNode):
            fields = _definition(schema, each.name.value).fields
            yield each.name.value, {graphql_name(field): field.python_name for field in fields}


def _definition(schema: strawberry.federation.Schema, name: str) -> StrawberryObjectDefinition:
    found = schema.get_type_by_name(name)
    assert isinstance(found, StrawberryObjectDefinition)  # the schema printed it as an object
    return found


def _has(node: Any, directive: str) -> bool:
    return any(each.name.value == directive for each in node.directives or ())


def _depth(node: TypeNode) -> int:
    inner, depth = node, 0
    while isinstance(inner, (ListTypeNode, NonNullTypeNode)):
        depth += isinstance(inner, ListTypeNode)
        inner = inner.type
    return depth
