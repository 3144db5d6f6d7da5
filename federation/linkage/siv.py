"""The suite `siv`: pairwise pseudonyms by deterministic authenticated encryption (directory section 1, `siv-v1`).

P(m) = AES-SIV(key(m), subject, associated data = m) (RFC 5297). Under one key equal subjects give equal pseudonyms, so
that members can store and join them; under two keys they have nothing in common. A pseudonym made up by anybody, or
moved to another member, does not decrypt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from federation.contract.errors import BadInputError
from federation.contract.identifiers import MemberId, Pseudonym
from federation.linkage.suites import SUBJECT_BYTES

SUITE: Final = "siv"
MASTER_KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 16 + SUBJECT_BYTES
"""Synthetic IV, then the encrypted subject."""

_KEY_BYTES: Final = 64
"""AES-SIV with two keys of 256 bits."""


@dataclass(frozen=True, slots=True)
class SivSuite:
    """The suite under one master key, from which each member's key is derived by HKDF (RFC 5869)."""

    _master_key: bytes = field(repr=False)
    _ciphers: dict[MemberId, AESSIV] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self._master_key) != MASTER_KEY_BYTES:
            raise BadInputError(f"expected a master key of {MASTER_KEY_BYTES} bytes")

    @property
    def name(self) -> str:
        """Return `siv`."""
        return SUITE

    def pseudonym(self, member: MemberId, subject: bytes) -> Pseudonym:
        """Return how `member` knows `subject`, an id of 16 bytes.

        Raises:
            BadInputError: the subject has another length.
        """
        if len(subject) != SUBJECT_BYTES:
            raise BadInputError(f"expected a subject of {SUBJECT_BYTES} bytes")
        return Pseudonym(SUITE, member, self._cipher(member).encrypt(subject, [member.encode()]))

    def subject(self, pseudonym: Pseudonym) -> bytes:
        """Return the subject behind a pseudonym of its own member.

        Raises:
            BadInputError: of another suite, made up, or of another member or epoch; the message never repeats it.
        """
        if pseudonym.suite != SUITE or len(pseudonym.token) != TOKEN_BYTES:
            raise BadInputError("expected a pseudonym of suite `siv`")
        try:
            return self._cipher(pseudonym.member).decrypt(pseudonym.token, [pseudonym.member.encode()])
        except InvalidTag as error:
            raise BadInputError("pseudonym was not issued to its member") from error

    def convert(self, pseudonym: Pseudonym, to: MemberId) -> Pseudonym:
        """Return how `to` knows the subject that another member knows by `pseudonym`.

        Raises:
            BadInputError: see `subject`.
        """
        return self.pseudonym(to, self.subject(pseudonym))

    def _cipher(self, member: MemberId) -> AESSIV:
        found = self._ciphers.get(member)
        if found is None:
            info = b"crocevia/pseudonym/siv/" + member.encode()
            key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(self._master_key)
            found = self._ciphers[member] = AESSIV(key)
        return found
