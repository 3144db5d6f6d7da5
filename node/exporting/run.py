"""An export: the pages of one list, one after the other, each decided, recorded and written before the next is asked.

A page is the list's largest. Nothing of a page is kept once it is written, so memory does not grow with the list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from federation.contract.decisions import FieldDecision
from federation.contract.errors import CroceviaError, FieldDeniedError, UnavailableError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.members import LONGEST_LIST
from node.data.answer import Answer
from node.exporting.columns import Choice
from node.exporting.files import Write

Ask: TypeAlias = Callable[[GraphQLRequest], Awaitable[Answer]]
"""Answers one page under the policy."""

OPERATION: Final = "Export"


@dataclass(slots=True)
class Exported:
    """What was exported: rows and pages, in which forms, and how often which error stood in a value's place."""

    rows: int = 0
    pages: int = 0
    decisions: set[FieldDecision] = field(default_factory=set)
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, answer: Answer, rows: int) -> None:
        """Count a page."""
        self.rows += rows
        self.pages += 1
        self.decisions.update(answer.decisions)
        for error in answer.errors:
            code = _code(error)
            self.errors[code] = self.errors.get(code, 0) + 1


async def run_export(
    choice: Choice,
    ask: Ask,
    write: Write,
    where: Mapping[str, Any] | None,
    advance: Callable[[int], None],
    size: int = LONGEST_LIST,
) -> Exported:
    """Export a list to its end.

    Args:
        choice: the list and its columns.
        ask: answers a page.
        write: writes a page's rows.
        where: the list's filter, as its `where`.
        advance: is told how many rows were written.
        size: how many rows a page may have.

    Raises:
        CroceviaError: whatever a page is refused with; nothing more is asked.
    """
    done, after = Exported(), None
    while True:
        variables: dict[str, Any] = {"first": size, "after": after}
        if choice.where_type is not None:
            variables["where"] = where
        answer = await ask(GraphQLRequest(choice.query, None, OPERATION, variables, {}))
        # Objects may be the database's own JSON.
        page = msgspec.json.decode(msgspec.json.encode(answer.data))[choice.root]
        if page is None:
            raise _unanswered(choice.root, answer)
        rows = [edge["node"] for edge in page["edges"]]
        write(rows)
        done.add(answer, len(rows))
        advance(len(rows))
        if not page["pageInfo"]["hasNextPage"]:
            return done
        after = page["pageInfo"]["endCursor"]


def _unanswered(root: str, answer: Answer) -> CroceviaError:
    """Return why a whole list is null: the filter names what is denied (policy R21), or something does not work."""
    if any(_code(error) == FieldDeniedError.code for error in answer.errors):
        return FieldDeniedError(f"`{root}` is denied: its filter names a field that is denied to this consumer")
    return UnavailableError(f"list `{root}` was not answered")


def _code(error: Mapping[str, Any]) -> str:
    return str(error["extensions"]["code"])
