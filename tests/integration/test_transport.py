"""The transport against real sockets, polite and hostile."""

from __future__ import annotations

import asyncio
import gzip
import resource
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from federation.execution.transport.client import HttpClient
from federation.execution.transport.errors import (
    BadMessageError,
    ConnectError,
    DeadlineError,
    LostError,
    TransportError,
)
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint, HttpAnswer
from tests.support.raw_server import Behaviour, RawServer, Talk, answer, serving

pytestmark = pytest.mark.integration


@contextmanager
def client(**limits: float) -> Iterator[HttpClient]:
    made = HttpClient(TransportLimits(**limits))  # type: ignore[arg-type]  # tests name sizes and times alike
    try:
        yield made
    finally:
        made.close()


def post(
    to: HttpClient, server: RawServer, body: bytes = b"{}", *, seconds: float = 2.0, repeatable: bool = True
) -> asyncio.Future[HttpAnswer]:
    endpoint = Endpoint.parse(f"http://127.0.0.1:{server.port}/graphql")
    deadline = asyncio.get_running_loop().time() + seconds
    return to.post(endpoint, ((b"X-Test", b"1"),), body, deadline, repeatable=repeatable)


async def echo(talk: Talk) -> None:
    await talk.send(answer(talk.body))


async def test_a_request_is_one_http_message_and_connections_are_kept() -> None:
    async with serving(echo) as server:
        with client() as http:
            for number in range(3):
                found = await post(http, server, b"[%d]" % number)
                assert (found.status, found.media_type, found.body) == (200, "application/json", b"[%d]" % number)
        head, _ = server.requests[0]
        assert server.connections == 1
        assert head.startswith(b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"Accept-Encoding: identity\r\n" in head
        assert b"X-Test: 1\r\n" in head


async def test_requests_at_the_same_time_use_connections_of_their_own_up_to_the_limit() -> None:
    async with serving(echo) as server:
        with client(connections=4) as http:
            answers = await asyncio.gather(*(post(http, server, b"%d" % number) for number in range(50)))
        assert [found.body for found in answers] == [b"%d" % number for number in range(50)]
        assert server.connections <= 4


async def test_idle_connections_too_old_for_a_request_do_not_keep_it_waiting() -> None:
    """A request that must not be sent twice wants a fresh connection, also when old ones fill the limit."""
    async with serving(echo) as server:
        with client(connections=2, fresh=0.05) as http:
            await asyncio.gather(*(post(http, server, repeatable=False) for _ in range(2)))
            await asyncio.sleep(0.1)
            found = await asyncio.gather(*(post(http, server, b"%d" % n, repeatable=False) for n in range(4)))
        assert [each.body for each in found] == [b"0", b"1", b"2", b"3"]
        assert server.connections == 4


async def test_connections_too_old_for_a_request_do_not_gather() -> None:
    async with serving(echo) as server:
        with client(connections=16, fresh=0.02) as http:
            for _ in range(4):
                await asyncio.gather(*(post(http, server, repeatable=False) for _ in range(3)))
                await asyncio.sleep(0.04)
            assert server.open_now <= 3
        assert server.connections == 12


async def test_more_waiting_requests_than_allowed_are_refused_at_once() -> None:
    async with serving(lambda _: asyncio.sleep(10)) as server:
        with client(connections=1, waiting=1) as http:
            futures = [post(http, server, seconds=0.3) for _ in range(3)]
            with pytest.raises(ConnectError):
                await futures[2]
            with pytest.raises(DeadlineError):
                await futures[0]
            with pytest.raises(DeadlineError):
                await futures[1]


async def test_an_answer_in_chunks_and_single_bytes_is_put_together() -> None:
    async def chunks(talk: Talk) -> None:
        whole = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'
        )
        await talk.send(*(whole[index : index + 1] for index in range(len(whole))))

    async with serving(chunks) as server:
        with client() as http:
            assert (await post(http, server)).body == b'{"a":1}'
            assert (await post(http, server)).body == b'{"a":1}'
        assert server.connections == 1


