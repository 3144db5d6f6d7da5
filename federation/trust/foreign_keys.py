"""Keys of issuers outside the federation: a JWK set pinned by configuration, read without trusting its makers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from federation.contract.canonical import from_b64url
from federation.contract.errors import BadInputError, ConfigurationError, TokenError

_MIN_RSA_BITS = 2_048
_MAX_RSA_BITS = 8_192
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KID = re.compile(r"[\x21-\x7e]{1,256}")


class _Jwks(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PinnedKeys:
    """The public keys of one issuer and the one algorithm that it signs with.

    Refused with the whole set: a private or symmetric key, a key id twice or none, RSA under 2 048 bits or with an even
    or tiny exponent, a key for another use. Keys of other types are left out: they verify nothing here.
    """

    algorithm: str
    keys: Mapping[str, RSAKey | ECKey]

    @classmethod
    def parse(cls, content: bytes, algorithm: str) -> Self:
        """Read a JWK set (RFC 7517 section 5) for `RS256` or `ES256`.

        Raises:
            ConfigurationError: the set holds what it must not, or no key for the algorithm.
        """
        try:
            jwks = msgspec.json.decode(content, type=_Jwks)
            found = dict(_usable(jwks.keys, algorithm))
        except (msgspec.MsgspecError, BadInputError, JoseError, ValueError) as error:
            raise ConfigurationError(f"key set of the issuer cannot be used: {error}") from error
        if not found:
            raise ConfigurationError(f"key set of the issuer has no key for `{algorithm}`")
        return cls(algorithm, found)

    def verify(self, text: str, kid: str) -> None:
        """Verify a compact JWS by the key of that id and this issuer's algorithm.

        Raises:
            TokenError: the key is not pinned, or the signature does not verify.
        """
        key = self.keys.get(kid)
        if key is None:
            raise TokenError("token is signed by a key that is not among its issuer's")
        try:
            jws.deserialize_compact(text, key, registry=_registry(self.algorithm))
        except (JoseError, ValueError) as error:
            raise TokenError("token signature does not verify") from error


@cache
def _registry(algorithm: str) -> JWSRegistry:
    """Return the library's rules for one algorithm; `use`, which the platform puts into headers, is not one of theirs.

    Headers were read as closed lists before (`federation.trust.jose.read_token`).
    """
    return JWSRegistry(algorithms=[algorithm], strict_check_header=False)


def _usable(keys: tuple[dict[str, Any], ...], algorithm: str) -> list[tuple[str, RSAKey | ECKey]]:
    wanted = {"RS256": "RSA", "ES256": "EC"}.get(algorithm)
    if wanted is None:
        raise BadInputError(f"algorithm `{algorithm}` is not used by issuers here; expected RS256 or ES256")
    usable: list[tuple[str, RSAKey | ECKey]] = []
    seen = set[str]()
    for jwk in keys:
        if _PRIVATE & jwk.keys():
            raise BadInputError("a key set of an issuer holds a private or symmetric key")
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not _KID.fullmatch(kid) or kid in seen:
            raise BadInputError("expected every key under an id of its own")
        seen.add(kid)
        if jwk.get("kty") == wanted and jwk.get("use", "sig") == "sig" and jwk.get("alg", algorithm) == algorithm:
            usable.append((kid, _rsa(jwk) if wanted == "RSA" else _p256(jwk)))
    return usable


def _rsa(jwk: dict[str, Any]) -> RSAKey:
    modulus = int.from_bytes(from_b64url(str(jwk.get("n", ""))))
    exponent = int.from_bytes(from_b64url(str(jwk.get("e", ""))))
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or exponent < 3 or not exponent & 1:  # noqa: PLR2004  # RFC 8017
        raise BadInputError(f"expected RSA keys of {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits with an odd exponent")
    return RSAKey.import_key({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]})


def _p256(jwk: dict[str, Any]) -> ECKey:
    if jwk.get("crv") != "P-256":
        raise BadInputError("expected EC keys on P-256")
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": str(jwk.get("x")), "y": str(jwk.get("y"))})
