"""The gateway as a process: its keys, stores, member list and graph, and the way to everybody else."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Self

from federation.composition.supergraph import Supergraph
from federation.contract.clock import Clock, day_in_rome
from federation.contract.errors import NodeUnavailableError, RegistryStaleError
from federation.contract.identifiers import DIRECTORY
from federation.contract.members import Member, MemberList, Party
from federation.contract.messages import ConsumerRequest, Translation
from federation.directory.directory import Directory
from federation.exchange.messages import CONVERT_PATH, Conversion
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.resilient import ResilienceSettings, ResilientFetcher
from federation.execution.transport.client import HttpClient
from federation.gateway.authorisation_server import AuthorisationServer
from federation.gateway.caller import Caller, Doorkeeper
from federation.gateway.directory_subgraph import DirectorySubgraph
from federation.gateway.exchange_client import ExchangeClient
from federation.gateway.finding import AgreedFinder
from federation.gateway.holders import AgreedHolders
from federation.gateway.member_changes import MemberChanges
from federation.gateway.pipeline import GATEWAY, Gateway, Mediation
from federation.gateway.provider_rules import ProviderRules
from federation.gateway.pseudonyms import Translator
from federation.gateway.publishing import Publishing
from federation.gateway.questions import Question, Questions
from federation.gateway.reporting import NodeReporter
from federation.gateway.sending import Peer, Sender
from federation.gateway.settings import GatewaySettings
from federation.gateway.signed_fetch import SignedFetcher, WithDirectory
from federation.ledger.keeping import Keeping
from federation.ledger.log import Ledger
from federation.ledger.names import ledger_origin
from federation.ledger.note import Ed25519Signer
from federation.ledger.place import open_store, open_subject_keys
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.witness_rounds import WitnessAt, witnesses_at
from federation.shared.together import Together
from federation.trust.channel import Channel
from federation.trust.counters import SharedCounters
from federation.trust.dpop_nonces import DpopNonces
from federation.trust.hardware import load_signer
from federation.trust.keys import (
    LEDGER_KEY,
    KeyLookup,
    MessageSigner,
    current_message_keys,
    load_ed25519,
    new_nonce,
    read_secret,
)
from federation.trust.pdnd import AnswerSigner
from federation.trust.registry import KEPT_FILE, Registry
from federation.trust.replay import SharedReplayStore
from federation.trust.tokens import AccessTokens
from federation.trust.trusted_list import SUPERGRAPH_FILE

SUBJECTS_KEY = "subjects.key"
_TRACE_BYTES = 16


def new_trace() -> str:
    """Return a trace id (W3C Trace Context: 16 bytes in hex)."""
    return os.urandom(_TRACE_BYTES).hex()


@dataclass(slots=True)
class GatewayProcess:
    """An open gateway. Everything that follows from the member list is renewed when its version changes."""

    settings: GatewaySettings
    registry: Registry
    clock: Clock
    key: MessageSigner
    ledger: Ledger
    reader: LedgerReader
    keeping: Keeping
    directory: Directory
    replay: SharedReplayStore
    counters: SharedCounters
    channel: Channel | None
    subject_keys: SubjectKeys
    client: HttpClient = field(init=False)
    fetching: ResilientFetcher = field(init=False)
    authorisation: AuthorisationServer = field(init=False)
    answers: AnswerSigner = field(init=False)
    _sender: Sender = field(init=False)
    _gateway: Gateway = field(init=False)
    _graph: str = field(init=False)
    _others: _Others | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        members = self.registry.current()
        self.client = HttpClient(self.settings.transport, self.channel.asking if self.channel else None)
        self._sender = Sender(self.client, self.key, self.clock, new_nonce)
        self.fetching = ResilientFetcher(
            _Nobody(), ResilienceSettings(self.settings.breaker, self.settings.retry_share), random.random
        )
        tokens = AccessTokens(members.federation, members.gateway.endpoint, self.clock)
        self._graph = members.supergraph
        self._gateway = Gateway(
            members=self.registry,
            door=Doorkeeper(tokens, self.replay, self.counters, self.clock, self.settings.rates),
            together=Together(self.replay, self.counters),
            questions=self._questions(),
            mediate=self._mediate,
            ledger=self.ledger,
            require_witnessed=self.keeping.witnessed.require,
            clock=self.clock,
            deadline=self.settings.deadline,
            new_trace=new_trace,
        )
        self.answers = AnswerSigner(members.gateway.endpoint, self.key, self.clock, new_nonce)
        self.authorisation = AuthorisationServer(
            self.settings.url,
            self.registry,
            self.key,
            self.replay,
            DpopNonces.of(read_secret(self.settings.keys / SUBJECTS_KEY), self.clock),
            self.clock,
            new_nonce,
        )

    @property
    def gateway(self) -> Gateway:
        """What the next question passes; it plans on another graph once another edition is in force."""
        with suppress(RegistryStaleError):  # the question is refused for that, and recorded, when its asker is proved
            members = self.registry.current()
            if members.supergraph != self._graph:
                self._gateway = replace(self._gateway, questions=self._questions())
                self._graph = members.supergraph
        return self._gateway

    def _questions(self) -> Questions:
        return Questions(Supergraph.parse(self.registry.document(SUPERGRAPH_FILE)), self.settings.limits)

    @classmethod
    def open(cls, settings: GatewaySettings, clock: Clock) -> GatewayProcess:
        """Open every file the gateway needs.

        Raises:
            ConfigurationError: a key, the registry or a schema is missing or cannot be used; names the file.
            LedgerUnavailableError, LedgerCorruptError: the ledger cannot be opened.
            RegistryStaleError: there is no valid member list.
        """
        key = load_signer(settings.keys)
        settings.state.mkdir(parents=True, exist_ok=True)
        registry = Registry.open(settings.registry, clock, settings.state / KEPT_FILE, settings.registry_url)
        place, origin = settings.shared_place, ledger_origin(registry.current().federation, GATEWAY)
        signer = Ed25519Signer.of(origin, load_ed25519(settings.keys / LEDGER_KEY))
        subject_keys = open_subject_keys(place, read_secret(settings.keys / SUBJECTS_KEY), secrets.token_bytes)
        ledger = Ledger.open(signer, lambda: open_store(place, origin), subject_keys, secrets.token_bytes)
        reader = LedgerReader.of(open_store(place, origin), signer.verifier)
        return cls(
            settings=settings,
            registry=registry,
            clock=clock,
            key=key,
            ledger=ledger,
            reader=reader,
            keeping=Keeping.open(settings.state, reader, settings.witnessing, settings.timestamps, clock),
            directory=Directory.open(place),
            replay=SharedReplayStore.open(place, clock),
            counters=SharedCounters.open(place),
            channel=None if settings.channel is None else Channel.open(settings.channel),
            subject_keys=subject_keys,
        )

    def witnesses(self) -> list[WitnessAt]:
        """Who witnesses the gateway's ledger, as the member list in force has it."""
        return witnesses_at(self.registry.current().witnesses(GATEWAY))

    def close(self) -> None:
        """Write what waits, then let go of connections and files."""
        self.client.close()
        self.ledger.close()
        self.keeping.close()
        self.reader.close()
        self.directory.close()
        self.replay.close()
        self.counters.close()
        self.subject_keys.close()

    def _mediate(self, caller: Caller, question: Question, trace: str) -> Mediation:
        """Connect one request to the exchange and the nodes, all in the consumer's name."""
        others = self._peers()
        deadline = asyncio.get_running_loop().time() + self.settings.deadline
        asking = ExchangeClient(self._sender, others.exchange, caller.request, trace, deadline)
        holders = AgreedHolders(
            self.directory, caller.agreement, day_in_rome(self.clock.now()), others.broadcast & question.members
        )
        translator = Translator(asking, holders, question.members, caller.consumer.id)
        signed = SignedFetcher(self._sender, others.nodes, caller.request, trace, translator, caller.request_digest)
        members = self.fetching.around(signed)
        if DIRECTORY not in question.members:
            return Mediation(translator, members, members, signed.said, signed.unable)
        reporter = NodeReporter(
            sender=self._sender,
            peers=others.reports,
            consumer_request=caller.request,
            trace_id=trace,
            exchange=asking,
            consumer=caller.consumer.id,
            deadline=deadline,
        )
        finder = AgreedFinder(caller.agreement, translator, members.fetch, deadline)
        rules = ProviderRules(caller.agreement, members.fetch, deadline)
        changed = MemberChanges(caller.agreement, members.fetch, deadline)
        directory = DirectorySubgraph(finder, reporter, rules, changed, caller.consumer.id)
        return Mediation(translator, WithDirectory(directory, members), members, signed.said, signed.unable)

    @property
    def publishing(self) -> Publishing:
        """How nodes tell the directory on whom they hold files."""
        return Publishing(
            members=self.registry,
            replay=self.replay,
            counters=self.counters,
            directory=self.directory,
            convert=self._translate,
            clock=self.clock,
            messages_a_day=self.settings.publications,
        )

    async def _translate(self, request: ConsumerRequest, conversions: Sequence[Conversion]) -> Sequence[Translation]:
        deadline = asyncio.get_running_loop().time() + self.settings.deadline
        return await ExchangeClient(self._sender, self._peers().exchange, request, "", deadline).convert(conversions)

    def _peers(self) -> _Others:
        """Return everybody else as the member list in force has them."""
        members = self.registry.current()
        if self._others is None or self._others.version != members.version:
            self._others = _Others.of(members, self.clock)
        return self._others


