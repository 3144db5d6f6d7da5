"""A demo member's node, asked directly: its register, its decisions and its journal, without sockets."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from graphql import parse, validate

from federation.contract.decisions import PolicyVersion
from federation.contract.entries import Entry
from federation.contract.errors import ValidationError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider
from federation.ledger.log import Ledger
from federation.shared.place import SharedPlace
from federation.trust.counters import MemoryCounters
from federation.trust.replay import MemoryReplayStore
from federation.trust.tokens import AccessTokens
from node.data.answer import Answer
from node.data.database import Database
from node.data.dialects import Dialect
from node.data.mapping import Mapping as NodeMapping
from node.data.node_keys import NodeKeys
from node.data.plane import DataPlane
from node.data.statements import Statement
from node.enforcement.answer import Node, answer
from node.enforcement.caller import Identity
from node.enforcement.decide import Decisions, Requested
from node.enforcement.delivered import MemoryDelivered
from node.enforcement.documents import Documents
from node.enforcement.guards import Budgets, Guards
from node.enforcement.told_counts import ToldCounts
from node.journal.journal import Journal
from node.policy.bundle import Bundle
from node.policy.requesters import Requester
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.subgraph.visible import visible_schema, visible_sdl
from node.vocabulary.schema import full_schema
from tests.support.data import KEYS, SEALER, read
from tests.support.ledger import LedgerFiles
from tests.support.parties import FEDERATION, NODE_URL, Parties

DAY: Final = date(2026, 11, 22)
NODE_KEYS: Final = NodeKeys(KEYS, SEALER)


def pseudonym(member: str, subject: bytes) -> str:
    """Stand in for the pseudonym suite: a different text for every member and subject."""
    digest = hashlib.sha256(member.encode() + subject).digest()
    return f"v1.siv.{member}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@dataclass(frozen=True, slots=True)
class Asks:
    """A consumer, what it is, its purpose, and the coordinates of its agreement; `*` stands for every type."""

    consumer: str
    requester: Requester
    purpose: str
    coordinates: tuple[str, ...] = ("*",)


INPREV: Final = Asks("inprev", Requester("national", frozenset({"6.1.e"}), "*"), "benefit-assessment")
TAXES: Final = replace(INPREV, purpose="tax-assessment")
USTAT: Final = Asks("ustat", Requester("statistics", frozenset({"6.1.e", "9.2.j"}), "*"), "statistics")
ASLVS: Final = Asks("aslvs", Requester("health", frozenset({"6.1.d", "9.2.c"}), "3_12"), "emergency-care")
SCHOOL: Final = Asks("istsc_bv01", Requester("school", frozenset({"6.1.e"}), "M999"), "school-enrolment")
COOP: Final = Asks("coop_ponte", Requester("social", frozenset({"6.1.e"}), "M999"), "social-support")
NOBODY: Final = Asks("somebody", Requester("region", frozenset({"6.1.c"}), "*"), "emergency-care")


@dataclass(slots=True)
class WatchedDatabase:
    """A database that keeps the statements it ran."""

    inner: Database
    ran: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        """The dialect of the database within."""
        return self.inner.dialect

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement and remember it."""
        self.ran.append((statement.sql, statement.with_values(values)))
        return await self.inner.rows(statement, values)

    async def close(self) -> None:
        """Give up all connections."""
        await self.inner.close()


@dataclass(frozen=True, slots=True)
class DemoMember:
    """A member's data under its decisions; `of` puts another bundle in force on the same data plane."""

    plane: DataPlane
    decisions: Decisions
    watched: WatchedDatabase

    def of(self, bundle: Bundle, revision: int = 2) -> DemoMember:
        """Return the member under another bundle."""
        return replace(self, decisions=Decisions(bundle, PolicyVersion(bundle.digest, revision)))

    async def ask(
        self,
        who: Asks,
        query: str,
        variables: Mapping[str, Any] | None = None,
        day: date = DAY,
        operation_name: str | None = None,
    ) -> Answer:
        """Decide and answer an operation.

        Raises:
            ValidationError: it does not fit the schema.
        """
        document = parse(query)
        errors = validate(self.plane.schema, document, hide_suggestions=True)
        if errors:
            raise ValidationError(errors[0].message)
        types = self.decisions.bundle.types
        coordinates = tuple(f"{name}.*" for name in types) if who.coordinates == ("*",) else who.coordinates
        provider = AgreedProvider(MemberId("c_m999"), coordinates)
        plans = self.decisions.of(Requested(who.requester, who.purpose, day, provider))
        asked = GraphQLRequest(query, None, operation_name, dict(variables or {}), {})
        return read(await self.plane.answer(document, asked, plans, NODE_KEYS.asker(who.consumer)))

    async def citizens(self, who: Asks, keys: Iterable[str], fields: str, day: date = DAY) -> Answer:
        """Answer fields of citizens by their pseudonyms."""
        query = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Citizen {{ {fields} }} }} }}"
        return await self.ask(who, query, {"r": [{"__typename": "Citizen", "id": key} for key in keys]}, day)


def open_demo_member(folder: Path, bundle: Bundle, url: str | None = None) -> DemoMember:
    """Open a member of a seeded demo; `folder` holds its node.yaml and its register, unless `url` is another's."""
    mapping = NodeMapping.parse((folder / "node.yaml").read_text(encoding="utf-8"))
    if url is not None:
        mapping = replace(mapping, database=replace(mapping.database, url=url))
    schema = NodeSchema.build(full_schema(), mapping, asked_coordinates(bundle.types.values()))
    plane = DataPlane.open(schema, mapping, folder, partial(visible_schema, schema), partial(visible_sdl, schema))
    watched = WatchedDatabase(plane.database)
    return DemoMember(replace(plane, database=watched), Decisions(bundle, PolicyVersion(bundle.digest, 1)), watched)


@dataclass(slots=True)
class AskedNode:
    """A whole node with a journal, asked with signed requests by the consumer of `parties`."""

    node: Node
    parties: Parties
    files: LedgerFiles

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Sign a question, and return the node's answer.

        Raises:
            CroceviaError: it is refused.
        """
        purpose = self.parties.agreement.purposes[0].id
        content = {"query": query, "variables": dict(variables or {})}
        request = self.parties.consumers(content, NODE_URL, self.parties.token(purpose=purpose))
        found: dict[str, Any] = msgspec.json.decode(await answer(request, self.node))
        return found

    def entries(self) -> list[Entry]:
        """Return what the journal holds."""
        return [Entry.parse(found.entry) for found in self.node.journal.reader.entries()]


@contextmanager
def asked_node(member: DemoMember, folder: Path, parties: Parties) -> Iterator[AskedNode]:
    """Put a node around a member's data; its journal is under `folder`."""
    files = LedgerFiles(folder)
    subject_keys = files.subject_keys()
    ledger: Ledger = files.ledger(subject_keys)
    reader = files.reader()
    tokens = AccessTokens(FEDERATION, NODE_URL, parties.clock)
    identity = Identity(
        MemberId("c_m999"), parties, tokens, MemoryReplayStore(parties.clock), MemoryCounters(), parties.clock
    )
    journal = Journal(ledger, reader, subject_keys)
    documents = Documents(member.plane.schema, Limits())
    told_counts = ToldCounts.open(SharedPlace(folder))
    guards = Guards(Budgets(), MemoryCounters(), MemoryDelivered(), told_counts)
    node = Node(identity, documents, documents, member.plane, NODE_KEYS, member.decisions, journal, guards, Limits())
    try:
        yield AskedNode(node, parties, files)
    finally:
        ledger.close()
        reader.close()
        subject_keys.close()
        told_counts.close()
