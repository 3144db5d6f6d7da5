"""What a process makes of a registry: the client's workflow of The Update Framework (specification 1.0, section 5).

The registry is a TUF repository. `root` says who may sign what, `targets` names the member list and the schemas by
digest, `snapshot` and `timestamp` say which of them belong together now. The library judges signatures, versions,
digests and expiry; here is the order in which files are asked for, what is kept, and the clock that it is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, Self

import msgspec
from tuf.api._payload import Root, TargetFile
from tuf.api.exceptions import EqualVersionNumberError, RepositoryError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from federation.contract.canonical import sha256_digest
from federation.contract.errors import BadInputError, UnavailableError
from federation.contract.members import MemberList
from federation.trust.agreements import judged
from federation.trust.list_errors import MixedListError, reason

METADATA: Final = "metadata"
TARGETS: Final = "targets"
TIMESTAMP_NAME: Final = f"{METADATA}/timestamp.json"
MEMBERS_FILE: Final = "members.json"
API_FILE: Final = "api.graphql"
SUPERGRAPH_FILE: Final = "supergraph.graphql"
FEDERATION_FIELD: Final = "x-crocevia-federation"
"""The federation's name, a field of our own in the signed root."""

_NEVER_EXPIRED = datetime.min.replace(tzinfo=UTC)
_MAX_ROOTS = 256
_MAX_METADATA = 1_000_000
_MAX_FILE = 20_000_000


def schema_file(member: str) -> str:
    """Return the name under which a member's own schema is published."""
    return f"schemas/{member}.graphql"


class Source(Protocol):
    """Where a registry's files are."""

    def changed(self) -> bool:
        """Tell, at no cost worth mentioning, whether there may be something new since the last look."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file, None when there is none of that name.

        Raises:
            UnavailableError: the registry cannot be reached, or the file is longer than `limit` bytes.
        """
        ...


class Seen(msgspec.Struct, frozen=True):
    """The newest metadata of each role that was verified, as it was received; what is older is refused from then on."""

    root: bytes
    timestamp: bytes = b""
    snapshot: bytes = b""
    targets: bytes = b""


class Kept(Seen, frozen=True, kw_only=True):
    """The files behind a list that was trusted, as they were received; enough to begin again after a restart."""

    anchor: str
    """Digest of the first root that this process was given: another one begins another history."""
    files: dict[str, bytes] = {}
    ahead: Seen | None = None
    """What was verified since, in updates that a later step ended: no list yet, and no way back either."""

    @classmethod
    def beginning(cls, root: bytes) -> Self:
        """Return what a process knows that was given a first root and nothing else."""
        return cls(anchor=sha256_digest(root), root=root)

    @property
    def newest(self) -> Seen:
        """Return the newest of each role."""
        return self.ahead or Seen(self.root, self.timestamp, self.snapshot, self.targets)


Keep = Callable[[Seen], None]
"""Keeps durably what was verified, before the next step is taken (5.3.8, 5.4.5, 5.5.7, 5.6.6)."""


@dataclass(frozen=True, slots=True)
class TrustedList:
    """A member list that was verified, with the schemas that belong to it, until `expires`."""

    members: MemberList
    files: Mapping[str, bytes]
    expires: datetime
    kept: Kept


def federation_of(root: bytes) -> str:
    """Return the federation that a root begins.

    Raises:
        BadInputError: it is not a root that signs itself, or names no federation.
    """
    return _named(_trusted_set(root, _NEVER_EXPIRED).root)


def update(kept: Kept, source: Source, now: datetime, keep: Keep = lambda _: None) -> TrustedList:
    """Take the newest list that a registry offers (TUF section 5).

    (1) newer roots, one by one, each signed by the one before and by itself; (2) the timestamp; (3) the snapshot that
    it names; (4) the targets that this names; (5) the files that those name; (6) the member list among them. What a
    step verified is given to `keep` before the next one is taken, which may fail.

    Raises:
        UndersignedListError: too few of those who may sign did.
        ListRollbackError: something is older than what was trusted before.
        ExpiredListError: it has expired at `now`.
        MixedListError: a file is not the one that the other names.
        BadInputError: a file cannot be read.
        UnavailableError: a file cannot be had.
    """
    try:
        return _updated(kept, source, now, keep)
    except RepositoryError as error:
        raise reason(error) from error


def restore(kept: Kept) -> TrustedList | None:
    """Return the list that was kept, None before the first, verified again by its root; it may have expired since.

    Raises:
        CroceviaError: what was kept does not verify; see `update`.
    """
    if not kept.timestamp:
        return None
    return update(msgspec.structs.replace(kept, ahead=None), _KeptSource(kept.timestamp), _NEVER_EXPIRED)


def newest(root: bytes, source: Source) -> TrustedList:
    """Return the newest list of a registry whether it expired or not: for judging records of the past.

    Raises:
        CroceviaError: it does not verify, or cannot be had; see `update`.
    """
    return update(Kept.beginning(root), source, _NEVER_EXPIRED)


@dataclass(frozen=True, slots=True)
class _KeptSource:
    """A registry in which there is nothing new."""

    timestamp: bytes

    def changed(self) -> bool:
        return False

    def read(self, name: str, limit: int) -> bytes | None:
        del limit
        return self.timestamp if name == TIMESTAMP_NAME else None


