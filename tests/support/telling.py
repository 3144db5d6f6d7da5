"""What a node tells of a register: every byte that would leave it, page after page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import msgspec

from federation.contract.errors import CroceviaError
from node.data.answer import Answer
from tests.support.data import Member, MemoryDatabase, fill_things, thing_member
from tests.support.lookalikes import DAY, PURPOSE, REQUESTER, Pair, Question, Row
from tests.support.postgres import Server, fill_postgres_things, postgres_thing_member

Ask: TypeAlias = Callable[[Member, Question, Mapping[str, Any]], Coroutine[Any, Any, Answer]]
"""Asks a member a question with these variables."""

_MOST_PAGES = 8


async def honestly(member: Member, question: Question, variables: Mapping[str, Any]) -> Answer:
    """Ask as the requester does."""
    return await member.ask(REQUESTER, PURPOSE, question.query, variables)


@dataclass(frozen=True, slots=True)
class Node:
    """A member whose register can be exchanged for another between two questions; nothing else of it changes."""

    member: Member
    fill: Callable[[Mapping[int, Row]], None]
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @classmethod
    def on_sqlite(cls, pair: Pair) -> Self:
        """Return a node in memory."""
        member = thing_member(pair.bundle, DAY, (), pair.shape.mapping())
        database = member.plane.database
        assert isinstance(database, MemoryDatabase)
        return cls(member, lambda rows: fill_things(database, rows), asyncio.run)

    @classmethod
    def on_postgres(cls, pair: Pair, server: Server) -> Self:
        """Return a node on the tables of a server's database."""
        member = postgres_thing_member(server, pair.bundle, DAY, (), pair.shape.mapping())
        return cls(member, lambda rows: fill_postgres_things(server, rows), server.runner.run)

    def answers(
        self, registers: Iterable[Mapping[int, Row]], questions: Iterable[Question], ask: Ask = honestly
    ) -> list[list[bytes]]:
        """Return what it tells of each register; it is closed afterwards."""
        asked = list(questions)
        try:
            return [self._of(rows, asked, ask) for rows in registers]
        finally:
            self.run(self.member.plane.database.close())

    def _of(self, rows: Mapping[int, Row], questions: Iterable[Question], ask: Ask) -> list[bytes]:
        self.fill(rows)
        return [page for question in questions for page in self.run(_pages(self.member, question, ask))]


async def _pages(member: Member, question: Question, ask: Ask) -> list[bytes]:
    found: list[bytes] = []
    variables = question.variables
    for _ in range(_MOST_PAGES):
        try:
            answer = await ask(member, question, variables)
        except CroceviaError as refused:
            return [*found, msgspec.json.encode(refused.graphql())]
        found.append(msgspec.json.encode((answer.data, answer.errors, answer.decisions, sorted(answer.subjects))))
        listed = answer.data.get("things") if question.pages else None
        if listed is None or not listed["pageInfo"]["hasNextPage"] or listed["pageInfo"]["endCursor"] is None:
            return found
        variables = {**question.variables, "after": listed["pageInfo"]["endCursor"]}
    return found
