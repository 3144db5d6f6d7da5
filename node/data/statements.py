"""A statement ready to run: its text in the database's dialect, and the parameters it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy.sql.selectable import Select

from node.data.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with named parameters (SQLite) or numbered ones (PostgreSQL, `order` says which is which).

    `bound` holds the parameters that are known; those of a run are added by `with_values`.
    """

    sql: str
    bound: Mapping[str, Any] = field(repr=False)
    order: tuple[str, ...] | None

    @classmethod
    def of(cls, select: Select[Any], dialect: Dialect) -> Self:
        """Write a query in a dialect. Values are always parameters, never part of the text."""
        compiled = select.compile(dialect=dialect.engine, compile_kwargs={"render_postcompile": True})
        order = tuple(compiled.positiontup) if compiled.positional and compiled.positiontup else None
        return cls(str(compiled), compiled.params, order)

    def with_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return every parameter of one run."""
        return {**self.bound, **{name: value for name, value in values.items() if name in self.bound}}


SMALLEST = Statement("SELECT 1", {}, None)
"""The smallest question: whether the database answers at all."""
