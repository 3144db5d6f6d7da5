"""Private keys in files, and what the world may know of them.

Messages, assertions and proofs are signed with P-256, ledger checkpoints and policy bundles with Ed25519 (trust section 1).
A key file is PKCS#8 PEM of mode 0600; a file that others may read is refused, whatever it holds.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from federation.contract.canonical import b64url, canonical, from_b64url
from federation.contract.errors import ConfigurationError, CroceviaError, SignatureError

MESSAGE_KEY = "message.pem"
LEDGER_KEY = "ledger.pem"
BUNDLE_KEY = "bundle.pem"
_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A P-256 public key under its RFC 7638 thumbprint."""

    kid: str
    _public: ec.EllipticCurvePublicKey = field(repr=False)

    @classmethod
    def from_jwk(cls, jwk: dict[str, str]) -> Self:
        """Read a public JWK (RFC 7518 section 6.2).

        Raises:
            SignatureError: not a P-256 public key, a private one, or a point that is not on the curve.
        """
        if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
            raise SignatureError("expected a public P-256 key")
        try:
            x, y = from_b64url(jwk["x"]), from_b64url(jwk["y"])
            if len(x) != _COORDINATE_BYTES or len(y) != _COORDINATE_BYTES:
                raise SignatureError("expected P-256 coordinates of 32 bytes")
            numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
            public = numbers.public_key()
        except (KeyError, ValueError, CroceviaError) as error:
            raise SignatureError("expected a public P-256 key") from error
        return cls(thumbprint(jwk), public)

    def verify(self, signature: bytes, content: bytes) -> None:
        """Check a signature of the form r ‖ s (RFC 7518 section 3.4, RFC 9421 section 3.3.4).

        Raises:
            SignatureError: it does not verify.
        """
        if len(signature) != 2 * _COORDINATE_BYTES:
            raise SignatureError("signature does not verify")
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        try:
            self._public.verify(der, content, ec.ECDSA(hashes.SHA256()))
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
        private = _load(path)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise ConfigurationError(f"key file `{path}` does not hold a P-256 key")
        return cls._of(private)

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
        r, s = decode_dss_signature(self._private.sign(content, ec.ECDSA(hashes.SHA256())))
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


def generate_ed25519(path: Path) -> Ed25519PrivateKey:
    """Make an Ed25519 key in a new file of mode 0600.

    Raises:
        ConfigurationError: the file exists.
    """
    private = Ed25519PrivateKey.generate()
    _save(path, private)
    return private


def ed25519_jwk(private: Ed25519PrivateKey) -> dict[str, str]:
    """Return the public half as a JWK (RFC 8037 section 2)."""
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(private.public_key().public_bytes_raw())}


def thumbprint(jwk: dict[str, str]) -> str:
    """Return the RFC 7638 thumbprint: base64url of the SHA-256 over the required members in lexical order."""
    required = ("crv", "kty", "x", "y") if jwk["kty"] == "EC" else ("crv", "kty", "x")
    return b64url(sha256(canonical({name: jwk[name] for name in required})).digest())


def require_private(path: Path) -> None:
    """Refuse a secret file that somebody else may read or write.

    Raises:
        ConfigurationError: the file is missing, or its mode is wider than 0600; names the file and the way out.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError as error:
        raise ConfigurationError(f"key file `{path}` does not exist; `crocevia keys generate` makes one") from error
    if mode & 0o077:
        raise ConfigurationError(
            f"key file `{path}` has mode {mode:04o}; `chmod 600` it, and replace the key if it leaked"
        )


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
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _load(path: Path) -> object:
    require_private(path)
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
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
