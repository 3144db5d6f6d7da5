"""Conditions as CEL text, for CEL engines and for people who know CEL (policy section 2).

The language is a subset of CEL; only `any(a, b)` is written otherwise, as the macro `a.exists(x, x in b)`. For nulls,
leave the key absent in the CEL input: the error of a missing key absorbs in `&&` and `||` as our unknown does.
"""

from __future__ import annotations

from typing import assert_never

from node.policy.conditions import (
    And,
    Compare,
    Condition,
    Consent,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    Unknown,
)


def to_cel(condition: Condition) -> str:
    """Return the condition as CEL; every operand that is not a leaf stands in parentheses.

    A residual's `Consent(p)` becomes `consents["p"]`, its `Unknown` a key that is never there, `unknown.value`.
    """
    match condition:
        case Literal(bool(value)):
            return "true" if value else "false"
        case Literal(int(value)):
            return str(value)
        case Literal(value):
            return f'"{value}"'
        case SetLiteral(members):
            return f"[{', '.join(to_cel(member) for member in members)}]"
        case Name(dotted):
            return dotted
        case Not(operand):
            return f"!{_operand(operand)}"
        case And(parts):
            return " && ".join(_operand(part) for part in parts)
        case Or(parts):
            return " || ".join(_operand(part) for part in parts)
        case Compare(operator, left, right):
            return f"{_operand(left)} {operator} {_operand(right)}"
        case In(element, collection):
            return f"{_operand(element)} in {_operand(collection)}"
        case Meets(left, right):
            return f"{_operand(left)}.exists(x, x in {_operand(right)})"
        case Consent(purpose):
            return f'consents["{purpose}"]'
        case Unknown():
            return "unknown.value"
        case _:
            assert_never(condition)


def _operand(condition: Condition) -> str:
    match condition:
        case Literal() | SetLiteral() | Name() | Consent() | Unknown() | Meets():
            return to_cel(condition)
        case Not() | And() | Or() | Compare() | In():
            return f"({to_cel(condition)})"
        case _:
            assert_never(condition)
