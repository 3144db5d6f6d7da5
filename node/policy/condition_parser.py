"""From the text of a condition to its checked syntax tree, with the exact place of every error (policy section 2).

A recursive descent whose methods are the productions of the grammar, in its order. Types are checked where a node is
built, because there the offset of the offending word is at hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from node.policy.conditions import (
    ELEMENT,
    FALSE,
    INT_MAX,
    ORDERINGS,
    TRUE,
    And,
    Compare,
    Comparison,
    Condition,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    ValueType,
    type_of,
)
from node.policy.errors import ConditionError, nearest
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_LENGTH: Final = 4_096
"""Characters of one condition: far beyond what a person reads, small enough that no input is slow."""

MAX_DEPTH: Final = 64
"""Nested parentheses and negations: no input exhausts the stack (R11)."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"[^"\\]*")
      | (?P<integer>[0-9]+)
      | (?P<word>[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*)
      | (?P<symbol>\|\||&&|==|!=|<=|>=|[<>!()\[\],])""",
    re.VERBOSE,
)
_RELATIONS: Final = frozenset({*(str(operator) for operator in Comparison), "in"})
_FUNCTIONS: Final = frozenset({"any", "none"})
_RESERVED: Final = frozenset({"true", "false", "in"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The closed world of names that a condition may use.

    `enumerated` holds, for the names whose values are declared, those values: a literal beside such a name is checked.
    """

    types: Mapping[str, ValueType]
    enumerated: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A built node and where its text begins."""

    node: Condition
    offset: int


def parse_condition(text: str, scope: Scope) -> Condition:
    """Read a condition of type bool.

    Raises:
        ConditionError: with the offset of the offending word; the message names what was expected.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(
            message("expected at most {most_length} characters in a condition", most_length=MAX_LENGTH), MAX_LENGTH
        )
    parser = _Parser(_tokens(text), scope)
    condition = parser.disjunction()
    parser.expect_end()
    if type_of(condition.node) is not ValueType.BOOL:
        raise ConditionError(
            message(
                "expected a condition of type `bool`, got `{type}`; compare it with something",
                type=type_of(condition.node),
            ),
            condition.offset,
        )
    return condition.node


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise ConditionError(_bad_character(text, offset), offset)
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match.group(), offset))
        offset = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _bad_character(text: str, offset: int) -> str:
    character = text[offset]
    hints = {
        '"': message('string has no closing `"`, or holds a backslash; there are no escapes'),
        "=": message("`{character}` is not an operator; did you mean `{nearest}`?", character="=", nearest="=="),
        "&": message("`{character}` is not an operator; did you mean `{nearest}`?", character="&", nearest="&&"),
        "|": message("`{character}` is not an operator; did you mean `{nearest}`?", character="|", nearest="||"),
        "'": message("strings are written in double quotes"),
        "-": message("negative numbers and subtraction do not exist in conditions"),
    }
    return hints.get(character) or message("character `{character}` has no meaning in a condition", character=character)


