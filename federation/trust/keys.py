"""Private keys in files, and what the world may know of them.

Messages, assertions and proofs are signed with P-256, ledger checkpoints and policy bundles with Ed25519 (trust
section 1). A key file is PKCS#8 PEM of mode 0600; a file that others may read is refused, whatever it holds.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from federation.contract.canonical import b64url, canonical, from_b64url
from federation.contract.clock import Clock
from federation.contract.errors import BadInputError, ConfigurationError, SignatureError
from federation.contract.members import KeyUse, PublishedKey

MESSAGE_KEY = "message.pem"
NEXT_MESSAGE_KEY = "message.next.pem"
"""Proposed beside the key in use, until it takes over."""

OLD_MESSAGE_KEY = "message.old.pem"
"""Listed until the last message by it is answered."""

LEDGER_KEY = "ledger.pem"
WITNESS_KEY = "witness.pem"
BUNDLE_KEY = "bundle.pem"
OFFICER_KEYS = ("officer-1.pem", "officer-2.pem")
"""Of two officers, each with a key of their own; in production neither lies beside the other."""
_COORDINATE_BYTES = 32
_ECDSA = ec.ECDSA(hashes.SHA256())
_SECRET_BYTES = 32
_NONCE_BYTES = 18
_EC_MEMBERS = frozenset({"crv", "kty", "x", "y"})
_OKP_MEMBERS = frozenset({"crv", "kty", "x"})
_RSA_MEMBERS = frozenset({"e", "kty", "n"})
_DECORATION = frozenset({"alg", "key_ops", "kid", "use"})
"""JWK members that say something about a key without being part of it (RFC 7517 section 4)."""


class MessageSigner(Protocol):
    """A P-256 private key, in a file or in hardware."""

    @property
    def kid(self) -> str:
        """Return the RFC 7638 thumbprint of the public half."""
        ...

    def sign(self, content: bytes) -> bytes:
        """Sign `content` with ECDSA P-256 SHA-256; the form is r ‖ s, 64 bytes."""
        ...

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JWK without `kid`."""
        ...


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A P-256 public key under its RFC 7638 thumbprint."""

    kid: str
    _public: ec.EllipticCurvePublicKey = field(repr=False)

    @classmethod
    def from_jwk(cls, jwk: dict[str, Any]) -> Self:
        """Read a public JWK (RFC 7518 section 6.2); `kid`, `use`, `alg` and `key_ops` may stand beside the key.

        Raises:
            SignatureError: not a P-256 public key for signatures, a private one, another spelling of its coordinates,
                or a point that is not on the curve.
        """
        _require_members(jwk, _EC_MEMBERS, {"kty": "EC", "crv": "P-256", "alg": "ES256"})
        x, y = jwk["x"], jwk["y"]
        if not isinstance(x, str) or not isinstance(y, str):
            raise SignatureError("expected JWK coordinates in base64url")
        return cls(*_point(x, y))

    def public_jwk(self) -> dict[str, str]:
        """Return the key as a JWK without `kid`."""
        return _public_jwk(self._public)

    def verify(self, signature: bytes, content: bytes) -> None:
        """Check a signature of the form r ‖ s (RFC 7518 section 3.4, RFC 9421 section 3.3.4).

        Raises:
            SignatureError: it does not verify.
        """
        if len(signature) != 2 * _COORDINATE_BYTES:
            raise SignatureError("signature does not verify")
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        try:
            self._public.verify(der, content, _ECDSA)
        except InvalidSignature as error:
            raise SignatureError("signature does not verify") from error


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 private key under the thumbprint of its public half."""

    kid: str
    _private: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key from the operating system's randomness."""
        return cls._of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file.

        Raises:
            ConfigurationError: the file is missing, readable by others, or not a P-256 key; names the file.
        """
        return cls._of(load_p256(path))

    @classmethod
    def _of(cls, private: ec.EllipticCurvePrivateKey) -> Self:
        return cls(thumbprint(_public_jwk(private.public_key())), private)

    def save(self, path: Path) -> None:
        """Write the key to a new file of mode 0600.

        Raises:
            ConfigurationError: the file exists.
        """
        _save(path, self._private)

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JWK without `kid`."""
        return _public_jwk(self._private.public_key())

    def public(self) -> VerifyKey:
        """Return the public half."""
        return VerifyKey(self.kid, self._private.public_key())

    def private_jwk(self) -> dict[str, str]:
        """Return the whole key as a JWK, for the JOSE library only; never store or send it."""
        secret = self._private.private_numbers().private_value.to_bytes(_COORDINATE_BYTES)
        return {**self.public_jwk(), "d": b64url(secret), "kid": self.kid}

    def sign(self, content: bytes) -> bytes:
        """Sign `content` with ECDSA P-256 SHA-256; the form is r ‖ s, 64 bytes."""
        r, s = decode_dss_signature(self._private.sign(content, _ECDSA))
        return r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES)


