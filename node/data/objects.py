"""From what is selected on a type to the columns of a row and the shape of its object.

One walk decides and writes: a field that the plan denies gets no SQL at all, so its column is never read (policy R29).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from graphql import GraphQLField, GraphQLObjectType, GraphQLScalarType, GraphQLSchema, get_named_type
from sqlalchemy import FromClause, and_, case, false, literal, null, select, true

from federation.contract.errors import BadInputError
from federation.contract.identifiers import INTERNAL_PREFIX
from node.data.cells import Cell, cell, kind_of, raw_value, shows, visible_row
from node.data.conditions import condition_sql
from node.data.decisions import Disclosures, Path, grants_on_objects, verifying_grants
from node.data.dialects import Sql, at_most
from node.data.expressions import Day
from node.data.mapping import OrderKey, Relation, Source
from node.data.masks import Kind
from node.data.rows import Reading, Row
from node.data.selection import TYPENAME, Selected
from node.data.shapes import Constant, KeyedLeaf, Leaf, Many, ObjectShape, One, Part, converter
from node.policy.conditions import FALSE
from node.policy.plans import FieldPlan, TypePlan

MATCHES: Final = "Matches"
MOST: Final = 100
"""Elements of a list in one answer."""

PlanOf: TypeAlias = Callable[[str], TypePlan]
"""From a type's name to what the request may see of it; one request always gets the same plans."""


