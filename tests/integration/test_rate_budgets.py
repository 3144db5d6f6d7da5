"""A consumer's budget for a purpose, as the gateway's answers tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from federation.consumer.client import PartnerClient
from federation.contract.identifiers import MemberId
from federation.trust.keys import MESSAGE_KEY, SigningKey
from federation.trust.rates import RateSettings
from tests.support.demo import nonce
from tests.support.simulator import found, simulated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


async def test_answers_say_what_is_left_and_the_refusal_says_when_to_come_back(tmp_path: Path) -> None:
    told: list[dict[str, str]] = []

    async def note(response: httpx.Response) -> None:
        if response.url.path == "/graphql":
            told.append({name: value for name, value in response.headers.items() if name.startswith(("x-", "retry"))})

    async with simulated(found(tmp_path / "founded"), tmp_path / "home") as federation:
        process = federation.process
        federation.clock.instant = federation.clock.instant.replace(second=20, microsecond=0)
        door = replace(process.gateway.door, rates=RateSettings(per_minute=2))
        process._gateway = replace(process.gateway, door=door)
        key = SigningKey.load(federation.home.keys("inprev") / MESSAGE_KEY)
        transport = httpx.ASGITransport(federation.app)
        async with httpx.AsyncClient(transport=transport, event_hooks={"response": [note]}) as http:
            client = PartnerClient(MemberId("inprev"), process.settings.url, key, http, federation.clock, nonce)
            answers = [await client.ask("{ __typename }", "benefit-assessment", "acc-2026-001") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].content["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    budget = {"x-ratelimit-limit": "2", "x-ratelimit-reset": "40"}
    assert told == [
        {**budget, "x-ratelimit-remaining": "1"},
        {**budget, "x-ratelimit-remaining": "0"},
        {**budget, "x-ratelimit-remaining": "0", "retry-after": "40"},
    ]
