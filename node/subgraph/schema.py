"""A member's schema: the part of the vocabulary that its mapping fills, with what federation adds.

Two documents are made from the vocabulary's own definitions:

* the internal schema, against which operations are parsed and validated: mapped types and fields, `<field>Matches`
  and `<field>Reached` where a policy lets such questions be asked, the local root `citizen`, published connections,
  `_entities`, `_service`, what tells a consumer of the rules that decide for it (`myFields`, `whyDenied`), and of
  changes (`changes`);
* the published SDL, from which the federation is composed: the same without what only this node answers directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from graphql import (
    BooleanValueNode,
    ConstArgumentNode,
    ConstDirectiveNode,
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeNode,
    build_ast_schema,
    parse,
    print_ast,
)

from federation.contract import changes, policy_view
from federation.contract.governed import MATCHES, REACHED
from federation.contract.identifiers import PERSON
from node.data.custom import NO_CUSTOM, ServedCustom
from node.data.mapping import Mapping as NodeMapping
from node.data.mapping import Root, Source
from node.policy.documents import TypeDocument
from node.policy.errors import nearest
from node.policy.forms import QUESTIONS
from node.subgraph.custom import declared_custom
from node.subgraph.own_words import bind_own_scalars, own_words, with_own_lists
from node.subgraph.pruning import BUILT_IN, innermost, object_type, without_empty
from node.vocabulary.scalars import bind_scalars

ROOT: Final = "Query"
MUTATION: Final = "Mutation"
LOOKUP: Final = "citizen"
COUNT: Final = "count"
GROUPS: Final = "groups"
_PLUMBING_INPUTS: Final = frozenset({"and", "or", "not"})
_MEASURES: Final = frozenset({"min", "max", "avg"})


@dataclass(frozen=True, slots=True)
class NodeSchema:
    """What one member answers.

    `entity_keys` holds the key fields of each entity type; `published_sdl` is what the federation composes.
    """

    schema: GraphQLSchema
    published_sdl: str
    entity_keys: Mapping[str, frozenset[str]]
    document: DocumentNode
    custom: ServedCustom

    @classmethod
    def build(cls, vocabulary: GraphQLSchema, mapping: NodeMapping, asked: Iterable[str] = frozenset()) -> Self:
        """Prune the vocabulary to what the mapping fills and add what federation needs.

        Args:
            vocabulary: the shared vocabulary, its syntax tree attached.
            mapping: the member's mapping.
            asked: the coordinates of `asked_coordinates`, such as `Citizen.taxCodeMatches`.

        Raises:
            MappingError: the mapping names a type or field that the vocabulary does not have, or a relation that leads
                to another type than the vocabulary says; or its custom fields cannot be used.
        """
        definitions, served = _with_additions(_definitions(vocabulary), mapping)
        builder = _Builder(definitions, mapping, frozenset(asked), served)
        types = list(builder.object_types())
        entities = {node.name.value: _key_fields(node) for node in types if _key_fields(node)}
        roots = [builder.query(types, local=True), *builder.mutation()]
        local = _with_what_is_used([*types, *roots, *_federation(entities)], builder.opened())
        document = DocumentNode(definitions=tuple(local))
        return cls(
            schema=bind_own_scalars(
                bind_scalars(build_ast_schema(document, assume_valid_sdl=True)), mapping.own.values()
            ),
            published_sdl=_published(vocabulary, builder, types),
            entity_keys=entities,
            document=document,
            custom=served,
        )


@dataclass(frozen=True, slots=True)
class _Builder:
    """Takes from the vocabulary what a mapping fills."""

    vocabulary: Mapping[str, TypeDefinitionNode]
    mapping: NodeMapping
    asked: frozenset[str]
    custom: ServedCustom

    def object_types(self) -> Iterator[ObjectTypeDefinitionNode]:
        """Yield each mapped type with its mapped fields, in the vocabulary's order."""
        for source in self.mapping.sources.values():
            self._check(source)
        written = {innermost(field.type) for field in self._mutations()}
        mapped = {source.type_name for source in self.mapping.sources.values()}
        for name in sorted(mapped | written | self.custom.attributes.keys()):
            declared = self._object(name)
            sources = self.mapping.sources_of(name)
            filled = {word for each in sources for word in (*each.fields, *each.relations, *_key_field(each))}
            filled |= {field for of_type, field in self.custom.fields if of_type == name}
            if not sources:  # written here, or of the member's own code: its record or class is all there is of it
                filled = {field.name.value for field in declared.fields or ()}
            fields = tuple(
                made
                for field in declared.fields or ()
                if field.name.value in filled
                for made in self._with_questions(name, field)
            )
            if not fields:
                raise self.mapping.wrong(self.mapping.sources_of(name)[0].line, f"`{name}` maps no field")
            yield object_type(declared, fields, tuple(self._directives(declared, filled)))

    def _with_questions(self, type_name: str, field: FieldDefinitionNode) -> Iterator[FieldDefinitionNode]:
        """Yield a field, and those that ask about its value where a policy lets them be asked."""
        yield field
        name = field.name.value
        of_code = type_name in self.custom.attributes and not self.mapping.sources_of(type_name)
        # Of what Python gives, one value can be compared: no list, no object.
        given = of_code or (type_name, name) in self.custom.fields
        if given and not (isinstance(field.type, NamedTypeNode) and self._is_value(field.type)):
            return
        # A guess is counted for the citizen whom it is about, and an object of the member's code may be about nobody.
        if f"{type_name}.{name}{MATCHES}" in self.asked and not of_code:
            said = f"Whether `{name}` is this value.\nit: Se il valore è questo."
            yield _question(field, MATCHES, "value", _nullable(field.type), said)
        if f"{type_name}.{name}{REACHED}" in self.asked:
            english = f"Whether `years` years have passed since `{name}`."
            said = f"{english}\nit: Se è passato questo numero di anni dalla data."
            yield _question(field, REACHED, "years", _named("Int"), said)

    def _is_value(self, named: NamedTypeNode) -> bool:
        return not isinstance(self.vocabulary.get(named.name.value), ObjectTypeDefinitionNode)

    def _directives(self, declared: ObjectTypeDefinitionNode, filled: set[str]) -> Iterator[ConstDirectiveNode]:
        """Yield the directives, but no key whose field the mapping cannot give, and say by which it finds nothing."""
        for directive in declared.directives or ():
            if directive.name.value != "key":
                yield directive
            elif (words := set(_fields_argument(directive).split())) <= filled:
                yield directive if self._finds(declared.name.value, words) else _unresolvable(directive)

    def _finds(self, type_name: str, words: set[str]) -> bool:
        """Say whether `_entities` finds objects by this key, which an object in its owner's row also has."""
        source = self.mapping.entity_source(type_name)
        return type_name in self.custom.entities if source is None else {*_key_field(source)} == words

    def query(self, types: Iterable[ObjectTypeDefinitionNode], *, local: bool) -> ObjectTypeDefinitionNode:
        """Return the roots: the published connections and, locally, the citizen by an exact key and federation's."""
        declared = self._object(ROOT)
        known = {node.name.value for node in types}
        fields: list[FieldDefinitionNode] = []
        for field in declared.fields or ():
            root = self.mapping.roots.get(field.name.value)
            if root:
                fields.append(_opened(field, root))
            elif local and field.name.value == LOOKUP and PERSON in known:
                fields.append(field)
        for name, root in self.mapping.roots.items():
            self._check_root(root, {field.name.value: field for field in declared.fields or ()}.get(name))
        if local:
            fields += [_ENTITIES_FIELD] if any(_key_fields(node) for node in types) else []
            fields += _OTHER_LOCAL_FIELDS
        return object_type(declared, tuple(fields), tuple(declared.directives or ()))

    def mutation(self) -> Iterator[ObjectTypeDefinitionNode]:
        """Yield the root of what the member lets others write, if there is anything."""
        fields = tuple(self._mutations())
        if fields:
            declared = self._object(MUTATION)
            yield object_type(declared, fields, tuple(declared.directives or ()))

    def _mutations(self) -> Iterator[FieldDefinitionNode]:
        known = (
            {field.name.value: field for field in self._object(MUTATION).fields or ()} if self.mapping.writes else {}
        )
        for name, line in self.mapping.writes.items():
            if name not in known:
                problem = f"`writes` names `{name}`, which the vocabulary does not have"
                raise self.mapping.wrong(line, f"{problem}{nearest(name, known)}")
            yield known[name]

    def opened(self) -> Mapping[str, TypeDefinitionNode]:
        """Return the vocabulary with what lists are filtered, ordered and grouped by as the mapping opens it."""
        return without_empty({**self.vocabulary, **{node.name.value: node for node in self._narrowed()}})

    def _narrowed(self) -> Iterator[TypeDefinitionNode]:
        opened: dict[str, set[str]] = {}
        for root in self.mapping.roots.values():
            source = self.mapping.sources[root.source]
            name = source.type_name
            for path in root.filterable:
                self._open_filter(source, path.split("."), opened)
            opened.setdefault(f"{name}OrderBy", set()).update(root.orderable)
            opened.setdefault(f"{name}Dimension", set()).update(root.groupable)
            opened.setdefault(f"{name}Measures", set()).update(root.measurable)
            opened.setdefault(f"{name}Means", set()).update(root.measurable)
            opened.setdefault(f"{name}Group", set()).update((COUNT, *root.groupable))
            if not root.groupable and not root.measurable:
                connection = _words_of(self.vocabulary.get(f"{name}Connection"))
                opened.setdefault(f"{name}Connection", set(connection) - {GROUPS})
        for name, words in opened.items():
            declared = self.vocabulary.get(name)
            if declared is not None:
                yield narrowed(declared, frozenset(words))

    def _open_filter(self, source: Source, path: Sequence[str], opened: dict[str, set[str]]) -> None:
        """Open a filter's field, and the relations that lead to it."""
        opened.setdefault(f"{source.type_name}Where", set()).add(path[0])
        if len(path) > 1:
            target = self.mapping.sources[source.relations[path[0]].to]
            self._open_filter(target, path[1:], opened)

    def _check_root(self, root: Root, declared: FieldDefinitionNode | None) -> None:
        type_name = self.mapping.sources[root.source].type_name
        if declared is None:
            roots = [field.name.value for field in self._object(ROOT).fields or ()]
            raise self.mapping.wrong(
                root.line, f"root `{root.name}` is not in the vocabulary{nearest(root.name, roots)}"
            )
        if innermost(declared.type) != f"{type_name}Connection":
            raise self.mapping.wrong(
                root.line, f"root `{root.name}` lists `{innermost(declared.type)}`, but its source is `{type_name}`"
            )
        for kind, words in (
            ("Where", [path.split(".")[0] for path in root.filterable]),
            ("OrderBy", root.orderable),
            ("Dimension", root.groupable),
            ("Measures", root.measurable),
        ):
            known = _words_of(self.vocabulary.get(f"{type_name}{kind}"))
            for word in words:
                if word not in known:
                    raise self.mapping.wrong(
                        root.line,
                        f"root `{root.name}` opens `{word}`, which the vocabulary's `{type_name}{kind}` does not have"
                        f"{nearest(word, known)}",
                    )

    def _check(self, source: Source) -> None:
        declared = self._object(source.type_name, source)
        fields = {field.name.value: field for field in declared.fields or ()}
        for word in (*source.fields, *source.relations, *_key_field(source)):
            line = source.lines.get(word, source.line)
            if word not in fields:
                raise self.mapping.wrong(
                    line,
                    f"`{source.name}.{word}` is not in the vocabulary's `{source.type_name}`{nearest(word, fields)}",
                )
            leads_to = innermost(fields[word].type)
            is_object = isinstance(self.vocabulary.get(leads_to), ObjectTypeDefinitionNode)
            if is_object and word not in source.relations:
                raise self.mapping.wrong(
                    line, f"`{source.name}.{word}` is of type `{leads_to}`: put it under `relations`"
                )
            if not is_object and word in source.relations:
                raise self.mapping.wrong(line, f"`{source.name}.{word}` is a value: put it under `fields`")
        for word, relation in source.relations.items():
            target, expected = self.mapping.sources[relation.to].type_name, innermost(fields[word].type)
            if target != expected:
                raise self.mapping.wrong(
                    relation.line, f"`{source.name}.{word}` leads to `{target}`; the vocabulary says `{expected}`"
                )
            child = self.mapping.sources[relation.to]
            for key in relation.order:
                if key.field not in child.fields:
                    problem = f"orders by `{key.field}`, which `{child.name}` does not map as a field"
                    raise self.mapping.wrong(
                        relation.line, f"`{source.name}.{word}` {problem}{nearest(key.field, child.fields)}"
                    )

    def _object(self, name: str, source: Source | None = None) -> ObjectTypeDefinitionNode:
        declared = self.vocabulary.get(name)
        if isinstance(declared, ObjectTypeDefinitionNode):
            return declared
        known = [word for word, node in self.vocabulary.items() if isinstance(node, ObjectTypeDefinitionNode)]
        raise self.mapping.wrong(
            source.line if source else 1, f"type `{name}` is not in the vocabulary{nearest(name, known)}"
        )


