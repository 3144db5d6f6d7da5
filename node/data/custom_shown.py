"""What is answered of a value that a member's code resolved: its forms, and for objects their own policies.

The register's rows are decided in SQL, before they are read. These values are decided as they come, by the closures of
the same plans (`node.policy.decide`) and the readable masks (`node.policy.masks`), which generated tests hold equal to
the SQL. What is recorded, and where a denial shows, is said when the operation is compiled, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import islice
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLError, GraphQLScalarType, get_named_type

from node.data.cells import shows
from node.data.custom import Asking, CustomCell, CustomField, Question, ServedCustom, Show
from node.data.decisions import Disclosures, Path, grants_on_objects
from node.data.masks import KIND_OF_SCALAR, Kind
from node.data.pages import page_size
from node.data.selection import TYPENAME, Selected
from node.data.shapes import number_text
from node.policy.conditions import FALSE, names_in
from node.policy.decide import Decider, RowDecision
from node.policy.forms import CLEAR, KEYED, Form
from node.policy.masks import apply
from node.policy.plans import TypePlan

_Member: TypeAlias = Callable[[Any, RowDecision, Asking, str | None, dict[str, Any]], None]
"""From a Python object and the decision about it to one field of the object that is answered."""


def matches(kind: GraphQLScalarType | GraphQLEnumType, supplied: Any) -> Show:
    """Return what is answered of a value that may be asked about but not seen: whether it is the one supplied."""

    def shown(value: Any, _form: Any, _asking: Asking, _person: str | None) -> Any:
        plain = _coerced(kind, value)
        return None if plain is None else str(plain) == str(supplied)

    return shown


@dataclass(frozen=True, slots=True)
class CustomShowing:
    """Makes the `Show` of custom fields of one operation; `within` counts the objects that one may give."""

    plans: Callable[[str], TypePlan]
    disclosures: Disclosures
    custom: ServedCustom
    most: int
    within: Callable[[int], AbstractContextManager[None]]

    def of(self, type_name: str, each: Selected, path: Path, today: date) -> Show:
        """Return how a selected field's value is shown; `path` leads to it."""
        one = self._value(type_name, each, today) if each.below is None else self._object(each, path, today)
        return _many(one, page_size(each, self.most)) if each.is_list else one

    @staticmethod
    def _value(type_name: str, each: Selected, today: date) -> Show:
        kind = get_named_type(each.type)
        assert isinstance(kind, (GraphQLScalarType, GraphQLEnumType))  # no objects: nothing is selected below

        def shown(value: Any, form: Any, asking: Asking, person: str | None) -> Any:
            plain = _coerced(kind, value)
            if plain is None:
                return None
            if form.name in KEYED:
                return _coerced(kind, asking.keyed.masked(form, type_name, each.field, plain, person))
            return _coerced(kind, apply(form, plain, today))

        return shown

    def _object(self, each: Selected, path: Path, today: date) -> Show:
        plan, below = self.plans(each.type_name), each.below or ()
        if plan.visible == FALSE:
            for field in below:
                if field.field != TYPENAME:
                    self.disclosures.refused(plan.type_name, field.field, None)
            return lambda _value, _form, _asking, _person: None
        decider = Decider(plan)
        tested = [(name, self._attribute(plan.type_name, name)) for name in _tested(plan)]
        with self.within(page_size(each, self.most) if each.is_list else 1):
            members = [self._member(plan, sub, (*path, sub.response_key), today) for sub in below]

        def shown(value: Any, _form: Any, asking: Asking, person: str | None) -> Any:
            if value is None:
                return None
            # Whether its person consents is not known of such an object: unknown, so nothing follows from it.
            decision = decider.decide({name: _read(value, at) for name, at in tested}, None)
            if not decision.visible:
                return None
            made: dict[str, Any] = {}
            for member in members:
                member(value, decision, asking, person, made)
            return made

        return shown

    def _member(self, plan: TypePlan, each: Selected, path: Path, today: date) -> _Member:
        type_name, name, key = plan.type_name, each.field, each.response_key
        if name == TYPENAME:
            return _always(key, type_name)
        decided = plan.fields.get(name)
        grants = () if decided is None else decided.shown if each.below is None else grants_on_objects(decided)
        if decided is None or not grants or not shows(decided):
            self.disclosures.refused(type_name, name, path)
            return _always(key, None)
        self.disclosures.shown(type_name, name, decided, grants)
        shown, at = self.of(type_name, each, path, today), self._attribute(type_name, name)
        resolved = self.custom.fields.get((type_name, name))
        asks = None if resolved is None else self._asks(resolved, path, shown)

        def member(value: Any, decision: RowDecision, asking: Asking, person: str | None, made: dict[str, Any]) -> None:
            form, made[key] = decision.fields[name].form, None
            if form is None or (each.below is not None and form != CLEAR):
                return
            if asks is None:
                made[key] = shown(_read(value, at), form, asking, person)
            else:
                asking.questions.append(asks(value, form, person, made))

        return member

    def _asks(
        self, field: CustomField, path: Path, show: Show
    ) -> Callable[[Any, Form, str | None, dict[str, Any]], Question]:
        """Return what is asked of an object that has a custom field of its own, once the object may show it."""
        cell = CustomCell(field, path, (), show)
        needs = [(name, self._attribute(field.on, name)) for name in field.needs]
        return lambda value, form, person, made: Question(
            cell, form, {name: _read(value, at) for name, at in needs}, person, made
        )

    def _attribute(self, type_name: str, name: str) -> str:
        """Return the Python attribute that a name of a type stands for."""
        return self.custom.attributes.get(type_name, {}).get(name, name)


def _always(key: str, value: str | None) -> _Member:
    def member(_value: Any, _decision: RowDecision, _asking: Asking, _person: Any, made: dict[str, Any]) -> None:
        made[key] = value

    return member


def _many(one: Show, size: int) -> Show:
    """Return how a list is shown: what is hidden or no value of its type is not in it."""

    def shown(value: Any, form: Any, asking: Asking, person: str | None) -> Any:
        if value is None:
            return None
        found = (one(each, form, asking, person) for each in value)
        # Nothing is made, and so nothing asked, of what is beyond the end.
        return [*islice((each for each in found if each is not None), size)]

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
