"""One of the two databases that a node may have: what is asked of a member is asked of both."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeVar

from graphql import GraphQLSchema

from node.data.mapping import Mapping as NodeMapping
from node.policy.bundle import Bundle
from tests.support.data import THING_MAPPING, Member, MemoryDatabase, member_of, thing_member
from tests.support.policies import INPS, bundle_of, document
from tests.support.postgres import Server, postgres_thing_member

DAY: Final = date(2026, 5, 1)
PURPOSE: Final = "benefit-assessment"

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class On:
    """SQLite in memory, or a database of the tests' server that has the tables of things."""

    server: Server
    is_postgres: bool

    def run(self, asking: Coroutine[Any, Any, _Result]) -> _Result:
        """Wait for an answer, on the loop on which connections live."""
        return self.server.runner.run(asking)

    def ask(
        self, grants: Sequence[dict[str, object]], rows: Sequence[Mapping[str, Any]], query: str, **changes: Any
    ) -> Any:
        """Return the answer of a member with these grants and things."""
        with self.things(bundle_of(document(list(grants), **changes)), rows) as member:
            return self.run(member.ask(INPS, PURPOSE, query))

    @contextmanager
    def things(
        self, bundle: Bundle, rows: Sequence[Mapping[str, Any]], mapping: str = THING_MAPPING
    ) -> Iterator[Member]:
        """Put a member together that has things."""
        if self.is_postgres:
            member = postgres_thing_member(self.server, bundle, DAY, rows, mapping)
        else:
            member = thing_member(bundle, DAY, rows, mapping)
        try:
            yield member
        finally:
            self.run(member.plane.close())

    @contextmanager
    def member(
        self, vocabulary: GraphQLSchema, mapping: str, tables: str, bundle: Bundle, day: date = DAY
    ) -> Iterator[Member]:
        """Put a member together that has the tables of a script, in a schema of its own."""
        parsed = NodeMapping.parse(mapping)
        if self.is_postgres:
            self.server.run(
                f"DROP SCHEMA IF EXISTS here CASCADE; CREATE SCHEMA here; SET search_path TO here; {tables}"
            )
            there = replace(parsed, database=replace(parsed.database, schema="here"))
            member = member_of(vocabulary, there, self.server.open(), bundle, day)
        else:
            member = member_of(vocabulary, parsed, MemoryDatabase.of(tables), bundle, day)
        try:
            yield member
        finally:
            self.run(member.plane.close())


def ran(member: Member) -> list[str]:
    """Return the statements that a member's database ran: the tests' own databases keep them."""
    found: list[str] = member.plane.database.ran  # type: ignore[attr-defined]  # as said
    return found