def _published(vocabulary: GraphQLSchema, builder: _Builder, types: list[ObjectTypeDefinitionNode]) -> str:
    """Print what the federation composes: subgraph SDL of federation version 2."""
    query = builder.query(types, local=False)
    roots = [*([query] if query.fields else []), *builder.mutation()]
    definitions: list[DefinitionNode] = list(_with_what_is_used([*types, *roots], builder.opened()))
    header = vocabulary.ast_node
    assert isinstance(header, SchemaDefinitionNode)  # the vocabulary declares its links there
    # Without operation types: a subgraph may have no root of its own. `extend schema` carries the links.
    links = print_ast(
        SchemaDefinitionNode(description=None, directives=header.directives, operation_types=())
    ).removesuffix(" {\n\n}")
    links = links.split("{")[0].rstrip()
    own = [
        directive.ast_node
        for directive in vocabulary.directives
        if directive.ast_node is not None and directive.name in {"semantic", "privacy"}
    ]
    return f"extend {links}\n\n" + print_ast(DocumentNode(definitions=(*own, *definitions))) + "\n"


def _definitions(vocabulary: GraphQLSchema) -> dict[str, TypeDefinitionNode]:
    return {
        name: kind.ast_node
        for name, kind in vocabulary.type_map.items()
        if kind.ast_node is not None and "__" not in name
    }


