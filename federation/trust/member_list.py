"""The signed member list: enough operators sign it, it expires, and trust in it moves forward only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.contract.canonical import canonical, sha256_digest
from federation.contract.clock import Clock, rfc3339
from federation.contract.errors import BadInputError, ConfigurationError, RegistryStaleError, SignatureError
from federation.contract.members import MemberList
from federation.trust.envelope import Envelope, seal
from federation.trust.keys import ed25519_jwk, thumbprint


class UndersignedListError(SignatureError):
    """Fewer operators than the threshold signed the member list."""

    code = "REGISTRY_UNDERSIGNED"
    status = HTTPStatus.UNAUTHORIZED


class ListRollbackError(SignatureError):
    """The member list offered is older than the one in force, or another one of the same version."""

    code = "REGISTRY_ROLLBACK"
    status = HTTPStatus.UNAUTHORIZED


class ExpiredListError(RegistryStaleError):
    """The member list offered has expired."""

    code = "REGISTRY_EXPIRED"
    status = HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Operators:
    """Who may sign the member list of one federation, and how many of them must; from configuration, never the wire."""

    federation: str
    threshold: int
    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def of(cls, federation: str, threshold: int, keys: Sequence[Ed25519PublicKey]) -> Self:
        """Return the operators with these keys.

        Raises:
            ConfigurationError: the threshold is not between 1 and the number of different keys.
        """
        by_id = {thumbprint(ed25519_jwk(key)): key for key in keys}
        if not 0 < threshold <= len(by_id):
            raise ConfigurationError(f"expected a threshold between 1 and {len(by_id)} operator keys, got {threshold}")
        return cls(federation, threshold, by_id)


def sign_member_list(members: MemberList, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Return the list as an envelope signed by `keys`."""
    return seal(MemberList.MEDIA_TYPE, canonical(members.to_json()), keys).to_bytes()


def verify_member_list(envelope: bytes, operators: Operators) -> MemberList:
    """Verify a list: (1) type, (2) threshold of different operators, (3) readable, canonical, of this federation.

    Expiry and version are `TrustedMembers`' to judge: an old list still proves what was in force then.

    Raises:
        BadInputError: (1) or (3).
        UndersignedListError: (2).
    """
    opened = Envelope.parse(envelope)
    if opened.payload_type != MemberList.MEDIA_TYPE:  # (1)
        raise BadInputError("expected an envelope that holds a member list")
    signers = opened.signers(operators.keys)  # (2)
    if len(signers) < operators.threshold:
        raise UndersignedListError(
            f"member list is signed by {len(signers)} operators, {operators.threshold} are required"
        )
    content = opened.content()
    members = MemberList.parse(content)  # (3)
    if canonical(members.to_json()) != content:
        raise BadInputError("member list is not in canonical form")
    if members.federation != operators.federation:
        raise BadInputError(f"expected the member list of `{operators.federation}`")
    return members


@dataclass(slots=True)
class TrustedMembers:
    """The member list that this process acts on.

    * A list is trusted only if enough operators signed it and it has not expired.
    * Its version is higher than the one in force; the same version again must be the same list.
    * An expired list may be replaced but is never acted on.
    * What was trusted is kept in a file, so that a restart does not accept an older one.
    """

    operators: Operators
    clock: Clock
    _keep_in: Path | None = None
    _current: MemberList | None = field(default=None, repr=False)
    _digest: str = ""

    @classmethod
    def load(cls, operators: Operators, clock: Clock, keep_in: Path) -> Self:
        """Begin with the list kept in the file, if there is one; it may have expired since.

        Raises:
            ConfigurationError: the file cannot be read or holds no list that the operators signed.
        """
        members = cls(operators, clock, keep_in)
        try:
            kept = keep_in.read_bytes()
        except FileNotFoundError:
            return members
        except OSError as error:
            raise ConfigurationError(f"member list `{keep_in}` cannot be read: {error.strerror}") from error
        try:
            members._current = verify_member_list(kept, operators)
        except (BadInputError, SignatureError) as error:
            raise ConfigurationError(f"member list `{keep_in}` cannot be trusted: {error.message}") from error
        members._digest = sha256_digest(Envelope.parse(kept).content())
        return members

    def update(self, envelope: bytes) -> MemberList:
        """Trust a newer list, and return it.

        Raises:
            BadInputError: it is not a member list of this federation.
            UndersignedListError: too few operators signed it.
            ExpiredListError: it has expired already.
            ListRollbackError: it is older than the list in force, or differs from it at the same version.
            ConfigurationError: it cannot be kept, so it is not trusted either.
        """
        offered = verify_member_list(envelope, self.operators)
        if offered.expires <= self.clock.now():
            raise ExpiredListError(f"member list {offered.version} expired at {rfc3339(offered.expires)}")
        digest = sha256_digest(Envelope.parse(envelope).content())
        known = self._current
        if known is not None:
            if offered.version < known.version:
                raise ListRollbackError(
                    f"member list {offered.version} is older than {known.version}, which is in force"
                )
            if offered.version == known.version and digest != self._digest:
                raise ListRollbackError(f"there are two member lists of version {offered.version}")
        if digest != self._digest:
            self._keep(envelope)
        self._current, self._digest = offered, digest
        return offered

    def current(self) -> MemberList:
        """Return the list in force.

        Raises:
            RegistryStaleError: there is none yet, or it expired.
        """
        if self._current is None:
            raise RegistryStaleError("no member list was received yet")
        if self._current.expires <= self.clock.now():
            raise RegistryStaleError(
                f"member list {self._current.version} expired at {rfc3339(self._current.expires)} and no newer one came"
            )
        return self._current

    @property
    def version(self) -> int:
        """Return the version in force, 0 when there is none; expired lists count."""
        return 0 if self._current is None else self._current.version

    def _keep(self, envelope: bytes) -> None:
        """Replace the kept list in one step, durably, before it is acted on."""
        if self._keep_in is None:
            return
        partial = self._keep_in.with_name(f"{self._keep_in.name}.{os.getpid()}.part")
        try:
            with partial.open("wb") as file:
                file.write(envelope)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._keep_in)
        except OSError as error:
            raise ConfigurationError(f"member list `{self._keep_in}` cannot be kept: {error.strerror}") from error
