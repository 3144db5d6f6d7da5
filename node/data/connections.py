"""Published lists as one statement: policy view, then the client's filter and order on it, then one page of objects.

    WITH view AS (SELECT key, <masked columns that filter or order> FROM … WHERE <visible>)
    page: SELECT … FROM view WHERE <filter> AND <after> ORDER BY … LIMIT first + 1
    answer: SELECT count, [[key…, order…, object…], …]

The client's predicates see only masked columns, so they cannot tell of a value what the mask hides (policy R22), and
a field that is denied cannot be named at all (R21). Counting and paging come after the row filter (R24).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Numeric,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import CTE, Select

from federation.contract.errors import FieldDeniedError, QueryTooComplexError
from node.data.cells import Cell, kind_of, shows, visible_row
from node.data.cursors import CursorSealer
from node.data.database import Database
from node.data.decisions import Path
from node.data.dialects import Dialect, Sql, at_most
from node.data.mapping import Root, Source
from node.data.masks import Kind
from node.data.objects import Objects, ordered, page_size
from node.data.rows import CONSUMER, Row
from node.data.selection import TYPENAME, Selected
from node.data.shapes import Finishing, ObjectShape
from node.data.statements import Statement
from node.policy.forms import Band
from node.policy.plans import TypePlan

_AFTER: Final = "after_"
_DESCENDING: Final = "DESC"
_DEFAULT_SIZE: Final = 20
_MOST_COMPARISONS: Final = 200
_MOST_NESTED: Final = 10
_MOST_ROWS: Final = 101
"""A page and the row that tells whether there is another. The limit also keeps SQLite from dropping the order."""


@dataclass(frozen=True, slots=True)
class _OrderKey:
    """One key of the client's order, on the masked column `column` of the policy view."""

    field: str
    column: str
    kind: Kind
    descending: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """A compiled list. `bound_to` is what its cursors are bound to, beside the requester."""

    selected: Selected
    statement: Statement
    size: int
    after: str | None
    after_variable: str | None
    order: tuple[_OrderKey, ...]
    key_width: int
    shapes: tuple[ObjectShape, ...]
    bound_to: tuple[str, ...]

    async def value(
        self, database: Database, cursors: CursorSealer, variables: Mapping[str, Any], run: Finishing
    ) -> dict[str, Any]:
        """Return the connection object.

        Raises:
            BadInputError: `after` is not a cursor of this list.
        """
        bound = (run.consumer, *self.bound_to)
        after = self.after if self.after_variable is None else variables.get(self.after_variable)
        place = [] if after is None else cursors.open(after, bound)
        values = {f"{_AFTER}{index}": value for index, value in enumerate(place)}
        [[total, found]] = await database.rows(self.statement, {CONSUMER: run.consumer, **values})
        rows = msgspec.json.decode(found)
        width = self.key_width + len(self.order)
        page = _Page(total, rows[: self.size], len(rows) > self.size, width, cursors, bound)
        return self._connection(self.selected, page, run)

    def _connection(self, selected: Selected, page: _Page, run: Finishing) -> dict[str, Any]:
        made: dict[str, Any] = {}
        shape = iter(range(len(self.shapes)))
        for each in selected.below or ():
            match each.field:
                case "edges":
                    made[each.response_key] = self._edges(each, page, shape, run)
                case "pageInfo":
                    made[each.response_key] = self._page_info(each, page)
                case "totalCount":
                    made[each.response_key] = page.total
                case _:
                    made[each.response_key] = selected.type_name
        return made

    def _edges(self, selected: Selected, page: _Page, numbers: Iterator[int], run: Finishing) -> list[dict[str, Any]]:
        below = selected.below or ()
        keys = [each.response_key for each in below]
        columns = [self._of_edges(selected, each, page, numbers, run) for each in below]
        return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]

    def _of_edges(
        self, edge: Selected, each: Selected, page: _Page, numbers: Iterator[int], run: Finishing
    ) -> Sequence[Any]:
        """Return one field of all edges."""
        match each.field:
            case "node":
                number = next(numbers)
                at = page.width + number
                return self.shapes[number].objects([row[at] for row in page.rows], run, None)
            case "cursor":
                return [page.cursor(index) for index in range(len(page.rows))]
            case _:
                return [edge.type_name] * len(page.rows)

    def _page_info(self, selected: Selected, page: _Page) -> dict[str, Any]:
        some = bool(page.rows)
        values: dict[str, Any] = {
            "hasNextPage": page.more,
            "hasPreviousPage": self.after is not None,
            "startCursor": page.cursor(0) if some else None,
            "endCursor": page.cursor(len(page.rows) - 1) if some else None,
            TYPENAME: selected.type_name,
        }
        return {each.response_key: values[each.field] for each in selected.below or ()}