def _with_additions(
    vocabulary: Mapping[str, TypeDefinitionNode], mapping: NodeMapping
) -> tuple[Mapping[str, TypeDefinitionNode], ServedCustom]:
    """Return the vocabulary with what the member adds, in its mapping and in its own code."""
    definitions = vocabulary
    for addition in own_words(mapping, vocabulary):
        definitions = addition.to(definitions)
    definitions = with_own_lists(mapping, definitions) if mapping.own else definitions
    custom = declared_custom(mapping)
    return (definitions, NO_CUSTOM) if custom is None else (custom.additions.to(definitions), custom.served)


def _with_what_is_used(
    definitions: Iterable[TypeDefinitionNode], vocabulary: Mapping[str, TypeDefinitionNode]
) -> Iterator[TypeDefinitionNode]:
    """Yield definitions and, once each, everything of the vocabulary that they mention."""
    given = {node.name.value: node for node in definitions}
    yield from given.values()
    seen = set(given)
    waiting = [name for node in given.values() for name in _mentioned(node)]
    while waiting:
        name = waiting.pop(0)
        if name in seen or name in BUILT_IN:
            continue
        seen.add(name)
        node = vocabulary[name]
        yield node
        waiting += _mentioned(node)


def _mentioned(node: TypeDefinitionNode) -> list[str]:
    match node:
        case ObjectTypeDefinitionNode():
            return [
                name
                for field in node.fields or ()
                for name in (innermost(field.type), *(innermost(each.type) for each in field.arguments or ()))
            ]
        case InputObjectTypeDefinitionNode():
            return [innermost(field.type) for field in node.fields or ()]
        case _:
            return []