SECOND_ANSWERS: dict[str, tuple[list[bytes], int, type[TransportError] | None]] = {
    "whole": ([answer(b"[2]")], 1, None),
    "in two pieces": ([answer(b"[2]")[:-2], b"2]"], 1, None),
    "byte by byte": ([answer(b"[2]")[index : index + 1] for index in range(len(answer(b"[2]")))], 1, None),
    "and one byte more": ([answer(b"[2]") + b"x"], 2, None),
    "and a byte more later": ([answer(b"[2]"), b"x"], 2, None),
    "cut off": ([answer(b"[2]")[:-1]], 2, LostError),
    "another head": ([answer(b"[2,2]")], 1, None),
}


@pytest.mark.parametrize(("pieces", "connections", "error"), SECOND_ANSWERS.values(), ids=SECOND_ANSWERS.keys())
async def test_an_answer_with_a_head_that_was_read_before_is_held_to_its_length(
    pieces: list[bytes], connections: int, error: type[TransportError] | None
) -> None:
    """Heads are kept by their bytes (`heads.py`); what follows them is counted and bounded as ever."""

    async def behave(talk: Talk) -> None:
        if talk.body == b"second":
            await talk.send(*pieces, pause=0.002)
            if error is not None:
                talk.close()
        else:
            await talk.send(answer(b"[1]"))

    async with serving(behave) as server:
        with client() as http:
            assert (await post(http, server)).body == b"[1]"
            if error is None:
                second = await post(http, server, b"second")
                expected = b"".join(pieces).partition(b"\r\n\r\n")[2].rstrip(b"x")
                assert (second.media_type, second.body) == ("application/json", expected)
                if connections > 1:
                    await asyncio.sleep(0.3)  # what came too much has come by now
            else:
                with pytest.raises(error):
                    await post(http, server, b"second", repeatable=False)
            assert (await post(http, server)).body == b"[1]"
        assert server.connections == connections


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def until_close(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b"[1", b"]")
        talk.close()

    async with serving(until_close) as server:
        with client() as http:
            assert (await post(http, server)).body == b"[1]"
            assert (await post(http, server)).body == b"[1]"
        assert server.connections == 2


