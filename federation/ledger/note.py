"""Signed notes (C2SP signed-note v1): text and the signatures of named keys, in one readable file."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

from federation.contract.canonical import from_b64
from federation.contract.errors import BadInputError, SignatureError

ED25519 = 0x01
"""Signature type of an Ed25519 signature over the text."""

MAX_SIGNATURES = 64
"""A note with more is not read; the format asks for at least 16."""

_KEY_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_VERIFIER_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_KEY_ID_BYTES = 4
_PUBLIC_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who, the first four bytes that name the key, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a signature line, without its newline.

        Raises:
            BadInputError: the line has not the form `— name base64`.
        """
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise BadInputError("expected a signature line of the form `— name base64`")
        content = exact_b64(match[2])
        if len(content) <= _KEY_ID_BYTES:
            raise BadInputError("expected a signature line with a key id and a signature")
        return cls(match[1], content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])

    @override
    def __str__(self) -> str:
        return f"— {self.name} {b64encode(self.key_id + self.signature).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """Text that ends with a newline, and its signatures; nothing is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, note: str) -> Self:
        """Read a note.

        Raises:
            BadInputError: control characters, no signature, too many, or a malformed line.
        """
        if any(character < " " and character != "\n" for character in note):
            raise BadInputError("expected a signed note without control characters")
        body, separator, tail = note.rpartition("\n\n")
        if not separator or not tail.endswith("\n"):
            raise BadInputError("expected a signed note: text, an empty line, signature lines")
        lines = tail[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise BadInputError(f"expected a signed note with at most {MAX_SIGNATURES} signatures")
        return cls(body + "\n", tuple(NoteSignature.parse(line) for line in lines))

    @override
    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(f"{signature}\n" for signature in self.signatures)


class NoteVerifier(Protocol):
    """A key that one trusts, under its name."""

    @property
    def name(self) -> str:
        """Return the key's name."""
        ...

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that stand before this key's signatures."""
        ...

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether `signature` is this key's on `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """A log's public key, written as a *vkey*: `name+keyid+base64(type ‖ key)`."""

    name: str
    public_key: Ed25519PublicKey
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.name):
            raise BadInputError("expected a key name without spaces and `+`")
        object.__setattr__(self, "key_id", key_id(self.name, ED25519, self.public_key.public_bytes_raw()))

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey.

        Raises:
            BadInputError: the text is not one, is of another type, or its key id is not that of its key.
        """
        name, public = parse_vkey(vkey, ED25519)
        return cls(name, Ed25519PublicKey.from_public_bytes(public))

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether `signature` is an Ed25519 signature of this key over `text` (RFC 8032)."""
        try:
            self.public_key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True

    @override
    def __str__(self) -> str:
        return format_vkey(self.name, ED25519, self.public_key.public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """A log's private key under its name."""

    verifier: Ed25519Verifier
    _private_key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, name: str, private_key: Ed25519PrivateKey) -> Self:
        """Return the signer `name` with this key."""
        return cls(Ed25519Verifier(name, private_key.public_key()), private_key)

    def sign(self, text: str) -> NoteSignature:
        """Return this key's signature line for `text`."""
        return NoteSignature(self.verifier.name, self.verifier.key_id, self._private_key.sign(text.encode()))


def open_note(note: str, trusted: Collection[NoteVerifier]) -> SignedNote:
    """Return the note with only the signatures of trusted keys, all of them verified.

    Raises:
        BadInputError: the note is malformed.
        SignatureError: no trusted key signed it, or a signature under a trusted key does not verify.
    """
    parsed = SignedNote.parse(note)
    keys = {(verifier.name, verifier.key_id): verifier for verifier in trusted}
    known = [signature for signature in parsed.signatures if (signature.name, signature.key_id) in keys]
    for signature in known:
        if not keys[signature.name, signature.key_id].verifies(parsed.text, signature.signature):
            raise SignatureError(f"signature of `{signature.name}` on the note does not verify")
    if not known:
        raise SignatureError("no trusted key signed the note")
    return SignedNote(parsed.text, tuple(known))


def sign_note(text: str, signers: Sequence[Ed25519Signer]) -> SignedNote:
    """Return `text` with the signatures of `signers`."""
    return SignedNote(text, tuple(signer.sign(text) for signer in signers))


def exact_b64(text: str) -> bytes:
    """Read standard base64, and only its canonical form, so that one signature has one spelling.

    Raises:
        BadInputError: the text is not base64, or has trailing bits that are not zero.
    """
    content = from_b64(text)
    if b64encode(content).decode("ascii") != text:
        raise BadInputError("expected canonical base64")
    return content


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_KEY_ID_BYTES]


def format_vkey(name: str, kind: int, public: bytes) -> str:
    """Write a verifier key."""
    return f"{name}+{key_id(name, kind, public).hex()}+{b64encode(bytes([kind]) + public).decode('ascii')}"


def parse_vkey(vkey: str, kind: int) -> tuple[str, bytes]:
    """Return name and public key bytes of a vkey of type `kind`.

    Raises:
        BadInputError: the text is not a vkey, is of another type, or its key id is not that of its key.
    """
    match = _VERIFIER_KEY.fullmatch(vkey)
    if match is None:
        raise BadInputError("expected a verifier key of the form `name+keyid+base64`")
    content = exact_b64(match[3])
    if len(content) != 1 + _PUBLIC_KEY_BYTES or content[0] != kind:
        raise BadInputError(f"expected a verifier key of type {kind:#04x}")
    if key_id(match[1], kind, content[1:]).hex() != match[2]:
        raise BadInputError("expected a verifier key whose key id is that of its key")
    return match[1], content[1:]
