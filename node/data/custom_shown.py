"""What is answered of a value that a member's code resolved: its forms, and for objects their own policies.

The register's rows are decided in SQL, before they are read. These values are decided as they come, by the closures of
the same plans (`node.policy.decide`) and the readable masks (`node.policy.masks`), which generated tests hold equal to
the SQL. What is recorded, and where a denial shows, is said when the operation is compiled, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLError, GraphQLScalarType, get_named_type

from node.data.cells import shows
from node.data.custom import Show
from node.data.decisions import Disclosures, Path, grants_on_objects
from node.data.keyed import Keyed
from node.data.masks import KIND_OF_SCALAR, Kind
from node.data.pages import page_size
from node.data.selection import TYPENAME, Selected
from node.data.shapes import number_text
from node.policy.conditions import FALSE, names_in
from node.policy.decide import Decider, RowDecision
from node.policy.forms import CLEAR, KEYED
from node.policy.masks import apply
from node.policy.plans import TypePlan

_Member: TypeAlias = Callable[[Any, RowDecision, Keyed, str | None], Any]
"""From a Python object and the decision about it to the value of one of its fields."""


@dataclass(frozen=True, slots=True)
class CustomShowing:
    """Makes the `Show` of custom fields of one operation; `attributes` are those of `ServedCustom`."""

    plans: Callable[[str], TypePlan]
    disclosures: Disclosures
    attributes: Mapping[str, Mapping[str, str]]
    most: int

    def of(self, type_name: str, each: Selected, path: Path, today: date) -> Show:
        """Return how a selected field's value is shown; `path` leads to it."""
        one = self._value(type_name, each, today) if each.below is None else self._object(each, path, today)
        return _many(one, page_size(each, self.most)) if each.is_list else one

    @staticmethod
    def _value(type_name: str, each: Selected, today: date) -> Show:
        kind = get_named_type(each.type)
        assert isinstance(kind, (GraphQLScalarType, GraphQLEnumType))  # no objects: nothing is selected below

        def shown(value: Any, form: Any, keyed: Keyed, person: str | None) -> Any:
            plain = _coerced(kind, value)
            if plain is None:
                return None
            if form.name in KEYED:
                return _coerced(kind, keyed.masked(form, type_name, each.field, plain, person))
            return _coerced(kind, apply(form, plain, today))

        return shown

    def _object(self, each: Selected, path: Path, today: date) -> Show:
        plan, below = self.plans(each.type_name), each.below or ()
        if plan.visible == FALSE:
            for field in below:
                if field.field != TYPENAME:
                    self.disclosures.refused(plan.type_name, field.field, None)
            return lambda _value, _form, _keyed, _person: None
        decider, names = Decider(plan), self.attributes.get(plan.type_name, {})
        tested = {name: names.get(name, name) for name in _tested(plan)}
        members = [(sub.response_key, self._member(plan, sub, (*path, sub.response_key), today)) for sub in below]

        def shown(value: Any, _form: Any, keyed: Keyed, person: str | None) -> Any:
            if value is None:
                return None
            # Whether its person consents is not known of such an object: unknown, so nothing follows from it.
            decision = decider.decide({name: _read(value, at) for name, at in tested.items()}, None)
            if not decision.visible:
                return None
            return {key: member(value, decision, keyed, person) for key, member in members}

        return shown

    def _member(self, plan: TypePlan, each: Selected, path: Path, today: date) -> _Member:
        type_name, name = plan.type_name, each.field
        if name == TYPENAME:
            return lambda _value, _decision, _keyed, _person: type_name
        at = self.attributes.get(type_name, {}).get(name, name)
        decided = plan.fields.get(name)
        grants = () if decided is None else decided.shown if each.below is None else grants_on_objects(decided)
        if decided is None or not grants or not shows(decided):
            self.disclosures.refused(type_name, name, path)
            return lambda _value, _decision, _keyed, _person: None
        self.disclosures.shown(type_name, name, decided, grants)
        shown = self.of(type_name, each, path, today)

        def member(value: Any, decision: RowDecision, keyed: Keyed, person: str | None) -> Any:
            form = decision.fields[name].form
            if form is None or (each.below is not None and form != CLEAR):
                return None
            return shown(_read(value, at), form, keyed, person)

        return member


def _many(one: Show, size: int) -> Show:
    """Return how a list is shown: what is hidden or no value of its type is not in it."""

    def shown(value: Any, form: Any, keyed: Keyed, person: str | None) -> Any:
        if value is None:
            return None
        found = (one(each, form, keyed, person) for each in value)
        return [each for each in found if each is not None][:size]

    return shown


def _tested(plan: TypePlan) -> frozenset[str]:
    """Return the row attributes that the conditions of a plan read.

    How many persons are alike is none of them: code cannot say it, so under `generalise_k` its objects are not shown.
    """
    conditions = [plan.candidates]
    for decided in plan.fields.values():
        conditions += [decided.prohibited, *(grant.when for grant in decided.grants)]
    return frozenset(name.attribute for condition in conditions for name in names_in(condition))


def _read(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _coerced(kind: GraphQLScalarType | GraphQLEnumType, value: Any) -> Any:
    """Return a value as its GraphQL type has it; null if it is none of that type (R19)."""
    if value is None:
        return None
    try:
        return kind.coerce_output_value(value.name if isinstance(value, Enum) else _written(kind, value))
    except GraphQLError:
        return None


def _written(kind: GraphQLScalarType | GraphQLEnumType, value: Any) -> Any:
    return number_text(value) if KIND_OF_SCALAR.get(kind.name) is Kind.NUMBER else value
