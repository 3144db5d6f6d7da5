"""From the arrays that a statement returns to the objects of an answer.

A row arrives as a JSON array. A shape says which place of it becomes which response key, how a value is written in
GraphQL, and which masks the node finishes itself because they need a key (policy section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any, Final, TypeAlias, assert_never

from graphql import GraphQLError, GraphQLScalarType
from typing_extensions import TypeIs

from node.data.masks import KIND_OF_SCALAR, Kind
from node.policy.forms import DateShift, Form, Hash, Pseudonym, Token
from node.policy.keyed_masks import KeyScope, Seal, date_shift, derive_key, keyed_hash, pseudonym, token

_PLAIN_TEXTS: Final = frozenset({"String", "ID"})
"""Every text is a value of these scalars."""

Json: TypeAlias = Any
Convert: TypeAlias = Callable[[Any], Any]
Finish: TypeAlias = "Callable[[Sequence[Json], Finishing, str | None], Any]"


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
    """An object. `subject` is the place of the pseudonym of the person it is about, where that is not its parent's.

    Most fields are values that go out as they came. They are picked from the row in one step, and only the others are
    visited one by one: answers of hundreds of objects spend most of the node's time here.
    """

    parts: tuple[Part, ...]
    subject: int | None
    _keys: tuple[str, ...] = field(init=False, repr=False)
    _pick: Callable[[Sequence[Json]], Sequence[Any]] | None = field(init=False, repr=False)
    _visited: tuple[tuple[str, Finish], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        places = [part.at for part in self.parts if _goes_out_as_it_came(part)]
        # A part that is visited later holds the place of its key until then: any value of the row will do.
        picked = [part.at if _goes_out_as_it_came(part) else places[0] for part in self.parts] if places else []
        visited = tuple((part.key, _finish(part)) for part in self.parts if not _goes_out_as_it_came(part))
        object.__setattr__(self, "_keys", tuple(part.key for part in self.parts))
        # One more than there are keys, because a single place would not be picked as a tuple.
        object.__setattr__(self, "_pick", itemgetter(*picked, picked[0]) if picked else None)
        object.__setattr__(self, "_visited", visited)

    def object(self, row: Sequence[Json], run: Finishing, person: str | None = None) -> dict[str, Any]:
        """Return the object of a row; `person` is the person whom the row above is about."""
        if self.subject is not None:
            person = row[self.subject]
            if person is not None:
                run.subjects.add(person)
        pick = self._pick
        made: dict[str, Any] = (
            dict.fromkeys(self._keys) if pick is None else dict(zip(self._keys, pick(row), strict=False))
        )
        for key, finish in self._visited:
            made[key] = finish(row, run, person)
        return made

    def objects(self, rows: Sequence[Sequence[Json]], run: Finishing, person: str | None) -> list[dict[str, Any]]:
        """Return the objects of several rows."""
        keys, pick = self._keys, self._pick
        if self.subject is None and not self._visited and pick is not None:
            return [dict(zip(keys, pick(row), strict=False)) for row in rows]
        return [self.object(row, run, person) for row in rows]


def _finish(part: Part) -> Finish:
    """Return how a part's value is made from a row."""
    match part:
        case Leaf(_, at, convert):
            return lambda row, _run, _person: None if row[at] is None else convert(row[at])
        case One(_, at, shape):
            return lambda row, run, person: None if row[at] is None else shape.object(row[at], run, person)
        case Many(_, at, shape):
            return lambda row, run, person: None if row[at] is None else shape.objects(row[at], run, person)
        case Constant(_, value):
            return lambda _row, _run, _person: value
        case KeyedLeaf():
            return lambda row, run, person: _finished(part, row, run, person)
        case _:
            assert_never(part)


def _goes_out_as_it_came(part: Part) -> TypeIs[Leaf]:
    """Say whether a part is a text of the row, or null: SQL made it a text already."""
    return isinstance(part, Leaf) and part.convert is str


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

    if scalar.name in _PLAIN_TEXTS:
        return str

    def convert(value: Any) -> Any:
        try:
            return write(_number(value) if kind is Kind.NUMBER else bool(value) if kind is Kind.TRUTH else value)
        except (GraphQLError, InvalidOperation):
            return None

    return convert


def _number(value: Any) -> Any:
    """Write binary fractions as the shortest decimal that stands for them."""
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else value
