"""From what is selected on a type to the parts of its object.

One walk decides and makes: a field that the plan denies gets no SQL at all, so its column is never read (policy R29).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
)
from sqlalchemy import FromClause, and_, case, false, literal, null, select, true

from federation.contract.errors import QueryTooComplexError
from federation.contract.governed import asks_about
from federation.contract.identifiers import INTERNAL_PREFIX
from federation.contract.members import LONGEST_LIST
from node.data.cells import Cell, candidate_row, cell, chosen, kind_of, raw_value, shows
from node.data.comparing import Comparable
from node.data.conditions import condition_sql
from node.data.crowds import NOBODY, Crowds, can_be_counted, look
from node.data.custom import NO_CUSTOM, CustomCell, CustomEntity, CustomField, ServedCustom
from node.data.custom_shown import CustomShowing, compared
from node.data.decisions import Disclosures, Path, grants_asked, grants_on_objects
from node.data.dialects import Sql, at_most
from node.data.expressions import Day
from node.data.mapping import OrderKey, Relation, Source
from node.data.masks import Kind, reached
from node.data.pages import page_size
from node.data.parts import Around, Custom, Fixed, Keyed, Made, Nested, Part, Value, Writer
from node.data.rows import Reading, Row
from node.data.selection import TYPENAME, Selected
from node.policy.conditions import FALSE
from node.policy.documents import Alike
from node.policy.forms import CLEAR, Band, FormName, form_of_question
from node.policy.plans import FieldPlan, TypePlan
from node.policy.residuals import disjunction

MOST_OBJECTS: Final = 50_000
"""Objects that one root may make: what is estimated from the lists' lengths before a statement is run."""

PlanOf: TypeAlias = Callable[[str], TypePlan]
"""From a type's name to what the request may see of it; one request always gets the same plans."""


