"""Whether a proposal may be admitted: checks in order, each with its reason, and what the next edition would be.

1. keys       every proposed key signed the proposal
2. name       the code is free, or the member itself asks for the change
3. address    the node answers a challenge at its address, with its own key
4. schema     it composes with everybody else's
5. usage      nothing breaks for operations that were asked
6. privacy    no field becomes less sensitive than it was stated
7. policy     the member says of every field that its node serves that its policy governs it (policy R34)

A check that fails is the last one: what follows would only repeat it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from federation.composition.compose import compose
from federation.composition.diff import Severity, schema_changes
from federation.composition.errors import CompositionError
from federation.composition.reading import read_subgraph
from federation.composition.sensitivity import rank, stated
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.contract.canonical import sha256_digest
from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import CroceviaError
from federation.contract.governed import governed_fields
from federation.contract.identifiers import DIRECTORY
from federation.contract.members import KeyUse, Member, MemberList
from federation.contract.proposals import Proposal, SignedProposal
from federation.trust.keys import message_keys
from federation.trust.proposals import ChallengeAnswer, require_answer, require_possession
from federation.trust.trusted_list import API_FILE, SUPERGRAPH_FILE, schema_file

Challenge = Callable[[str, str], str]
"""From a node's GraphQL address and a nonce to what answers there; raises `UnavailableError` when nothing does."""


