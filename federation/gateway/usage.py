"""Recorded usage: a file of what clients asked for, read as the coordinates that a comparison of schemas needs.

One JSON object a line: `{"coordinate": "Citizen.givenName"}`, or `{"operation": "query { … }"}` with an operation of
the published schema. Other keys (a count, a client, a day) are ignored, so that logs can be given as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    parse,
    validate,
    visit,
)

from federation.contract.errors import BadInputError
from federation.contract.graphql_request import strict_json

_COORDINATE = re.compile(r"[_A-Za-z]\w*\.[_A-Za-z]\w*")


def read_usage(text: str, name: str, schema: GraphQLSchema) -> frozenset[str]:
    """Return every coordinate (of object types) that a record of usage holds.

    Raises:
        BadInputError: a line has another form, or an operation does not fit the published schema; the line is named.
    """
    used: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                used.update(_line(line, schema))
            except BadInputError as error:
                raise BadInputError(f"`{name}`, line {number}: {error}") from error
    return frozenset(used)


def _line(line: str, schema: GraphQLSchema) -> Iterator[str]:
    found: Any = strict_json(line.encode())
    match found:
        case {"coordinate": str(coordinate)} if _COORDINATE.fullmatch(coordinate):
            yield coordinate
        case {"operation": str(operation)}:
            yield from _asked(operation, schema)
        case _:
            raise BadInputError('expected {"coordinate": "Type.field"} or {"operation": "query { … }"}')


def _asked(operation: str, schema: GraphQLSchema) -> Iterator[str]:
    try:
        document = parse(operation)
    except GraphQLError as error:
        raise BadInputError(f"operation does not parse: {error.message}") from error
    errors = validate(schema, document)
    if errors:
        raise BadInputError(f"operation does not fit the published schema: {errors[0].message}")
    info = TypeInfo(schema)
    collector = _Fields(schema, info)
    visit(document, TypeInfoVisitor(info, collector))
    yield from sorted(collector.found)


class _Fields(Visitor):
    """Collects the fields of an operation; one of an abstract type is one of each type that may stand there."""

    def __init__(self, schema: GraphQLSchema, info: TypeInfo) -> None:
        super().__init__()
        self.schema = schema
        self.info = info
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = get_named_type(self.info.get_parent_type())
        if parent is None or node.name.value.startswith("__"):
            return
        owners = [parent.name]
        if is_abstract_type(parent):
            owners += [possible.name for possible in self.schema.get_possible_types(parent)]
        self.found.update(f"{owner}.{node.name.value}" for owner in owners)
