"""The node as a process: its keys, stores, member list, mapping, policies and database."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, field
from typing import Final

from graphql import GraphQLSchema, build_schema

from federation.contract.clock import Clock, rfc3339
from federation.contract.decisions import PolicyVersion
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import CroceviaError
from federation.ledger.cosignature import Cosigner
from federation.ledger.keeping import Keeping
from federation.ledger.log import Ledger
from federation.ledger.names import ledger_origin, witness_name
from federation.ledger.note import Ed25519Signer, Ed25519Verifier
from federation.ledger.place import open_store, open_subject_keys
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.witness import Witness
from federation.ledger.witness_rounds import WitnessAt, witnesses_at
from federation.trust.channel import Channel
from federation.trust.counters import SharedCounters
from federation.trust.hardware import load_signer
from federation.trust.keys import LEDGER_KEY, WITNESS_KEY, MessageSigner, load_ed25519, read_secret
from federation.trust.registry import KEPT_FILE, Registry
from federation.trust.replay import SharedReplayStore
from federation.trust.tokens import AccessTokens
from federation.trust.trusted_list import API_FILE
from node.data.node_keys import NodeKeys
from node.data.plane import DataPlane
from node.enforcement.answer import Node
from node.enforcement.caller import Identity
from node.enforcement.decide import Decisions
from node.enforcement.delivered import SharedDelivered
from node.enforcement.documents import Documents
from node.enforcement.guards import Guards
from node.enforcement.signals import Signalling
from node.enforcement.told_counts import ToldCounts
from node.enforcement.write import Writing
from node.journal.journal import Journal
from node.membership.local_acts import ACTS_FOLDER, LocalActs
from node.own.consents import Consents
from node.own.database import OwnDatabase, open_own
from node.own.retention import AT_ONCE, forget
from node.own.subscriptions import Subscriptions
from node.own.writes import Writes
from node.server.planes import governed_schema, member_mapping, open_keys, open_plane, under_bundle
from node.server.policies import MEMORY_FILE, PolicyMemory, PolicySource, open_policies
from node.server.settings import NodeSettings

SUBJECTS_KEY = "subjects.key"
POLICY_SECONDS: Final = 1.0
"""The policy folder is looked at this often."""

RETENTION_SECONDS: Final = 3_600.0
"""What is kept in the own tables is looked through this often."""

_log = logging.getLogger("crocevia.node.policy")
_own_log = logging.getLogger("crocevia.node.own")


@dataclass(slots=True)
class NodeProcess:
    """An open node. What follows from the member list is renewed when its version changes."""

    settings: NodeSettings
    clock: Clock
    key: MessageSigner
    registry: Registry
    ledger: Ledger
    reader: LedgerReader
    keeping: Keeping
    witness: Witness
    subject_keys: SubjectKeys
    members: LocalActs
    replay: SharedReplayStore
    counters: SharedCounters
    delivered: SharedDelivered
    own: OwnDatabase
    channel: Channel | None
    told_counts: ToldCounts
    plane: DataPlane
    keys: NodeKeys
    policies: PolicySource
    memory: PolicyMemory
    decisions: Decisions
    _api: tuple[str, Documents] | None = field(init=False, default=None)
    _own: tuple[GraphQLSchema, Documents] | None = field(init=False, default=None)
    _identity: Identity = field(init=False)
    _consents: Consents = field(init=False)

    def __post_init__(self) -> None:
        federation = self.registry.federation
        self._identity = Identity(
            member=self.settings.member,
            members=self.members,
            tokens=AccessTokens(federation, self.settings.url + "/graphql", self.clock),
            replay=self.replay,
            counters=self.counters,
            clock=self.clock,
        )
        self._consents = Consents(self.own, self.clock)

    @classmethod
    def open(cls, settings: NodeSettings, clock: Clock) -> NodeProcess:
        """Open every file the node needs; what could refuse comes first, so that a refused start leaves no files.

        Raises:
            ConfigurationError: a key, the mapping, the registry, the policies or the database cannot be used.
            PolicyUnavailableError: the policies have errors, so nothing could be answered.
            LedgerUnavailableError, LedgerCorruptError: the ledger cannot be opened.
            RegistryStaleError: there is no valid member list.
        """
        key, ledger_key = load_signer(settings.keys), load_ed25519(settings.keys / LEDGER_KEY)
        witness_key = load_ed25519(settings.keys / WITNESS_KEY)
        keys, subjects_key = open_keys(settings), read_secret(settings.keys / SUBJECTS_KEY)
        mapping = member_mapping(settings)
        memory = PolicyMemory(settings.state / MEMORY_FILE)
        policies = open_policies(settings, governed_schema(mapping), memory.last())
        decisions = policies.load()
        plane = open_plane(settings, mapping, decisions.bundle)
        channel = None if settings.channel is None else Channel.open(settings.channel)
        settings.state.mkdir(parents=True, exist_ok=True)
        registry = Registry.open(settings.registry, clock, settings.state / KEPT_FILE, settings.registry_url)
        federation = registry.current().federation
        origin = ledger_origin(federation, settings.member)
        signer = Ed25519Signer.of(origin, ledger_key)
        place = settings.shared_place
        subject_keys = open_subject_keys(place, subjects_key, secrets.token_bytes)
        ledger = Ledger.open(signer, lambda: open_store(place, origin), subject_keys, secrets.token_bytes)
        reader = LedgerReader.of(open_store(place, origin), signer.verifier)
        cosigner = Cosigner.of(witness_name(federation, settings.member), witness_key)
        return cls(
            settings=settings,
            clock=clock,
            key=key,
            registry=registry,
            ledger=ledger,
            reader=reader,
            keeping=Keeping.open(settings.state, reader, settings.witnessing, settings.timestamps, clock),
            witness=Witness.open(place, cosigner, clock),
            subject_keys=subject_keys,
            members=LocalActs(registry, settings.state / ACTS_FOLDER),
            replay=SharedReplayStore.open(place, clock),
            counters=SharedCounters.open(place),
            delivered=SharedDelivered.open(place),
            own=open_own(settings.own_url),
            channel=channel,
            told_counts=ToldCounts.open(place),
            plane=plane,
            keys=keys,
            policies=policies,
            memory=memory,
            decisions=decisions,
        )

    def node(self) -> Node:
        """Return what the next question passes; it keeps this whatever is renewed meanwhile.

        Raises:
            RegistryStaleError: there is no valid member list.
            ConfigurationError: the registry has no API schema.
        """
        members = self.registry.current()
        if self._api is None or self._api[0] != members.api_schema:
            sdl = self.registry.document(API_FILE)
            self._api = (members.api_schema, Documents(build_schema(sdl, assume_valid_sdl=True), self.settings.limits))
        if self._own is None or self._own[0] is not self.plane.schema:
            self._own = (self.plane.schema, Documents(self.plane.schema, self.settings.limits))
        mapping = self.plane.prepared.mapping
        return Node(
            identity=self._identity,
            documents=self._own[1],
            consumers_documents=self._api[1],
            plane=self.plane,
            keys=self.keys,
            policy=self.decisions,
            journal=self.journal,
            guards=Guards(self.settings.guards, self.counters, self.delivered, self.told_counts),
            limits=self.settings.limits,
            signalling=Signalling(self.settings.member, Subscriptions(self.own), self.clock, secrets.token_bytes),
            consents=self._consents if mapping.consent else None,
            writing=Writing(Writes(self.own), self._consents, self.clock) if mapping.writes else None,
        )

    @property
    def journal(self) -> Journal:
        """The node's ledger, written and read."""
        return Journal(self.ledger, self.reader, self.subject_keys, self.keeping.witnessed.require)

    def witnesses(self) -> list[WitnessAt]:
        """Who witnesses this node's ledger, as the member list in force has it."""
        return witnesses_at(self.registry.current().witnesses(self.settings.member))

    def known_ledgers(self) -> dict[str, list[Ed25519Verifier]]:
        """The ledgers that this node witnesses, by origin: those of everybody else on the member list in force."""
        keys = self.registry.current().ledgers()
        verifiers = (Ed25519Verifier.parse(vkey) for party, vkey in keys.items() if party != self.settings.member)
        return {verifier.name: [verifier] for verifier in verifiers}

    async def record_start(self) -> None:
        """Record that another policy decides than when the node stopped, before it answers anything.

        Raises:
            LedgerUnavailableError: it cannot be recorded.
        """
        now = self.decisions.version
        await self._record_policy(now, now, ", changed while the node was stopped")

    async def follow_policies(self, every: float = POLICY_SECONDS) -> None:
        """Look at the policy folder again and again, `every` so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.renew_policy()
            except CroceviaError as error:
                _log.warning("policy %s stays in force: %s", self.decisions.version.digest, error)
            except Exception:  # noqa: BLE001  # a defect must not leave the node deaf to later policies
                _log.exception("policy %s stays in force", self.decisions.version.digest)

    async def renew_policy(self) -> None:
        """Put the folder's bundle in force if it is another one and a good one, between two questions (policy R36).

        That another bundle decides from now on is recorded first, so that no disclosure stands before it.

        Raises:
            LedgerUnavailableError: it cannot be recorded, and the old bundle stays.
        """
        before = self.decisions.version
        found = await asyncio.to_thread(self.policies.changed, before)
        if found is None:
            return
        plane = await asyncio.to_thread(under_bundle, self.plane, found.bundle)
        await self._record_policy(found.version, before)
        self.decisions, self.plane = found, plane
        _log.info("policy %s (revision %d) is in force", found.version.digest, found.version.revision)

    async def follow_retention(self, every: float = RETENTION_SECONDS) -> None:
        """Forget what need not be kept, now and `every` so many seconds, until cancelled."""
        while True:
            try:
                await self.forget_events()
            except CroceviaError as error:
                _own_log.warning("old events stay: %s", error)
            await asyncio.sleep(every)

    async def forget_events(self) -> None:
        """Forget events that need not be kept.

        Raises:
            DatabaseUnavailableError: the own tables do not answer.
        """
        while await self.own.run(lambda own: forget(own, self.settings.retention, self.clock.now())) == AT_ONCE:
            pass

    async def _record_policy(self, version: PolicyVersion, before: PolicyVersion, why: str = "") -> None:
        """Record that a policy is in force and remember it: once, however many processes put it in force.

        It replaces what is remembered, or `before` where nothing is.
        """
        async with self.memory.alone():
            last = self.memory.last()
            replaced = before if last is None else last.version
            if replaced != version:
                at, detail = rfc3339(self.clock.now()), f"replaces {replaced.digest}{why}"
                await self.journal.record(
                    Entry(kind=EntryKind.POLICY, at=at, writer=self.settings.member, policy=version, detail=detail)
                )
            self.memory.keep(self.policies.remembered(version))

    async def close(self) -> None:
        """Write what waits, then let go of every file."""
        self.ledger.close()
        self.keeping.close()
        self.witness.close()
        self.reader.close()
        await self.plane.close()
        await self.own.close()
        self.replay.close()
        self.counters.close()
        self.delivered.close()
        self.told_counts.close()
        self.subject_keys.close()
