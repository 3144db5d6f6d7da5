"""From the arrays that a statement returns to the objects of an answer.

A row arrives as a JSON array. A shape says which place of it becomes which response key, how a value is written in
GraphQL, and which masks the node finishes itself because they need a key (policy section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final, TypeAlias, assert_never

from graphql import GraphQLEnumType, GraphQLError, GraphQLScalarType

from node.data.custom import CustomCell, Question
from node.data.groups_audit import AdmitsEveryQuestion, GroupsAudit
from node.data.keyed import Keyed
from node.data.masks import KIND_OF_SCALAR, Kind
from node.data.rows import CONSENTS, CONSUMER, NO_CONSENTS
from node.policy.forms import Form

_PLAIN_TEXTS: Final = frozenset({"String", "ID"})
"""Every text is a value of these scalars."""

Json: TypeAlias = Any
Convert: TypeAlias = Callable[[Any], Any]
Make: TypeAlias = "Callable[[Sequence[Json], Finishing, str | None], dict[str, Any]]"
MakeAll: TypeAlias = "Callable[[Sequence[Sequence[Json]], Finishing, str | None], list[dict[str, Any]]]"


@dataclass(slots=True)
class Finishing:
    """One run: for whom values are finished, whose data was touched, what was refused and what is to be asked then.

    `unavailable` holds type and key of the entities that the member's code could not look for.
    """

    keyed: Keyed
    audit: GroupsAudit = field(default_factory=AdmitsEveryQuestion)
    consents: str = NO_CONSENTS
    refused: list[tuple[str, ...]] = field(default_factory=list)
    subjects: set[str | None] = field(default_factory=set)
    questions: list[Question] = field(default_factory=list)
    unavailable: set[tuple[str, str | None]] = field(default_factory=set)

    @property
    def consumer(self) -> str:
        """The member for which the operation runs."""
        return self.keyed.consumer

    @property
    def parameters(self) -> dict[str, str]:
        """What every statement of the run may wait for."""
        return {CONSUMER: self.consumer, CONSENTS: self.consents}

    def touch(self, persons: Iterable[str | None]) -> None:
        """Record whose data rows hold."""
        self.subjects.update(persons)


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
class CustomLeaf:
    """A value that the member's code resolves from places of the row, under `cell.forms[row[which]]`."""

    cell: CustomCell
    which: int
    needs: tuple[tuple[str, int, Convert], ...]

    @property
    def key(self) -> str:
        """The response key."""
        return self.cell.key


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


Part: TypeAlias = Constant | Leaf | KeyedLeaf | CustomLeaf | One | Many


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object. `subject` is the place of the pseudonym of the person it is about, where that is not its parent's.

    A shape is written as a Python expression once, when the operation is compiled. Answers of hundreds of objects spend
    most of the node's time here, and a dictionary that is written out is made five times faster than one filled in.
    """

    parts: tuple[Part, ...]
    subject: int | None
    _make: Make = field(init=False, repr=False)
    _make_all: MakeAll = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names: dict[str, Any] = {}
        person = "person" if self.subject is None else f"row[{self.subject}]"
        written = "{" + ", ".join(f"{part.key!r}: {_expression(part, person, names)}" for part in self.parts) + "}"
        custom = [part for part in self.parts if isinstance(part, CustomLeaf)]
        if custom:
            names["ask"] = partial(_asked, custom)
            written = f"ask({written}, row, run, {person})"
        # INVARIANT: the text holds places, response keys as literals, and names that stand in `names`; no value.
        make = f"lambda row, run, person: {written}"
        make_all = f"lambda rows, run, person: [{written} for row in rows]"
        object.__setattr__(self, "_make", eval(make, names))  # noqa: S307  # our own text, see the invariant
        object.__setattr__(self, "_make_all", eval(make_all, names))  # noqa: S307  # as above

    def object(self, row: Sequence[Json], run: Finishing, person: str | None = None) -> dict[str, Any]:
        """Return the object of a row; `person` is the person whom the row above is about."""
        if self.subject is not None:
            run.touch([row[self.subject]])
        return self._make(row, run, person)

    def objects(self, rows: Sequence[Sequence[Json]], run: Finishing, person: str | None) -> list[dict[str, Any]]:
        """Return the objects of several rows."""
        if self.subject is not None:
            run.touch([row[self.subject] for row in rows])
        return self._make_all(rows, run, person)


def _expression(part: Part, person: str, names: dict[str, Any]) -> str:
    """Write the expression of a part's value; what it calls is put into `names`."""
    called = f"f{len(names)}"
    match part:
        case Leaf(_, at, convert) if convert is str:  # SQL made it a text already
            return f"row[{at}]"
        case Leaf(_, at, convert):
            names[called] = convert
            return f"None if row[{at}] is None else {called}(row[{at}])"
        case One(_, at, shape):
            names[called] = shape.object
            return f"None if row[{at}] is None else {called}(row[{at}], run, {person})"
        case Many(_, at, shape):
            names[called] = shape.objects
            return f"None if row[{at}] is None else {called}(row[{at}], run, {person})"
        case Constant(_, value):
            return repr(value)
        case CustomLeaf():  # filled in once all rows are known
            return "None"
        case KeyedLeaf():
            names[called] = partial(_finished, part)
            return f"{called}(row, run, {person})"
        case _:
            assert_never(part)


def _finished(leaf: KeyedLeaf, row: Sequence[Json], run: Finishing, person: str | None) -> Any:
    value, number = row[leaf.at], row[leaf.which]
    if value is None or number is None:
        return None
    shown = run.keyed.masked(leaf.forms[number], leaf.type_name, leaf.field, value, person)
    return None if shown is None else leaf.convert(shown)


def _asked(
    leaves: Sequence[CustomLeaf], made: dict[str, Any], row: Sequence[Json], run: Finishing, person: str | None
) -> dict[str, Any]:
    """Remember what is to be asked of an object's row, and return the object."""
    for leaf in leaves:
        if row[leaf.which] is not None:
            needs = {name: None if row[at] is None else convert(row[at]) for name, at, convert in leaf.needs}
            run.questions.append(Question(leaf.cell, leaf.cell.forms[row[leaf.which]], needs, person, made))
    return made


def converter(scalar: GraphQLScalarType | GraphQLEnumType) -> Convert:
    """Return how a scalar's value is written in an answer; what is not a value of the scalar becomes null (R19)."""
    write = scalar.coerce_output_value
    kind = KIND_OF_SCALAR.get(scalar.name, Kind.TEXT)

    if scalar.name in _PLAIN_TEXTS:
        return str

    def convert(value: Any) -> Any:
        try:
            return write(number_text(value) if kind is Kind.NUMBER else bool(value) if kind is Kind.TRUTH else value)
        except (GraphQLError, InvalidOperation):
            return None

    return convert


def number_text(value: Any) -> Any:
    """Write binary fractions as the shortest decimal that stands for them."""
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else value