def _updated(kept: Kept, source: Source, now: datetime, keep: Keep) -> TrustedList:
    trusted, seen = follow_roles(kept.newest, source, now, keep)  # (1) to (4)
    files = {
        name: _file(info, kept.files.get(name), source)  # (5)
        for name, info in sorted(trusted.targets.targets.items())
    }
    members = _member_list(files, trusted)  # (6)
    expires = min(each.expires for each in (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets))
    behind = Kept(seen.root, seen.timestamp, seen.snapshot, seen.targets, anchor=kept.anchor, files=files)
    return TrustedList(members, files, expires, behind)


def follow_roles(seen: Seen, source: Source, now: datetime, keep: Keep) -> tuple[TrustedMetadataSet, Seen]:
    """Take the newest root, timestamp, snapshot and targets; the first four steps of `update`.

    Raises:
        RepositoryError: the library's reason why a step failed.
        BadInputError, UnavailableError: see `update`.
    """
    trusted = _trusted_set(seen.root, now)

    def verified(**role: bytes) -> Seen:
        newer = msgspec.structs.replace(seen, **role)
        if newer != seen:
            keep(newer)
        return newer

    for root in _newer_roots(trusted, source):
        seen = verified(root=root)
    seen = verified(timestamp=_timestamp(trusted, seen.timestamp, source))
    seen = verified(snapshot=_snapshot(trusted, seen.snapshot, source))
    return trusted, verified(targets=_targets(trusted, seen.targets, source))


def _newer_roots(trusted: TrustedMetadataSet, source: Source) -> Iterator[bytes]:
    """Yield every root after the trusted one, in order, as soon as it is trusted itself."""
    for _ in range(_MAX_ROOTS):
        newer = source.read(f"{METADATA}/{trusted.root.version + 1}.root.json", _MAX_METADATA)
        if newer is None:
            return
        trusted.update_root(newer)
        yield newer
    raise BadInputError(f"registry has more than {_MAX_ROOTS} roots that are new here; ask for a recent one")


def _timestamp(trusted: TrustedMetadataSet, kept: bytes, source: Source) -> bytes:
    if kept:
        # An expired one still forbids an older one. One by a key that was replaced counts for nothing (5.3.11).
        with suppress(RepositoryError):
            trusted.update_timestamp(kept)
    offered = _required(source, TIMESTAMP_NAME, _MAX_METADATA)
    try:
        trusted.update_timestamp(offered)
    except EqualVersionNumberError:
        return kept
    return offered


def _snapshot(trusted: TrustedMetadataSet, kept: bytes, source: Source) -> bytes:
    if kept:
        with suppress(RepositoryError):  # outdated is what it usually is: then it only forbids older ones
            trusted.update_snapshot(kept, trusted=True)
            return kept
    offered = _required(source, f"{METADATA}/{trusted.timestamp.snapshot_meta.version}.snapshot.json", _MAX_METADATA)
    trusted.update_snapshot(offered)
    return offered


def _targets(trusted: TrustedMetadataSet, kept: bytes, source: Source) -> bytes:
    if kept:
        with suppress(RepositoryError):
            trusted.update_targets(kept)
            return kept
    version = trusted.snapshot.meta["targets.json"].version
    offered = _required(source, f"{METADATA}/{version}.targets.json", _MAX_METADATA)
    trusted.update_targets(offered)
    return offered


def _file(info: TargetFile, kept: bytes | None, source: Source) -> bytes:
    if kept is not None:
        with suppress(RepositoryError):
            info.verify_length_and_hashes(kept)
            return kept
    content = _required(source, f"{TARGETS}/{info.get_prefixed_paths()[0]}", min(info.length, _MAX_FILE))
    info.verify_length_and_hashes(content)
    return content


def _member_list(files: Mapping[str, bytes], trusted: TrustedMetadataSet) -> MemberList:
    if MEMBERS_FILE not in files:
        raise MixedListError(f"registry has no `{MEMBERS_FILE}`")
    members = judged(MemberList.parse(files[MEMBERS_FILE]))
    if members.version != trusted.targets.version:
        raise MixedListError(f"member list {members.version} is published as version {trusted.targets.version}")
    if members.federation != _named(trusted.root):
        raise MixedListError(f"expected the member list of `{_named(trusted.root)}`")
    return members


def _named(root: Root) -> str:
    name = root.unrecognized_fields.get(FEDERATION_FIELD)
    if not isinstance(name, str) or not name:
        raise BadInputError(f"root of the registry does not say `{FEDERATION_FIELD}`")
    return name


def _trusted_set(root: bytes, now: datetime) -> TrustedMetadataSet:
    try:
        trusted = TrustedMetadataSet(root, EnvelopeType.METADATA)
    except RepositoryError as error:
        raise BadInputError(f"root of the registry cannot be used: {error}") from error
    trusted.reference_time = now
    return trusted


def _required(source: Source, name: str, limit: int) -> bytes:
    content = source.read(name, limit)
    if content is None:
        raise UnavailableError(f"registry has no file `{name}`")
    return content
