"""From the arrays that a statement returns to the objects of an answer.

A row arrives as a JSON array. A shape says which place of it becomes which response key, how a value is written in
GraphQL, and which masks the node finishes itself because they need a key (policy section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, assert_never

from graphql import GraphQLError, GraphQLScalarType

from node.data.masks import KIND_OF_SCALAR, Kind
from node.policy.forms import DateShift, Form, Hash, Pseudonym, Token
from node.policy.keyed_masks import KeyScope, Seal, date_shift, derive_key, keyed_hash, pseudonym, token

Json: TypeAlias = Any
Convert: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class MaskKeys:
    """What keyed masks need: the node's master secret of 32 bytes, its sealing function, and the epoch."""

    master: bytes = field(repr=False)
    seal: Seal = field(repr=False)
    epoch: str


@dataclass(slots=True)
class Finishing:
    """One run: for whom values are finished, and whose data was touched."""

    consumer: str
    purpose: str
    keys: MaskKeys
    subjects: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for every object: a type's name, or null for a field that is denied."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value at a place of the row."""

    key: str
    at: int
    convert: Convert


@dataclass(frozen=True, slots=True)
class KeyedLeaf:
    """A value whose mask the row chose: `forms[row[which]]`, or `forms[0]` if there is no choice."""

    key: str
    at: int
    which: int
    forms: tuple[Form, ...]
    type_name: str
    field: str
    convert: Convert


@dataclass(frozen=True, slots=True)
class One:
    """An object at a place of the row."""

    key: str
    at: int
    shape: ObjectShape


@dataclass(frozen=True, slots=True)
class Many:
    """A list of objects at a place of the row."""

    key: str
    at: int
    shape: ObjectShape


Part: TypeAlias = Constant | Leaf | KeyedLeaf | One | Many


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object. `subject` is the place of the pseudonym of the person it is about, where that is not its parent's."""

    parts: tuple[Part, ...]
    subject: int | None

    def object(self, row: Sequence[Json], run: Finishing, person: str | None = None) -> dict[str, Any]:
        """Return the object of a row; `person` is the person whom the row above is about."""
        if self.subject is not None:
            person = row[self.subject]
            if person is not None:
                run.subjects.add(person)
        made: dict[str, Any] = {}
        for part in self.parts:
            match part:
                case Leaf():
                    value = row[part.at]
                    made[part.key] = None if value is None else part.convert(value)
                case One():
                    value = row[part.at]
                    made[part.key] = None if value is None else part.shape.object(value, run, person)
                case Many():
                    value = row[part.at]
                    made[part.key] = None if value is None else [part.shape.object(each, run, person) for each in value]
                case Constant():
                    made[part.key] = part.value
                case KeyedLeaf():
                    made[part.key] = _finished(part, row, run, person)
                case _:
                    assert_never(part)
        return made


def _finished(leaf: KeyedLeaf, row: Sequence[Json], run: Finishing, person: str | None) -> Any:
    value, number = row[leaf.at], row[leaf.which]
    if value is None or number is None:
        return None
    shown = _with_key(leaf.forms[number], leaf, value, run, person)
    return None if shown is None else leaf.convert(shown)


def _with_key(form: Form, leaf: KeyedLeaf, value: Any, run: Finishing, person: str | None) -> Any:
    scope = KeyScope(run.consumer, run.purpose, run.keys.epoch)
    match form:
        case Pseudonym(shared):
            return pseudonym(derive_key(run.keys.master, "pseudonym", scope, shared, leaf.type_name), value)
        case Token(shared):
            return token(run.keys.seal, scope, shared, leaf.type_name, value)
        case Hash():
            return keyed_hash(_coordinate_key(form, leaf, scope, run), value)
        case DateShift(days):
            # Dates move with their person; a date that is about nobody has nothing to move with.
            return None if person is None else date_shift(_coordinate_key(form, leaf, scope, run), days, person, value)
        case _:
            return value


def _coordinate_key(form: Form, leaf: KeyedLeaf, scope: KeyScope, run: Finishing) -> bytes:
    return derive_key(run.keys.master, str(form.name), scope, None, f"{leaf.type_name}.{leaf.field}")


def converter(scalar: GraphQLScalarType) -> Convert:
    """Return how a scalar's value is written in an answer; what is not a value of the scalar becomes null (R19)."""
    write = scalar.coerce_output_value
    kind = KIND_OF_SCALAR.get(scalar.name, Kind.TEXT)

    def convert(value: Any) -> Any:
        try:
            return write(_number(value) if kind is Kind.NUMBER else bool(value) if kind is Kind.TRUTH else value)
        except (GraphQLError, InvalidOperation):
            return None

    return convert


def _number(value: Any) -> Any:
    """Write binary fractions as the shortest decimal that stands for them."""
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else value
