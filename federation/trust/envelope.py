"""Envelopes: bytes, what they are, and the signatures of several keys over both (DSSE v1)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.contract.canonical import canonical, from_b64
from federation.contract.errors import BadInputError
from federation.trust.keys import ed25519_jwk, thumbprint

MAX_SIGNATURES = 32


class EnvelopeSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature: the key's thumbprint and the base64 signature."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A payload in base64 with its type, and signatures over the pre-authentication encoding of both."""

    VERSION: ClassVar[str] = "DSSEv1"

    payload_type: str
    payload: str
    signatures: tuple[EnvelopeSignature, ...]

    @classmethod
    def parse(cls, content: bytes) -> Envelope:
        """Read an envelope; nothing is verified yet.

        Raises:
            BadInputError: not an envelope, or one with more than `MAX_SIGNATURES`.
        """
        try:
            envelope = msgspec.json.decode(content, type=cls)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"signed envelope cannot be read: {error}") from error
        if len(envelope.signatures) > MAX_SIGNATURES:
            raise BadInputError(f"expected an envelope with at most {MAX_SIGNATURES} signatures")
        return envelope

    def content(self) -> bytes:
        """Return the payload's bytes.

        Raises:
            BadInputError: it is not base64.
        """
        return from_b64(self.payload)

    def signers(self, keys: Mapping[str, Ed25519PublicKey]) -> frozenset[str]:
        """Return the key ids among `keys` whose signature verifies; a key that signs twice counts once.

        Raises:
            BadInputError: payload or signature is not base64.
        """
        message = pre_authentication_encoding(self.payload_type, self.content())
        good = set[str]()
        for signature in self.signatures:
            key = keys.get(signature.keyid)
            if key is not None and _verifies(key, from_b64(signature.sig), message):
                good.add(signature.keyid)
        return frozenset(good)

    def to_bytes(self) -> bytes:
        """Return the envelope as canonical JSON."""
        return canonical(msgspec.to_builtins(self))


def seal(payload_type: str, content: bytes, keys: Sequence[Ed25519PrivateKey]) -> Envelope:
    """Return `content` signed by every key."""
    message = pre_authentication_encoding(payload_type, content)
    signatures = tuple(
        EnvelopeSignature(thumbprint(ed25519_jwk(key)), b64encode(key.sign(message)).decode("ascii")) for key in keys
    )
    return Envelope(payload_type, b64encode(content).decode("ascii"), signatures)


def pre_authentication_encoding(payload_type: str, content: bytes) -> bytes:
    """Return PAE(type, body) = `DSSEv1 len(type) type len(body) body`, which no other pair of type and body has."""
    kind = payload_type.encode()
    return b"%b %d %b %d %b" % (Envelope.VERSION.encode(), len(kind), kind, len(content), content)


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
