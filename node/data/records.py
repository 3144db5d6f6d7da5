"""Records from elsewhere than the register, under the same policy in the same SQL.

What a mutation wrote, or what a member's own Python code brought, lies in no table of the register. Such records are
put into a table in memory for the time of one answer, and asked like any other: every form, mask and condition is that
of the data plane, so there is no second place in which a policy is carried out (policy R41).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLScalarType, GraphQLSchema, build_schema, parse

from federation.contract.decisions import FieldDecision
from federation.contract.errors import DatabaseUnavailableError
from node.data.dialects import SQLITE, Dialect
from node.data.expressions import PlainType
from node.data.mapping import Mapping as NodeMapping
from node.data.objects import PlanOf
from node.data.operation import Asker, Prepared, compile_operation
from node.data.selection import Selected
from node.data.statements import Statement

_ROOT: Final = "records"
_ATTRIBUTE: Final = "a_"
_FIELD: Final = "f_"
_MARK: Final = "crocevia_there"
"""So that an object is there although nothing but objects is asked of it."""
_BUILT_IN: Final = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_TYPES: Final[Mapping[type, PlainType]] = {bool: PlainType.BOOL, int: PlainType.INT, str: PlainType.STR}


@dataclass(frozen=True, slots=True)
class Record:
    """Values of one object by field name, the attributes that policies may test, and whom it is about."""

    values: Mapping[str, Any]
    attributes: Mapping[str, object]
    subject: str | None


@dataclass(frozen=True, slots=True)
class RecordTable:
    """Records of one type in memory: the `Database` that a statement about them runs on."""

    connection: sqlite3.Connection
    dialect: Dialect = SQLITE

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement."""
        try:
            return self.connection.execute(statement.sql, statement.with_values(values)).fetchall()
        except sqlite3.Error as error:
            raise DatabaseUnavailableError(f"records could not be decided ({type(error).__name__})") from error

    async def close(self) -> None:
        """Forget the records."""
        self.connection.close()


@dataclass(frozen=True, slots=True)
class Decided:
    """Records as the requester may see them, in order, None where the row is hidden; and what must be recorded.

    The paths of `errors` begin with the number of the record.
    """

    objects: tuple[dict[str, Any] | None, ...]
    errors: tuple[dict[str, Any], ...]
    decisions: tuple[FieldDecision, ...]
    subjects: frozenset[str]


async def decide_records(
    schema: GraphQLSchema,
    type_name: str,
    records: Sequence[Record],
    selected: Sequence[Selected],
    plans: PlanOf,
    asker: Asker,
    stand_ins: Collection[str] = (),
) -> Decided:
    """Return records as the requester may see them. Objects that a record points at are null: they are no part of it.

    Args:
        schema: the node's, which has the type.
        type_name: of every record.
        records: any number; one statement decides them all.
        selected: what is wanted of each.
        plans: what the request may see.
        asker: for whom.
        stand_ins: scalars and enumerations of which records hold no real value, so that none is held against its type.

    Raises:
        DatabaseUnavailableError: the records could not be decided.
    """
    kind = schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    attributes = _attributes_of(records)
    small = _small_schema(schema, type_name, frozenset(stand_ins))
    mapping = NodeMapping.parse(_mapping_text(kind, attributes))
    wanted = " ".join(f"{each.response_key}: {each.field}" for each in selected if each.below is None)
    object_text = f"... on {type_name} {{ {_MARK}: __typename {wanted} }}"
    text = f"query($r: [_Any!]!) {{ {_ROOT}: _entities(representations: $r) {{ {object_text} }} }}"
    variables = {"r": [{"__typename": type_name, "id": str(number)} for number in range(len(records))]}
    table = RecordTable(_filled(kind, attributes, records))
    try:
        prepared = Prepared.of(mapping, table.dialect)
        compiled = compile_operation(small, parse(text), None, variables, prepared, plans)
        answer = await compiled.run(table, asker, variables)
    finally:
        await table.close()
    found = msgspec.json.decode(msgspec.json.encode(answer.data[_ROOT]))
    return Decided(
        objects=tuple(_ordered(each, selected) for each in found),
        errors=tuple({**error, "path": error["path"][1:]} for error in answer.errors),
        decisions=answer.decisions,
        subjects=answer.subjects,
    )


