"""Campaign S5: the usual attacks on signed tokens, against each kind of token that the federation takes.

    python tests/faults/token_attacks.py [--planted-defect]

Every attack starts from a token that is good. A naive verifier, which believes the header as many do, is the control:
an attack set that it withstands would show nothing. With `--planted-defect` that verifier judges, and the run must
fail.
"""

from __future__ import annotations

import argparse
import hmac
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from federation.contract.canonical import b64url, from_b64url
from federation.contract.clock import epoch_seconds
from federation.contract.errors import CroceviaError, TokenError
from federation.contract.identifiers import MemberId
from federation.trust.keys import SigningKey, VerifyKey, message_keys
from federation.trust.tokens import (
    ClientAssertion,
    dpop_proof,
    issue_client_assertion,
    make_dpop,
    require_possession,
    verify_access_token,
    verify_client_assertion,
    verify_dpop,
)
from tests.support.parties import FEDERATION, GATEWAY_URL, Parties

ENDPOINT = "https://gateway.example/oauth2/token"
SQL = "x' UNION SELECT 'key'--"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of token: a good one, its key, and what judges it."""

    name: str
    good: str
    key: SigningKey
    judge: Callable[[str], object]


def kinds(parties: Parties) -> Iterator[Kind]:
    """Yield every kind with a good token."""
    members, now = parties.current(), parties.clock.now()
    gateway, consumer = message_keys(members.gateway.keys, now), message_keys(members.members[0].keys, now)
    token = parties.token()
    yield Kind(
        "access token",
        token,
        parties.gateway,
        lambda text: verify_access_token(text, FEDERATION, GATEWAY_URL, gateway, parties.clock),
    )
    claims = ClientAssertion.fresh(
        MemberId("inprev"), ENDPOINT, ("benefit-assessment", "acc-1"), parties.nonce(), parties.clock
    )
    yield Kind(
        "client assertion",
        issue_client_assertion(claims, parties.consumer),
        parties.consumer,
        lambda text: verify_client_assertion(text, ENDPOINT, lambda _: consumer, parties.clock),
    )
    yield Kind(
        "DPoP proof",
        make_dpop(dpop_proof("POST", GATEWAY_URL, parties.nonce(), parties.clock, token), parties.consumer),
        parties.consumer,
        lambda text: require_possession(
            parties.consumer.kid, verify_dpop(text, "POST", GATEWAY_URL, parties.clock, token)
        ),
    )


def attacks(kind: Kind, now: int) -> Iterator[tuple[str, str]]:
    """Yield attacks by name, each a token made from the good one."""
    header, claims, signature = parts(kind.good)
    other = SigningKey.generate()
    public = json.dumps(kind.key.public_jwk(), sort_keys=True, separators=(",", ":")).encode()

    def joined(head: Mapping[str, Any], body: Mapping[str, Any], made: bytes = signature) -> str:
        return f"{segment(head)}.{segment(body)}.{b64url(made)}"

    def signed(head: Mapping[str, Any], body: Mapping[str, Any], key: SigningKey = kind.key) -> str:
        text = f"{segment(head)}.{segment(body)}"
        return f"{text}.{b64url(key.sign(text.encode()))}"

    def mac(head: Mapping[str, Any], body: Mapping[str, Any], secret: bytes) -> str:
        text = f"{segment(head)}.{segment(body)}"
        return f"{text}.{b64url(hmac.digest(secret, text.encode(), 'sha256'))}"

    for none in ("none", "None", "NONE", "nOnE"):
        yield f"alg {none}", f"{segment({**header, 'alg': none})}.{segment(claims)}."
        yield f"alg {none}, signature kept", joined({**header, "alg": none}, claims)
    for name, secret in {"public key": public, "kid": str(header.get("kid", "")).encode(), "empty": b""}.items():
        yield f"HS256 with the {name} as secret", mac({**header, "alg": "HS256"}, claims, secret)
    for algorithm in ("RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "HS512", ""):
        yield f"alg {algorithm or 'empty'}, otherwise good", signed({**header, "alg": algorithm}, claims)
    yield "signature removed", f"{segment(header)}.{segment(claims)}."
    yield "two parts", f"{segment(header)}.{segment(claims)}"
    yield "signature of zeros", joined(header, claims, bytes(64))
    yield "r and s of the order", joined(header, claims, ORDER + ORDER)
    yield "signature in DER", joined(header, claims, b"\x30\x44" + signature)
    yield "signature twice", joined(header, claims, signature + signature)
    yield "signature of another key", signed(header, claims, other)
    yield "another key in the header", signed({**header, "jwk": other.public_jwk()}, claims, other)
    yield "private key in the header", signed({**header, "jwk": other.private_jwk()}, claims, other)
    for name in ("jku", "x5u", "x5c", "x5t", "crit", "b64", "zip", "cty"):
        yield f"header {name}", signed({**header, name: FOREIGN.get(name, "https://evil.example/keys")}, claims)
    for kid in ("../../dev/null", "/dev/null", SQL, "|sleep 10", "", "\u0000", kind.key.kid + " ", "a" * 5000):
        yield f"kid {kid[:20]!r}", signed({**header, "kid": kid}, claims, other)
    for typ in ("JWT", "at+jwt", "dpop+jwt", "application/at+jwt", "", "jwt"):
        if typ not in {header["typ"], *({"JWT"} if kind.name == "client assertion" else ())}:
            yield f"typ {typ or 'empty'}", signed({**header, "typ": typ}, claims)
    for name, value in FORGED.items():
        if name in claims:
            yield f"claim {name} changed", joined(header, {**claims, name: value})
            yield f"claim {name} of another kind, signed", signed(header, {**claims, name: {"x": 1}})
            yield f"claim {name} missing, signed", signed(header, {key: claims[key] for key in claims if key != name})
    yield "unknown claim, signed", signed(header, {**claims, "admin": True})
    for seconds in (-86_400, -3_600, 3_600, 86_400):
        yield f"issued {seconds} s from now, signed", signed(header, moved(claims, now + seconds))
    if "exp" in claims:
        yield "lives for years, signed", signed(header, {**claims, "exp": now + 10**8})
        yield "ends before it begins, signed", signed(header, {**claims, "exp": claims["iat"] - 1})
    text = kind.good
    for name, changed in {
        "space before": " " + text,
        "line end after": text + "\n",
        "padding": text + "=",
        "fourth part": text + ".e30",
        "standard alphabet": text.replace("-", "+").replace("_", "/"),
        "last bits of a segment": spelled_otherwise(text),
        "duplicate claim": duplicated(kind),
        "JSON serialization": json.dumps({"payload": text.split(".")[1], "signatures": []}),
        "too long": text + "A" * 9_000,
        "empty": "",
    }.items():
        if changed != text:
            yield name, changed


FOREIGN: dict[str, Any] = {"crit": ["exp"], "b64": False, "x5c": ["MIIB"], "zip": "DEF"}
FORGED: dict[str, Any] = {
    "iss": "https://evil.example",
    "sub": "c_m999",
    "client_id": "c_m999",
    "aud": ["https://evil.example"],
    "purposeId": "statistics",
    "agreementId": "acc-2",
    "cnf": {"jkt": "x"},
    "htm": "GET",
    "htu": "https://evil.example",
    "ath": "x",
}
ORDER = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Return header, claims and signature of a token."""
    header, claims, signature = (from_b64url(each) for each in text.split("."))
    return json.loads(header), json.loads(claims), signature


