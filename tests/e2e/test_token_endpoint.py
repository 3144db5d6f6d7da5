"""The token endpoint by raw bytes: whatever comes, one refusal with a name of OAuth's, or a closed connection."""

from __future__ import annotations

import json
import re
import socket
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from federation.demo.layout import HOST

if TYPE_CHECKING:
    from tests.support.demo import RunningDemo

TRIES = 200
WAITING = 0.5
FORM = (
    "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    "&client_assertion=eyJhbGciOiJFUzI1NiJ9.e30.AAAA"
)
HEAD = (
    "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "DPoP: eyJhbGciOiJFUzI1NiJ9.e30.AAAA\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
)
ERRORS = {"invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope", "invalid_dpop_proof"}


def mutated(chance: Random, host: str) -> bytes:
    """Return a token request with some bytes of it changed, left out, doubled, or put elsewhere."""
    body = FORM
    for _ in range(chance.randrange(4)):
        at, length = chance.randrange(len(body)), chance.randrange(1, 12)
        piece = chance.choice(
            ["", body[at : at + length] * 2, "%00", "%ff", "&grant_type=x", "=", "\x7f", "é", "&" * 20]
        )
        body = body[:at] + piece + body[at + length :]
    head = HEAD.format(host=host, length=len(body.encode("latin-1")))
    if chance.random() < 0.4:
        at = chance.randrange(len(head) - 4)
        head = head[:at] + chance.choice(["", "\r\n", ":", "\x00", " ", "DPoP: x\r\n", "\xff"]) + head[at + 1 :]
    return head.encode("latin-1") + body.encode("latin-1")


def said(address: tuple[str, int], request: bytes) -> bytes:
    """Return the first answer, whole; nothing when the server closes, or goes on waiting for the rest of a request."""
    with socket.create_connection(address, timeout=WAITING) as connection:
        connection.sendall(request)
        answer = b""
        with suppress(TimeoutError):
            while not whole(answer) and (more := connection.recv(65_536)):
                answer += more
    return answer


def whole(answer: bytes) -> bool:
    head, end, content = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(end and length and len(content) >= int(length[1]))


def test_whatever_is_sent_is_refused_by_name(demo: RunningDemo) -> None:
    chance, address = Random(6749), (HOST, demo.ports.gateway)
    named = set()
    for _ in range(TRIES):
        answer = said(address, mutated(chance, f"{HOST}:{demo.ports.gateway}"))
        if not answer:
            continue
        statuses = re.findall(rb"HTTP/1\.1 (\d{3})", answer)
        assert len(statuses) == 1
        assert 400 <= int(statuses[0]) < 500
        content = answer.partition(b"\r\n\r\n")[2]
        if content.startswith(b'{"error"'):
            named.add(json.loads(content)["error"])
    assert named <= ERRORS
    assert {"invalid_request", "invalid_client"} <= named


def test_a_refusal_is_json_that_is_not_stored_and_brings_a_nonce(demo: RunningDemo) -> None:
    head, _, body = said(
        (HOST, demo.ports.gateway),
        (HEAD.format(host=f"{HOST}:{demo.ports.gateway}", length=len(FORM)) + FORM).encode(),
    ).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401")
    assert b"content-type: application/json\r\n" in head
    assert b"cache-control: no-store" in head
    assert b"dpop-nonce: " in head
    assert json.loads(body)["error"] == "invalid_client"
