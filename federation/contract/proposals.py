"""What an administration says when it asks to join, or to change what the member list says of it."""

from __future__ import annotations

import msgspec

from federation.contract.errors import BadInputError
from federation.contract.members import Member


class Proposal(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A member as it wants to stand on the list, with its schema (SDL, empty for a member that only asks).

    `governed` are the fields, as `Type.field`, that the bundle of digest `policy` governs in its node (policy R34).
    `made` is in seconds since 1970; `federation` keeps a proposal from being used elsewhere. `certificate_request` is
    the PEM of a request for the certificate of its processes, where the federation's channels are mutual TLS.
    """

    federation: str
    member: Member
    schema: str
    made: int
    policy: str = ""
    governed: tuple[str, ...] = ()
    certificate_request: str = ""


class KeyProof(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A signature by one proposed key over the canonical JSON of the proposal: base64url."""

    kid: str
    signature: str


class SignedProposal(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A proposal with a proof of possession of each key that it names."""

    proposal: Proposal
    proofs: tuple[KeyProof, ...]

    @classmethod
    def parse(cls, content: bytes) -> SignedProposal:
        """Read a proposal; nothing is verified yet.

        Raises:
            BadInputError: it is not one; the message names the place.
        """
        try:
            return msgspec.json.decode(content, type=cls)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"proposal cannot be read: {error}") from error