class _Parser:
    """One pass over the tokens; a method per production."""

    def __init__(self, tokens: list[_Token], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope
        self._next = 0
        self._depth = 0

    # --- productions -----------------------------------------------------------------------------------------------

    def disjunction(self) -> _Placed:
        """`or := and ( "||" and )*`."""
        return self._joined("||", self.conjunction, Or)

    def conjunction(self) -> _Placed:
        """`and := unary ( "&&" unary )*`."""
        return self._joined("&&", self.unary, And)

    def _joined(
        self, symbol: str, operand: Callable[[], _Placed], build: Callable[[tuple[Condition, ...]], Condition]
    ) -> _Placed:
        parts = [operand()]
        while self._accept(symbol):
            parts.append(operand())
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            _expect_bool(part, message("beside `{symbol}`", symbol=symbol))
        return _Placed(build(tuple(part.node for part in parts)), parts[0].offset)

    def unary(self) -> _Placed:
        """`unary := "!" negand | relation`."""
        start = self._peek()
        if not self._accept("!"):
            return self.relation()
        negated = _Placed(Not(self.negand().node), start.offset)
        found = self._peek()
        if found.text in _RELATIONS and found.kind != "string":
            raise ConditionError(
                message("`!` binds tighter than `{text}`; write `!(…)` around the comparison", text=found.text),
                found.offset,
            )
        return negated

    def negand(self) -> _Placed:
        """`negand := "!" negand | name | true | false | any | none | "(" or ")"`."""
        start = self._peek()
        if self._accept("!"):
            with _Deeper(self, start.offset):
                return _Placed(Not(self.negand().node), start.offset)
        if start.kind in {"integer", "string"} or start.text == "[":
            raise ConditionError(message("expected a condition after `!`, got `{text}`", text=start.text), start.offset)
        negand = self.atom()
        _expect_bool(negand, message("after `!`"))
        return negand

    def relation(self) -> _Placed:
        """`relation := atom [ comparison atom | "in" atom ]`, not chainable."""
        left = self.atom()
        operator = self._peek()
        if operator.kind == "string" or operator.text not in _RELATIONS:
            return left
        self._next += 1
        right = self.atom()
        chained = self._peek()
        if chained.kind != "string" and chained.text in _RELATIONS:
            raise ConditionError(message("comparisons do not chain; join two of them with `&&`"), chained.offset)
        if operator.text == "in":
            return self._membership(left, right, operator)
        return self._comparison(left, right, operator)

    def atom(self) -> _Placed:
        """`atom := integer | string | true | false | list | name | any | none | "(" or ")"`."""
        token = self._peek()
        if token.kind == "integer":
            return self._integer()
        if token.kind == "string":
            self._next += 1
            return _Placed(Literal(token.text[1:-1]), token.offset)
        if token.text in {"true", "false"}:
            self._next += 1
            return _Placed(TRUE if token.text == "true" else FALSE, token.offset)
        if token.text == "[":
            return self.list()
        if token.text == "(":
            return self._parenthesis()
        if token.text in _FUNCTIONS and self._tokens[self._next + 1].text == "(":
            return self._any_or_none()
        if token.kind == "word" and token.text not in _RESERVED:
            return self._name()
        raise ConditionError(message("expected a value, a name or `(`, got {token}", token=_shown(token)), token.offset)

    def list(self) -> _Placed:
        """`list := "[" atom ( "," atom )* "]"`: literals of one type, not empty."""
        opening = self._peek()
        self._next += 1
        members: list[Literal] = []
        while True:
            member = self.atom()
            if not isinstance(member.node, Literal):
                raise ConditionError(
                    message("a list holds only literals: integers, strings, `true`, `false`"), member.offset
                )
            if members and type_of(member.node) is not type_of(members[0]):
                raise ConditionError(
                    message(
                        "a list holds one type: expected `{expected}`, got `{type}`",
                        expected=type_of(members[0]),
                        type=type_of(member.node),
                    ),
                    member.offset,
                )
            members.append(member.node)
            if not self._accept(","):
                break
        self._expect("]")
        return _Placed(SetLiteral(tuple(members)), opening.offset)

    # --- leaves ----------------------------------------------------------------------------------------------------

    def _integer(self) -> _Placed:
        token = self._peek()
        self._next += 1
        digits = token.text.lstrip("0") or "0"
        if len(digits) > len(str(INT_MAX)) or int(digits) > INT_MAX:
            raise ConditionError(
                message("integer is above {int_max}, the largest of 64 bits", int_max=INT_MAX), token.offset
            )
        return _Placed(Literal(int(digits)), token.offset)

    def _parenthesis(self) -> _Placed:
        opening = self._peek()
        self._next += 1
        with _Deeper(self, opening.offset):
            inner = self.disjunction()
        self._expect(")")
        return _Placed(inner.node, opening.offset)

    def _any_or_none(self) -> _Placed:
        function = self._peek()
        self._next += 1
        with _Deeper(self, function.offset):
            self._expect("(")
            left = self.atom()
            self._expect(",")
            right = self.atom()
            self._expect(")")
        for side in (left, right):
            if type_of(side.node) not in ELEMENT:
                raise ConditionError(
                    message("`{text}` needs two sets, got `{type}`", text=function.text, type=type_of(side.node)),
                    side.offset,
                )
        if type_of(left.node) is not type_of(right.node):
            raise ConditionError(
                message(
                    "`{text}` needs sets of one type: expected `{expected}`, got `{type}`",
                    text=function.text,
                    expected=type_of(left.node),
                    type=type_of(right.node),
                ),
                right.offset,
            )
        self._check_enumerated(left, right)
        meets = Meets(left.node, right.node)
        return _Placed(meets if function.text == "any" else Not(meets), function.offset)

    def _name(self) -> _Placed:
        token = self._peek()
        self._next += 1
        type_ = self._scope.types.get(token.text)
        if type_ is None:
            known = nearest(token.text, self._scope.types)
            raise ConditionError(
                message("name `{name}` is not declared{nearest}", name=token.text, nearest=known), token.offset
            )
        return _Placed(Name(token.text, type_), token.offset)

    # --- types -----------------------------------------------------------------------------------------------------

    def _comparison(self, left: _Placed, right: _Placed, operator: _Token) -> _Placed:
        comparison = Comparison(operator.text)
        left_type, right_type = type_of(left.node), type_of(right.node)
        for side, type_ in ((left, left_type), (right, right_type)):
            if type_ in ELEMENT:
                raise ConditionError(
                    message("sets have no `{comparison}`; use `any` or `none`", comparison=comparison), side.offset
                )
        if left_type is not right_type:
            raise ConditionError(
                message(
                    "`{comparison}` needs one type on both sides: `{left_type}` and `{right_type}` differ",
                    comparison=comparison,
                    left_type=left_type,
                    right_type=right_type,
                ),
                right.offset,
            )
        if comparison in ORDERINGS and left_type is ValueType.BOOL:
            raise ConditionError(
                message("`{comparison}` orders `int` and `str`, not `bool`", comparison=comparison), operator.offset
            )
        self._check_enumerated(left, right)
        return _Placed(Compare(comparison, left.node, right.node), left.offset)

    def _membership(self, left: _Placed, right: _Placed, operator: _Token) -> _Placed:
        right_type = type_of(right.node)
        if right_type not in ELEMENT:
            raise ConditionError(
                message("`in` needs a set on its right, got `{right_type}`", right_type=right_type), right.offset
            )
        if type_of(left.node) is not ELEMENT[right_type]:
            raise ConditionError(
                message(
                    "`in` needs `{element}` on its left, got `{type}`",
                    element=ELEMENT[right_type],
                    type=type_of(left.node),
                ),
                left.offset,
            )
        self._check_enumerated(left, right)
        _ = operator
        return _Placed(In(left.node, right.node), left.offset)

    def _check_enumerated(self, left: _Placed, right: _Placed) -> None:
        """A literal beside a name with declared values must be one of them."""
        for name, other in ((left, right), (right, left)):
            if isinstance(name.node, Name) and name.node.dotted in self._scope.enumerated:
                known = self._scope.enumerated[name.node.dotted]
                for literal in _literals(other.node):
                    if literal not in known:
                        raise ConditionError(
                            message(
                                "`{literal}` is not a value of `{name}`{nearest}",
                                literal=literal,
                                name=name.node.dotted,
                                nearest=nearest(literal, known),
                            ),
                            other.offset,
                        )

    # --- tokens ----------------------------------------------------------------------------------------------------

    def enter(self, offset: int) -> None:
        """Go one level deeper, unless that is too deep."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError(
                message("expected at most {most_depth} nested parentheses and negations", most_depth=MAX_DEPTH), offset
            )

    def leave(self) -> None:
        """Come back from one level."""
        self._depth -= 1

    def expect_end(self) -> None:
        """Refuse what follows a complete condition."""
        token = self._peek()
        if token.kind != "end":
            raise ConditionError(
                message("expected `&&`, `||` or the end, got {token}", token=_shown(token)), token.offset
            )

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _accept(self, symbol: str) -> bool:
        token = self._peek()
        if token.kind == "symbol" and token.text == symbol:
            self._next += 1
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._accept(symbol):
            token = self._peek()
            raise ConditionError(
                message("expected `{symbol}`, got {token}", symbol=symbol, token=_shown(token)), token.offset
            )


@dataclass(frozen=True, slots=True)
class _Deeper:
    """Counts one level of nesting while a block runs."""

    parser: _Parser
    offset: int

    def __enter__(self) -> None:
        self.parser.enter(self.offset)

    def __exit__(self, *_: object) -> None:
        self.parser.leave()


def _expect_bool(placed: _Placed, where: str) -> None:
    if type_of(placed.node) is not ValueType.BOOL:
        raise ConditionError(
            message("expected a condition {where}, got `{type}`", where=where, type=type_of(placed.node)), placed.offset
        )


def _literals(node: Condition) -> tuple[str, ...]:
    if isinstance(node, Literal):
        return (str(node.value),)
    return tuple(str(member.value) for member in node.members) if isinstance(node, SetLiteral) else ()


def _shown(token: _Token) -> str:
    return message("the end of the condition") if token.kind == "end" else f"`{token.text}`"
