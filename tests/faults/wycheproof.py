"""Run Project Wycheproof's vectors through our own wrappers, and count what is accepted that must not be.

    python tests/faults/wycheproof.py FOLDER      the folder `testvectors_v1` of github.com/C2SP/wycheproof

ECDSA P-256 with r ‖ s through `VerifyKey`, Ed25519 through the primitive behind notes and envelopes, JWS and JWK
through `read_token` and `VerifyKey.from_jwk` (ES256 is all that they admit, so valid vectors of other algorithms are
refused by intent). The last line counts wrong verdicts; exit code 1 when there are any.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.canonical import b64url
from federation.contract.errors import CroceviaError
from federation.trust.jose import read_token, require_signature
from federation.trust.keys import VerifyKey


class AnyEs256Header(msgspec.Struct, forbid_unknown_fields=True):
    """The vectors carry `kid` and sometimes `typ`; anything more is refused as everywhere here."""

    alg: Literal["ES256"]
    kid: str = ""
    typ: str = ""


def vectors(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield (group, vector) of a file."""
    for group in json.loads((folder / name).read_text("utf-8"))["testGroups"]:
        for vector in group["tests"]:
            yield group, vector


def ecdsa(group: dict[str, Any], vector: dict[str, Any]) -> bool:
    """Tell whether our P-256 verifier accepts."""
    point = bytes.fromhex(group["publicKey"]["uncompressed"])
    jwk = {"kty": "EC", "crv": "P-256", "x": b64url(point[1:33]), "y": b64url(point[33:])}
    return accepts(lambda: VerifyKey.from_jwk(jwk).verify(bytes.fromhex(vector["sig"]), bytes.fromhex(vector["msg"])))


def ed25519(group: dict[str, Any], vector: dict[str, Any]) -> bool:
    """Tell whether the Ed25519 behind notes and envelopes accepts."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
    try:
        key.verify(bytes.fromhex(vector["sig"]), bytes.fromhex(vector["msg"]))
    except InvalidSignature:
        return False
    return True


def jws(group: dict[str, Any], vector: dict[str, Any]) -> bool:
    """Tell whether our token reader accepts a token under the group's key."""
    jwk: dict[str, Any] = group.get("public") or group["private"]

    def verify() -> None:
        key = VerifyKey.from_jwk({name: value for name, value in jwk.items() if name != "d"})
        header, _ = read_token(vector["jws"], AnyEs256Header)
        if jwk.get("kid") and header.kid != jwk["kid"]:
            raise CroceviaError("another key")
        require_signature(vector["jws"], key)

    return isinstance(vector["jws"], str) and accepts(verify)


def jwk_set(group: dict[str, Any], vector: dict[str, Any]) -> bool:
    """Tell whether every key of a set is read."""
    keys = (group.get("public") or group["private"]).get("keys", [])
    return accepts(lambda: [VerifyKey.from_jwk(jwk) for jwk in keys]) and bool(keys) and bool(vector)


def accepts(verify: Any) -> bool:
    """Tell whether something passes without a refusal."""
    try:
        verify()
    except CroceviaError:
        return False
    return True


_FILES = {
    "ecdsa_secp256r1_sha256_p1363_test.json": (ecdsa, True),
    "ed25519_test.json": (ed25519, True),
    "json_web_signature_test.json": (jws, False),
    "json_web_key_test.json": (jwk_set, False),
}


def main() -> int:
    """Run every file and print the table."""
    if len(sys.argv) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    wrong = 0
    for name, (judge, complete) in _FILES.items():
        toll = Counter[str]()
        for group, vector in vectors(Path(sys.argv[1]), name):
            accepted, result = judge(group, vector), vector["result"]
            toll[f"{result} {'accepted' if accepted else 'refused'}"] += 1
            bad = (accepted and result == "invalid") or (complete and not accepted and result == "valid")
            wrong += bad
            if bad:
                sys.stdout.write(f"{name} {vector['tcId']}: {result}, {vector['comment']}: {accepted=}\n")
        sys.stdout.write(f"{name}: {', '.join(f'{count} {kind}' for kind, count in sorted(toll.items()))}\n")
    sys.stdout.write(f"{wrong} wrong verdicts\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