@dataclass(slots=True)
class Objects:
    """Writes objects of one operation; `most` is how long its lists may be."""

    schema: GraphQLSchema
    reading: Reading
    plans: PlanOf
    disclosures: Disclosures
    most: int = LONGEST_LIST
    custom: ServedCustom = NO_CUSTOM
    _above: int = field(init=False, default=1)
    _estimated: int = field(init=False, default=0)
    _crowds: dict[str, Crowds] = field(init=False, default_factory=dict)

    def of_many(self, rows: int) -> None:
        """Begin with a root of so many rows: every list below is counted so many times."""
        self._above, self._estimated = max(rows, 1), 0

    @contextmanager
    def _within(self, size: int) -> Iterator[None]:
        """Count the objects of a relation as often as what leads to it is there, before anything is run.

        Raises:
            QueryTooComplexError: the answer might have more objects than a node makes at once.
        """
        above, self._above = self._above, self._above * max(size, 1)
        self._estimated += self._above
        if self._estimated > MOST_OBJECTS:
            raise QueryTooComplexError(
                f"the answer may have more than {MOST_OBJECTS} objects: ask for shorter lists with `first`",
                limit="objects",
            )
        try:
            yield
        finally:
            self._above = above

    def visible(self, row: Row) -> Sql:
        """Return whether the policy shows a row: only TRUE does."""
        plan = self.plans(row.source.type_name)
        shown = candidate_row(plan, row)
        if plan.alike is None or plan.candidates == FALSE:
            return shown
        resolved = any((plan.type_name, name) in self.custom.fields for name in plan.alike.over)
        if resolved or not can_be_counted(row.source, self.reading):
            return NOBODY  # what a member's code resolves is not there to be counted
        if row.source.name not in self._crowds:
            other = Row.of(self.reading, row.source)
            looks, candidate = self._looks(other, plan, plan.alike), candidate_row(plan, other)
            self._crowds[row.source.name] = Crowds.among(other, looks, candidate, plan.alike.persons)
        return and_(shown, self._crowds[row.source.name].hold(self._looks(row, plan, plan.alike)))

    def _looks(self, row: Row, plan: TypePlan, alike: Alike) -> list[Sql]:
        served = self._fields_of(plan.type_name)
        names = [name for name in alike.over if name in served and shows(plan.fields.get(name))]
        return [part for name in names for part in self._look(row, plan, name)]

    def _look(self, row: Row, plan: TypePlan, name: str) -> list[Sql]:
        found = self.field(row, plan.fields[name], name, self.scalar_of(plan.type_name, name))
        return [] if found is None else look(self.comparable(plan.type_name, name, found), found.which)

    def comparable(self, type_name: str, name: str, found: Cell) -> Comparable:
        """Return a field's masked value as it is compared."""
        kind = kind_of(self.scalar_of(type_name, name))
        # The labels of a band are texts, though they stand for numbers.
        labelled = any(isinstance(form, Band) for form in found.forms)
        kind = Kind.TEXT if labelled and kind is Kind.NUMBER else kind
        return Comparable(found.value, kind, self.reading.dialect)

    def object(self, row: Row, selected: Sequence[Selected], path: Path, person: Row | None) -> Made:
        """Return the object of a row.

        Args:
            row: a row that counts and is visible.
            selected: what is selected on its type.
            path: the response keys above.
            person: the row of the person whom the object above is about.
        """
        plan = self.plans(row.source.type_name)
        parts = tuple(self._part(row, plan, each, (*path, each.response_key)) for each in selected)
        return Made(parts, row.subject() if row.person is not None and row.person is not person else None)

    def _part(self, row: Row, plan: TypePlan, each: Selected, path: Path) -> Part:
        type_name, name, key = plan.type_name, each.field, each.response_key
        if name == TYPENAME:
            return Fixed(key, type_name)
        if key.startswith(INTERNAL_PREFIX) and self._is_key(row.source, name):
            self.disclosures.joined(type_name, name)
            return Value(key, row.key(), GraphQLID, Kind.TEXT, ())
        if self._is_question(type_name, name):
            return self._answered(row, plan, each, path)
        decided = plan.fields.get(name)
        if decided is None or not shows(decided):
            self.disclosures.refused(type_name, name, path)
            return Fixed(key, None)
        resolved = self.custom.fields.get((type_name, name))
        if resolved is not None:
            return self._resolved(row, decided, resolved, each, path)
        if each.below is not None:
            return self._related(row, decided, each, path)
        self.disclosures.shown(type_name, name, decided, decided.shown)
        found = self.field(row, decided, name, each.type_name)
        if found is None:
            return Fixed(key, None)
        scalar = self._scalar(each)
        if found.which is None:
            return Value(key, found.value, scalar, self._kind(row, name, each.type_name), found.forms)
        return Keyed(key, found.value, found.which, found.forms, type_name, name, scalar)

    def _resolved(self, row: Row, decided: FieldPlan, field: CustomField, each: Selected, path: Path) -> Part:
        """Return a field that the member's code resolves: the row decides in SQL whether it is asked, and the form."""
        grants = decided.shown if each.below is None else grants_on_objects(decided)
        if not grants:
            self.disclosures.refused(field.on, field.name, path)
            return Fixed(each.response_key, None)
        self.disclosures.shown(field.on, field.name, decided, grants)
        show = self._showing().of(field.on, each, path, self.reading.today)
        asked = CustomCell(field, path, tuple(grant.form for grant in grants), show)
        return Custom(asked, chosen(replace(decided, grants=grants), row), self._needs(row, field))

    def entity(self, entity: CustomEntity, selected: Sequence[Selected], path: Path) -> CustomCell:
        """Return the objects of a type that the member's code finds by key, as they are selected at `path`."""
        kind = self.schema.type_map[entity.name]
        assert isinstance(kind, GraphQLObjectType)  # the schema has it from the same declaration
        each = Selected(path[-1], entity.name, {}, kind, tuple(selected), {})
        return CustomCell(entity, path, (CLEAR,), self._showing().of(entity.name, each, path, self.reading.today))

    def _showing(self) -> CustomShowing:
        member = self.reading.mapping.member
        return CustomShowing(
            self.plans, self.disclosures, self.custom, member, self.most, self._within, self._value_type
        )

    def _needs(self, row: Row, field: CustomField) -> tuple[tuple[str, Sql], ...]:
        return tuple((name, self._need(row, name)) for name in field.needs)

    def _need(self, row: Row, name: str) -> Sql:
        """Return what a custom field needs of a row: a field of the mapping before any mask, or an attribute."""
        found = self._raw(row, name, self.scalar_of(row.source.type_name, name)) if name in row.source.fields else None
        if found is None:
            return row.key() if self._is_key(row.source, name) else row.attribute(name, None)
        return found

    def field(self, row: Row, decided: FieldPlan, name: str, scalar: str) -> Cell | None:
        """Return a value field under its policy; None if the row's source does not map it."""
        value = self._raw(row, name, scalar)
        return None if value is None else cell(decided, value, self._kind(row, name, scalar), row)

    @staticmethod
    def _kind(row: Row, name: str, scalar: str) -> Kind:
        return Kind.DAY if isinstance(row.source.fields.get(name), Day) else kind_of(scalar)

    def _raw(self, row: Row, name: str, scalar: str) -> Sql | None:
        if self._is_key(row.source, name):
            return row.key()
        expression = row.source.fields.get(name)
        return None if expression is None else raw_value(expression, scalar, row)

    def _scalar(self, each: Selected) -> GraphQLScalarType | GraphQLEnumType:
        named = get_named_type(each.type)
        assert isinstance(named, (GraphQLScalarType, GraphQLEnumType))  # nothing is selected below
        return named

    @staticmethod
    def _is_key(source: Source, name: str) -> bool:
        return source.key is not None and source.key.field == name

    def _is_question(self, type_name: str, name: str) -> bool:
        """Say whether a field asks about the value of another; those of the vocabulary's own take no arguments."""
        return asks_about(name) is not None and bool(self._declared(type_name, name).args)

    def _declared(self, type_name: str, name: str) -> GraphQLField:
        return self._fields_of(type_name)[name]

    def _fields_of(self, type_name: str) -> Mapping[str, GraphQLField]:
        kind = self.schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)  # only these are selected on
        found: Mapping[str, GraphQLField] = kind.fields
        return found

    def _value_type(self, type_name: str, name: str) -> GraphQLScalarType | GraphQLEnumType:
        kind = get_named_type(self._declared(type_name, name).type)
        assert isinstance(kind, (GraphQLScalarType, GraphQLEnumType))  # nothing is selected below, nor asked otherwise
        return kind

    def scalar_of(self, type_name: str, name: str) -> str:
        """Return the name of the scalar of a value field."""
        return str(get_named_type(self._declared(type_name, name).type).name)

    def _answered(self, row: Row, plan: TypePlan, each: Selected, path: Path) -> Part:
        """Answer a question about a value that need not be shown, where the policy says that it may be asked."""
        name = asks_about(each.field) or each.field
        decided = plan.fields.get(name)
        grants = grants_asked(each, decided)
        if decided is None or not grants:
            self.disclosures.refused(plan.type_name, name, path)
            return Fixed(each.response_key, None)
        self.disclosures.shown(plan.type_name, name, decided, grants)
        prohibited = condition_sql(decided.prohibited, row).is_(false())
        asked = condition_sql(disjunction(grant.when for grant in grants), row).is_(true())
        may_be_asked = and_(prohibited, asked)
        resolved = self.custom.fields.get((plan.type_name, name))
        if resolved is not None:
            kind = self._value_type(plan.type_name, name)
            question = CustomCell(resolved, path, (grants[0].form,), compared(kind, each, self.reading.today))
            return Custom(question, case((may_be_asked, literal(0))), self._needs(row, resolved))
        scalar = self.scalar_of(plan.type_name, name)
        value = self._raw(row, name, scalar)
        if value is None:
            return Fixed(each.response_key, None)
        outcome = case((may_be_asked, self._truth(each, value, kind_of(scalar))))
        return Value(each.response_key, outcome, GraphQLBoolean, Kind.TRUTH, ())

    def _truth(self, each: Selected, value: Sql, kind: Kind) -> Sql:
        """Return what is true of a value: that it is the one supplied, or that its person has reached an age."""
        dialect = self.reading.dialect
        if form_of_question(each.field) is FormName.AGE_OVER:
            return reached(dialect.text(value), dialect, each.arguments["years"], self.reading.today)
        as_is = kind in (Kind.WHOLE, Kind.TRUTH)
        supplied = literal(each.arguments["value"] if as_is else str(each.arguments["value"]))
        return (value if as_is else dialect.text(value)) == supplied

    # --- relations --------------------------------------------------------------------------------------------------

    def _related(self, row: Row, decided: FieldPlan, each: Selected, path: Path) -> Part:
        grants = grants_on_objects(decided)
        type_name = row.source.type_name
        if not grants:
            self.disclosures.refused(type_name, each.field, path)
            return Fixed(each.response_key, None)
        self.disclosures.shown(type_name, each.field, decided, grants)
        relation = row.source.relations.get(each.field)
        if relation is None:
            return Fixed(each.response_key, None)
        target = self.reading.mapping.sources[relation.to]
        made, around = self._target(row, relation, target, each, path)
        opened = replace(decided, grants=grants)

        def shown(writer: Writer) -> Sql:
            return self.reading.dialect.nested(cell(opened, around(writer), Kind.TEXT, row).value)

        return Nested(each.response_key, made, shown, each.is_list)

    def _target(self, row: Row, relation: Relation, target: Source, each: Selected, path: Path) -> tuple[Made, Around]:
        """Return the object that a relation leads to, and what stands around it."""
        plan = self.plans(target.type_name)
        dialect = self.reading.dialect
        if plan.visible == FALSE:
            self._refuse_below(target, each.below or ())
            nothing = dialect.listed([]) if each.is_list else null()
            return Made((), None), lambda _writer: nothing
        if target.table is not None:
            return self._joined(row, relation, target, each, path)
        part = row.embedded(target)
        present = part.is_present()
        seen = and_(self.visible(part), true() if present is None else present)

        def around(writer: Writer) -> Sql:
            if each.is_list:
                return case((seen, dialect.listed([writer.inline()])), else_=dialect.listed([]))
            return case((seen, writer.inline()))

        return self.object(part, each.below or (), path, row.person), around

    def _joined(self, row: Row, relation: Relation, target: Source, each: Selected, path: Path) -> tuple[Made, Around]:
        """Return the objects of the rows that a join leads to; around them stands the subquery that reads them."""
        dialect, plan = self.reading.dialect, self.plans(target.type_name)
        child, tables, tied = self.led_to(row, relation, target)
        conditions = (tied, *child.counts(), self.visible(child))
        ordering = self._ordering(child, plan, relation.order)
        size = page_size(each, self.most) if each.is_list else 1

        def around(writer: Writer) -> Sql:
            query = select(*writer.columns()).select_from(tables).where(*conditions).order_by(*ordering)
            rows = query.limit(at_most(size)).correlate(*self.outside(row)).subquery()
            made = writer.of(rows)
            outcome = dialect.gathered(made) if each.is_list else made
            return select(outcome).select_from(rows).correlate(*self.outside(row)).scalar_subquery()

        with self._within(size):
            return self.object(child, each.below or (), path, row.person), around

    def led_to(self, row: Row, relation: Relation, target: Source) -> tuple[Row, FromClause, Sql]:
        """Return a row that a join leads to, the tables it is read from, and what ties it to the row at hand."""
        if not relation.through:
            child = Row.below(row, target, relation.join)
            return child, child.tables, row.meets(relation.join, child.at)
        child = Row.of(self.reading, target)
        between = self.reading.alias(relation.through.table)
        tied = and_(
            row.meets(relation.join, between),
            *(between.c[here] == child.column(there) for here, there in relation.through.then),
        )
        return child, child.tables.join(between, tied), true()

    @staticmethod
    def outside(row: Row) -> list[FromClause]:
        """Return the tables of the row at hand that a query about rows below may mention."""
        return [row.physical.at, *_owners(row)]

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
                self.disclosures.refused(source.type_name, asks_about(each.field) or each.field, None)


def ordered(value: Sql, *, descending: bool) -> Sql:
    """Return a sort key; nulls come last either way."""
    return (value.desc() if descending else value.asc()).nulls_last()


def _owners(row: Row) -> list[FromClause]:
    """Return the tables that the conditions of rows below may mention besides the row's own."""
    found: list[FromClause] = []
    physical: Row | None = row.physical.owner
    while physical is not None:
        found.append(physical.at)
        physical = physical.owner
    return found