def _ordered(found: dict[str, Any] | None, selected: Sequence[Selected]) -> dict[str, Any] | None:
    """Return the response keys in the order asked, objects as null."""
    return None if found is None else {each.response_key: found.get(each.response_key) for each in selected}


def _attributes_of(records: Sequence[Record]) -> dict[str, PlainType]:
    """Return the attributes that have a plain value in some record; any other is unknown to the policy."""
    return {
        name: _TYPES[type(value)]
        for record in records
        for name, value in sorted(record.attributes.items())
        if type(value) in _TYPES
    }


@lru_cache(maxsize=64)
def _small_schema(schema: GraphQLSchema, type_name: str, stand_ins: frozenset[str]) -> GraphQLSchema:
    """Return a schema of one type's values, which can be asked for by number; enumerations are scalars in it."""
    kind = schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    fields = "\n".join(f"  {name}: {schema_type}" for name, schema_type in _values_of(kind).items())
    scalars = {name for name in _values_of(kind).values() if name not in _BUILT_IN}
    declared = "\n".join(f"scalar {name}" for name in sorted(scalars))
    made = build_schema(
        f"{declared}\nscalar _Any\nunion _Entity = {type_name}\ntype {type_name} {{\n{fields}\n}}\n"
        "type Query { _entities(representations: [_Any!]!): [_Entity]! }"
    )
    for name in scalars - stand_ins:
        ours, theirs = made.type_map[name], schema.type_map[name]
        assert isinstance(ours, GraphQLScalarType)
        assert isinstance(theirs, GraphQLScalarType | GraphQLEnumType)
        ours.coerce_output_value = theirs.coerce_output_value
    return made


def _values_of(kind: GraphQLObjectType) -> dict[str, str]:
    """Return the fields of a type that are values, with the names of their scalars and enumerations."""
    leaves = ((name, field.type) for name, field in kind.fields.items())
    return {name: leaf.name for name, leaf in leaves if isinstance(leaf, GraphQLScalarType | GraphQLEnumType)}


def _mapping_text(kind: GraphQLObjectType, attributes: Mapping[str, PlainType]) -> str:
    lines = ["member: records", 'database: {url: "sqlite:///"}', "types:", f"  {kind.name}:", f"    table: {_ROOT}"]
    lines += ["    key: {field: number, column: number, type: int}", "    subject: subject"]
    if attributes:
        lines.append("    attributes:")
        lines += [f"      {name}: {{column: {_ATTRIBUTE}{name}, type: {kind}}}" for name, kind in attributes.items()]
    lines.append("    fields:")
    lines += [f"      {name}: {_expression(name, scalar)}" for name, scalar in _values_of(kind).items()]
    return "\n".join(lines)


def _expression(name: str, scalar: str) -> str:
    """Return how a column is read; SQLite has no Booleans of its own."""
    if scalar != "Boolean":
        return f"{_FIELD}{name}"
    return f'{{column: {_FIELD}{name}, true_values: ["1"], false_values: ["0"]}}'


def _filled(
    kind: GraphQLObjectType, attributes: Mapping[str, PlainType], records: Sequence[Record]
) -> sqlite3.Connection:
    """Return a database in memory that holds the records."""
    fields = tuple(_values_of(kind))
    columns = ["number INTEGER PRIMARY KEY", "subject TEXT"]
    columns += [f'"{_FIELD}{name}"' for name in fields] + [f'"{_ATTRIBUTE}{name}"' for name in attributes]
    # GraphQL names and attribute names are letters, digits and underscores: they can be written into a statement.
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute(f"CREATE TABLE {_ROOT} ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    rows = [
        (
            number,
            record.subject,
            *(record.values.get(name) for name in fields),
            *(record.attributes.get(name) for name in attributes),
        )
        for number, record in enumerate(records)
    ]
    connection.executemany(f"INSERT INTO {_ROOT} VALUES ({marks})", rows)  # noqa: S608  # question marks only
    return connection
