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

from federation.contract.errors import BadInputError
from federation.contract.governed import asks_about
from federation.contract.identifiers import INTERNAL_PREFIX, Pseudonym
from node.data.cells import shows
from node.data.custom import Asking, CustomCell, CustomField, Question, ServedCustom, Show
from node.data.decisions import Disclosures, Path, grants_asked, grants_on_objects
from node.data.masks import KIND_OF_SCALAR, Kind
from node.data.pages import page_size
from node.data.selection import TYPENAME, Selected
from node.data.shapes import number_text
from node.policy.closures import compile_test
from node.policy.conditions import FALSE, names_in
from node.policy.decide import Decider, RowDecision
from node.policy.forms import CLEAR, KEYED, Form, FormName, form_of_question
from node.policy.masks import apply, reached
from node.policy.plans import TypePlan

_Member: TypeAlias = Callable[[Any, RowDecision, Asking, str | None, dict[str, Any]], None]
"""From a Python object and the decision about it to one field of the object that is answered."""


def compared(kind: GraphQLScalarType | GraphQLEnumType, each: Selected, today: date) -> Show:
    """Return what is answered of a value that may be asked about but not seen.

    Whether it is the value supplied, or whether so many years have passed since.
    """
    is_age = form_of_question(each.field) is FormName.AGE_OVER
    supplied = each.arguments["years" if is_age else "value"]

    def shown(value: Any, _form: Any, _asking: Asking, _person: str | None) -> Any:
        plain = _coerced(kind, value)
        if is_age:
            return reached(plain, supplied, today)
        return None if plain is None else str(plain) == str(supplied)

    return shown


@dataclass(frozen=True, slots=True)
class CustomShowing:
    """Makes the `Show` of custom fields of one operation.

    `member` is whose pseudonyms say whom an entity is about; `within` counts the objects that a field may give;
    `value_type` tells the GraphQL type of a field with values.
    """

    plans: Callable[[str], TypePlan]
    disclosures: Disclosures
    custom: ServedCustom
    member: str
    most: int
    within: Callable[[int], AbstractContextManager[None]]
    value_type: Callable[[str, str], GraphQLScalarType | GraphQLEnumType]

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
        entity = self.custom.entities.get(plan.type_name)
        subject = "" if entity is None else entity.subject

        def shown(value: Any, _form: Any, asking: Asking, person: str | None) -> Any:
            if value is None:
                return None
            person = self._own_pseudonym(_read(value, subject)) if subject else person
            # Whether its person consents is not known of such an object: unknown, so nothing follows from it.
            decision = decider.decide({name: _read(value, at) for name, at in tested}, None)
            if not decision.visible:
                return None
            if subject:
                asking.subjects.add(person)
            made: dict[str, Any] = {}
            for member in members:
                member(value, decision, asking, person, made)
            return made

        return shown

    def _member(self, plan: TypePlan, each: Selected, path: Path, today: date) -> _Member:
        type_name, name, key = plan.type_name, each.field, each.response_key
        if name == TYPENAME:
            return _always(key, type_name)
        if key.startswith(INTERNAL_PREFIX) and type_name in self.custom.entities:
            return self._key(type_name, name, key)
        if asks_about(name) is not None and each.arguments:
            return self._question(plan, each, path, today)
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

    def _key(self, type_name: str, name: str, key: str) -> _Member:
        """Return a member that carries an entity's key to the gateway, apart from the field (docs/adr/0006)."""
        self.disclosures.joined(type_name, name)
        at = self._attribute(type_name, name)

        def member(value: Any, _decision: RowDecision, _asking: Asking, _person: Any, made: dict[str, Any]) -> None:
            found = _read(value, at)
            made[key] = None if found is None else str(found)

        return member

    def _question(self, plan: TypePlan, each: Selected, path: Path, today: date) -> _Member:
        """Return a member that answers a question about a field which need not be shown."""
        type_name, key, name = plan.type_name, each.response_key, asks_about(each.field) or each.field
        decided = plan.fields.get(name)
        grants = grants_asked(each, decided)
        if decided is None or not grants:
            self.disclosures.refused(type_name, name, path)
            return _always(key, None)
        self.disclosures.shown(type_name, name, decided, grants)
        prohibited, granted = compile_test(decided.prohibited), [compile_test(grant.when) for grant in grants]
        kind = self.value_type(type_name, name)
        show, at = compared(kind, each, today), self._attribute(type_name, name)
        resolved = self.custom.fields.get((type_name, name))
        asks = None if resolved is None else self._asks(resolved, path, show)
        tested = [(tests, self._attribute(type_name, tests)) for tests in _tested(plan)]

        def member(
            value: Any, _decision: RowDecision, asking: Asking, person: str | None, made: dict[str, Any]
        ) -> None:
            made[key] = None
            row = {tests: _read(value, place) for tests, place in tested}
            if prohibited(row, None) is not False or all(test(row, None) is not True for test in granted):
                return
            if asks is None:
                made[key] = show(_read(value, at), CLEAR, asking, person)
            else:
                asking.questions.append(asks(value, CLEAR, person, made))

        return member

    def _own_pseudonym(self, text: Any) -> str | None:
        """Return whom an object is about; a ledger that named somebody by another's word for them would be wrong.

        Raises:
            ValueError: it is no pseudonym of this member.
        """
        if text is None:
            return None
        try:
            if Pseudonym.parse(str(text)).member == self.member:
                return str(text)
        except BadInputError:
            pass
        raise ValueError("an object's subject is no pseudonym of this member")

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
        plain = kind.coerce_output_value(value.name if isinstance(value, Enum) else _written(kind, value))
    except GraphQLError:
        return None
    return plain if not isinstance(plain, str) or _is_text(plain) else None


def _is_text(plain: str) -> bool:
    """Say whether a text can be written; JSON may hold half of a surrogate pair (RFC 8259 section 8.2)."""
    try:
        plain.encode()
    except UnicodeEncodeError:
        return False
    return True


def _written(kind: GraphQLScalarType | GraphQLEnumType, value: Any) -> Any:
    return number_text(value) if KIND_OF_SCALAR.get(kind.name) is Kind.NUMBER else value