@dataclass(frozen=True, slots=True)
class _Page:
    total: int | None
    rows: Sequence[Sequence[Any]]
    more: bool
    width: int
    cursors: CursorSealer
    bound: tuple[str, ...]

    def cursor(self, index: int) -> str:
        """Return the cursor of a row: its place in the order, and its key."""
        return self.cursors.seal(self.rows[index][: self.width], self.bound)


def compile_connection(
    objects: Objects, root: Root, selected: Selected, path: Path, after_variable: str | None
) -> Connection:
    """Write a published list as one statement.

    Raises:
        FieldDeniedError: the filter or the order names a field that is denied, or one whose mask needs a key (R21).
        BadInputError: `first` is out of bounds.
    """
    size = page_size({"first": _DEFAULT_SIZE, **_given(selected.arguments)})
    source = objects.reading.mapping.sources[root.source]
    plan = objects.plans(source.type_name)
    view = _View(objects, source, plan, Row.of(objects.reading, source), {})
    order = tuple(_order(selected.arguments.get("orderBy") or (), view))
    wanted = selected.arguments.get("where") or {}
    _require_small(wanted)
    matching = _condition(wanted, view)
    rows = view.query()
    matches = _on(rows, matching)
    after = selected.arguments.get("after")
    page = _page(rows, matches, order, view, size, continues=after is not None)
    nodes = [
        (each, (*path, edges.response_key, each.response_key))
        for edges in selected.below or ()
        if edges.field == "edges"
        for each in edges.below or ()
        if each.field == "node"
    ]
    made, shapes = _objects(objects, source, page, order, nodes)
    wants_total = any(each.field == "totalCount" for each in selected.below or ())
    total: Sql = null()
    if wants_total:
        total = select(func.count()).select_from(rows).where(matches).scalar_subquery()
    dialect = objects.reading.dialect
    statement = select(total, made)
    return Connection(
        selected=selected,
        statement=Statement.of(statement, dialect),
        size=size,
        after=after,
        after_variable=after_variable,
        order=order,
        key_width=view.key_width,
        shapes=shapes,
        bound_to=(plan.purpose, plan.bundle_digest, root.name, *(f"{k.field} {k.descending}" for k in order)),
    )


@dataclass(slots=True)
class _View:
    """The policy view of a list: key columns, and the masked columns that the client filters or orders by."""

    objects: Objects
    source: Source
    plan: TypePlan
    row: Row
    columns: dict[str, Cell]

    @property
    def dialect(self) -> Dialect:
        return self.objects.reading.dialect

    @property
    def key_width(self) -> int:
        return len(self.source.key.columns) if self.source.key else 0

    def masked(self, name: str) -> str:
        """Return the name of a field's masked column in the view."""
        if name not in self.columns:
            self.columns[name] = self._cell(name)
        return f"f_{name}"

    def kind(self, name: str) -> Kind:
        """Return how a masked column compares: the labels of a band are texts, though they stand for numbers."""
        kind = kind_of(self.objects.scalar_of(self.plan.type_name, name))
        labelled = any(isinstance(form, Band) for form in self.columns[name].forms)
        return Kind.TEXT if labelled and kind is Kind.NUMBER else kind

    def _cell(self, name: str) -> Cell:
        decided = self.plan.fields.get(name)
        type_name = self.plan.type_name
        scalar = self.objects.scalar_of(type_name, name)
        found = self.objects.field(self.row, decided, name, scalar) if decided and shows(decided) else None
        if decided is None or found is None or not found.is_plain:
            self.objects.disclosures.refused(type_name, name, None)
            raise FieldDeniedError(f"`{type_name}.{name}` is denied in filters and orders for this purpose")
        self.objects.disclosures.shown(type_name, name, decided, decided.shown)
        return found

    def query(self) -> CTE:
        keys = (
            [self.row.column(name).label(f"k{n}") for n, name in enumerate(self.source.key.columns)]
            if self.source.key
            else []
        )
        fields = [found.value.label(f"f_{name}") for name, found in self.columns.items()]
        where = (*self.row.counts(), visible_row(self.plan, self.row))
        return select(*keys, *fields).select_from(self.row.tables).where(*where).cte("policy_view")


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


