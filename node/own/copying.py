"""The own tables as lines of text, for a backup of those that are in no file of the node's state."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, func, insert, select, text

from federation.contract.errors import ConfigurationError
from node.own.tables import METADATA

_TABLES: Final = METADATA.sorted_tables
"""Those that are referred to before those that refer."""


def rows_of(connection: Connection) -> bytes:
    """Return every row of the own tables in PostgreSQL, from one statement and therefore one moment.

    A line is `{"table": …, "row": {…}}`.
    """
    every = " UNION ALL ".join(f"SELECT '{each.name}', row_to_json({each.name}) FROM {each.name}" for each in _TABLES)  # noqa: S608  # our own names
    return b"".join(
        msgspec.json.encode({"table": name, "row": row}) + b"\n" for name, row in connection.execute(text(every))
    )


def put_rows(connection: Connection, content: bytes) -> None:
    """Put the lines of `rows_of` into own tables that are empty.

    Raises:
        ConfigurationError: they hold rows already.
    """
    for table in _TABLES:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise ConfigurationError("the own tables in PostgreSQL hold rows; empty the schema `crocevia` first")
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in content.splitlines():
        found = msgspec.json.decode(line)
        rows[found["table"]].append(found["row"])
    for table in _TABLES:
        if rows[table.name]:
            connection.execute(insert(table), rows[table.name])
            _go_on_counting(connection, table)


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let a table's numbers go on after the highest: rows that bring their numbers do not move its sequence."""
    column = table.autoincrement_column
    if column is not None and connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, select(func.max(column)).scalar_subquery())))
