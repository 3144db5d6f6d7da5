"""Conditions of rules: the closed syntax tree, its text, and its three-valued meaning (policy section 2).

Truth tables, which every back-end (closure, SQL, z3, CEL) must obey; `u` is unknown and comes from a missing value:

    a && b      true   false  u          a || b      true   false  u          !a
    true        true   false  u          true        true   true   true       true  -> false
    false       false  false  false      false       true   false  u          false -> true
    u           u      false  u          u           true   u      u          u     -> u

* A comparison, `in`, `any` with an unknown operand is unknown. A set is unknown as a whole or known as a whole.
* SQL has the same tables: `NULL` is unknown, `AND`, `OR`, `NOT`, `=`, `<`, `IN` agree node by node.
* A grant applies only when its condition IS TRUE; a prohibition denies unless its condition IS FALSE (`IS NOT FALSE`).
* `Unknown` is the literal `NULL` of type boolean; `Consent(purpose)` is an `EXISTS` on the consent records.
* Strings compare by code point: SQL says `COLLATE "C"` (PostgreSQL) or `BINARY` (SQLite) for `<`, `<=`, `>`, `>=`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from typing_extensions import override

INT_MAX: Final = 2**63 - 1
"""Integer literals fit signed 64 bit; negative ones cannot be written."""

ROW: Final = "row."
"""Names that begin so are attributes of the row; every other name is known before a row is read."""

ALIKE: Final = "row.alike"
"""How many persons are alike in a policy's quasi-identifiers: an attribute of the row that only a count can tell."""

CONSENT: Final = "consent"
"""The name that stands for a valid consent record of the row's subject."""


class ValueType(StrEnum):
    """The types of the language."""

    BOOL = "bool"
    INT = "int"
    STR = "str"
    SET_BOOL = "set<bool>"
    SET_INT = "set<int>"
    SET_STR = "set<str>"


ELEMENT: Final[Mapping[ValueType, ValueType]] = {
    ValueType.SET_BOOL: ValueType.BOOL,
    ValueType.SET_INT: ValueType.INT,
    ValueType.SET_STR: ValueType.STR,
}
"""The type of a set's elements."""

SET_OF: Final[Mapping[ValueType, ValueType]] = {element: collection for collection, element in ELEMENT.items()}

Scalar: TypeAlias = bool | int | str
Value: TypeAlias = Scalar | frozenset[bool] | frozenset[int] | frozenset[str]


