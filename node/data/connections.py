"""Published lists as one statement: the visible rows that the client wants, one page of them, then their objects.

    WITH page AS (SELECT key, order, <columns that the objects read> FROM … WHERE <visible> AND <filter> AND <after>
                  ORDER BY … LIMIT first + 1)
    SELECT key, order, <object> FROM page ORDER BY …

The client's predicates see only masked values, so they cannot tell of a value what the mask hides (policy R22), and
a field that is denied cannot be named at all (R21). Counting and paging come after the row filter (R24). Objects are
made of the page's rows alone, whatever the order is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Text, and_, bindparam, func, literal_column, null, or_, select, true
from sqlalchemy.sql.elements import Null
from sqlalchemy.sql.selectable import Select

from federation.contract.errors import FieldDeniedError
from node.data.aggregates import Groups, compile_groups
from node.data.comparing import Comparable
from node.data.cursors import CursorSealer
from node.data.database import Database
from node.data.decisions import Path
from node.data.dialects import Sql, at_most
from node.data.fetched import Arrival, arriving
from node.data.filters import ListView, require_small, wanted_rows
from node.data.mapping import Root
from node.data.objects import Objects, ordered
from node.data.pages import page_size
from node.data.rows import Page, Row
from node.data.selection import TYPENAME, Selected
from node.data.shapes import Finishing
from node.data.statements import Statement

_AFTER: Final = "after_"
_DESCENDING: Final = "DESC"
_DEFAULT_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class _OrderKey:
    """One key of the client's order."""

    field: str
    value: Comparable
    descending: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """A compiled list. `bound_to` is what its cursors are bound to, beside the requester.

    A row of its statement is: total, the groups' JSON, whether there is a row at all, key, order, and what the objects
    arrive in. `groups` are None where they are denied.
    """

    selected: Selected
    statement: Statement
    size: int
    after: str | None
    after_variable: str | None
    order: tuple[_OrderKey, ...]
    key_width: int
    groups: tuple[Groups | None, ...]
    arrivals: tuple[tuple[int, Arrival], ...]
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
        found = await database.rows(self.statement, {**run.parameters, **values})
        # Where total or groups are wanted, a row without the rest says them.
        head = found[0] if found else ()
        there = 1 + len(self.groups)
        rows = [row for row in found if row[there] is not None]
        place_at = slice(there + 1, there + 1 + self.key_width + len(self.order))
        page = _Page(head, rows[: self.size], len(rows) > self.size, place_at, cursors, bound)
        return self._connection(self.selected, page, run)

    def _connection(self, selected: Selected, page: _Page, run: Finishing) -> dict[str, Any]:
        made: dict[str, Any] = {}
        shape = iter(self.arrivals)
        groups = enumerate(self.groups, start=1)
        for each in selected.below or ():
            match each.field:
                case "edges":
                    made[each.response_key] = self._edges(each, page, shape, run)
                case "pageInfo":
                    made[each.response_key] = self._page_info(each, page)
                case "totalCount":
                    made[each.response_key] = page.head[0]
                case "groups":
                    at, compiled = next(groups)
                    made[each.response_key] = None if compiled is None else compiled.value(page.head[at], run)
                case _:
                    made[each.response_key] = selected.type_name
        return made

    def _edges(
        self, selected: Selected, page: _Page, nodes: Iterator[tuple[int, Arrival]], run: Finishing
    ) -> list[dict[str, Any]]:
        below = selected.below or ()
        keys = [each.response_key for each in below]
        columns = [self._of_edges(selected, each, page, nodes, run) for each in below]
        return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]

    def _of_edges(
        self, edge: Selected, each: Selected, page: _Page, nodes: Iterator[tuple[int, Arrival]], run: Finishing
    ) -> Sequence[Any]:
        """Return one field of all edges."""
        match each.field:
            case "node":
                at, arrival = next(nodes)
                return arrival.objects(page.rows, at, run)
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
    head: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    more: bool
    place_at: slice
    cursors: CursorSealer
    bound: tuple[str, ...]

    def cursor(self, index: int) -> str:
        """Return the cursor of a row: its place in the order, and its key."""
        return self.cursors.seal(list(self.rows[index][self.place_at]), self.bound)


def compile_connection(
    objects: Objects, root: Root, selected: Selected, path: Path, after_variable: str | None
) -> Connection:
    """Write a published list as one statement.

    Raises:
        FieldDeniedError: the filter or the order names a field that is denied, or one whose mask needs a key (R21).
        BadInputError: `first` is out of bounds.
    """
    size = page_size(selected, objects.most, otherwise=_DEFAULT_SIZE)
    view = ListView.of(objects, Row.of(objects.reading, objects.reading.mapping.sources[root.source]))
    order = tuple(_order(selected.arguments.get("orderBy") or (), view))
    where = selected.arguments.get("where") or {}
    require_small(where)
    matching = and_(view.visible(), wanted_rows(where, view))
    after = selected.arguments.get("after")
    objects.of_many(size)
    head, groups = _head(view, selected, where, matching, path)
    page = Page()
    begin = len(head) + 1 + len(_key_of(view.row)) + len(order)
    columns, arrivals = _objects(objects, view.row.through(page), selected, path, begin)
    inner = _page(page, view, order, and_(matching, _after(order, view)) if after is not None else matching, size)
    statement = _statement(page, view, order, head, columns, size)
    return Connection(
        selected=selected,
        statement=Statement.of(statement.add_cte(inner.cte("page")), objects.reading.dialect),
        size=size,
        after=after,
        after_variable=after_variable,
        order=order,
        key_width=len(_key_of(view.row)),
        groups=groups,
        arrivals=arrivals,
        bound_to=(
            view.plan.purpose,
            view.plan.bundle_digest,
            root.name,
            *(f"{key.field} {key.descending}" for key in order),
        ),
    )