@dataclass(slots=True)
class Objects:
    """Writes objects of one operation."""

    schema: GraphQLSchema
    reading: Reading
    plans: PlanOf
    disclosures: Disclosures

    def object(
        self, row: Row, selected: Sequence[Selected], path: Path, person: Row | None
    ) -> tuple[list[Sql], ObjectShape]:
        """Return the columns of a row and the shape that they fill.

        Args:
            row: a row that counts and is visible.
            selected: what is selected on its type.
            path: the response keys above.
            person: the row of the person whom the object above is about.
        """
        columns: list[Sql] = []
        subject = None
        if row.person is not None and row.person is not person:
            found = row.subject()
            if found is not None:
                subject = 0
                columns.append(found)
        plan = self.plans(row.source.type_name)
        parts = [self._part(row, plan, each, (*path, each.response_key), columns) for each in selected]
        return columns, ObjectShape(tuple(parts), subject)

    def _part(self, row: Row, plan: TypePlan, each: Selected, path: Path, columns: list[Sql]) -> Part:
        type_name, name, key = plan.type_name, each.field, each.response_key
        if name == TYPENAME:
            return Constant(key, type_name)
        if key.startswith(INTERNAL_PREFIX) and self._is_key(row.source, name):
            self.disclosures.joined(type_name, name)
            columns.append(row.key())
            return Leaf(key, len(columns) - 1, str)
        if self._is_match(type_name, name):
            return self._match(row, plan, each, path, columns)
        decided = plan.fields.get(name)
        if decided is None or not shows(decided):
            self.disclosures.refused(type_name, name, path)
            return Constant(key, None)
        if each.below is not None:
            return self._related(row, decided, each, path, columns)
        self.disclosures.shown(type_name, name, decided, decided.shown)
        found = self.field(row, decided, name, each.type_name)
        if found is None:
            return Constant(key, None)
        columns.append(found.value)
        convert = converter(self._scalar(each))
        at = len(columns) - 1
        if found.which is None:
            return Leaf(key, at, convert)
        columns.append(found.which)
        return KeyedLeaf(key, at, at + 1, found.forms, type_name, name, convert)

    def field(self, row: Row, decided: FieldPlan, name: str, scalar: str) -> Cell | None:
        """Return a value field under its policy; None if the row's source does not map it."""
        value = self._raw(row, name, scalar)
        kind = Kind.DAY if isinstance(row.source.fields.get(name), Day) else kind_of(scalar)
        return None if value is None else cell(decided, value, kind, row)

    def _raw(self, row: Row, name: str, scalar: str) -> Sql | None:
        if self._is_key(row.source, name):
            return row.key()
        expression = row.source.fields.get(name)
        return None if expression is None else raw_value(expression, scalar, row)

    def _scalar(self, each: Selected) -> GraphQLScalarType:
        named = get_named_type(each.type)
        assert isinstance(named, GraphQLScalarType)  # the vocabulary has no enums on its types
        return named

    @staticmethod
    def _is_key(source: Source, name: str) -> bool:
        return source.key is not None and source.key.field == name

    def _is_match(self, type_name: str, name: str) -> bool:
        return name.endswith(MATCHES) and "value" in self._declared(type_name, name).args

    def _declared(self, type_name: str, name: str) -> GraphQLField:
        kind = self.schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)  # only these are selected on
        found: GraphQLField = kind.fields[name]
        return found

    def scalar_of(self, type_name: str, name: str) -> str:
        """Return the name of the scalar of a value field."""
        return str(get_named_type(self._declared(type_name, name).type).name)

    def _match(self, row: Row, plan: TypePlan, each: Selected, path: Path, columns: list[Sql]) -> Part:
        """Compare with a value that the requester supplied, where the policy says it may be confirmed."""
        name = each.field.removesuffix(MATCHES)
        decided = plan.fields.get(name)
        grants = () if decided is None else verifying_grants(decided)
        scalar = self.scalar_of(plan.type_name, name)
        if decided is None or not grants or (decided.constant is not None and decided.constant.form is None):
            self.disclosures.refused(plan.type_name, name, path)
            return Constant(each.response_key, None)
        self.disclosures.shown(plan.type_name, name, decided, grants)
        value = self._raw(row, name, scalar)
        if value is None:
            return Constant(each.response_key, None)
        as_is = kind_of(scalar) in (Kind.WHOLE, Kind.TRUTH)
        supplied = literal(each.arguments["value"] if as_is else str(each.arguments["value"]))
        stored = value if as_is else self.reading.dialect.text(value)
        prohibited = condition_sql(decided.prohibited, row).is_(false())
        verifiable = condition_sql(decided.verifiable, row).is_(true())
        columns.append(case((and_(prohibited, verifiable), stored == supplied)))
        return Leaf(each.response_key, len(columns) - 1, bool)

    # --- relations --------------------------------------------------------------------------------------------------

    def _related(self, row: Row, decided: FieldPlan, each: Selected, path: Path, columns: list[Sql]) -> Part:
        grants = grants_on_objects(decided)
        type_name = row.source.type_name
        if not grants:
            self.disclosures.refused(type_name, each.field, path)
            return Constant(each.response_key, None)
        self.disclosures.shown(type_name, each.field, decided, grants)
        relation = row.source.relations.get(each.field)
        if relation is None:
            return Constant(each.response_key, None)
        target = self.reading.mapping.sources[relation.to]
        made, shape = self._target(row, relation, target, each, path)
        dialect = self.reading.dialect
        shown = cell(replace(decided, grants=grants), made, Kind.TEXT, row)
        columns.append(dialect.nested(shown.value))
        build = Many if each.is_list else One
        return build(each.response_key, len(columns) - 1, shape)

    def _target(
        self, row: Row, relation: Relation, target: Source, each: Selected, path: Path
    ) -> tuple[Sql, ObjectShape]:
        """Return the JSON of what a relation leads to."""
        plan = self.plans(target.type_name)
        dialect = self.reading.dialect
        if plan.visible == FALSE:
            self._refuse_below(target, each.below or ())
            return (dialect.array() if each.is_list else _no_json()), ObjectShape((), None)
        if target.table is None:
            part = row.embedded(target)
            made, shape = self.object(part, each.below or (), path, row.person)
            present = part.is_present()
            seen = and_(visible_row(plan, part), true() if present is None else present)
            found = dialect.array(*made)
            if each.is_list:
                return case((seen, dialect.array(found)), else_=dialect.array()), shape
            return case((seen, found)), shape
        return self._joined(row, relation, target, each, path)

    def _joined(
        self, row: Row, relation: Relation, target: Source, each: Selected, path: Path
    ) -> tuple[Sql, ObjectShape]:
        """Return a subquery that reads the rows which a join leads to."""
        dialect, plan = self.reading.dialect, self.plans(target.type_name)
        if relation.through:
            child = Row.of(self.reading, target)
            between = self.reading.alias(relation.through.table)
            tied = and_(
                row.meets(relation.join, between),
                *(between.c[here] == child.column(there) for here, there in relation.through.then),
            )
            tables: FromClause = child.tables.join(between, tied)
        else:
            child = Row.below(row, target, relation.join)
            tied = row.meets(relation.join, child.at)
            tables = child.tables
        made, shape = self.object(child, each.below or (), path, row.person)
        rows = (
            select(dialect.array(*made).label("made"))
            .select_from(tables)
            .where(tied, *child.counts(), visible_row(plan, child))
            .order_by(*self._ordering(child, plan, relation.order))
            .limit(at_most(page_size(each.arguments) if each.is_list else 1))
            .correlate(row.physical.at, *_owners(row))
        )
        found = rows.subquery()
        column = found.c.made
        outcome = dialect.gathered(column) if each.is_list else column
        return select(outcome).select_from(found).correlate(row.physical.at, *_owners(row)).scalar_subquery(), shape

    def _ordering(self, row: Row, plan: TypePlan, order: Sequence[OrderKey]) -> list[Sql]:
        """Order by what the requester sees: the order of a hidden column would tell of it (policy R22)."""
        keys: list[Sql] = []
        for each in order:
            decided = plan.fields.get(each.field)
            scalar = self.scalar_of(plan.type_name, each.field)
            found = self.field(row, decided, each.field, scalar) if decided and shows(decided) else None
            if found is not None and found.is_plain:
                keys.append(ordered(found.value, descending=each.descending))
        return [*keys, *self.unique(row)]

    def unique(self, row: Row) -> list[Sql]:
        """Return the columns that make every order total."""
        return [row.column(name).asc() for name in (row.source.key.columns if row.source.key else ())]

    def _refuse_below(self, source: Source, selected: Sequence[Selected]) -> None:
        """Record what is denied because no row of a type may be seen; nothing is there for an error to point at."""
        for each in selected:
            if each.field != TYPENAME:
                self.disclosures.refused(source.type_name, each.field.removesuffix(MATCHES), None)


def ordered(value: Sql, *, descending: bool) -> Sql:
    """Return a sort key; nulls come last either way."""
    return (value.desc() if descending else value.asc()).nulls_last()


def page_size(arguments: Any) -> int:
    """Return how many elements a list may have.

    Raises:
        BadInputError: `first` is negative or above the most.
    """
    first = arguments.get("first")
    if first is None:
        return MOST
    if not 0 <= first <= MOST:
        raise BadInputError(f"`first` is from 0 to {MOST}")
    return int(first)


def _owners(row: Row) -> list[Any]:
    """Return the tables that the conditions of rows below may mention besides the row's own."""
    found: list[Any] = []
    physical: Row | None = row.physical.owner
    while physical is not None:
        found.append(physical.at)
        physical = physical.owner
    return found


def _no_json() -> Sql:
    return null()
