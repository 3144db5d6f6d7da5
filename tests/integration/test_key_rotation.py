"""A message key is replaced while questions go on: listed beside the old one, taken into use, the old one forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from federation.consumer.client import PartnerClient
from federation.contract.identifiers import MemberId
from federation.contract.members import KeyUse
from federation.trust.keys import MESSAGE_KEY, SigningKey, publish
from tests.support.demo import demo_charter, nonce

if TYPE_CHECKING:
    from federation.contract.members import MemberList, PublishedKey
    from tests.support.simulator import Simulator

pytestmark = pytest.mark.integration
PURPOSE = "benefit-assessment"
QUESTION = "query($by: CitizenKey!) { citizen(by: $by) { givenName isee } }"
LAURA = {"by": {"taxCode": "BNCLRA84H57F257B"}}


async def test_no_question_is_lost_while_the_gateways_key_is_replaced(federation: Simulator) -> None:
    new, now = SigningKey.generate(), federation.clock.now()
    listed = publish(new.public_jwk(), KeyUse.MESSAGE, now - timedelta(minutes=1), now + timedelta(days=30))
    old = federation.process.key.kid
    async with httpx.AsyncClient(transport=httpx.ASGITransport(federation.app)) as http:
        partner = _partner(federation, http)
        answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        asking = asyncio.create_task(_ask_on(partner, answers))
        await _require_answers(answers, 2)
        federation.publish(lambda members: _with_keys(members, (*members.gateway.keys, listed)))
        await _require_answers(answers, 2)
        _take(federation, new)
        await _require_answers(answers, 3)
        given_before = partner._tokens.copy()  # under the old key, which is listed still
        partner._tokens.clear()
        await _require_answers(answers, 2)
        federation.publish(lambda members: _with_keys(members, tuple(k for k in members.gateway.keys if k.kid != old)))
        await _require_answers(answers, 3)
        asking.cancel()
        partner._tokens = given_before
        refused = await partner.ask(QUESTION, PURPOSE, _agreement(), LAURA)
    assert refused.content["errors"][0]["extensions"]["code"] == "TOKEN_INVALID"


async def _ask_on(partner: PartnerClient, answers: asyncio.Queue[dict[str, Any]]) -> None:
    while True:
        answers.put_nowait((await partner.ask(QUESTION, PURPOSE, _agreement(), LAURA)).content)


async def _require_answers(answers: asyncio.Queue[dict[str, Any]], count: int) -> None:
    """Require that the next questions are answered, each whole."""
    for _ in range(count):
        answer = await answers.get()
        assert (answer["data"]["citizen"]["givenName"], answer.get("errors")) == ("Laura", None)


def _agreement() -> str:
    return next(each.id for each in demo_charter().agreements if each.consumer == "inprev" and PURPOSE in each.purposes)


def _partner(federation: Simulator, http: httpx.AsyncClient) -> PartnerClient:
    key = SigningKey.load(federation.home.keys("inprev") / MESSAGE_KEY)
    return PartnerClient(MemberId("inprev"), federation.process.settings.url, key, http, federation.clock, nonce)


def _with_keys(members: MemberList, keys: tuple[PublishedKey, ...]) -> MemberList:
    return msgspec.structs.replace(members, gateway=msgspec.structs.replace(members.gateway, keys=keys))


def _take(federation: Simulator, new: SigningKey) -> None:
    """Do what a restart of the gateway with the next key does."""
    process = federation.process
    process._sender = replace(process._sender, signer=new)
    process.authorisation = replace(process.authorisation, key=new)
