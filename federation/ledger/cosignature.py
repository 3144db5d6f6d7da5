"""Cosignatures (C2SP tlog-cosignature v1): a witness says when it saw which consistent head of a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

from federation.contract.clock import Clock, epoch_seconds
from federation.ledger.checkpoint import Checkpoint
from federation.ledger.note import NoteSignature, format_vkey, key_id, parse_vkey

COSIGNATURE = 0x04
"""Signature type of a timestamped Ed25519 cosignature."""

_TIMESTAMP_BYTES = 8


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """A witness's public key under its name, written as a vkey of type 0x04."""

    name: str
    public_key: Ed25519PublicKey
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", key_id(self.name, COSIGNATURE, self.public_key.public_bytes_raw()))

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a witness's vkey.

        Raises:
            BadInputError: the text is not one, is of another type, or its key id is not that of its key.
        """
        name, public = parse_vkey(vkey, COSIGNATURE)
        return cls(name, Ed25519PublicKey.from_public_bytes(public))

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether `signature` (time, then Ed25519) is this witness's on the checkpoint `text`."""
        if len(signature) <= _TIMESTAMP_BYTES:
            return False
        try:
            self.public_key.verify(signature[_TIMESTAMP_BYTES:], _message(text, timestamp(signature)))
        except InvalidSignature:
            return False
        return True

    @override
    def __str__(self) -> str:
        return format_vkey(self.name, COSIGNATURE, self.public_key.public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private key under its name; never the key of a log, because the formats must not meet."""

    verifier: CosignatureVerifier
    _private_key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, name: str, private_key: Ed25519PrivateKey) -> Self:
        """Return the cosigner `name` with this key."""
        return cls(CosignatureVerifier(name, private_key.public_key()), private_key)

    def cosign(self, checkpoint: Checkpoint, clock: Clock) -> NoteSignature:
        """Return the cosignature line of now.

        INVARIANT: given out only once the checkpoint was found consistent and remembered (`federation.ledger.witness`).
        """
        now = epoch_seconds(clock)
        signature = self._private_key.sign(_message(str(checkpoint), now))
        content = now.to_bytes(_TIMESTAMP_BYTES, "big") + signature
        return NoteSignature(self.verifier.name, self.verifier.key_id, content)


def timestamp(signature: bytes) -> int:
    """Return when a cosignature was made, in seconds since 1970."""
    return int.from_bytes(signature[:_TIMESTAMP_BYTES], "big")


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
