"""The own tables as lines of text, for a backup of those that are in no file of the node's state.

They are taken as the database has them, of whatever version: a backup comes before an upgrade, and what an upgrade
makes of rows, it makes of restored ones too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, MetaData, Table, func, insert, select, text

from federation.contract.errors import ConfigurationError
from node.own.upgrading import make

_VERSION: Final = "alembic_version"
"""Alembic's own table; the version stands in the backup's manifest."""


def rows_of(connection: Connection) -> bytes:
    """Return every row of the own tables in PostgreSQL, from one statement and therefore one moment.

    A line is `{"table": …, "row": {…}}`; there is none where no tables are.
    """
    selects = [f"SELECT '{each.name}', row_to_json({each.name}) FROM {each.name}" for each in _tables(connection)]  # noqa: S608  # our own names
    if not selects:
        return b""
    every = " UNION ALL ".join(selects)
    return b"".join(
        msgspec.json.encode({"table": name, "row": row}) + b"\n" for name, row in connection.execute(text(every))
    )


def put_rows(connection: Connection, content: bytes, version: str) -> None:
    """Put the lines of `rows_of` into own tables of the version that they were read from, which hold nothing.

    Raises:
        ConfigurationError: they hold rows already, or are of another version.
    """
    if not version:
        return
    make(connection, version)
    tables = _tables(connection)
    for table in tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise ConfigurationError("the own tables in PostgreSQL hold rows; empty the schema `crocevia` first")
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in content.splitlines():
        found = msgspec.json.decode(line)
        rows[found["table"]].append(found["row"])
    for table in tables:
        if rows[table.name]:
            connection.execute(insert(table), rows[table.name])
            _go_on_counting(connection, table)


def _tables(connection: Connection) -> list[Table]:
    """Return the tables that are there, those that are referred to before those that refer."""
    found = MetaData()
    found.reflect(connection)
    return [each for each in found.sorted_tables if each.name != _VERSION]


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let a table's numbers go on after the highest: rows that bring their numbers do not move its sequence."""
    column = table.autoincrement_column
    if column is not None and connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, select(func.max(column)).scalar_subquery())))