class Comparison(StrEnum):
    """How two values of one type are compared."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


ORDERINGS: Final = frozenset({Comparison.LT, Comparison.LE, Comparison.GT, Comparison.GE})


@dataclass(frozen=True, slots=True)
class Literal:
    """A Boolean, integer or string that is written in the condition."""

    value: Scalar

    @override
    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        # `True == 1` in Python, but the language keeps bool and int apart.
        return isinstance(other, Literal) and type(self.value) is type(other.value) and self.value == other.value

    @override
    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class SetLiteral:
    """A list of literals of one type, in the order written; empty only in a residual."""

    members: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A declared name. In a residual only `row.<attribute>` is left."""

    dotted: str
    type: ValueType

    @property
    def attribute(self) -> str:
        """The part after `row.`."""
        return self.dotted.removeprefix(ROW)


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; unknown stays unknown."""

    operand: Condition


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction of two or more conditions."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction of two or more conditions."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """Comparison of two operands of one scalar type; order only for `int` and `str`."""

    operator: Comparison
    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class In:
    """The value on the left is an element of the set on the right."""

    element: Condition
    collection: Condition


@dataclass(frozen=True, slots=True)
class Meets:
    """`any(left, right)`: the two sets have an element in common. `none(a, b)` is `Not(Meets(a, b))`."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Consent:
    """Only in residuals: the row's subject gave the requester a consent for `purpose` that is valid now."""

    purpose: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Only in residuals: a Boolean that can never be known, because a value known beforehand is missing."""


Condition: TypeAlias = Literal | SetLiteral | Name | Not | And | Or | Compare | In | Meets | Consent | Unknown

TRUE: Final = Literal(value=True)
FALSE: Final = Literal(value=False)
UNKNOWN: Final = Unknown()


def type_of(condition: Condition) -> ValueType:
    """Return the type of a checked condition or operand."""
    match condition:
        case Literal(value):
            return _scalar_type(value)
        case SetLiteral(members):
            # Only a known set of strings can be empty: a written list never is.
            return SET_OF[type_of(members[0])] if members else ValueType.SET_STR
        case Name():
            return condition.type
        case Not() | And() | Or() | Compare() | In() | Meets() | Consent() | Unknown():
            return ValueType.BOOL
        case _:
            assert_never(condition)


def _scalar_type(value: Scalar) -> ValueType:
    if isinstance(value, bool):
        return ValueType.BOOL
    return ValueType.INT if isinstance(value, int) else ValueType.STR


def admit(value: object, type_: ValueType) -> Value | None:
    """Return `value` if it is exactly of `type_`, else None: a value of a foreign type is as good as missing (R11)."""
    match type_:
        case ValueType.BOOL:
            return value if type(value) is bool else None
        case ValueType.INT:
            return value if type(value) is int else None
        case ValueType.STR:
            return value if type(value) is str else None
        case ValueType.SET_BOOL | ValueType.SET_INT | ValueType.SET_STR:
            return _admit_set(value, ELEMENT[type_])
        case _:
            assert_never(type_)


def _admit_set(value: object, element: ValueType) -> Value | None:
    if not isinstance(value, (frozenset, set, list, tuple)) or any(admit(item, element) is None for item in value):
        return None
    return frozenset(value)


def evaluate(
    condition: Condition, names: Mapping[str, object], consents: Collection[str] | None = frozenset()
) -> Value | None:
    """Return the meaning of a condition or operand; None is unknown. This is the readable oracle of section 2.

    Args:
        condition: a checked tree.
        names: values by dotted name, `row.age` and `requester.kind` alike; a missing or null one is unknown.
        consents: the purposes for which a valid consent record exists; None when that cannot be known.
    """
    match condition:
        case Literal(value):
            return value
        case SetLiteral(members):
            return frozenset(member.value for member in members)  # type: ignore[return-value]  # one type, checked
        case Name(dotted, type_):
            return admit(names.get(dotted), type_)
        case Unknown():
            return None
        case Consent(purpose):
            return None if consents is None else purpose in consents
        case Not(operand):
            inner = evaluate(operand, names, consents)
            return None if inner is None else not inner
        case And(parts):
            truths = [evaluate(part, names, consents) for part in parts]
            return False if False in truths else None if None in truths else True
        case Or(parts):
            truths = [evaluate(part, names, consents) for part in parts]
            return True if True in truths else None if None in truths else False
        case Compare(operator, left, right):
            return compare(operator, evaluate(left, names, consents), evaluate(right, names, consents))
        case In(element, collection):
            return contains(evaluate(element, names, consents), evaluate(collection, names, consents))
        case Meets(left, right):
            return meets(evaluate(left, names, consents), evaluate(right, names, consents))
        case _:
            assert_never(condition)


def compare(operator: Comparison, left: Value | None, right: Value | None) -> bool | None:
    """Compare two values of one type; unknown if one is missing."""
    if left is None or right is None:
        return None
    match operator:
        case Comparison.EQ:
            return left == right
        case Comparison.NE:
            return left != right
        case Comparison.LT:
            return left < right  # type: ignore[operator]  # the checker admits order only between int or str
        case Comparison.LE:
            return left <= right  # type: ignore[operator]  # as above
        case Comparison.GT:
            return left > right  # type: ignore[operator]  # as above
        case Comparison.GE:
            return left >= right  # type: ignore[operator]  # as above
        case _:
            assert_never(operator)


def contains(element: Value | None, collection: Value | None) -> bool | None:
    """Say whether a set holds an element; unknown if one of them is missing."""
    if element is None or not isinstance(collection, frozenset):
        return None
    return element in collection


def meets(left: Value | None, right: Value | None) -> bool | None:
    """Say whether two sets have a common element; unknown if one of them is missing."""
    if not isinstance(left, frozenset) or not isinstance(right, frozenset):
        return None
    return not left.isdisjoint(right)


def names_in(condition: Condition) -> frozenset[Name]:
    """Return every declared name that a condition reads."""
    if isinstance(condition, Name):
        return frozenset({condition})
    return frozenset().union(*(names_in(part) for part in children(condition)))


def children(condition: Condition) -> tuple[Condition, ...]:
    """Return the direct operands of a node."""
    match condition:
        case Literal() | Name() | Consent() | Unknown():
            return ()
        case SetLiteral(members):
            return members
        case Not(operand):
            return (operand,)
        case And(parts) | Or(parts):
            return parts
        case Compare(_, left, right) | Meets(left, right):
            return (left, right)
        case In(element, collection):
            return (element, collection)
        case _:
            assert_never(condition)


def to_text(condition: Condition) -> str:
    """Print a condition in the language: `parse(to_text(c)) == c` for every condition that can be parsed.

    The residual-only nodes print as `consent("purpose")` and `unknown`, for people; they cannot be parsed.
    """
    match condition:
        case Or(parts):
            return " || ".join(_conjunct(part) if isinstance(part, And) else _unary(part) for part in parts)
        case _:
            return _conjunct(condition)


def _conjunct(condition: Condition) -> str:
    match condition:
        case And(parts):
            return " && ".join(_unary(part) for part in parts)
        case _:
            return _unary(condition)


def _unary(condition: Condition) -> str:
    match condition:
        case And() | Or():
            return f"({to_text(condition)})"
        case Not(Meets(left, right)):
            return f"none({_atom(left)}, {_atom(right)})"
        case Not(operand):
            return f"!{_negand(operand)}"
        case Compare(operator, left, right):
            return f"{_atom(left)} {operator} {_atom(right)}"
        case In(element, collection):
            return f"{_atom(element)} in {_atom(collection)}"
        case _:
            return _atom(condition)


def _negand(condition: Condition) -> str:
    """Print what may follow `!`; a relation needs its parentheses there, since CEL reads `!x == y` as `(!x) == y`."""
    match condition:
        case Compare() | In() | And() | Or():
            return f"({to_text(condition)})"
        case _:
            return _unary(condition)


def _atom(condition: Condition) -> str:
    match condition:
        case Literal(bool(value)):
            return "true" if value else "false"
        case Literal(int(value)):
            return str(value)
        case Literal(value):
            return f'"{value}"'
        case SetLiteral(members):
            return f"[{', '.join(_atom(member) for member in members)}]"
        case Name(dotted):
            return dotted
        case Meets(left, right):
            return f"any({_atom(left)}, {_atom(right)})"
        case Not(Meets(left, right)):
            return f"none({_atom(left)}, {_atom(right)})"
        case Consent(purpose):
            return f'consent("{purpose}")'
        case Unknown():
            return "unknown"
        case Not() | And() | Or() | Compare() | In():
            return f"({to_text(condition)})"
        case _:
            assert_never(condition)