def _opened(field: FieldDefinitionNode, root: Root) -> FieldDefinitionNode:
    """Drop the filter or order argument of a list that the mapping opens to no field."""
    closed = {name for name, words in (("where", root.filterable), ("orderBy", root.orderable)) if not words}
    return FieldDefinitionNode(
        name=field.name,
        description=field.description,
        arguments=tuple(each for each in field.arguments or () if each.name.value not in closed),
        type=field.type,
        directives=field.directives,
    )


def narrowed(declared: TypeDefinitionNode, kept: frozenset[str]) -> TypeDefinitionNode:
    """Return a filter, order, group or enumeration of fields with the kept ones, and what holds it together."""
    match declared:
        case InputObjectTypeDefinitionNode():
            return InputObjectTypeDefinitionNode(
                name=declared.name,
                description=declared.description,
                directives=declared.directives,
                fields=tuple(field for field in declared.fields or () if field.name.value in kept | _PLUMBING_INPUTS),
            )
        case ObjectTypeDefinitionNode():
            fields = tuple(field for field in declared.fields or () if field.name.value in kept | _MEASURES)
            return object_type(declared, fields, tuple(declared.directives or ()))
        case EnumTypeDefinitionNode():
            return EnumTypeDefinitionNode(
                name=declared.name,
                description=declared.description,
                directives=declared.directives,
                values=tuple(value for value in declared.values or () if value.name.value in kept),
            )
        case _:
            return declared


