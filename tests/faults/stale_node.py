"""A node with a planted defect: while its database is away, it answers with what it read before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from federation.contract.errors import DatabaseUnavailableError
from federation.contract.process_entry import run
from node.data.postgres import PostgreSQLDatabase
from node.data.statements import Statement
from node.server.app import serve

_kept: dict[str, Sequence[Sequence[Any]]] = {}
_rows = PostgreSQLDatabase.rows


async def _rows_or_kept(
    self: PostgreSQLDatabase, statement: Statement, values: Mapping[str, Any]
) -> Sequence[Sequence[Any]]:
    try:
        _kept[statement.sql] = await _rows(self, statement, values)
    except DatabaseUnavailableError:
        if statement.sql not in _kept:
            raise
    return _kept[statement.sql]


if __name__ == "__main__":
    PostgreSQLDatabase.rows = _rows_or_kept  # type: ignore[method-assign]  # the defect
    run(serve, "node.server")