def load_ed25519(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key file.

    Raises:
        ConfigurationError: the file is missing, readable by others, or not an Ed25519 key; names the file.
    """
    private = _load(path)
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(f"key file `{path}` does not hold an Ed25519 key")
    return private


def load_p256(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 key for certificates.

    Raises:
        ConfigurationError: the file is missing, readable by others, or not a P-256 key; names the file.
    """
    private = _load(path)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise ConfigurationError(f"key file `{path}` does not hold a P-256 key")
    return private


def write_p256(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a P-256 key to a new file of mode 0600.

    Raises:
        ConfigurationError: the file exists.
    """
    _save(path, key)


def ensure_p256(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key in a file, which is made unless it is there."""
    if not path.exists():
        write_p256(path, ec.generate_private_key(ec.SECP256R1()))
    return load_p256(path)


def read_ed25519_public(path: Path) -> Ed25519PublicKey:
    """Read a public Ed25519 key from a PEM file, which may hold the private key too.

    Raises:
        ConfigurationError: the file is missing, or holds no Ed25519 key; names the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        public = load_pem_public_key(content)
    except ValueError:
        return load_ed25519(path).public_key()
    if not isinstance(public, Ed25519PublicKey):
        raise ConfigurationError(f"key file `{path}` does not hold an Ed25519 key")
    return public


def generate_ed25519(path: Path) -> Ed25519PrivateKey:
    """Make an Ed25519 key in a new file of mode 0600.

    Raises:
        ConfigurationError: the file exists.
    """
    private = Ed25519PrivateKey.generate()
    _save(path, private)
    return private


def ed25519_jwk(key: Ed25519PrivateKey | Ed25519PublicKey) -> dict[str, str]:
    """Return the public half as a JWK (RFC 8037 section 2)."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(public.public_bytes_raw())}


def ed25519_from_jwk(jwk: dict[str, Any]) -> Ed25519PublicKey:
    """Read a public Ed25519 JWK (RFC 8037 section 2).

    Raises:
        SignatureError: not a public Ed25519 key for signatures in its one canonical spelling.
    """
    _require_members(jwk, _OKP_MEMBERS, {"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519"})
    x = jwk["x"]
    if not isinstance(x, str):
        raise SignatureError("expected JWK coordinates in base64url")
    return Ed25519PublicKey.from_public_bytes(_coordinate(x))


def thumbprint(jwk: dict[str, Any]) -> str:
    """Return the RFC 7638 thumbprint: base64url of the SHA-256 over the required members in lexical order.

    Raises:
        BadInputError: a key type other than EC, OKP (RFC 8037 section 2) and RSA, or a required member is missing.
    """
    required = {"EC": _EC_MEMBERS, "OKP": _OKP_MEMBERS, "RSA": _RSA_MEMBERS}.get(jwk.get("kty", ""))
    if required is None or not required <= jwk.keys():
        raise BadInputError("expected a JWK of type EC, OKP or RSA with all its public members")
    return b64url(sha256(canonical({name: jwk[name] for name in required})).digest())


KeyLookup = Callable[[str], VerifyKey | None]
"""Finds the key of a thumbprint among those that the caller trusts now, for this use."""


def publish(jwk: dict[str, str], use: KeyUse, not_before: datetime, not_after: datetime) -> PublishedKey:
    """Return a public key as the member list holds it."""
    return PublishedKey(kid=thumbprint(jwk), use=use, jwk=jwk, not_before=not_before, not_after=not_after)


def message_keys(keys: Iterable[PublishedKey], instant: datetime) -> KeyLookup:
    """Return a lookup among a party's message keys that are valid at `instant`.

    Raises:
        SignatureError: a published key is not a P-256 key, or its `kid` is not its thumbprint.
    """
    found: dict[str, VerifyKey] = {}
    for published in keys:
        if published.use is KeyUse.MESSAGE and published.valid_at(instant):
            key = known_key(published.jwk)
            if key.kid != published.kid:
                raise SignatureError("expected a published key whose `kid` is its RFC 7638 thumbprint")
            found[key.kid] = key
    return found.get


def current_message_keys(keys: Sequence[PublishedKey], clock: Clock) -> KeyLookup:
    """Return a lookup among a party's message keys that are valid whenever it is asked.

    Between the moments at which some key begins or ends, the same ones are valid: they are read once for each such
    span, not for each message.

    Raises:
        SignatureError: when it is asked, see `message_keys`.
    """
    ends = sorted({end for key in keys for end in (key.not_before, key.not_after)})
    spans: dict[tuple[int, int], KeyLookup] = {}

    def valid_now(kid: str) -> VerifyKey | None:
        now = clock.now()
        span = bisect_left(ends, now), bisect_right(ends, now)  # they differ at an end itself, which still counts
        found = spans.get(span)
        if found is None:
            found = spans[span] = message_keys(keys, now)
        return found(kid)

    return valid_now


def known_key(jwk: dict[str, Any]) -> VerifyKey:
    """Return what `VerifyKey.from_jwk` does: a point is put on its curve once; the same keys come with every request.

    Raises:
        SignatureError: see `VerifyKey.from_jwk`.
    """
    try:
        return _known_key(tuple(jwk.items()))
    except TypeError:  # a value that is no text, which is no key
        return VerifyKey.from_jwk(jwk)


@lru_cache(maxsize=4096)
def _known_key(jwk: tuple[tuple[str, Any], ...]) -> VerifyKey:
    return VerifyKey.from_jwk(dict(jwk))


def jwks(keys: Collection[VerifyKey]) -> dict[str, Any]:
    """Return a JWK set of signature keys (RFC 7517 section 5), as `/.well-known/jwks.json` serves it."""
    return {"keys": [{**key.public_jwk(), "alg": "ES256", "kid": key.kid, "use": "sig"} for key in keys]}


def new_nonce() -> str:
    """Return an unguessable base64url text."""
    return b64url(os.urandom(_NONCE_BYTES))


def read_secret(path: Path) -> bytes:
    """Read a symmetric secret of 32 bytes.

    Raises:
        ConfigurationError: missing, readable by others, or of another length; names the file.
    """
    content = _read_private(path)
    if len(content) != _SECRET_BYTES:
        raise ConfigurationError(f"key file `{path}` has {len(content)} bytes, expected {_SECRET_BYTES}")
    return content


def read_private_text(path: Path) -> str:
    """Read a secret of one line, such as a PIN, from a file of mode 0600.

    Raises:
        ConfigurationError: missing, readable by others, or not UTF-8; names the file.
    """
    try:
        return _read_private(path).decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"key file `{path}` is not text") from error


def require_private(path: Path) -> None:
    """Refuse a secret file that somebody else may read or write.

    Raises:
        ConfigurationError: the file is missing, or its mode is wider than 0600; names the file and the way out.
    """
    try:
        _require_mode(path, path.stat().st_mode)
    except OSError as error:
        raise _unreadable(path, error) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a new secret file of mode 0600, never for a moment wider.

    Raises:
        ConfigurationError: the file exists.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(f"key file `{path}` exists; it is not overwritten") from error
    except OSError as error:
        raise ConfigurationError(f"key file `{path}` cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read_private(path: Path) -> bytes:
    """Read a secret file; its mode is that of the opened file, so that it cannot change between check and use."""
    try:
        with path.open("rb") as file:
            _require_mode(path, os.fstat(file.fileno()).st_mode)
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _require_mode(path: Path, mode: int) -> None:
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(
            f"key file `{path}` has mode {stat.S_IMODE(mode):04o}; `chmod 600` it, and replace the key if it leaked"
        )


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    if isinstance(error, FileNotFoundError):
        return ConfigurationError(f"key file `{path}` does not exist; `crocevia keys generate` makes one")
    return ConfigurationError(f"key file `{path}` cannot be read: {error.strerror}")


def _load(path: Path) -> object:
    content = _read_private(path)
    try:
        return load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"key file `{path}` is not an unencrypted PKCS#8 PEM key") from error


def _save(path: Path, private: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> None:
    write_private(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _public_jwk(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": b64url(numbers.x.to_bytes(_COORDINATE_BYTES)),
        "y": b64url(numbers.y.to_bytes(_COORDINATE_BYTES)),
    }


def _require_members(jwk: dict[str, Any], members: frozenset[str], fixed: dict[str, str]) -> None:
    if not members <= jwk.keys() or not jwk.keys() <= members | _DECORATION:
        raise SignatureError(f"expected a public JWK with exactly the members {', '.join(sorted(members))}")
    if any(jwk.get(name, value) != value for name, value in fixed.items()):
        raise SignatureError(f"expected a JWK of curve {fixed['crv']}")
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise SignatureError("expected a JWK that may verify signatures")


@lru_cache(maxsize=4_096)
def _point(x: str, y: str) -> tuple[str, ec.EllipticCurvePublicKey]:
    """Return thumbprint and key of a point; keys in use are read from their JWK at every request."""
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(_coordinate(x)), int.from_bytes(_coordinate(y)), ec.SECP256R1()
    )
    try:
        public = numbers.public_key()
    except ValueError as error:
        raise SignatureError("expected a public P-256 key") from error
    return thumbprint({"kty": "EC", "crv": "P-256", "x": x, "y": y}), public


def _coordinate(text: str) -> bytes:
    try:
        content = from_b64url(text)
    except BadInputError as error:
        raise SignatureError("expected JWK coordinates in base64url") from error
    if len(content) != _COORDINATE_BYTES:
        raise SignatureError("expected JWK coordinates of 32 bytes")
    return content
