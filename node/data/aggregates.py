"""Counts, extremes and means over the visible rows of a list, by groups, under a policy's `aggregates`.

    SELECT [[dimension…, matches, count, sum and number of each measure, …], …]
    FROM (SELECT <masked dimensions>, <the client's filter> AS matches, <measures> FROM … WHERE <visible>)
    GROUP BY dimensions, matches

* Only fields of the grant's `over` make groups or filter them, by the value that the requester sees (R21, R22).
* Extremes and means are of fields that are shown in clear; of a masked or denied field they are denied (R25).
* The filter is one more dimension of the table, so what it leaves out is protected like what it keeps: nobody learns a
  small group as the difference of a question with a filter and one without.
* A cell that may not be told is left out, and so is an empty one: which of the two it is, nobody learns.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec
from graphql import GraphQLObjectType, GraphQLScalarType, get_named_type
from sqlalchemy import Numeric, case, cast, func, literal_column, select, true
from sqlalchemy.sql.selectable import Subquery

from federation.contract.errors import BadInputError, FieldDeniedError, QueryTooComplexError
from node.data.comparing import Comparable
from node.data.decisions import Path
from node.data.dialects import Dialect, Sql, at_most
from node.data.filters import ListView, wanted_rows
from node.data.groups_audit import AskedGroups
from node.data.noise import noisy
from node.data.selection import TYPENAME, Selected
from node.data.shapes import Convert, Finishing, converter
from node.data.suppression import Cell, told
from node.policy.documents import Aggregates
from node.policy.forms import CLEAR

GROUPS: Final = "groups"
_MOST_DIMENSIONS: Final = 3
_MOST_GROUPS: Final = 2_000
_CENT: Final = Decimal("0.01")
_EXTREMES: Final[Mapping[str, Callable[[Sql], Sql]]] = {"min": func.min, "max": func.max}
_MEAN: Final = "avg"
_KEPT: Final = 1
"""What a row's `matches` is where the client's filter keeps it."""


@dataclass(frozen=True, slots=True)
class _Measure:
    """An extreme or a mean of a field: where it stands in a row, how it is written, how many values it is of."""

    name: str
    field: str
    at: int
    convert: Convert


@dataclass(frozen=True, slots=True)
class Groups:
    """The compiled groups of a list."""

    selected: Selected
    by: tuple[str, ...]
    write: Mapping[str, Convert]
    measures: Mapping[tuple[str, str], _Measure]
    allowed: Aggregates
    purpose: str
    type_name: str
    where: str
    bundle: str
    path: Path

    def value(self, found: str, run: Finishing) -> list[dict[str, Any]] | None:
        """Return the groups that may be told, of the rows that a statement returned; None if the audit refuses.

        Raises:
            QueryTooComplexError: there are too many.
        """
        rows: list[list[Any]] = msgspec.json.decode(found)
        if len(rows) > _MOST_GROUPS:
            raise QueryTooComplexError(f"`groups` makes more than {_MOST_GROUPS}: group by fewer fields", limit=GROUPS)
        width = len(self.by)
        table = {(*_hashable(row[:width]), row[width]): row for row in rows}
        counts = {cell: int(row[width + 1]) for cell, row in table.items()}
        shown = [cell for cell in sorted(told(counts, self.allowed.min_cell), key=_sort_key) if cell[-1] == _KEPT]
        asked = AskedGroups(
            run.consumer, self.purpose, self.type_name, self.by, self.where, {cell: counts[cell] for cell in shown}
        )
        if not run.audit.admits(asked):
            run.refused.append(self.path)
            return None
        return [self._group(self.selected, table[cell], self._told(counts[cell], cell, run)) for cell in shown]

    def _told(self, count: int, cell: Cell, run: Finishing) -> int:
        if self.allowed.epsilon is None:
            return count
        asked = (run.consumer, self.purpose, self.bundle, self.type_name, self.where, *self.by)
        return noisy(count, self.allowed.epsilon, run.keyed.keys.master, "\n".join((*asked, *map(str, cell))))

    def _group(self, selected: Selected, row: Sequence[Any], count: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for each in selected.below or ():
            match each.field:
                case "count":
                    made[each.response_key] = count
                case name if name == TYPENAME:
                    made[each.response_key] = selected.type_name
                case name if each.below is not None:
                    made[each.response_key] = {
                        one.response_key: self._measured(name, one, each, row) for one in each.below
                    }
                case name:
                    value = row[self.by.index(name)] if name in self.by else None
                    made[each.response_key] = None if value is None else self.write[name](value)
        return made

    def _measured(self, name: str, one: Selected, above: Selected, row: Sequence[Any]) -> Any:
        if one.field == TYPENAME:
            return above.type_name
        measure = self.measures[name, one.field]
        value, number = row[measure.at], row[measure.at + 1]
        if value is None or number < self.allowed.min_cell:
            return None
        if name == _MEAN:
            value = f"{(Decimal(str(value)) / number).quantize(_CENT, ROUND_HALF_UP):f}"
        return measure.convert(value)


def compile_groups(view: ListView, selected: Selected, where: Mapping[str, Any], path: Path) -> tuple[Sql, Groups]:
    """Write the groups of a list as JSON in one column.

    Raises:
        FieldDeniedError: no grant allows counts, or not of these fields (R21, R25).
        BadInputError: a field is named twice, or too many are.
    """
    type_name, allowed = view.plan.type_name, view.plan.aggregates
    by = tuple(selected.arguments.get("by") or ())
    if len(set(by)) < len(by) or len(by) > _MOST_DIMENSIONS:
        raise BadInputError(f"`by` names up to {_MOST_DIMENSIONS} fields, each once")
    if allowed is None:
        view.objects.disclosures.refused(f"{type_name}Connection", GROUPS, None)
        raise FieldDeniedError(f"counts of `{type_name}` are denied for this purpose")
    for name in (*by, *_named(where)):
        if name not in allowed.over:
            view.objects.disclosures.refused(type_name, name, None)
            raise FieldDeniedError(f"`{type_name}.{name}` is denied in groups for this purpose")
    dimensions = [view.masked(name) for name in by]
    asked = list(_measures(selected))
    fields = {name: _clear(view, name) for name in dict.fromkeys(name for _, name in asked)}
    rows = _rows(view, dimensions, where, fields)
    columns, measures = _columns(view, selected, rows, asked, len(by))
    keys = [rows.c[f"d{number}"] for number in range(len(by))]
    grouped = (
        select(*keys, rows.c.matches, func.count().label("rows"), *columns)
        .group_by(*keys, rows.c.matches)
        .limit(at_most(_MOST_GROUPS + 1))
        .subquery("grouped")
    )
    dialect = view.row.reading.dialect
    made = select(dialect.gathered(dialect.array(*grouped.c))).select_from(grouped).scalar_subquery()
    text = msgspec.json.encode(where, enc_hook=str, order="deterministic").decode()
    write = {name: converter(_scalar(view, name)) for name in by}
    plan = view.plan
    return made, Groups(selected, by, write, measures, allowed, plan.purpose, type_name, text, plan.bundle_digest, path)


def _rows(
    view: ListView, dimensions: Sequence[Comparable], where: Mapping[str, Any], fields: Mapping[str, Comparable]
) -> Subquery:
    """Return the visible rows: dimensions, whether the client's filter keeps them, measured values."""
    labelled = [dimension.ordered.label(f"d{number}") for number, dimension in enumerate(dimensions)]
    matches = case((wanted_rows(where, view).is_(true()), literal_column("1")), else_=literal_column("0"))
    values = [value.ordered.label(f"m_{name}") for name, value in fields.items()]
    found = select(*labelled, matches.label("matches"), *values).select_from(view.row.tables)
    return found.where(view.visible()).subquery("seen")


