"""The bytes of a leaf: an entry, tags of the subjects it is about, and a nonce that hides both behind the hash."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from federation.contract.canonical import b64url, from_b64url
from federation.contract.errors import BadInputError, LedgerCorruptError

MAX_LEAF_BYTES = 65_535
"""C2SP tlog-tiles serves entries with a length of two bytes."""

NONCE_BYTES = 16
_TAG_BYTES = 16
_GCM_NONCE_BYTES = 12
_GCM_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The random 32-byte key of one subject in one ledger; destroying it unlinks the subject from every entry.

    Three keys are derived from it, so that nothing made for one use fits another. `lookup` is the index key under which
    the subject's entries are found: the same for every entry, so it is derived once.
    """

    secret: bytes
    lookup: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = hmac.digest(self.secret, b"crocevia/ledger/lookup", "sha256")[:_TAG_BYTES]
        object.__setattr__(self, "lookup", found)

    def tag(self, nonce: bytes) -> bytes:
        """Return the tag that marks an entry with this nonce as being about the subject, and is equal in no other."""
        return hmac.digest(self.secret, b"crocevia/ledger/tag" + nonce, "sha256")[:_TAG_BYTES]

    def seal(self, nonce: bytes, personal: bytes, entry: bytes) -> bytes:
        """Encrypt what only this subject's key opens (AES-256-GCM), bound to the entry.

        INVARIANT: a subject stands at most once in an entry and a nonce is used for one entry, so no pair of key and
        nonce repeats.
        """
        return self._cipher().encrypt(nonce[:_GCM_NONCE_BYTES], personal, sha256(entry).digest())

    def unseal(self, nonce: bytes, sealed: bytes, entry: bytes) -> bytes:
        """Decrypt what `seal` encrypted.

        Raises:
            LedgerCorruptError: the ciphertext is not of this key, nonce and entry.
        """
        try:
            return self._cipher().decrypt(nonce[:_GCM_NONCE_BYTES], sealed, sha256(entry).digest())
        except InvalidTag as error:
            raise LedgerCorruptError("sealed part of a ledger entry does not open under the subject's key") from error

    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self.secret, b"crocevia/ledger/seal", "sha256"))


def leaf_length(entry: bytes, personal: Collection[bytes]) -> int:
    """Return how many bytes the leaf of `entry` will have, with these personal parts, one for each subject."""
    frame = len('{"entry":,"nonce":"","subjects":[]}') + _b64url_length(NONCE_BYTES)
    tag = len('{"tag":""},') + _b64url_length(_TAG_BYTES)  # a comma too many for the last one: an upper bound
    return len(entry) + frame + tag * len(personal) + sum(_sealed_length(part) for part in personal if part)


def _sealed_length(personal: bytes) -> int:
    return len('"sealed":"",') + _b64url_length(len(personal) + _GCM_TAG_BYTES)


def _b64url_length(size: int) -> int:
    return (size * 4 + 2) // 3


@dataclass(frozen=True, slots=True)
class LeafSubject:
    """One subject of an entry as the leaf shows it: a tag, and what was sealed for it (empty when nothing was)."""

    tag: bytes
    sealed: bytes


class _SubjectStruct(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    tag: str
    sealed: str = ""


class _LeafStruct(msgspec.Struct, forbid_unknown_fields=True):
    entry: msgspec.Raw
    nonce: str
    subjects: list[_SubjectStruct]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: canonical JSON of `{"entry", "nonce", "subjects"}`, where `entry` is the entry's own canonical JSON."""

    entry: bytes
    nonce: bytes
    subjects: tuple[LeafSubject, ...]

    @classmethod
    def about(cls, entry: bytes, nonce: bytes, subjects: Sequence[tuple[SubjectKey, bytes]]) -> Self:
        """Make the leaf of `entry` about `subjects`, each with the personal part that is sealed for it."""
        return cls(
            entry,
            nonce,
            tuple(
                LeafSubject(key.tag(nonce), key.seal(nonce, personal, entry) if personal else b"")
                for key, personal in subjects
            ),
        )

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a leaf back.

        Raises:
            LedgerCorruptError: the bytes are not what `to_bytes` writes.
        """
        try:
            read = msgspec.json.decode(content, type=_LeafStruct)
            subjects = tuple(LeafSubject(from_b64url(each.tag), from_b64url(each.sealed)) for each in read.subjects)
            leaf = cls(bytes(read.entry), from_b64url(read.nonce), subjects)
        except (ValueError, RecursionError, BadInputError) as error:  # of msgspec, no UTF-8, or too deep
            raise LedgerCorruptError("ledger leaf cannot be read") from error
        if leaf.to_bytes() != content:
            raise LedgerCorruptError("ledger leaf is not in canonical form")
        return leaf

    def to_bytes(self) -> bytes:
        """Return the leaf's bytes; canonical as long as the entry is, because the keys stand in RFC 8785's order."""
        subjects = ",".join(_subject_text(subject) for subject in self.subjects)
        return b'{"entry":%b,"nonce":"%b","subjects":[%b]}' % (
            self.entry,
            b64url(self.nonce).encode(),
            subjects.encode(),
        )


def _subject_text(subject: LeafSubject) -> str:
    sealed = f'"sealed":"{b64url(subject.sealed)}",' if subject.sealed else ""
    return f'{{{sealed}"tag":"{b64url(subject.tag)}"}}'
