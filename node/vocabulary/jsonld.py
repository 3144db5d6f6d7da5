"""The vocabulary's meanings as a JSON-LD 1.1 context: an answer plus this context is linked data.

Terms are scoped by type, because one name may mean two things: `status` of a case is not `status` of an enrolment. An
answer read with the context must therefore carry `__typename`, which the context maps to `@type`.
"""

from graphql import GraphQLField, GraphQLObjectType, GraphQLScalarType, GraphQLSchema, StringValueNode, get_named_type

_XSD = "http://www.w3.org/2001/XMLSchema#"
_DATATYPES = {
    "Boolean": f"{_XSD}boolean",
    "Date": f"{_XSD}date",
    "DateTime": f"{_XSD}dateTime",
    "Decimal": f"{_XSD}decimal",
    "Duration": f"{_XSD}duration",
    "Int": f"{_XSD}integer",
    "Url": f"{_XSD}anyURI",
}

Term = str | dict[str, object]


def json_ld_context(schema: GraphQLSchema) -> dict[str, object]:
    """Return the `@context` of every object type of the vocabulary that has a meaning."""
    types: dict[str, object] = {}
    for name, kind in sorted(schema.type_map.items()):
        if isinstance(kind, GraphQLObjectType) and (iri := _iri(kind.ast_node)):
            terms = {field_name: _term(field) for field_name, field in kind.fields.items() if _iri(field.ast_node)}
            types[name] = {"@id": iri, "@context": terms}
    return {"@context": {"@version": 1.1, "__typename": "@type", **types}}


def _term(field: GraphQLField) -> Term:
    iri = _iri(field.ast_node)
    assert iri is not None
    named = get_named_type(field.type)
    if isinstance(named, GraphQLScalarType) and named.name in _DATATYPES:
        return {"@id": iri, "@type": _DATATYPES[named.name]}
    return iri


def _iri(node: object) -> str | None:
    """Return the argument of `@semantic` on a type or field."""
    for directive in getattr(node, "directives", None) or ():
        if directive.name.value == "semantic":
            (argument,) = directive.arguments
            assert isinstance(argument.value, StringValueNode)
            return argument.value.value
    return None
