"""The words of a member's own as definitions, beside those of the shared vocabulary.

    type Loan @key(fields: "id") { title: String @privacy(category: "education", sensitivity: "personal") }

A list of such a type that the mapping publishes gets its connection here: pages and a total, no filters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from graphql import (
    ConstArgumentNode,
    ConstDirectiveNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    InputValueDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    ValueNode,
    parse,
)

from node.data.mapping import Mapping as NodeMapping
from node.data.own_vocabulary import Meaning, OwnEnum, OwnField, OwnObject, OwnScalar, OwnWord
from node.policy.errors import nearest
from node.subgraph.additions import Additions
from node.subgraph.pruning import BUILT_IN, object_type
from node.vocabulary.directives import SENSITIVITY, Category
from node.vocabulary.terms import in_two_languages

_QUERY: Final = "Query"
_VALUES: Final = (ScalarTypeDefinitionNode, EnumTypeDefinitionNode)
_LIST: Final = """
type %(name)sConnection { edges: [%(name)sEdge!] pageInfo: PageInfo! totalCount: Int }
type %(name)sEdge { cursor: String! node: %(name)s }
type Query { %(root)s(first: Int = 20, after: String): %(name)sConnection }
"""


def own_words(mapping: NodeMapping, vocabulary: Mapping[str, TypeDefinitionNode]) -> Iterator[Additions]:
    """Yield what each of a mapping's own words adds to a vocabulary.

    Raises:
        MappingError: a category or a type that nobody declares; names the line and the nearest right word.
    """
    for word in mapping.own.values():
        yield _Words(mapping, vocabulary).additions(word)


def with_own_lists(
    mapping: NodeMapping, definitions: Mapping[str, TypeDefinitionNode]
) -> Mapping[str, TypeDefinitionNode]:
    """Add the connections of a member's own types that its mapping lists, under the names that it gives them."""
    found, query = dict(definitions), definitions[_QUERY]
    assert isinstance(query, ObjectTypeDefinitionNode)
    fields = list(query.fields or ())
    taken = {field.name.value for field in fields}
    for name, root in mapping.roots.items():
        word = mapping.own.get(mapping.sources[root.source].type_name)
        if isinstance(word, OwnObject) and word.meaning is not None and name not in taken:
            *types, listed = _list_of(name, word.name)
            found |= {made.name.value: made for made in types}
            fields += listed.fields or ()
    extended = object_type(query, tuple(fields), tuple(query.directives or ()))
    return {**found, _QUERY: extended}


def bind_own_scalars(schema: GraphQLSchema, words: Iterable[OwnWord]) -> GraphQLSchema:
    """Let a member's own scalars take and give texts of their patterns only; return that schema."""
    for word in words:
        declared = schema.get_type(word.name)
        if isinstance(word, OwnScalar) and isinstance(declared, GraphQLScalarType):
            coerce = _Pattern(word.name, word.pattern)
            declared.coerce_input_value = declared.coerce_output_value = coerce.value
            declared.coerce_input_literal = coerce.literal
    return schema


class _Pattern:
    def __init__(self, name: str, pattern: re.Pattern[str]) -> None:
        self._name, self._pattern = name, pattern

    def value(self, value: object) -> str:
        if not isinstance(value, str) or not self._pattern.fullmatch(value):
            raise GraphQLError(f"expected a value of scalar `{self._name}`")
        return value

    def literal(self, node: ValueNode, _variables: object = None) -> str:
        return self.value(node.value if isinstance(node, StringValueNode) else None)