@dataclass(frozen=True, slots=True)
class _Others:
    """Nodes, the addresses at which they report, and the exchange, as one version of the member list has them.

    `broadcast` are the members that are asked about everybody.
    """

    version: int
    nodes: Mapping[str, Peer]
    reports: Mapping[str, Peer]
    exchange: Peer
    broadcast: frozenset[str]

    @classmethod
    def of(cls, members: MemberList, clock: Clock) -> Self:
        def keys_of(party: Party | Member) -> KeyLookup:
            return current_message_keys(party.keys, clock)  # a key may end while the list stays in force

        nodes: dict[str, Peer] = {
            member.id: Peer.at(member.endpoint, keys_of(member)) for member in members.members if member.endpoint
        }
        reports = {
            member: Peer.at(peer.url.removesuffix("/graphql") + "/access-report", peer.keys)
            for member, peer in nodes.items()
        }
        exchange = Peer.at(members.exchange.endpoint + CONVERT_PATH, keys_of(members.exchange))
        broadcast = frozenset(member.id for member in members.members if member.broadcast)
        return cls(members.version, nodes, reports, exchange, broadcast)


class _Nobody:
    """The inner fetcher of the shared breakers: requests go `around` it."""

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        raise NodeUnavailableError("no request is sent without a consumer's own", member=request.member)
