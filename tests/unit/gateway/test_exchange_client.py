"""The gateway believes the exchange only what the exchange signed for the question at hand."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from federation.contract.errors import ExchangeUnavailableError
from federation.contract.identifiers import MemberId
from federation.contract.messages import Translation
from federation.exchange.messages import CONVERT_PATH, Conversion
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from federation.gateway.exchange_client import ExchangeClient
from federation.gateway.sending import JSON, Peer, Sender
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_response
from federation.trust.keys import SigningKey
from tests.support.exchange import EXCHANGE_KEY, EXCHANGE_URL, GATEWAY, STRANGER, SUITE, World
from tests.support.raw_server import Talk, answer, serving

ASLVS = MemberId("aslvs")
ASKED = [Conversion(MemberId("inprev"), ASLVS, (str(SUITE.pseudonym(MemberId("inprev"), bytes(16))),))]

Lie = Callable[[World, HttpRequest, bytes], tuple[bytes, dict[str, str]]]
"""Makes body and signature headers out of the true answer to a request."""


def signed(world: World, asked: HttpRequest, body: bytes, key: SigningKey = EXCHANGE_KEY) -> dict[str, str]:
    """Return the headers of the signature of an answer."""
    response = HttpResponse(200, {"content-type": JSON}, body)
    return sign_response(response, RequestBinding.of(asked), key, world.clock)


def truly(world: World, asked: HttpRequest, body: bytes) -> tuple[bytes, dict[str, str]]:
    return body, signed(world, asked, body)


LIES: dict[str, Lie] = {
    "unsigned": lambda _, __, body: (body, {}),
    "signed by somebody else": lambda world, asked, body: (body, signed(world, asked, body, STRANGER)),
    "altered after it was signed": lambda world, asked, body: (body + b" ", signed(world, asked, body)),
    "the answer to another question": lambda world, _, body: (
        body,
        signed(world, world.asked(*ASKED), body),
    ),
}


@asynccontextmanager
async def asking(world: World, lie: Lie) -> AsyncIterator[ExchangeClient]:
    """Serve an exchange that passes its true answers through `lie`, and yield the gateway's way to it."""
    exchange = world.exchange()

    async def behave(talk: Talk) -> None:
        lines = (line.partition(b": ") for line in talk.head.split(b"\r\n")[1:] if line)
        headers = {name.decode().lower(): value.decode() for name, _, value in lines}
        asked = HttpRequest("POST", EXCHANGE_URL + CONVERT_PATH, headers, talk.body)
        body, signature = lie(world, asked, (await exchange.answer(asked)).to_bytes())
        await talk.send(answer(body, *(f"{name}: {value}".encode() for name, value in signature.items())))

    client = HttpClient(TransportLimits())
    async with serving(behave) as server:
        known = Peer.at(EXCHANGE_URL + CONVERT_PATH, {EXCHANGE_KEY.kid: EXCHANGE_KEY.public()}.get)
        wire = (b"content-type", JSON.encode()), (b"accept", JSON.encode())
        here = Endpoint.parse(f"http://127.0.0.1:{server.port}{CONVERT_PATH}").with_headers(wire)
        sender = Sender(client, GATEWAY, world.clock, lambda: secrets.token_urlsafe(18))
        deadline = asyncio.get_running_loop().time() + 5
        yield ExchangeClient(sender, replace(known, endpoint=here), world.consumer_request(), "trace-1", deadline)
        client.close()


async def told(lie: Lie) -> Sequence[Translation]:
    async with asking(World(), lie) as client:
        return await client.convert(ASKED)


async def test_what_the_exchange_signed_for_this_question_is_believed() -> None:
    (translation,) = await told(truly)
    assert translation.statement.pids == (str(SUITE.pseudonym(ASLVS, bytes(16))),)


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_a_lying_exchange_is_not_believed(lie: Lie) -> None:
    with pytest.raises(ExchangeUnavailableError, match="signature does not hold"):
        await told(lie)
