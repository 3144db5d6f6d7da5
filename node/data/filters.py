"""The client's filter on a list: read into a small tree of tests on masked values, then written as SQL.

Every value that a test names is the one that the requester sees (policy R22); naming a denied one is refused (R21). A
test on a relation holds if the relation leads to some visible row that passes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, exists, false, literal, or_, true

from federation.contract.errors import FieldDeniedError, QueryTooComplexError
from node.data.cells import Cell, shows
from node.data.comparing import Comparable
from node.data.conditions import condition_sql
from node.data.decisions import grants_on_objects
from node.data.dialects import Sql, negated
from node.data.objects import Objects
from node.data.rows import Row
from node.policy.plans import FieldPlan, TypePlan

_MOST_COMPARISONS: Final = 200
_MOST_NESTED: Final = 10


@dataclass(slots=True)
class ListView:
    """A row of a list as its requester sees it: what may be compared of it, and where its relations lead."""

    objects: Objects
    row: Row
    plan: TypePlan

    @classmethod
    def of(cls, objects: Objects, row: Row) -> ListView:
        """See a row under its type's plan."""
        return cls(objects, row, objects.plans(row.source.type_name))

    def visible(self) -> Sql:
        """Return whether the row is there for the requester."""
        return and_(true(), *self.row.counts(), self.objects.visible(self.row))

    def masked(self, name: str) -> Comparable:
        """Return a field's masked value.

        Raises:
            FieldDeniedError: the field is denied, or its mask needs a key (R21).
        """
        decided, found = self._cell(name)
        self.objects.disclosures.shown(self.plan.type_name, name, decided, decided.shown)
        return self.objects.comparable(self.plan.type_name, name, found)

    def _cell(self, name: str) -> tuple[FieldPlan, Cell]:
        decided = self.plan.fields.get(name)
        type_name = self.plan.type_name
        scalar = self.objects.scalar_of(type_name, name)
        found = self.objects.field(self.row, decided, name, scalar) if decided and shows(decided) else None
        if decided is None or found is None or not found.is_plain:
            raise self._refused(name)
        return decided, found

    def _refused(self, name: str) -> FieldDeniedError:
        type_name = self.plan.type_name
        self.objects.disclosures.refused(type_name, name, None)
        return FieldDeniedError(f"`{type_name}.{name}` is denied in filters and orders for this purpose")

    def is_relation(self, name: str) -> bool:
        """Say whether a field leads to other rows."""
        return name in self.row.source.relations

    def some(self, name: str, where: Mapping[str, Any]) -> Sql:
        """Return whether a relation leads to some visible row that passes a filter.

        Raises:
            FieldDeniedError: the relation is denied, or the filter names a field that is (R21).
        """
        decided = self.plan.fields.get(name)
        grants = () if decided is None else grants_on_objects(decided)
        if decided is None or not grants:
            raise self._refused(name)
        self.objects.disclosures.shown(self.plan.type_name, name, decided, grants)
        opened = and_(
            condition_sql(decided.prohibited, self.row).is_(false()),
            or_(false(), *(condition_sql(grant.when, self.row).is_(true()) for grant in grants)),
        )
        return and_(opened, self._reached(name, where))

    def _reached(self, name: str, where: Mapping[str, Any]) -> Sql:
        relation = self.row.source.relations[name]
        target = self.row.reading.mapping.sources[relation.to]
        if target.table is None:
            part = self.row.embedded(target)
            there = ListView.of(self.objects, part)
            present = part.is_present()
            return and_(there.visible(), true() if present is None else present, wanted_rows(where, there))
        child, tables, tied = self.objects.led_to(self.row, relation, target)
        there = ListView.of(self.objects, child)
        found = exists(literal(1)).select_from(tables).where(tied, there.visible(), wanted_rows(where, there))
        return found.correlate(*self.objects.outside(self.row))


def require_small(where: Mapping[str, Any]) -> None:
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
        for value in (value for each in level for value in each.values() if value is not None):
            parts = value if isinstance(value, list) else [value]
            for part in parts:
                if isinstance(part, Mapping) and not _is_test(part):
                    below.append(part)
                    comparisons += 1  # a branch without a comparison costs as much as one with
                else:
                    comparisons += _compared(part)
        if comparisons > _MOST_COMPARISONS:
            raise QueryTooComplexError(
                f"`where` compares more than {_MOST_COMPARISONS} values: ask for fewer at once", limit="where"
            )
        level = below


def _is_test(part: Mapping[str, Any]) -> bool:
    """Say whether a part compares one field: a branch holds other parts, a test holds values."""
    values = [each for value in part.values() for each in (value if isinstance(value, list) else [value])]
    return bool(values) and not any(isinstance(each, Mapping) for each in values)


def _compared(part: Any) -> int:
    """Return how many values a test compares; every value of an `in` is one."""
    if not isinstance(part, Mapping):
        return 1
    return sum(len(value) if isinstance(value, list) else 1 for value in part.values())


def wanted_rows(where: Mapping[str, Any], view: ListView) -> Sql:
    """Return whether the client wants a row.

    Raises:
        FieldDeniedError: the filter names what the requester may not see (R21).
    """
    parts: list[Sql] = []
    for name, value in where.items():
        if value is None:
            continue
        match name:
            case "and":
                parts.append(and_(true(), *(wanted_rows(each, view) for each in value)))
            case "or":
                parts.append(or_(false(), *(wanted_rows(each, view) for each in value)))
            case "not":
                parts.append(negated(wanted_rows(value, view)))
            case _ if view.is_relation(name):
                parts.append(view.some(name, value))
            case _:
                seen = view.masked(name)
                parts += [seen.test(operator, each) for operator, each in value.items() if each is not None]
    return and_(true(), *parts)