# --- order and pages ------------------------------------------------------------------------------------------------


def _order(keys: Sequence[Mapping[str, Any]], view: _View) -> Iterator[_OrderKey]:
    for key in keys:
        for name, direction in key.items():
            yield _OrderKey(name, view.masked(name), view.kind(name), direction == _DESCENDING)


def _page(rows: CTE, matches: Sql, order: Sequence[_OrderKey], view: _View, size: int, *, continues: bool) -> CTE:
    keys = [rows.c[f"k{index}"] for index in range(view.key_width)]
    by = [_comparable(rows.c[key.column], key.kind, view.dialect) for key in order]
    wanted = [matches]
    if continues:
        wanted.append(_after(list(zip(order, by, strict=True)), keys, view))
    ordering = [ordered(value, descending=key.descending) for key, value in zip(order, by, strict=True)]
    shown = [value.label(f"o{index}") for index, value in enumerate(by)]
    return (
        select(*keys, *shown)
        .where(*wanted)
        .order_by(*ordering, *(key.asc() for key in keys))
        .limit(at_most(size + 1))
        .cte("page")
    )


def _comparable(value: Sql, kind: Kind, dialect: Dialect) -> Sql:
    match kind:
        case Kind.TEXT:
            return dialect.by_code_point(cast(value, Text))
        case Kind.NUMBER:
            return dialect.numeric(value)
        case _:
            return value


def _after(order: Sequence[tuple[_OrderKey, Sql]], keys: Sequence[Sql], view: _View) -> Sql:
    """Return whether a row stands after the cursor: equal in the first n keys and later in the next; nulls are last."""
    width = view.key_width
    same: list[Sql] = []
    later: list[Sql] = []
    for index, (key, value) in enumerate(order):
        place = bindparam(f"{_AFTER}{width + index}", None, type_=_bound_type(key.kind))
        beyond = value < place if key.descending else value > place
        later.append(and_(*same, place.is_not(None), or_(beyond, value.is_(None))))
        same.append(value.is_not_distinct_from(place))
    for index, value in enumerate(keys):
        kind = view.source.key.types[index] if view.source.key else None
        place = bindparam(f"{_AFTER}{index}", None, type_=BigInteger if kind == "int" else Text)
        later.append(and_(*same, value > place))
        same.append(value == place)
    return or_(*later)


def _bound_type(kind: Kind) -> type[Text | BigInteger | Numeric[Any]]:
    match kind:
        case Kind.TEXT:
            return Text
        case Kind.NUMBER:
            return Numeric
        case _:
            return BigInteger


def _objects(
    objects: Objects, source: Source, page: CTE, order: Sequence[_OrderKey], nodes: Sequence[tuple[Selected, Path]]
) -> tuple[Sql, tuple[ObjectShape, ...]]:
    """Return the JSON of a page's rows: key, order and one object for each `node` that is selected."""
    assert source.key is not None  # a root's source has one
    dialect = objects.reading.dialect
    row = Row.of(objects.reading, source)
    keys = [page.c[f"k{index}"] for index in range(len(source.key.columns))]
    orders = [page.c[f"o{index}"] for index in range(len(order))]
    written = [objects.object(row, each.below or (), path, None) for each, path in nodes]
    made: Select[Any] = select(
        dialect.array(*keys, *orders, *(dialect.array(*columns) for columns, _ in written)).label("made")
    )
    tied = and_(*(row.column(name) == key for name, key in zip(source.key.columns, keys, strict=True)))
    ordering = [ordered(value, descending=key.descending) for key, value in zip(order, orders, strict=True)]
    rows = (
        made.select_from(row.tables.join(page, tied))
        .order_by(*ordering, *(key.asc() for key in keys))
        .limit(at_most(_MOST_ROWS))
        .cte("made")
    )
    gathered = select(dialect.gathered(rows.c.made)).scalar_subquery()
    return gathered, tuple(shape for _, shape in written)


