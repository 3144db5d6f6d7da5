"""What an administration proposes when it joins: itself, its address, its schema, and a proof for each of its keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from federation.contract.clock import Clock, epoch_seconds
from federation.contract.identifiers import MemberId
from federation.contract.members import Member, VoucherClient
from federation.contract.proposals import Proposal, SignedProposal
from federation.ledger.cosignature import Cosigner
from federation.ledger.names import ledger_origin, witness_name
from federation.ledger.note import Ed25519Signer
from federation.trust.keys import LEDGER_KEY, WITNESS_KEY, load_ed25519
from federation.trust.party_keys import message_keys_of, message_signers, officer_keys
from federation.trust.proposals import sign_proposal


@dataclass(frozen=True, slots=True)
class Description:
    """What the list says of a member beside keys and address; `name` is by language."""

    member: MemberId
    name: dict[str, str]
    kind: str
    area: str
    clients: tuple[VoucherClient, ...] = ()


@dataclass(frozen=True, slots=True)
class Serving:
    """What a node serves, where, and the fields that its policy governs, with that policy's digest.

    `broadcast` says that it is to be asked about everybody.
    """

    endpoint: str
    schema: str
    policy: str
    governed: tuple[str, ...]
    broadcast: bool = False


def propose(
    federation: str, described: Description, keys: Path, serving: Serving | None, clock: Clock
) -> SignedProposal:
    """Return a proposal signed by every key that it names; a member that serves nothing only asks.

    Raises:
        ConfigurationError: a key is missing or may be read by others; names the file.
    """
    now = clock.now()
    officers = [load_ed25519(path) for path in sorted(keys.glob("officer-*.pem"))]
    signer = Ed25519Signer.of(ledger_origin(federation, described.member), load_ed25519(keys / LEDGER_KEY))
    witness = Cosigner.of(witness_name(federation, described.member), load_ed25519(keys / WITNESS_KEY))
    member = Member(
        id=described.member,
        name=described.name,
        kind=described.kind,
        area=described.area,
        keys=(*message_keys_of(keys, now), *officer_keys(keys, now)),
        endpoint=None if serving is None else serving.endpoint,
        clients=described.clients,
        ledger=str(signer.verifier) if serving else None,
        witness=str(witness.verifier) if serving else None,
        broadcast=serving is not None and serving.broadcast,
    )
    schema, policy, governed = (serving.schema, serving.policy, serving.governed) if serving else ("", "", ())
    proposal = Proposal(federation, member, schema, epoch_seconds(clock), policy=policy, governed=governed)
    return sign_proposal(proposal, message_signers(keys), officers)
