"""Signed bundles: a manifest of files, and the signatures of two different officers (policy section 7, R37).

A bundle is in force only if (1) its files are exactly those of the manifest, (2) its revision is above the one in force
and its parent is that one, (3) an author and an approver signed the manifest, (4) with keys this node knows for those
roles, (5) held by two different people. Whatever fails, the old bundle stays. Who holds which key is the node's
configuration; how a signature is made or checked comes in as a function, because this package does no cryptography.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

import msgspec

from federation.contract.canonical import b64url, canonical, from_b64url, sha256_digest, sha256_hex
from federation.contract.errors import BadInputError
from node.policy.bundle import is_bundle_file
from node.policy.errors import PolicyError
from node.policy.messages import message

ENVELOPE_FILE: Final = "bundle.json"
_DOMAIN: Final = b"crocevia-policy-bundle-v1\n"


class BundleRefusedError(PolicyError):
    """A bundle that must not come into force; the message says which rule it breaks."""

    code: ClassVar[str] = "POLICY_REFUSED"


class Role(StrEnum):
    """What a signature says: I wrote this, or I read and approve it."""

    AUTHOR = "author"
    APPROVER = "approver"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: the SHA-256 of every file, the revision, and the digest of the manifest it follows."""

    revision: int
    parent: str | None
    files: dict[str, str]

    @classmethod
    def of(cls, files: Mapping[str, bytes], revision: int, parent: str | None) -> Self:
        """Return the manifest of a bundle's files; other files do not count."""
        return cls(revision, parent, {path: sha256_hex(files[path]) for path in sorted(files) if is_bundle_file(path)})

    @property
    def digest(self) -> str:
        """The name of this manifest."""
        return sha256_digest(canonical(msgspec.to_builtins(self)))

    @property
    def bundle(self) -> str:
        """The digest of the bundle itself, as `policy check`, answers and `node status` tell it."""
        return sha256_digest(canonical(self.files))


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature in one role."""

    role: Role
    kid: str
    signature: str


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of bundle.json."""

    manifest: Manifest
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read bundle.json.

        Raises:
            BundleRefusedError: it is not one.
        """
        try:
            return msgspec.json.decode(content, type=cls)
        except (ValueError, RecursionError) as error:  # of msgspec, no UTF-8, or too deep
            raise BundleRefusedError(
                message("`{file}` is not a signed manifest: {error}", file=ENVELOPE_FILE, error=error)
            ) from error

    def to_bytes(self) -> bytes:
        """Return the content of bundle.json: `Envelope.parse(e.to_bytes()) == e`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


@dataclass(frozen=True, slots=True)
class Officer:
    """Whose key it is, what its holder may sign, and how a signature of it is checked (raising if it is wrong)."""

    holder: str
    roles: frozenset[Role]
    verify: Callable[[bytes, bytes], None]


class OfficerRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of officers.json: a person, what she may sign, and her public key."""

    holder: str
    roles: tuple[Role, ...]
    jwk: dict[str, str]


def payload(manifest: Manifest, role: Role) -> bytes:
    """Return the bytes that an officer signs: a domain, the role, the manifest in canonical JSON."""
    return _DOMAIN + canonical({"role": str(role), "manifest": msgspec.to_builtins(manifest)})


def add_signature(envelope: Envelope, role: Role, kid: str, sign: Callable[[bytes], bytes]) -> Envelope:
    """Return the envelope with one more signature; an earlier one in the same role is replaced."""
    signature = Signature(role, kid, b64url(sign(payload(envelope.manifest, role))))
    others = tuple(one for one in envelope.signatures if one.role is not role)
    return Envelope(envelope.manifest, (*others, signature))


def verify_bundle(
    files: Mapping[str, bytes], envelope: Envelope, officers: Mapping[str, Officer], current: Manifest | None
) -> None:
    """Refuse a bundle that must not come into force.

    Args:
        files: the bundle's files by relative path.
        envelope: its bundle.json.
        officers: the officers whose keys this node knows, by key id.
        current: the manifest in force, if there is one.

    Raises:
        BundleRefusedError: with the first rule of the module that the bundle breaks.
    """
    # (1) before any signature is looked at, be sure what was signed is what is here.
    require_files(files, envelope.manifest)
    # (2) a revision never comes back, and never skips what was in force.
    _require_succession(envelope.manifest, current)
    require_two_officers(envelope, officers)


def verify_lineage(
    published: Envelope, earlier: Mapping[str, Envelope], officers: Mapping[str, Officer], current: Manifest | None
) -> None:
    """Refuse a revision that does not descend from the one in force, each step signed by two officers.

    A node that was stopped, or that looks once a second, meets a revision whose parent it never had in force.

    Args:
        published: the revision that is offered.
        earlier: the revisions that were published before, by the digest of their manifest.
        officers: the officers whose keys this node knows, by key id.
        current: the manifest in force; None for a node that never had one, which trusts the two signatures alone.

    Raises:
        BundleRefusedError: a step lacks a signature, a parent or a higher revision.
    """
    step = published
    require_two_officers(step, officers)
    if current is None:
        return
    while step.manifest.parent != current.digest:
        parent = earlier.get(step.manifest.parent or "")
        # INVARIANT: revisions fall with every step, so this ends.
        if parent is None or not current.revision < parent.manifest.revision < step.manifest.revision:
            raise BundleRefusedError(
                message(
                    "revision {revision} does not descend from revision {current}, which is in force; sign "
                    "it again with that one as parent",
                    revision=published.manifest.revision,
                    current=current.revision,
                )
            )
        require_two_officers(parent, officers)
        step = parent
    _require_succession(step.manifest, current)


def require_two_officers(envelope: Envelope, officers: Mapping[str, Officer]) -> None:
    """Refuse a manifest that an author and an approver, two people, did not sign: rules (3), (4) and (5).

    Raises:
        BundleRefusedError: says which signature is missing or wrong.
    """
    # (3) and (4) are one look at each role.
    holders = {role: _holder(envelope, role, officers) for role in Role}
    # (5) four eyes are two people, whatever keys they hold.
    if holders[Role.AUTHOR] == holders[Role.APPROVER]:
        raise BundleRefusedError(
            message("author and approver are one person, `{holder}`; two are needed", holder=holders[Role.AUTHOR])
        )


def require_files(files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Refuse files that are not exactly those of a manifest: rule (1).

    Raises:
        BundleRefusedError: names the first file that is missing, added or changed.
    """
    found = Manifest.of(files, manifest.revision, manifest.parent)
    for path in sorted(manifest.files.keys() | found.files.keys()):
        if path not in found.files:
            raise BundleRefusedError(message("file `{path}` of the manifest is missing", path=path))
        if path not in manifest.files:
            raise BundleRefusedError(message("file `{path}` is not in the manifest; sign the bundle again", path=path))
        if manifest.files[path] != found.files[path]:
            raise BundleRefusedError(
                message("file `{path}` is not the one that was signed; sign the bundle again", path=path)
            )


def _require_succession(manifest: Manifest, current: Manifest | None) -> None:
    if current is None:
        if manifest.revision < 1:
            raise BundleRefusedError(
                message("expected a revision of 1 or more, got {revision}", revision=manifest.revision)
            )
        return
    if manifest.revision <= current.revision:
        raise BundleRefusedError(
            message(
                "expected a revision above {revision}, which is in force, got {offered}: compare with "
                "`policy diff` and sign the bundle again with `--store`",
                revision=current.revision,
                offered=manifest.revision,
            )
        )
    if manifest.parent != current.digest:
        raise BundleRefusedError(
            message(
                "the bundle does not follow revision {revision}, which is in force: another officer "
                "published since it was signed; compare with `policy diff` and sign it again with that one "
                "as parent",
                revision=current.revision,
            )
        )


def _holder(envelope: Envelope, role: Role, officers: Mapping[str, Officer]) -> str:
    """Return who signed in a role, having checked the signature; exactly one signature per role counts."""
    found = [one for one in envelope.signatures if one.role is role]
    if len(found) != 1:
        raise BundleRefusedError(
            message("expected one signature of the {role}, got {number}", role=role, number=len(found))
        )
    [signature] = found
    officer = officers.get(signature.kid)
    if officer is None:
        raise BundleRefusedError(message("the {role}'s key `{kid}` is not known here", role=role, kid=signature.kid))
    if role not in officer.roles:
        raise BundleRefusedError(message("`{holder}` may not sign as {role}", holder=officer.holder, role=role))
    try:
        officer.verify(from_b64url(signature.signature), payload(envelope.manifest, role))
    except BadInputError as error:
        raise BundleRefusedError(message("the {role}'s signature is not base64url", role=role)) from error
    except Exception as error:
        # INVARIANT: whatever a verifier raises, an unverified signature never counts.
        raise BundleRefusedError(message("the {role}'s signature does not verify", role=role)) from error
    return officer.holder


def officer_rows(content: bytes) -> list[OfficerRow]:
    """Read officers.json: a list of `{holder, roles, jwk}`.

    Raises:
        BundleRefusedError: it is not one.
    """
    try:
        return msgspec.json.decode(content, type=list[OfficerRow])
    except (ValueError, RecursionError) as error:  # of msgspec, no UTF-8, or too deep
        raise BundleRefusedError(
            message("officers file is not a list of holder, roles and jwk: {error}", error=error)
        ) from error