# --- filters --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Test:
    """One comparison of the client's filter with a masked column."""

    column: str
    kind: Kind
    operator: str
    value: Any
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple[_Filter, ...]


@dataclass(frozen=True, slots=True)
class _AnyOf:
    parts: tuple[_Filter, ...]


@dataclass(frozen=True, slots=True)
class _None:
    part: _Filter


_Filter = _Test | _All | _AnyOf | _None


def _require_small(where: Mapping[str, Any]) -> None:
    """Hold a filter against what a database reads at once; a larger one is the asker's fault, not the database's.

    Raises:
        QueryTooComplexError: it has too many comparisons, or is nested too deeply.
    """
    level, comparisons, depth = [where], 0, 0
    while level:
        depth += 1
        if depth > _MOST_NESTED:
            raise QueryTooComplexError(f"`where` is nested more than {_MOST_NESTED} deep", limit="where")
        below: list[Mapping[str, Any]] = []
        for name, value in ((name, value) for each in level for name, value in each.items() if value is not None):
            match name:
                case "and" | "or":
                    below += value
                case "not":
                    below.append(value)
                case _:
                    comparisons += sum(len(each) if isinstance(each, list) else 1 for each in value.values())
        # A branch without a comparison costs as much as one with.
        if comparisons + len(below) > _MOST_COMPARISONS:
            raise QueryTooComplexError(
                f"`where` compares more than {_MOST_COMPARISONS} values: ask for fewer at once", limit="where"
            )
        level = below


def _condition(where: Mapping[str, Any], view: _View) -> _Filter:
    """Read the client's filter; every field that it names is put into the view."""
    parts: list[_Filter] = []
    for name, value in where.items():
        if value is None:
            continue
        match name:
            case "and":
                parts.append(_All(tuple(_condition(each, view) for each in value)))
            case "or":
                parts.append(_AnyOf(tuple(_condition(each, view) for each in value)))
            case "not":
                parts.append(_None(_condition(value, view)))
            case _:
                column, kind = view.masked(name), view.kind(name)
                parts += [
                    _Test(column, kind, operator, wanted, view.dialect)
                    for operator, wanted in value.items()
                    if wanted is not None
                ]
    return _All(tuple(parts))


def _on(rows: CTE, condition: _Filter) -> Sql:
    match condition:
        case _All(parts):
            return and_(true(), *(_on(rows, part) for part in parts))
        case _AnyOf(parts):
            return or_(false(), *(_on(rows, part) for part in parts))
        case _None(part):
            return not_(_on(rows, part))
        case _Test():
            return _tested(condition, rows.c[condition.column])


def _tested(test: _Test, column: Sql) -> Sql:
    value = _comparable(column, test.kind, test.dialect)
    match test.operator:
        case "eq":
            return value == _bound(test.value, test.kind)
        case "in":
            return or_(false(), *(value == _bound(each, test.kind) for each in test.value))
        case "gt":
            return value > _bound(test.value, test.kind)
        case "gte":
            return value >= _bound(test.value, test.kind)
        case "lt":
            return value < _bound(test.value, test.kind)
        case "lte":
            return value <= _bound(test.value, test.kind)
        case _:
            return func.substr(value, 1, len(test.value), type_=Text) == literal(test.value)


def _bound(value: Any, kind: Kind) -> Sql:
    return cast(literal(str(value)), Numeric) if kind is Kind.NUMBER else literal(value)
