"""The citizen's report over REST: the same answer in another shape, as its OpenAPI document says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from federation.consumer.access import ACCESS_REPORT, disclosures, read_report, whole_report
from federation.consumer.client import PartnerClient
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen
from federation.contract.clock import rfc3339
from federation.contract.identifiers import PORTAL
from federation.gateway.find_usage import OPENAPI_PATH, USAGE_PATH
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import MESSAGE_KEY, SigningKey
from federation.trust.tokens import dpop_proof, make_dpop
from node.enforcement import access_report
from tests.support.demo import demo_charter, nonce
from tests.support.simulator import Simulator, simulated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from federation.demo.layout import Home

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

CHILD = "FRRSFO14E54F257M"
NAME = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def portal(founded: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Portal]:
    async with (
        simulated(founded, tmp_path_factory.mktemp("federation") / "home") as federation,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(federation.app), base_url=federation.process.settings.url
        ) as http,
    ):
        yield Portal(federation, http)


@dataclass(frozen=True, slots=True)
class Portal:
    """The citizens' portal, which speaks REST."""

    federation: Simulator
    http: httpx.AsyncClient

    def citizen(self) -> str:
        return find_citizen(self.federation.home.party(PORTAL) / KNOWN_CITIZENS, CHILD)

    async def looked(self) -> None:
        """Let somebody look."""
        answer = await self.federation.ask("inprev", "benefit-assessment", NAME, {"by": {"taxCode": CHILD}})
        assert answer.content["data"]["citizen"]

    async def signed(
        self,
        query: str = ACCESS_REPORT,
        citizen: str | None = None,
        before: Sequence[dict[str, object]] | None = None,
    ) -> tuple[bytes, dict[str, str]]:
        """Return a question for the report and its headers, as for `/graphql`."""
        url, clock = self.federation.process.settings.url, self.federation.clock
        key = SigningKey.load(self.federation.home.keys(PORTAL) / MESSAGE_KEY)
        agreement = next(each.id for each in demo_charter().agreements if each.consumer == PORTAL)
        token = await PartnerClient(PORTAL, url, key, self.http, clock, nonce)._token("access-report", agreement)
        variables = {"citizen": citizen or self.citizen(), **({} if before is None else {"before": before})}
        body = msgspec.json.encode({"query": query, "variables": variables})
        headers = {"content-type": "application/json", "authorization": f"DPoP {token}"}
        signature = sign_request(HttpRequest("POST", f"{url}/graphql", headers, body), key, clock, nonce())
        proof = make_dpop(dpop_proof("POST", f"{url}/graphql", nonce(), clock, token), key)
        return body, {**headers, **signature, "dpop": proof}

    async def usage(self, **wanted: str | int) -> httpx.Response:
        """Ask for usages."""
        body, headers = await self.signed()
        return await self.http.post(USAGE_PATH, content=body, headers=headers, params=wanted)

    async def schemas(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        document: dict[str, Any] = (await self.http.get(OPENAPI_PATH)).json()
        return document


def valid(content: Any, name: str, document: dict[str, Any]) -> bool:
    """Say whether a body is what the document calls `name`."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(schema).is_valid(content)


async def test_usages_are_those_of_the_verified_report(portal: Portal) -> None:
    await portal.looked()
    answered = await portal.usage()
    assert (answered.status_code, "x-ratelimit-remaining" in answered.headers) == (200, True)
    usages = answered.json()
    asked = await portal.federation.ask(PORTAL, "access-report", ACCESS_REPORT, {"citizen": portal.citizen()})
    members = portal.federation.process.registry.current()
    report = read_report(asked.content, members, asked.request.digest())
    assert [each["logtime"] for each in usages["usages"]] == [each.entry.at for each in disclosures(report)]
    assert (usages["totalUsages"], usages["gaps"], usages["incomplete"]) == (len(usages["usages"]), [], [])
    first = usages["usages"][0]
    assert (first["receiverCode"], first["action"], first["proved"]) == ("inprev", "benefit-assessment", True)
    assert first["receiverName"] == members.member("inprev").name["it"]
    assert any("Citizen.givenName" in each["fields"] for each in usages["usages"])


async def test_a_period_and_a_page_are_parts_of_the_whole(portal: Portal) -> None:
    for _ in range(2):
        await portal.looked()
    whole = (await portal.usage()).json()
    page = (await portal.usage(offset=1, limit=1)).json()
    assert (page["totalUsages"], page["usages"]) == (whole["totalUsages"], whole["usages"][1:2])
    now = rfc3339(portal.federation.clock.now())
    assert (await portal.usage(periodEnd=now)).json()["totalUsages"] == 0
    assert (await portal.usage(periodStart=now)).json()["totalUsages"] == whole["totalUsages"]


async def test_entries_beyond_one_answer_are_told_to_who_asks_on(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await portal.looked()
    whole = (await portal.usage()).json()
    monkeypatch.setattr(access_report, "PAGE_BYTES", 1)  # one entry a page
    members = portal.federation.process.registry.current()

    ask = partial(portal.federation.ask, PORTAL, "access-report", ACCESS_REPORT)
    report = await whole_report(ask, portal.citizen(), members)
    assert (report.whole, report.gaps, report.older) == (True, (), {})
    assert [each.entry.at for each in disclosures(report)] == [each["logtime"] for each in whole["usages"]]

    told: list[dict[str, Any]] = []
    older: list[dict[str, Any]] | None = None
    while older is None or older:
        body, headers = await portal.signed(before=older)
        answer = (await portal.http.post(USAGE_PATH, content=body, headers=headers)).json()
        assert (answer["gaps"], answer["incomplete"]) == ([], [])
        told += answer["usages"]
        older = answer["older"]
    assert sorted(each["logtime"] for each in told) == sorted(each["logtime"] for each in whole["usages"])


async def test_a_gateway_that_ends_a_report_too_early_or_skips_entries_is_found(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await portal.looked()
    await portal.looked()
    monkeypatch.setattr(access_report, "PAGE_BYTES", 1)
    members = portal.federation.process.registry.current()
    first = await portal.federation.ask(PORTAL, "access-report", ACCESS_REPORT, {"citizen": portal.citizen()})
    older = read_report(first.content, members, first.request.digest()).older
    assert older["inprev"] > 0
    # What a gateway would have to pass on: the node's answer to another position than the one that was asked.
    skipped = {"citizen": portal.citizen(), "before": [{"member": "inprev", "entry": older["inprev"] - 1}]}
    answer = await portal.federation.ask(PORTAL, "access-report", ACCESS_REPORT, skipped)
    asked = {"inprev": older["inprev"]}
    assert read_report(answer.content, members, answer.request.digest(), asked).incomplete == ("inprev",)


async def test_positions_of_nobody_are_refused(portal: Portal) -> None:
    for before in ([{"member": "nobody", "entry": 3}], [{"member": "inprev", "entry": -1}]):
        asked = await portal.federation.ask(
            PORTAL, "access-report", ACCESS_REPORT, {"citizen": portal.citizen(), "before": before}
        )
        members = portal.federation.process.registry.current()
        report = read_report(asked.content, members, asked.request.digest(), {"inprev": 3})
        assert report.gaps == ("inprev",)


async def test_the_document_is_valid_and_answers_are_as_it_says(portal: Portal) -> None:
    await portal.looked()
    document = await portal.schemas()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    operation = document["paths"][USAGE_PATH]["post"]
    for parameter in operation["parameters"]:
        Draft202012Validator.check_schema(parameter["schema"])
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {"periodStart", "periodEnd", "offset", "limit"}
    body, _ = await portal.signed()
    question = operation["requestBody"]["content"]["application/json"]["schema"]
    asked = Draft202012Validator({**question, "components": document["components"]})
    assert asked.is_valid(msgspec.json.decode(body))
    assert asked.is_valid(msgspec.json.decode((await portal.signed(before=[{"member": "inprev", "entry": 7}]))[0]))
    assert not asked.is_valid(msgspec.json.decode((await portal.signed(before=[{"member": "inprev"}]))[0]))
    assert valid((await portal.usage()).json(), "Usages", document)
    assert not valid({"usages": []}, "Usages", document)
    assert valid((await portal.usage(limit=0)).json(), "Problem", document)


WRONG: tuple[dict[str, str | int], ...] = ({"limit": 1001}, {"offset": -1}, {"periodStart": "2026-01-01"}, {"page": 1})


async def test_parameters_that_are_none_are_refused(portal: Portal) -> None:
    for wanted in WRONG:
        refused = await portal.usage(**wanted)
        assert (refused.status_code, refused.json()["code"]) == (400, "BAD_USER_INPUT"), wanted


async def test_nothing_but_the_report_is_answered_and_no_question_twice(portal: Portal) -> None:
    body, headers = await portal.signed("{ __typename }")
    assert (await portal.http.post(USAGE_PATH, content=body, headers=headers)).json()["code"] == "BAD_USER_INPUT"
    body, headers = await portal.signed()
    assert (await portal.http.post("/graphql", content=body, headers=headers)).status_code == 200
    again = await portal.http.post(USAGE_PATH, content=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "TOKEN_REPLAY")
    nobody = await portal.http.post(USAGE_PATH, content=body, headers={"content-type": "application/json"})
    assert nobody.status_code == 401


async def test_a_citizen_who_is_not_named_by_the_portals_own_pseudonym_is_refused_as_a_problem(portal: Portal) -> None:
    body, headers = await portal.signed(citizen=CHILD)
    refused = await portal.http.post(USAGE_PATH, content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "BAD_USER_INPUT")
    assert CHILD not in refused.text
