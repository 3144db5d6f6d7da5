"""What a member's node says in its own name, apart from anybody's question: enrolment, and whom it holds a file on."""

from __future__ import annotations

from federation.contract.clock import Clock
from federation.contract.errors import AuthorisationError, ReplayError
from federation.contract.members import KeyUse, Member, MemberList
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import SKEW, VerifiedSignature, verify_request
from federation.trust.keys import VerifyKey, message_keys
from federation.trust.replay import ReplayStore


def signed_by_node(request: HttpRequest, members: MemberList, clock: Clock) -> tuple[Member, VerifiedSignature]:
    """Return the member with a node that signed a request, and what the signature says.

    Left to the caller: that it was made to this address, once (`require_unused`), and over whose channel it came.

    Raises:
        AuthenticationError: nobody on the member list signed it, or not now, or not this body.
        AuthorisationError: the member runs no node.
    """
    now = clock.now()
    signers = {
        key.kid: member
        for member in members.members
        for key in member.keys
        if key.use is KeyUse.MESSAGE and key.valid_at(now)
    }

    def known(kid: str) -> VerifyKey | None:
        return message_keys(signers[kid].keys, now)(kid) if kid in signers else None

    signed = verify_request(request, known, clock)
    member = signers[signed.keyid]
    if member.endpoint is None:
        raise AuthorisationError(f"member `{member.id}` runs no node: it enrols nobody, and publishes nothing")
    return member, signed


def require_unused(replay: ReplayStore, signed: VerifiedSignature) -> None:
    """Take a signed message's nonce, once.

    Raises:
        ReplayError: it was taken before.
    """
    if not replay.first_time(f"nonce:{signed.keyid}", signed.nonce, signed.expires + SKEW):
        raise ReplayError("this signed request was already answered; sign it again with another nonce")
