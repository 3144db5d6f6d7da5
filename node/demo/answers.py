"""Compares an answer of the federation with what was expected, and tells the differences without personal values."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Tree = Any
"""A JSON value, with `Amount`, `AnyText` and `Rows` where text alone would say too much or too little."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount: `480.00`, `480` and 480.0 are the same."""

    text: str


@dataclass(frozen=True, slots=True)
class AnyText:
    """Some text that only a key holder can compute, such as a pseudonym for one purpose."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A list in any order; a page of it holds at most `limit` of them."""

    rows: tuple[Tree, ...]
    limit: int


def differences(expected: Tree, actual: Tree, path: str = "data") -> Iterator[str]:
    """Yield where an answer is not what was expected: paths, and what differs, but never a personal value."""
    match expected:
        case Amount(text):
            if not _same_amount(text, actual):
                yield f"{path}: another amount"
        case AnyText():
            if not isinstance(actual, str) or not actual:
                yield f"{path}: expected some text"
        case Rows(rows, limit):
            yield from _row_differences(rows, limit, actual, path)
        case dict():
            if not isinstance(actual, dict):
                yield f"{path}: expected an object, got {'null' if actual is None else 'another kind of value'}"
                return
            for name in sorted(expected.keys() | actual.keys()):
                if name not in expected or name not in actual:
                    yield f"{path}.{name}: {'missing' if name in expected else 'not asked for'}"
                else:
                    yield from differences(expected[name], actual[name], f"{path}.{name}")
        case list():
            if not isinstance(actual, list) or len(actual) != len(expected):
                length = len(actual) if isinstance(actual, list) else "no list"
                yield f"{path}: expected {len(expected)} elements, got {length}"
                return
            for position, (one, other) in enumerate(zip(expected, actual, strict=True)):
                yield from differences(one, other, f"{path}[{position}]")
        case _:
            if type(expected) is not type(actual) or expected != actual:
                yield f"{path}: {'expected null' if expected is None else 'another value'}"


def _same_amount(expected: str, actual: object) -> bool:
    try:
        return Decimal(expected) == Decimal(str(actual))
    except InvalidOperation:
        return False


def _row_differences(rows: tuple[Tree, ...], limit: int, actual: Tree, path: str) -> Iterator[str]:
    wanted = min(len(rows), limit)
    if not isinstance(actual, list) or len(actual) != wanted:
        yield f"{path}: expected {wanted} rows, got {len(actual) if isinstance(actual, list) else 'no list'}"
        return
    unused = list(rows)
    for position, row in enumerate(actual):
        match = next((one for one in unused if not any(differences(one, row))), None)
        if match is None:
            yield f"{path}[{position}]: a row that nobody expected"
        else:
            unused.remove(match)