class Check(StrEnum):
    """What is looked at, in this order."""

    KEYS = "keys"
    NAME = "name"
    ADDRESS = "address"
    SCHEMA = "schema"
    USAGE = "usage"
    PRIVACY = "privacy"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check ended; `faults` are the reasons why it failed, none when it passed."""

    check: Check
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """A member list with what is published beside it."""

    members: MemberList
    documents: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Examination:
    """The checks that were made, and the next edition when all passed."""

    findings: tuple[Finding, ...]
    edition: Edition | None

    @property
    def admitted(self) -> bool:
        """Whether every check passed."""
        return self.edition is not None


@dataclass(frozen=True, slots=True)
class Examiner:
    """By what a proposal is judged: the edition in force, how to reach an address, and what was asked before.

    `used` are field coordinates; None means that nobody knows, and then whatever could break counts as breaking.
    """

    current: Edition
    challenge: Challenge
    new_nonce: Callable[[], str]
    clock: Clock
    used: Collection[str] | None = None

    def examine(self, signed: SignedProposal) -> Examination:
        """Make the checks in order, up to the first that fails."""
        member = signed.proposal.member
        graph: list[Supergraph] = []
        checks: dict[Check, Callable[[], tuple[str, ...]]] = {
            Check.KEYS: lambda: _said(lambda: require_possession(signed, self.clock)),
            Check.NAME: lambda: self._name(signed),
            Check.ADDRESS: lambda: _said(lambda: self._address(member)) if member.endpoint else (),
            Check.SCHEMA: lambda: self._composed(signed, graph),
            Check.USAGE: lambda: self._breaking(graph[0]),
            Check.PRIVACY: lambda: self._weakened(signed),
            Check.POLICY: lambda: _ungoverned(signed.proposal),
        }
        findings: list[Finding] = []
        for check, faults_of in checks.items():
            findings.append(Finding(check, faults_of()))
            if findings[-1].faults:
                return Examination(tuple(findings), None)
        return Examination(tuple(findings), self._next(signed, graph[0]))

    def _name(self, signed: SignedProposal) -> tuple[str, ...]:
        proposal, members = signed.proposal, self.current.members
        if proposal.federation != members.federation:
            return (f"the proposal is for `{proposal.federation}`, this is `{members.federation}`",)
        taken = {DIRECTORY, members.gateway.id, members.exchange.id}
        if proposal.member.id in taken:
            return (f"`{proposal.member.id}` is a name of the federation itself",)
        known = next((each for each in members.members if each.id == proposal.member.id), None)
        if known is None:
            return ()
        valid = {key.kid for key in known.keys if key.use is KeyUse.MESSAGE and key.valid_at(self.clock.now())}
        if valid & {proof.kid for proof in signed.proofs} & {key.kid for key in proposal.member.keys}:
            return ()
        fault = (
            f"`{known.id}` is on the list with another key; a change is signed by the key that is published, "
            "which stays listed beside the new one while both are in use"
        )
        return (fault,)

    def _address(self, member: Member) -> None:
        endpoint, nonce = member.endpoint or "", self.new_nonce()
        expected = ChallengeAnswer(member.id, endpoint, nonce, epoch_seconds(self.clock))
        require_answer(self.challenge(endpoint, nonce), expected, message_keys(member.keys, self.clock.now()))

    def _composed(self, signed: SignedProposal, graph: list[Supergraph]) -> tuple[str, ...]:
        """Put the supergraph into `graph`, or say why there is none."""
        try:
            graph.append(compose(self._subgraphs(signed)).supergraph)
        except CompositionError as error:
            return tuple(str(finding) for finding in error.findings)
        return ()

    def _subgraphs(self, signed: SignedProposal) -> list[Subgraph]:
        members, changed = self.current.members, signed.proposal.member
        others = [
            Subgraph(each.id, each.endpoint, self._schema(each.id))
            for each in members.members
            if each.endpoint and each.id != changed.id
        ]
        own = [Subgraph(changed.id, changed.endpoint, signed.proposal.schema)] if changed.endpoint else []
        return [*others, *own, Subgraph(DIRECTORY, members.gateway.endpoint, self._schema(DIRECTORY))]

    def _schema(self, member: str) -> str:
        return self.current.documents.get(schema_file(member), b"").decode("utf-8")

    def _breaking(self, supergraph: Supergraph) -> tuple[str, ...]:
        before = Supergraph.parse(self.current.documents[SUPERGRAPH_FILE].decode("utf-8"))
        changes = schema_changes(before.api_schema, supergraph.api_schema, self.used)
        return tuple(str(change) for change in changes if change.severity is Severity.BREAKING)

    def _weakened(self, signed: SignedProposal) -> tuple[str, ...]:
        """A member's own statement may become stricter; others' statements are held by composition (check 4)."""
        member = signed.proposal.member.id
        before, after = _levels(member, self._schema(member)), _levels(member, signed.proposal.schema)
        return tuple(
            f"`{coordinate}` was stated as `{level}` and would be `{after[coordinate] or 'nothing'}`"
            for coordinate, level in sorted(before.items())
            if level and coordinate in after and rank(after[coordinate] or "") < rank(level)
        )

    def _next(self, signed: SignedProposal, supergraph: Supergraph) -> Edition:
        proposal, before = signed.proposal, self.current.members
        members = tuple(each for each in before.members if each.id != proposal.member.id)
        changed = msgspec.structs.replace(before, members=(*members, proposal.member))
        documents = {**self.current.documents, schema_file(proposal.member.id): proposal.schema.encode()}
        return composed_edition(Edition(changed, documents), supergraph, self.clock)


def composed_edition(edition: Edition, supergraph: Supergraph, clock: Clock) -> Edition:
    """Return the edition that follows, with its schemas and their digests."""
    sdl, api = supergraph.sdl.encode(), supergraph.api_sdl.encode()
    before = edition.members
    members = msgspec.structs.replace(
        before,
        version=before.version + 1,
        issued=clock.now(),
        supergraph=sha256_digest(sdl),
        api_schema=sha256_digest(api),
    )
    return Edition(members, {**edition.documents, SUPERGRAPH_FILE: sdl, API_FILE: api})


def _ungoverned(proposal: Proposal) -> tuple[str, ...]:
    """The policy itself stays at the member, whose node denies and reports what it does not govern."""
    served = governed_fields(proposal.schema) if proposal.schema else frozenset()
    missing = sorted(served - set(proposal.governed))
    if not missing:
        return ()
    share = 100 * (len(served) - len(missing)) // len(served)
    return (f"policy `{proposal.policy}` governs {share} % of the schema; no policy for {', '.join(missing)}",)


def _levels(member: str, sdl: str) -> dict[str, str | None]:
    if not sdl:
        return {}
    read = read_subgraph(Subgraph(member, "", sdl), member.upper())
    return {f"{type_.name}.{declared.name}": stated(declared.directives) for type_, declared in read.fields()}


def _said(check: Callable[[], None]) -> tuple[str, ...]:
    try:
        check()
    except CroceviaError as error:
        return (error.message,)
    return ()