def _words_of(declared: TypeDefinitionNode | None) -> list[str]:
    match declared:
        case InputObjectTypeDefinitionNode() | ObjectTypeDefinitionNode():
            return [field.name.value for field in declared.fields or ()]
        case EnumTypeDefinitionNode():
            return [value.name.value for value in declared.values or ()]
        case _:
            return []


def _key_fields(node: ObjectTypeDefinitionNode) -> frozenset[str]:
    return frozenset(
        word
        for directive in node.directives or ()
        if directive.name.value == "key"
        for word in _fields_argument(directive).split()
    )


def _unresolvable(key: ConstDirectiveNode) -> ConstDirectiveNode:
    """Return a key by which this subgraph names objects and does not find them (Federation, `resolvable: false`)."""
    fields = tuple(each for each in key.arguments or () if each.name.value != "resolvable")
    no = ConstArgumentNode(name=NameNode(value="resolvable"), value=BooleanValueNode(value=False))
    return ConstDirectiveNode(name=key.name, arguments=(*fields, no))


def _fields_argument(directive: ConstDirectiveNode) -> str:
    for argument in directive.arguments or ():
        if argument.name.value == "fields" and isinstance(argument.value, StringValueNode):
            return argument.value.value
    raise AssertionError("a key directive has fields")


def _key_field(source: Source) -> tuple[str, ...]:
    return (source.key.field,) if source.key and source.key.field else ()


def _question(
    field: FieldDefinitionNode, ending: str, argument: str, given: NamedTypeNode | ListTypeNode, said: str
) -> FieldDefinitionNode:
    """Return a field that answers a question about the value of another, or nothing."""
    value = InputValueDefinitionNode(name=NameNode(value=argument), type=NonNullTypeNode(type=given), directives=())
    return FieldDefinitionNode(
        name=NameNode(value=field.name.value + ending),
        description=StringValueNode(value=said, block=True),
        arguments=(value,),
        type=_named("Boolean"),
        directives=field.directives,
    )


def _nullable(node: TypeNode) -> NamedTypeNode | ListTypeNode:
    inner = node.type if isinstance(node, NonNullTypeNode) else node
    assert isinstance(inner, (NamedTypeNode, ListTypeNode))
    return inner


def _named(name: str) -> NamedTypeNode:
    return NamedTypeNode(name=NameNode(value=name))


def _federation(entities: Mapping[str, frozenset[str]]) -> list[TypeDefinitionNode]:
    union = f"union _Entity = {' | '.join(sorted(entities))}" if entities else ""
    found = parse(
        f"scalar _Any type _Service {{ sdl: String! }} {union} {policy_view.SDL} {changes.SDL}", no_location=True
    ).definitions
    return [node for node in found if isinstance(node, TypeDefinitionNode) and node.name.value != ROOT]


def _roots_of(sdl: str) -> tuple[FieldDefinitionNode, ...]:
    return tuple(
        field
        for node in parse(sdl, no_location=True).definitions
        if isinstance(node, ObjectTypeDefinitionNode) and node.name.value == ROOT
        for field in node.fields or ()
    )


_ENTITIES_FIELD, *_OTHER_LOCAL_FIELDS = (
    *_roots_of("type Query { _entities(representations: [_Any!]!): [_Entity]! _service: _Service! }"),
    *_roots_of(policy_view.SDL),
    *_roots_of(changes.SDL),
)


def asked_coordinates(documents: Iterable[TypeDocument]) -> frozenset[str]:
    """Return the fields by which some grant of a policy lets a value be asked about: `Citizen.taxCodeMatches`."""
    return frozenset(
        f"{document.name}.{name}{QUESTIONS[form.name]}"
        for document in documents
        for grant in document.grants
        for name, form in grant.see.items()
        if form.name in QUESTIONS
    )