def segment(content: Mapping[str, Any]) -> str:
    """Return one segment."""
    return b64url(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def moved(claims: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return the claims as if made at another time."""
    return {**claims, "iat": now, **({"exp": now + claims["exp"] - claims["iat"]} if "exp" in claims else {})}


def spelled_otherwise(text: str) -> str:
    """Return the token with unused bits of its last character set, which lenient decoders do not see."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def duplicated(kind: Kind) -> str:
    """Return a signed token in which one claim stands twice."""
    header, claims, _ = parts(kind.good)
    body = json.dumps(claims, sort_keys=True, separators=(",", ":"))
    text = f"{segment(header)}.{b64url(('{' + chr(34) + 'iat' + chr(34) + ':1,' + body[1:]).encode())}"
    return f"{text}.{b64url(kind.key.sign(text.encode()))}"


def naive(text: str, kind: Kind) -> bool:
    """Judge as a verifier that believes the header does."""
    try:
        head, body, signature = [*text.split("."), "", ""][:3]
        header = json.loads(from_b64url(head))
        algorithm = str(header.get("alg", "")).lower()
        if algorithm == "none":
            return True
        message = f"{head}.{body}".encode()
        if algorithm == "hs256":
            public = json.dumps(kind.key.public_jwk(), sort_keys=True, separators=(",", ":")).encode()
            return hmac.compare_digest(hmac.digest(public, message, "sha256"), from_b64url(signature))
        key = VerifyKey.from_jwk({k: header["jwk"][k] for k in ("kty", "crv", "x", "y")}) if "jwk" in header else None
        (key or kind.key.public()).verify(from_b64url(signature), message)
    except (ValueError, KeyError, CroceviaError):
        return False
    return True


def believing(kind: Kind) -> Kind:
    """Return a kind of token that the naive verifier judges: a defect to be found."""

    def judge(text: str) -> None:
        if not naive(text, kind):
            raise TokenError("not even the naive verifier believes this")

    return replace(kind, judge=judge)


def main() -> int:
    """Run every attack and print what came through."""
    parser = argparse.ArgumentParser(description="attacks on signed tokens")
    parser.add_argument("--planted-defect", action="store_true")
    planted = parser.parse_args().planted_defect
    parties = Parties()
    now = epoch_seconds(parties.clock)
    wrong = 0
    print(f"{'token':18} {'attacks':>8} {'accepted':>9} {'crashed':>8} {'a naive verifier accepts':>25}")
    for kind in map(believing, kinds(parties)) if planted else kinds(parties):
        kind.judge(kind.good)
        accepted, crashed, fooled = [], [], 0
        made = list(attacks(kind, now))
        for name, token in made:
            fooled += naive(token, kind)
            try:
                kind.judge(token)
            except CroceviaError:
                continue
            except Exception as error:  # noqa: BLE001  # a crash is what is looked for
                crashed.append(f"{name}: {type(error).__name__}")
            else:
                accepted.append(name)
        print(f"{kind.name:18} {len(made):8} {len(accepted):9} {len(crashed):8} {fooled:25}")
        for name in (*accepted, *crashed):
            print(f"    {name}")
        wrong += len(accepted) + len(crashed) + (fooled < 5)  # the control must fall
    print(f"wrong verdicts: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
