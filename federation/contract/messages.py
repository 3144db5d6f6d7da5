"""What travels between gateway and nodes beside the GraphQL operation itself.

It stands under `extensions.crocevia` of the GraphQL request and response, so that the body digest, and with it the
sender's signature, covers it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from federation.contract.canonical import from_b64, sha256_digest
from federation.contract.decisions import FieldDecision, PolicyVersion
from federation.contract.errors import BadInputError
from federation.contract.evidence import AnswerEvidence
from federation.contract.identifiers import MemberId
from federation.contract.receipts import Receipt

EXTENSION = "crocevia"
"""The key under `extensions` of a GraphQL request or response."""


INTEGRITY_SIGNATURE = "agid-jwt-signature"
"""The header that signs a request in ModI's pattern INTEGRITY_REST_02, where ours has `signature`."""

TRACKING_EVIDENCE = "agid-jwt-trackingevidence"
"""The header of ModI's pattern AUDIT_REST_02."""


class ConsumerRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The consumer's own signed HTTP request, whole, as the gateway received it.

    `headers` holds, in lower case, those that its signature covers and the signature itself; `body` is base64.
    """

    method: str
    target_uri: str
    headers: dict[str, str]
    body: str

    def body_bytes(self) -> bytes:
        """Return the exact bytes that the consumer signed."""
        return from_b64(self.body)

    def digest(self) -> str:
        """Name the request, see `request_digest`."""
        return request_digest(self.headers)


def request_digest(headers: Mapping[str, str]) -> str:
    """Name a signed request: the digest of its signature, which covers everything else. `headers` in lower case."""
    signature = headers.get("signature") or headers.get(INTEGRITY_SIGNATURE, "")
    return sha256_digest(signature.encode())


class TranslationStatement(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the pseudonym exchange says it translated: these pseudonyms of `to`, for that consumer's request.

    `pids` are the outputs, None where the exchange refused. A node accepts no citizen key from a gateway without one.
    `named` is the digest of the inputs where they are the consumer's own pseudonyms: it ties a citizen whom the
    consumer's operation names to the one whom the node is told about (docs/adr, writes). With `handles`, `pids` and the
    inputs in `named` are not pseudonyms but their handles (`federation.contract.evidence`): for the consumer, and of no
    use at a node.
    """

    source: MemberId
    to: MemberId
    purpose: str
    request_digest: str
    pids: tuple[str | None, ...]
    issued_at: int
    named: str | None = None
    handles: bool = False

    def is_for(self, member: str, purpose: str, request_digest: str) -> bool:
        """Say whether it gives a member pseudonyms for one request; handles are of no use at a node."""
        return (self.to, self.purpose, self.request_digest, self.handles) == (member, purpose, request_digest, False)


def named_digest(pids: Sequence[str]) -> str:
    """Name the pseudonyms that a consumer's operation names, in order."""
    return sha256_digest(msgspec.json.encode(list(pids)))


class Translation(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A statement signed by the exchange: `signature` is base64url over the canonical JSON of `statement`."""

    statement: TranslationStatement
    keyid: str
    signature: str


class Recognition(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """For a consumer that asks for evidence: `handles` at one member and, in the exchange's statement, at another."""

    handles: tuple[str, ...]
    translation: Translation


class NodeRequestExtension(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a gateway sends to a node beside the operation. `deadline` is the time left, in milliseconds."""

    consumer_request: ConsumerRequest
    translations: tuple[Translation, ...] = ()
    trace_id: str = ""
    deadline: int = 2000


class NodeAnswerExtension(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What a node says about its answer: what it decided, under which policy, and where that is recorded."""

    member: MemberId
    request_digest: str
    purpose: str
    agreement: str
    policy: PolicyVersion
    decisions: tuple[FieldDecision, ...]
    receipt: Receipt
    evidence: AnswerEvidence | None = None


def read_node_request(extension: object) -> NodeRequestExtension:
    """Read `extensions.crocevia` of a request.

    Raises:
        BadInputError: it is not one; the message names the place.
    """
    try:
        return msgspec.convert(extension, NodeRequestExtension)
    except msgspec.ValidationError as error:
        raise BadInputError(f"`extensions.{EXTENSION}` of the request cannot be read: {error}") from error
