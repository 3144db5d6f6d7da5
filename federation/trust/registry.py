"""The registry as a folder: who may sign the member list, and the list itself, read again whenever it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from federation.contract.canonical import sha256_digest
from federation.contract.clock import Clock
from federation.contract.errors import ConfigurationError, CroceviaError
from federation.contract.members import MemberList
from federation.trust.keys import ed25519_from_jwk
from federation.trust.member_list import Operators, TrustedMembers

OPERATORS_FILE = "operators.json"
MEMBER_LIST_FILE = "member-list.json"


class PublishedOperators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`operators.json`: whom to believe about the member list. It comes to a member by hand, never over the wire."""

    federation: str
    threshold: int
    keys: tuple[dict[str, str], ...]


def read_operators(path: Path) -> Operators:
    """Read who may sign the member list.

    Raises:
        ConfigurationError: the file is missing or wrong; names it.
    """
    try:
        published = msgspec.json.decode(path.read_bytes(), type=PublishedOperators)
        keys = [ed25519_from_jwk(jwk) for jwk in published.keys]
    except OSError as error:
        raise ConfigurationError(f"operators' keys `{path}` cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, CroceviaError) as error:
        raise ConfigurationError(f"operators' keys `{path}` cannot be used: {error}") from error
    return Operators.of(published.federation, published.threshold, keys)


def read_schema(folder: Path, name: str, digest: str) -> str:
    """Return a published schema (SDL), once it is the one that the member list names by `digest`.

    Raises:
        ConfigurationError: the file is missing, or another one.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"schema `{path}` cannot be read: {error.strerror}") from error
    if sha256_digest(content) != digest:
        raise ConfigurationError(f"schema `{path}` is not the one that the member list names; publish both again")
    return content.decode("utf-8")


@dataclass(slots=True)
class RegistryFolder:
    """The members of a registry folder, as this process trusts them.

    The list is looked at again when its file changed. A list that cannot be trusted changes nothing: the last good one
    stays in force until it expires, and `refusal` says why the newer one was not taken.
    """

    path: Path
    trusted: TrustedMembers
    refusal: CroceviaError | None = None
    _seen: tuple[int, int] = field(default=(0, 0), repr=False)

    @classmethod
    def open(cls, path: Path, clock: Clock, keep_in: Path | None = None) -> Self:
        """Open the registry; `keep_in` is where this process keeps the last list it trusted, over restarts.

        Raises:
            ConfigurationError: the operators' keys or the kept list cannot be used.
        """
        operators = read_operators(path / OPERATORS_FILE)
        trusted = (
            TrustedMembers(operators, clock) if keep_in is None else TrustedMembers.load(operators, clock, keep_in)
        )
        return cls(path, trusted)

    def current(self) -> MemberList:
        """Return the list in force.

        Raises:
            RegistryStaleError: there is none, or it expired and no newer one can be trusted.
        """
        self._look()
        return self.trusted.current()

    def _look(self) -> None:
        file = self.path / MEMBER_LIST_FILE
        try:
            state = file.stat()
            if (state.st_mtime_ns, state.st_ino) == self._seen:
                return
            content = file.read_bytes()
        except OSError:
            return  # a registry that cannot be reached is no reason to forget the list in force
        self._seen = (state.st_mtime_ns, state.st_ino)
        try:
            self.trusted.update(content)
            self.refusal = None
        except CroceviaError as error:
            self.refusal = error
