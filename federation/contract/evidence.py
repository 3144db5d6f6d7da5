"""Commitments to the values of an answer: a node records one digest, and each value can be shown or removed alone.

A value is hashed with a salt of its own, its hash with its place in the node's answer, and all of these give the digest
that stands in the node's ledger entry. Who has a value and its salt can show that the node gave it there; who has only
hashes can show that the entry is about this answer, and learns nothing.

Whom a value is about is committed to as well, by a handle that hides the node's name for the citizen. The exchange
tells the consumer the handles of the citizens whom it knows, so nobody on the way can put one citizen's object in the
place of another's (docs/adr/0032).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from typing import Any

import msgspec

from federation.contract.canonical import b64url, canonical, from_b64url, sha256_digest
from federation.contract.errors import BadInputError
from federation.contract.identifiers import INTERNAL_PREFIX, Pseudonym

ASKS_FOR_EVIDENCE = "evidence"
"""`extensions.evidence: true` in what a consumer signs asks every node to commit to the values of its answer."""

CITIZEN = "#citizen"
"""The place, in an object that a node was asked for by its key, of the handle of whom it is about; no GraphQL name."""

CITIZEN_KEY = f"{INTERNAL_PREFIX}id"
"""The response key under which a gateway asks for the name of a citizen that the consumer did not ask for there."""

SEED_BYTES = 32
_SALT_BYTES = 16

Path = tuple[str | int, ...]
"""Response keys and list positions, as in a GraphQL error's `path`."""


class Commitment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One value of a node's answer: where it stands, its salted hash, and the salt, unless the value is hidden.

    `hash` and `salt` are base64url. A hidden value is not for the consumer, or was removed from the evidence. Of a
    pseudonym the handle is hashed.
    """

    path: Path
    hash: str
    salt: str = ""

    def shows(self, value: Any) -> bool:
        """Say whether the node gave exactly this value.

        Raises:
            BadInputError: the salt is not base64url, or the value is no JSON.
        """
        return bool(self.salt) and b64url(_value_hash(from_b64url(self.salt), value)) == self.hash

    def without_value(self) -> Commitment:
        """Return the commitment for somebody who is not to see the value."""
        return Commitment(self.path, self.hash)


class AnswerEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a node gives beside its receipt: the leaf that the receipt proves, and its commitments, in order."""

    leaf: str
    committed: tuple[Commitment, ...]


def asks_for_evidence(extensions: Mapping[str, Any]) -> bool:
    """Say whether a consumer's request asks for commitments."""
    return extensions.get(ASKS_FOR_EVIDENCE) is True


def citizen_handle(pseudonym: str, request_digest: str) -> str:
    """Name a citizen for one request, so that who does not know the pseudonym cannot find it out: it is random text."""
    return b64url(sha256(f"{request_digest}\n{pseudonym}".encode()).digest())


def commit(
    data: Any, seed: bytes, request_digest: str, asked: Iterable[tuple[Path, str]] = ()
) -> tuple[str, tuple[Commitment, ...]]:
    """Return the digest to record and the commitments to give out for an answer's data.

    Join keys are hidden: they are for gateway and nodes; pseudonyms stand as their handles. `asked` are the paths of
    objects that were asked for by a citizen's pseudonym. `seed` is random and used once.
    """
    about = (((*path, CITIZEN), pseudonym) for path, pseudonym in asked)
    committed = tuple(
        _commitment(path, value, sha256(seed + number.to_bytes(4, "big")).digest()[:_SALT_BYTES], request_digest)
        for number, (path, value) in enumerate(chain(values_of(data), about))
    )
    return digest_of(committed), committed


def digest_of(committed: Iterable[Commitment]) -> str:
    """Return the digest that stands in the ledger entry of these commitments, in this order.

    Raises:
        BadInputError: a hash is not base64url.
    """
    parts = (sha256(msgspec.json.encode(each.path) + from_b64url(each.hash)).digest() for each in committed)
    return sha256_digest(b"".join(parts))


def digest_of_page(leaves: Iterable[bytes], before: int | None, *, more: bool) -> str:
    """Return the digest by which a report's entry commits to the ledger leaves that were shown, in this order.

    They are those below position `before` of the ledger, or the newest; `more` says that older ones were left.
    """
    page = msgspec.json.encode([before, more])
    return sha256_digest(page + b"".join(sha256(leaf).digest() for leaf in leaves))


def values_of(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of an answer with its path: scalars, nulls, and lists that hold no objects."""
    if isinstance(data, dict):
        for key, child in data.items():
            yield from values_of(child, (*path, key))
    elif isinstance(data, list) and any(isinstance(child, dict | list) or child is None for child in data):
        for position, child in enumerate(data):
            yield from values_of(child, (*path, position))
    else:
        yield path, data


def is_pseudonym(value: Any, domain: str | None = None) -> bool:
    """Say whether a value is a pseudonym, of one member if `domain` is given."""
    if not isinstance(value, str) or not value.startswith("v1."):
        return False
    try:
        return domain in (None, Pseudonym.parse(value).member)
    except BadInputError:
        return False


def is_internal(path: Path) -> bool:
    """Say whether a path is of a join key or an input of another field, for gateway and nodes only."""
    return any(isinstance(part, str) and part.startswith(INTERNAL_PREFIX) for part in path)


def _commitment(path: Path, value: Any, salt: bytes, request_digest: str) -> Commitment:
    if is_pseudonym(value):
        return Commitment(path, b64url(_value_hash(salt, citizen_handle(value, request_digest))), b64url(salt))
    found = Commitment(path, b64url(_value_hash(salt, value)), b64url(salt))
    return found.without_value() if is_internal(path) else found


def _value_hash(salt: bytes, value: Any) -> bytes:
    return sha256(salt + _written(value)).digest()


def _written(value: Any) -> bytes:
    """Fractions are written as RFC 8785 has them, because 480.0 and 480 are one JSON number."""
    if isinstance(value, list):
        return b"[%b]" % b",".join(map(_written, value))
    return canonical(value) if isinstance(value, float) else msgspec.json.encode(value, order="sorted")