class _Words:
    def __init__(self, mapping: NodeMapping, vocabulary: Mapping[str, TypeDefinitionNode]) -> None:
        self._mapping, self._vocabulary = mapping, vocabulary

    def additions(self, word: OwnWord) -> Additions:
        """Return the definitions of one word."""
        name, at = NameNode(value=word.name), word.line
        types: tuple[TypeDefinitionNode, ...] = ()
        fields: tuple[ObjectTypeExtensionNode, ...] = ()
        match word:
            case OwnScalar():
                meaning = _described(word.meaning)
                types = (ScalarTypeDefinitionNode(name=name, description=meaning, directives=()),)
            case OwnEnum():
                values = tuple(EnumValueDefinitionNode(name=NameNode(value=v), directives=()) for v in word.values)
                meaning = _described(word.meaning)
                types = (EnumTypeDefinitionNode(name=name, description=meaning, directives=(), values=values),)
            case OwnObject():
                made = tuple(self._field(word, each) for each in word.fields)
                if word.meaning is None:
                    self._require_known_object(word)
                    fields = (ObjectTypeExtensionNode(name=name, interfaces=(), directives=(), fields=made),)
                else:
                    types = (_object(name, word.key, word.meaning, made),)
        return Additions(types, fields, lambda problem: self._mapping.wrong(at, problem))

    def _require_known_object(self, word: OwnObject) -> None:
        if not isinstance(self._vocabulary.get(word.name), ObjectTypeDefinitionNode):
            problem = f"`{word.name}` is not in the vocabulary: say what it means in `en` and `it`"
            raise self._mapping.wrong(word.line, problem + nearest(word.name, list(self._vocabulary)))

    def _field(self, of: OwnObject, field: OwnField) -> FieldDefinitionNode:
        at = f"`{of.name}.{field.name}`"
        if field.category not in list(Category):
            problem = f"{at} has the category `{field.category}`, which there is not"
            raise self._mapping.wrong(field.line, problem + nearest(field.category, list(Category)))
        is_value = self._is_value(field, at)
        if field.is_list and is_value:
            raise self._mapping.wrong(field.line, f"{at} is a list of values; give them a type of their own")
        category = Category(field.category)
        named = NamedTypeNode(name=NameNode(value=field.type_name))
        sensitivity = str(SENSITIVITY[category])
        return FieldDefinitionNode(
            name=NameNode(value=field.name),
            description=_described(field.meaning),
            arguments=(_FIRST,) if field.is_list else (),
            type=ListTypeNode(type=NonNullTypeNode(type=named)) if field.is_list else named,
            directives=(*_semantic(field.meaning), _directive("privacy", category=category, sensitivity=sensitivity)),
        )

    def _is_value(self, field: OwnField, at: str) -> bool:
        """Say whether a field's type is a value and no object."""
        own, shared = self._mapping.own.get(field.type_name), self._vocabulary.get(field.type_name)
        if field.type_name in BUILT_IN or isinstance(own, (OwnScalar, OwnEnum)) or isinstance(shared, _VALUES):
            return True
        if isinstance(own, OwnObject) or isinstance(shared, ObjectTypeDefinitionNode):
            return False
        known = [*self._mapping.own, *self._vocabulary, *BUILT_IN]
        problem = f"{at} is of type `{field.type_name}`, which nobody declares{nearest(field.type_name, known)}"
        raise self._mapping.wrong(field.line, problem)


def _list_of(root: str, of_type: str) -> list[ObjectTypeDefinitionNode]:
    parsed = parse(_LIST % {"name": of_type, "root": root}, no_location=True).definitions
    return [node for node in parsed if isinstance(node, ObjectTypeDefinitionNode)]


def _object(
    name: NameNode, key: str | None, meaning: Meaning, fields: tuple[FieldDefinitionNode, ...]
) -> ObjectTypeDefinitionNode:
    keys = () if key is None else (_directive("key", fields=key),)
    return ObjectTypeDefinitionNode(
        name=name,
        description=_described(meaning),
        interfaces=(),
        directives=(*keys, *_semantic(meaning)),
        fields=fields,
    )


def _described(meaning: Meaning) -> StringValueNode:
    return StringValueNode(value=in_two_languages(meaning.en, meaning.it), block=True)


def _semantic(meaning: Meaning) -> tuple[ConstDirectiveNode, ...]:
    return () if meaning.iri is None else (_directive("semantic", iri=meaning.iri),)


def _directive(name: str, **arguments: str) -> ConstDirectiveNode:
    given = tuple(
        ConstArgumentNode(name=NameNode(value=argument), value=StringValueNode(value=str(value)))
        for argument, value in arguments.items()
    )
    return ConstDirectiveNode(name=NameNode(value=name), arguments=given)


_FIRST: Final = InputValueDefinitionNode(
    name=NameNode(value="first"), type=NamedTypeNode(name=NameNode(value="Int")), directives=()
)
