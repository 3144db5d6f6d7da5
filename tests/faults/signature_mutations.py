"""Mutate signed messages and ask both our fixed profile and an independent RFC 9421 library what they think.

    python tests/faults/signature_mutations.py [--count 100000] [--seed 1] [--planted-defect]

Ours must never accept what the library refuses, nor anything that was changed at all. What the library accepts and ours
refuses is stricter by intent (another spelling of the same signature) and is counted. With `--planted-defect` ours does
not compare a body with its digest, which must be found. The last line counts; exit code 1 when ours accepted a changed
message or one that the library refuses.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.errors import CroceviaError, DigestError
from federation.trust import http_signatures
from federation.trust.http_messages import HttpRequest, HttpResponse, content_digest, require_content_digest
from federation.trust.http_signatures import RequestBinding, verify_request, verify_response
from tests.support.http_signatures import CLOCK, keys, library_accepts, signed_request, signed_response

_CHARACTERS = '"();:=, \t\n\r*-_.aZ09/+\x00\x7f\u00e9\u2028'


def mutated(text: str, dice: random.Random) -> str:
    """Delete, insert, replace, double, move or re-case a few characters."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(text) + 1)
        until = min(len(text), at + dice.randint(1, 6))
        piece, to = text[at:until], dice.randrange(len(text) + 1)
        text = dice.choice(
            [
                text[:at] + text[until:],
                text[:at] + dice.choice(_CHARACTERS) + text[at:],
                text[:at] + dice.choice(_CHARACTERS) + text[at + 1 :],
                text[:until] + piece + text[until:],
                text[:to] + piece + text[to:],
                text[:at] + piece.swapcase() + text[until:],
            ]
        )
    return text


def change_request(request: HttpRequest, dice: random.Random) -> HttpRequest:
    """Mutate one part of a request; the signature's headers more often than the others."""
    part = dice.choice(["method", "target", "body", *request.headers, *(["signature-input", "signature"] * 3)])
    match part:
        case "method":
            return HttpRequest(mutated(request.method, dice), request.target_uri, request.headers, request.body)
        case "target":
            return HttpRequest(request.method, mutated(request.target_uri, dice), request.headers, request.body)
        case "body":
            body = mutated(request.body.decode(), dice).encode()
            return HttpRequest(request.method, request.target_uri, request.headers, body)
        case name:
            headers = {**request.headers, name: mutated(request.headers[name], dice)}
            return HttpRequest(request.method, request.target_uri, headers, request.body)


def change_response(response: HttpResponse, dice: random.Random) -> HttpResponse:
    """Mutate one part of a response."""
    part = dice.choice(["status", "body", *response.headers, *(["signature-input", "signature"] * 3)])
    match part:
        case "status":
            return HttpResponse(dice.randint(100, 599), response.headers, response.body)
        case "body":
            return HttpResponse(response.status, response.headers, mutated(response.body.decode(), dice).encode())
        case name:
            headers = {**response.headers, name: mutated(response.headers[name], dice)}
            return HttpResponse(response.status, headers, response.body)


def ours_accepts(message: HttpRequest | HttpResponse, request: HttpRequest) -> bool:
    """Tell whether our verifier accepts."""
    try:
        if isinstance(message, HttpRequest):
            verify_request(message, keys, CLOCK)
        else:
            verify_response(message, RequestBinding.of(request), keys, CLOCK)
    except CroceviaError:
        return False
    return True


def digest_of_any_body(headers: Mapping[str, str], body: bytes) -> str:
    """Take a digest of the right form for that of the body: a defect to be found."""
    try:
        return require_content_digest(headers, body)
    except DigestError:
        digest = headers.get("content-digest", "")
        if len(digest) != len(content_digest(b"")) or not digest.isascii():
            raise
        return digest


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="mutations of signed messages, judged by two verifiers")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    if asked.planted_defect:
        vars(http_signatures)["require_content_digest"] = digest_of_any_body
    dice, toll = random.Random(asked.seed), Counter[str]()
    request = signed_request()
    response = signed_response(request)
    for _ in range(asked.count):
        message: HttpRequest | HttpResponse
        if dice.random() < 0.5:
            message = change_request(request, dice)
            same = message == request
        else:
            message = change_response(response, dice)
            same = message == response
        ours, theirs = ours_accepts(message, request), library_accepts(message, request)
        toll["unchanged"] += same
        toll["accepted though changed"] += ours and not same
        toll["accepted though the library refuses"] += ours and not theirs
        toll["refused though unchanged"] += same and not ours
        toll["stricter than the library"] += theirs and not ours
    bad = (
        toll["accepted though changed"] + toll["accepted though the library refuses"] + toll["refused though unchanged"]
    )
    for name, count in toll.items():
        sys.stdout.write(f"{count:8} {name}\n")
    sys.stdout.write(f"{asked.count} mutations: {bad} wrong verdicts\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
