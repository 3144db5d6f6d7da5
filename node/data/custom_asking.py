"""Asks a member's code for the custom fields of an answer: once per field for all rows, each within its time.

Objects that it gives may have custom fields of their own: those are the next round, again once per field.

What fails costs its own field and nothing else: null, with an error that says no more than that it is not to be had.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Sequence
from typing import Any

from federation.contract.errors import CustomFieldUnavailableError
from node.data.custom import Asked, Asking, CustomCell, Question, Row
from node.data.decisions import Path, objects_at
from node.data.keyed import Keyed

_log = logging.getLogger("crocevia.node.custom")

UNAVAILABLE = CustomFieldUnavailableError("the field cannot be had from its source now")


async def answer_questions(
    questions: Sequence[Question], keyed: Keyed, subjects: set[str | None], data: dict[str, Any]
) -> list[dict[str, Any]]:
    """Resolve questions into the objects of `data`, and return an error for each place that stays null for that.

    Different fields are asked at the same time; equal rows of one field are one row.
    """
    failed: list[Question] = []
    while questions:  # ends: each round is one level deeper in the operation
        asking = Asking(keyed, subjects)
        for of_field in await asyncio.gather(*(_answer(each, asking) for each in _by_field(questions))):
            failed += of_field
        questions = asking.questions
    unavailable = {(id(question.into), question.cell.path) for question in failed}
    paths: dict[Path, None] = dict.fromkeys(question.cell.path for question in failed)
    return [
        UNAVAILABLE.graphql([*place, path[-1]])
        for path in paths
        for place, found in objects_at(data, path[:-1], [])
        if (id(found), path) in unavailable
    ]


async def found_by_key(cell: CustomCell, keys: Sequence[str], asking: Asking) -> tuple[dict[str | None, Any], set[str]]:
    """Ask for the entities of some keys at once; return what is shown of those there are, and the keys that failed."""
    [form] = cell.forms
    questions = {key: Question(cell, form, {"id": key}, None, {}) for key in keys}
    failed = await _answer([*questions.values()], asking)
    found: dict[str | None, Any] = {key: each.into.get(cell.key) for key, each in questions.items()}
    return found, {each.row["id"] for each in failed}


def _by_field(questions: Sequence[Question]) -> list[list[Question]]:
    found: dict[str, list[Question]] = {}
    for question in questions:
        found.setdefault(question.cell.field.coordinate, []).append(question)
    return [*found.values()]


async def _answer(questions: Sequence[Question], asking: Asking) -> list[Question]:
    """Resolve the questions about one field; return those that failed."""
    field = questions[0].cell.field
    rows = {_sameness(question.row): question.row for question in questions}
    try:
        values = await _resolved(field, [*rows.values()])
    except Exception as error:  # noqa: BLE001  # whatever a member's own code raises
        # Its words may hold values of citizens: the kind of error is all that is told, and only in the log.
        _log.warning("`%s` could not be resolved (%s)", field.coordinate, type(error).__name__)
        return list(questions)
    found = dict(zip(rows, values, strict=True))
    return [question for question in questions if not _fill(question, found[_sameness(question.row)], asking)]


def _sameness(row: Row) -> Hashable:
    """Return what equal rows have in common; a row with a list in it, which only an object gives, is like no other."""
    values = tuple(row.values())
    try:
        hash(values)
    except TypeError:
        return id(row)
    return values


async def _resolved(field: Asked, rows: Sequence[Any]) -> Sequence[Any]:
    async with asyncio.timeout(field.seconds):
        values = await field.resolve(rows)
    if len(values) != len(rows):
        raise ValueError(f"expected {len(rows)} values, got {len(values)}")
    return values


def _fill(question: Question, value: Any, asking: Asking) -> bool:
    """Put a value into its object; say whether it could be. Of what could not, nothing more is asked."""
    cell, before = question.cell, len(asking.questions)
    try:
        shown = value if isinstance(value, Exception) else cell.show(value, question.form, asking, question.person)
    except Exception as error:  # noqa: BLE001  # the value's own attributes are a member's code, too
        shown = error
    if isinstance(shown, Exception):
        del asking.questions[before:]
        _log.warning("`%s` could not be resolved for a row (%s)", cell.field.coordinate, type(shown).__name__)
        return False
    question.into[cell.key] = shown
    return True
