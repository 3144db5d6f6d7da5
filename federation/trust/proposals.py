"""Proofs of possession: whoever proposes keys holds them, and whoever names an address answers there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.canonical import b64url, canonical, from_b64url
from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import BadInputError, ProofError, SignatureError, TokenError
from federation.contract.identifiers import MemberId
from federation.contract.members import KeyUse, PublishedKey
from federation.contract.proposals import KeyProof, Proposal, SignedProposal
from federation.trust.jose import read_part, read_token, require_signature, sign_token
from federation.trust.keys import (
    KeyLookup,
    MessageSigner,
    VerifyKey,
    ed25519_from_jwk,
    ed25519_jwk,
    thumbprint,
)

CHALLENGE_PATH: Final = "/membership/challenge"
MAX_PROPOSAL_AGE: Final = 7 * 24 * 3600
_MAX_ANSWER_AGE = 60
_DOMAIN: Final = b"crocevia-proposal-v1\n"
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


class ChallengeAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a node says at the address that it proposes: these are its name, its address, and your nonce."""

    member: str
    endpoint: str
    nonce: str
    iat: int


class _ChallengeHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    typ: Literal["crocevia-challenge+jwt"]
    alg: Literal["ES256"]
    kid: str


def sign_proposal(
    proposal: Proposal, messages: Sequence[MessageSigner], others: Sequence[Ed25519PrivateKey]
) -> SignedProposal:
    """Return the proposal signed by every key that it names."""
    content = _content(proposal)
    proofs = [KeyProof(key.kid, b64url(key.sign(content))) for key in messages]
    proofs += [KeyProof(thumbprint(ed25519_jwk(key)), b64url(key.sign(content))) for key in others]
    return SignedProposal(proposal, tuple(proofs))


def require_possession(signed: SignedProposal, clock: Clock) -> None:
    """Verify that each proposed key signed the proposal, and that there is one for messages.

    Raises:
        ProofError: a key is malformed, without proof, or the proof does not verify; names the key.
        BadInputError: the proposal is too old, or from the future.
    """
    age = epoch_seconds(clock) - signed.proposal.made
    if not -_MAX_ANSWER_AGE <= age <= MAX_PROPOSAL_AGE:
        raise BadInputError("proposal was not made in the last seven days; make a new one with `crocevia node join`")
    keys = signed.proposal.member.keys
    if not any(key.use is KeyUse.MESSAGE for key in keys):
        raise ProofError("proposal names no key for messages")
    content = _content(signed.proposal)
    proofs = {proof.kid: proof.signature for proof in signed.proofs}
    for key in keys:
        _require_proof(key, proofs.get(key.kid), content)


def answer_challenge(nonce: str, member: MemberId, endpoint: str, key: MessageSigner, clock: Clock) -> str:
    """Return what a node answers at its address.

    Raises:
        BadInputError: the nonce is not 16 to 64 base64url characters.
    """
    if not _NONCE.fullmatch(nonce):
        raise BadInputError("expected `nonce` with 16 to 64 base64url characters")
    said = ChallengeAnswer(member, endpoint, nonce, epoch_seconds(clock))
    return sign_token({"typ": "crocevia-challenge+jwt", "kid": key.kid}, said, key)


def require_answer(text: str, expected: ChallengeAnswer, keys: KeyLookup) -> None:
    """Verify the answer to a challenge; `expected.iat` is now.

    Raises:
        ProofError: not signed by a key of the proposal, or about something else.
    """
    try:
        header, payload = read_token(text, _ChallengeHeader)
        key = keys(header.kid)
        if key is None:
            raise ProofError("what answers at the address has another key than the proposal")
        require_signature(text, key)
        said = read_part(payload, ChallengeAnswer, "claims")
    except TokenError as error:
        raise ProofError(f"what answers at the address is not a node: {error.message}") from error
    if abs(said.iat - expected.iat) > _MAX_ANSWER_AGE:
        raise ProofError("the answer from the address was not made just now; check the clocks")
    if msgspec.structs.replace(said, iat=expected.iat) != expected:
        raise ProofError(f"a node answers at the address, but as `{said.member}` at `{said.endpoint}`")


def _require_proof(key: PublishedKey, signature: str | None, content: bytes) -> None:
    name = f"{key.use.value} key `{key.kid[:12]}…`"
    if signature is None:
        raise ProofError(f"{name} did not sign the proposal")
    jwk: dict[str, Any] = dict(key.jwk)
    try:
        given = from_b64url(signature)
        if thumbprint(jwk) != key.kid:
            raise ProofError(f"{name} is listed under an id that is not its thumbprint")
        if key.use is KeyUse.MESSAGE:
            VerifyKey.from_jwk(jwk).verify(given, content)
        else:
            ed25519_from_jwk(jwk).verify(given, content)
    except (SignatureError, BadInputError, InvalidSignature) as error:
        raise ProofError(f"{name} does not verify the proposal") from error


def _content(proposal: Proposal) -> bytes:
    return _DOMAIN + canonical(msgspec.to_builtins(proposal))