def _columns(
    view: ListView, selected: Selected, rows: Subquery, asked: Sequence[tuple[str, str]], width: int
) -> tuple[list[Sql], dict[tuple[str, str], _Measure]]:
    columns: list[Sql] = []
    measures: dict[tuple[str, str], _Measure] = {}
    dialect = view.row.reading.dialect
    for name, field in dict.fromkeys(asked):
        value = rows.c[f"m_{field}"]
        made = _sum(value, dialect) if name == _MEAN else _EXTREMES[name](value)
        at = width + 2 + len(columns)
        columns += [made.label(f"a{at}"), func.count(value).label(f"a{at + 1}")]
        measures[name, field] = _Measure(name, field, at, converter(_measure_scalar(selected, name, field)))
    return columns, measures


def _sum(value: Sql, dialect: Dialect) -> Sql:
    # As text, so that no digit is lost on the way through JSON.
    return dialect.text(func.sum(cast(value, Numeric)))


def _named(where: Mapping[str, Any]) -> Iterator[str]:
    """Yield every field that a filter names, relations as the fields they are."""
    for name, value in where.items():
        match name:
            case _ if value is None:
                continue
            case "and" | "or":
                for each in value:
                    yield from _named(each)
            case "not":
                yield from _named(value)
            case _:
                yield name


def _measures(selected: Selected) -> Iterator[tuple[str, str]]:
    """Yield which measures are asked for: `min`, `max` or `avg`, and of which field."""
    for each in selected.below or ():
        for one in each.below or ():
            if one.field != TYPENAME:
                yield each.field, one.field


def _clear(view: ListView, name: str) -> Comparable:
    """Return a field that is shown in clear wherever it is shown."""
    decided = view.plan.fields.get(name)
    if decided is None or not decided.shown or any(grant.form != CLEAR for grant in decided.shown):
        view.objects.disclosures.refused(view.plan.type_name, name, None)
        raise FieldDeniedError(f"`{view.plan.type_name}.{name}` is denied in measures for this purpose")
    return view.masked(name)


def _scalar(view: ListView, name: str) -> GraphQLScalarType:
    kind = view.objects.schema.type_map[view.objects.scalar_of(view.plan.type_name, name)]
    assert isinstance(kind, GraphQLScalarType)  # only value fields are named in a mapping's `groups`
    return kind


def _measure_scalar(selected: Selected, name: str, field: str) -> GraphQLScalarType:
    group = get_named_type(selected.type)
    assert isinstance(group, GraphQLObjectType)
    measures = get_named_type(group.fields[name].type)
    assert isinstance(measures, GraphQLObjectType)
    found = get_named_type(measures.fields[field].type)
    assert isinstance(found, GraphQLScalarType)
    return found


def _hashable(values: Sequence[Any]) -> tuple[Hashable, ...]:
    return tuple(values)


def _sort_key(cell: Cell) -> list[tuple[bool, str]]:
    """Groups stand in the order of their values, those without one last."""
    return [(value is None, str(value)) for value in cell]