def _key_of(row: Row) -> Sequence[str]:
    assert row.source.key is not None  # a root's source has one
    return row.source.key.columns


def _order(keys: Sequence[Mapping[str, Any]], view: ListView) -> Iterator[_OrderKey]:
    for key in keys:
        for name, direction in key.items():
            yield _OrderKey(name, view.masked(name), direction == _DESCENDING)


def _page(page: Page, view: ListView, order: Sequence[_OrderKey], matching: Sql, size: int) -> Select[Any]:
    """Return the query of the page: what was drawn from it, its rows' place in the order, one row more than asked."""
    keys = [view.row.column(name) for name in _key_of(view.row)]
    placed = [key.value.ordered.label(f"o{index}") for index, key in enumerate(order)]
    ordering = [ordered(value, descending=key.descending) for key, value in zip(order, placed, strict=True)]
    columns: list[Sql] = [literal_column("1", BigInteger).label("there")]
    found: Select[Any] = (
        select(
            *columns,
            *(value.label(f"k{index}") for index, value in enumerate(keys)),
            *placed,
            *(inside.label(name) for name, inside in page.drawn.items()),
        )
        .select_from(view.row.tables)
        .where(matching)
        .order_by(*ordering, *(key.asc() for key in keys))
        .limit(at_most(size + 1))
    )
    return found


def _statement(
    page: Page, view: ListView, order: Sequence[_OrderKey], head: Sequence[Sql], columns: Sequence[Sql], size: int
) -> Select[Any]:
    """Return the query of the answer: total and groups, whether a row is there, key, order, objects."""
    there = page.column("there", BigInteger())
    keys = [page.column(f"k{index}", view.row.column(name).type) for index, name in enumerate(_key_of(view.row))]
    placed = [page.column(f"o{index}", key.value.ordered.type) for index, key in enumerate(order)]
    ordering = [ordered(value, descending=key.descending) for key, value in zip(order, placed, strict=True)]
    heading = select(*(value.label(f"h{index}") for index, value in enumerate(head))).subquery("head")
    # Total and groups are told of an empty page, too.
    tables = page.table if all(isinstance(value, Null) for value in head) else heading.outerjoin(page.table, true())
    told = head if tables is page.table else list(heading.c)
    found: Select[Any] = select(*told, there, *keys, *placed, *columns).select_from(tables)
    # The limit keeps SQLite from dropping the order.
    return found.order_by(*ordering, *(key.asc() for key in keys)).limit(at_most(size + 1))


def _head(
    view: ListView, selected: Selected, where: Mapping[str, Any], matching: Sql, path: Path
) -> tuple[list[Sql], tuple[Groups | None, ...]]:
    """Return what is told of the whole list: its total, and its groups as JSON; null is not asked for, or denied."""
    total: Sql = null()
    made: list[Sql] = []
    groups: list[Groups | None] = []
    for each in selected.below or ():
        match each.field:
            case "totalCount":
                total = select(func.count()).select_from(view.row.tables).where(matching).scalar_subquery()
            case "groups":
                below = (*path, each.response_key)
                try:
                    json, compiled = compile_groups(view, each, where, below)
                except FieldDeniedError:
                    view.objects.disclosures.denied.append(below)
                    json, compiled = null(), None
                made.append(json)
                groups.append(compiled)
            case _:
                continue
    return [total, *made], tuple(groups)


def _objects(
    objects: Objects, row: Row, selected: Selected, path: Path, begin: int
) -> tuple[list[Sql], tuple[tuple[int, Arrival], ...]]:
    """Return the columns of every `node` that is selected, and where and how each arrives."""
    columns: list[Sql] = []
    arrivals: list[tuple[int, Arrival]] = []
    for edges in selected.below or ():
        for each in (edges.below or ()) if edges.field == "edges" else ():
            if each.field != "node":
                continue
            below = (*path, edges.response_key, each.response_key)
            already = len(objects.disclosures.denied)
            made = objects.object(row, each.below or (), below, None)
            denied = objects.disclosures.denied[already:]
            added, arrival = arriving(made, objects.reading.dialect, denied, below)
            arrivals.append((begin + len(columns), arrival))
            columns += added
    return columns, tuple(arrivals)


def _after(order: Sequence[_OrderKey], view: ListView) -> Sql:
    """Return whether a row stands after the cursor: equal in the first n keys and later in the next; nulls are last."""
    assert view.row.source.key is not None
    names, kinds = view.row.source.key.columns, view.row.source.key.types
    same: list[Sql] = []
    later: list[Sql] = []
    for index, key in enumerate(order):
        value = key.value.ordered
        place = bindparam(f"{_AFTER}{len(names) + index}", None, type_=key.value.bound_type)
        beyond = value < place if key.descending else value > place
        later.append(and_(*same, place.is_not(None), or_(beyond, value.is_(None))))
        same.append(value.is_not_distinct_from(place))
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        value = view.row.column(name)
        place = bindparam(f"{_AFTER}{index}", None, type_=BigInteger if kind == "int" else Text)
        later.append(and_(*same, value > place))
        same.append(value == place)
    return or_(*later)