async def test_interim_answers_are_passed_over() -> None:
    async def hinting(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", answer(b"[]"))

    async with serving(hinting) as server:
        with client() as http:
            found = await post(http, server)
            assert (found.status, found.body) == (200, b"[]")


async def test_a_connection_that_died_while_it_was_kept_is_replaced_once() -> None:
    async def closing(talk: Talk) -> None:
        await talk.send(answer(b"[]"))
        await asyncio.sleep(0.05)
        talk.reset()

    async def dead_when_reused(talk: Talk) -> None:
        if len(server.requests) == 2:
            talk.reset()
        else:
            await talk.send(answer(b"[]"))

    async with serving(closing) as server:
        with client() as http:
            await post(http, server)
            await asyncio.sleep(0.1)
            assert (await post(http, server)).body == b"[]"
    async with serving(dead_when_reused) as server:
        with client() as http:
            await post(http, server)
            assert (await post(http, server)).body == b"[]"
        assert len(server.requests) == 3


async def test_a_request_that_must_not_be_sent_twice_is_not() -> None:
    async def dead_when_reused(talk: Talk) -> None:
        if len(server.requests) == 2:
            talk.reset()
        else:
            await talk.send(answer(b"[]"))

    async with serving(dead_when_reused) as server:
        with client() as http:
            await post(http, server, repeatable=False)
            with pytest.raises(LostError):
                await post(http, server, repeatable=False)
        assert len(server.requests) == 2


async def test_a_request_that_must_not_be_sent_twice_avoids_an_old_connection() -> None:
    async with serving(echo) as server:
        with client(fresh=0.0) as http:
            await post(http, server)
            await asyncio.sleep(0.01)
            await post(http, server, repeatable=False)
        assert server.connections == 2


async def test_a_refused_connection_and_an_unknown_name_are_connect_errors() -> None:
    with client() as http:
        deadline = asyncio.get_running_loop().time() + 2
        for url in ("http://127.0.0.1:1/graphql", "http://no-such-host.invalid/graphql"):
            with pytest.raises(ConnectError):
                await http.post(Endpoint.parse(url), (), b"{}", deadline, repeatable=True)


async def silent(_: Talk) -> None:
    await asyncio.sleep(10)


async def slow_head(talk: Talk) -> None:
    await talk.send(*(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000), pause=0.02)


async def slow_body(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    await talk.send(*([b"x"] * 1000), pause=0.02)


async def endless_body(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        await talk.send(b"x" * 65536)


async def endless_chunks(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await talk.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


async def endless_tiny_chunks(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await talk.send(b"1\r\nx\r\n" * 10000)


async def endless_headers(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await talk.send(b"X-Header: " + b"y" * 100 + b"\r\n")


async def endless_interim(talk: Talk) -> None:
    while True:
        await talk.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")


async def one_endless_header(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await talk.send(b"y" * 65536)


def fixed(*pieces: bytes, then: str = "close") -> Behaviour:
    async def send(talk: Talk) -> None:
        await talk.send(*pieces)
        if then == "close":
            talk.close()
        if then == "reset":
            talk.reset()

    return send


HOSTILE: dict[str, tuple[Behaviour, type[TransportError]]] = {
    "silence": (silent, DeadlineError),
    "a head byte by byte": (slow_head, DeadlineError),
    "a body byte by byte": (slow_body, DeadlineError),
    "an endless body": (endless_body, BadMessageError),
    "endless chunks": (endless_chunks, BadMessageError),
    "endless tiny chunks": (endless_tiny_chunks, BadMessageError),
    "endless headers": (endless_headers, BadMessageError),
    "one endless header": (one_endless_header, BadMessageError),
    "endless interim answers": (endless_interim, BadMessageError),
    "64 KB of headers": (
        fixed(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 65536 + b"\r\nContent-Length: 0\r\n\r\n"),
        BadMessageError,
    ),
    "101 headers": (fixed(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"Content-Length: 0\r\n\r\n"), BadMessageError),
    "a reset before the answer": (fixed(then="reset"), LostError),
    "a reset inside the answer": (fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123", then="reset"), LostError),
    "an end before the answer": (fixed(), LostError),
    "a truncated body": (fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123"), LostError),
    "truncated chunks": (fixed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12"), LostError),
    "no HTTP at all": (fixed(b"SSH-2.0-OpenSSH_9.2\r\n"), BadMessageError),
    "random bytes": (fixed(bytes(range(256))), BadMessageError),
    "a request": (fixed(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), BadMessageError),
    "HTTP/2": (fixed(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"), BadMessageError),
    "two lengths": (
        fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        BadMessageError,
    ),
    "two different lengths": (
        fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n[1]"),
        BadMessageError,
    ),
    "a negative length": (fixed(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), BadMessageError),
    "a huge length": (fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"), BadMessageError),
    "a huge chunk": (
        fixed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFF\r\n"),
        BadMessageError,
    ),
    "a chunk without a size": (fixed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), BadMessageError),
    "two content types": (
        fixed(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n\r\n"),
        BadMessageError,
    ),
    "a gzip bomb": (
        fixed(
            answer(gzip.compress(b"\x00" * 1_000_000), b"Content-Encoding: gzip"),
        ),
        BadMessageError,
    ),
    "a switch of protocols": (
        fixed(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        BadMessageError,
    ),
    "a header with a NUL": (fixed(b"HTTP/1.1 200 OK\r\nX: \x00\r\nContent-Length: 0\r\n\r\n"), BadMessageError),
    "a header without a name": (fixed(b"HTTP/1.1 200 OK\r\n: y\r\nContent-Length: 0\r\n\r\n"), BadMessageError),
}


@pytest.mark.parametrize(("behaviour", "error"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_server_costs_one_bounded_request(behaviour: Behaviour, error: type[TransportError]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with serving(behaviour) as server:
        with client(body=200_000) as http:
            start = asyncio.get_running_loop().time()
            with pytest.raises(error):
                await post(http, server, seconds=0.3)
            assert asyncio.get_running_loop().time() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


async def test_a_second_answer_is_never_given_to_the_next_request() -> None:
    async def twice(talk: Talk) -> None:
        await talk.send(answer(talk.body) + answer(b"[666]"))

    async def late(talk: Talk) -> None:
        await talk.send(answer(talk.body))
        await asyncio.sleep(0.02)
        await talk.send(answer(b"[666]"))

    for behaviour in (twice, late):
        async with serving(behaviour) as server:
            with client() as http:
                for number in range(5):
                    assert (await post(http, server, b"[%d]" % number)).body == b"[%d]" % number
                    await asyncio.sleep(0.05)


async def test_a_redirect_is_an_answer_like_any_other_and_not_followed() -> None:
    moved = answer(b"", b"Location: http://127.0.0.1:1/", status=b"302 Found")
    async with serving(fixed(moved, then="keep")) as server:
        with client() as http:
            assert (await post(http, server)).status == 302
        assert len(server.requests) == 1


async def test_a_caller_that_leaves_ends_the_connection() -> None:
    async with serving(silent) as server:
        with client() as http:
            future = post(http, server)
            await asyncio.sleep(0.05)
            assert server.open_now == 1
            future.cancel()
            await asyncio.sleep(0.05)
            found = post(http, server, seconds=0.1)
            with pytest.raises(DeadlineError):
                await found
        assert server.connections == 2


async def test_closing_the_client_fails_what_is_still_asked() -> None:
    async with serving(silent) as server:
        with client(connections=1) as http:
            asked, waiting = post(http, server), post(http, server)
            await asyncio.sleep(0.05)
            http.close()
            for future in (asked, waiting):
                with pytest.raises(TransportError):
                    await future


INJECTIONS = {"line break": (b"X", b"a\r\nY: b"), "NUL": (b"X", b"a\x00"), "colon in name": (b"X: y\r\nZ", b"a")}


@pytest.mark.parametrize(("name", "value"), INJECTIONS.values(), ids=INJECTIONS.keys())
def test_a_header_that_could_end_its_line_is_not_written(name: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match="control characters"):
        Endpoint.parse("http://x/").request(((name, value),), b"")


BAD_URLS = ("ftp://x/", "http://", "http://user:secret@x/", "http://x/\r\nHost: y", "x", "http://x/é")


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_endpoint_is_a_plain_http_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|URL"):
        Endpoint.parse(url)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert_file, key_file


async def test_tls_is_spoken_to_authorities_that_were_given_and_no_others(tmp_path: Path) -> None:
    cert_file, key_file = certificate(tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(cert_file, key_file)
    trusting = ssl.create_default_context(cafile=str(cert_file))
    async with serving(echo, tls=server_side) as server:
        endpoint = Endpoint.parse(f"https://127.0.0.1:{server.port}/graphql")
        other_name = Endpoint.parse(f"https://localhost:{server.port}/graphql")
        deadline = asyncio.get_running_loop().time() + 2
        for tls, to, works in ((trusting, endpoint, True), (trusting, other_name, False), (None, endpoint, False)):
            http = HttpClient(TransportLimits(), tls)
            future = http.post(to, (), b"[1]", deadline, repeatable=True)
            if works:
                assert (await future).body == b"[1]"
            else:
                with pytest.raises(ConnectError):
                    await future
            http.close()
            await asyncio.sleep(0.01)
