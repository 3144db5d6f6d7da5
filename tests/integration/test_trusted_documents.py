"""Under an agreement that lists documents nothing else is asked, whoever says so: gateway and nodes each know them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from federation.contract.errors import DocumentError, PersistedDocumentError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.members import Act
from federation.contract.trusted_documents import document_id, trusted
from federation.membership.agreement_commands import app
from federation.membership.agreement_files import read_agreement
from federation.trust.agreements import parties, sign_act, terms_digest
from federation.trust.keys import OFFICER_KEYS, load_ed25519
from tests.support.agreements import DRAFT
from tests.support.simulator import Simulator, simulated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from federation.contract.members import MemberList
    from federation.demo.layout import Home
    from tests.support.simulator import Malice

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

BENEFITS = ("inprev", "benefit-assessment")
LAURA = {"by": {"taxCode": "BNCLRA84H57F257B"}}
LISTED = "query Name($by: CitizenKey!) { citizen(by: $by) { givenName isee } }"
OTHER = "query Name($by: CitizenKey!) { citizen(by: $by) { givenName familyName } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def federation(founded: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """A federation in which the parties of the agreement about benefits signed one document."""
    async with simulated(founded, tmp_path_factory.mktemp("trusted") / "home") as simulator:
        simulator.publish(lambda members: _listing(simulator, members))
        yield simulator


def _listing(federation: Simulator, members: MemberList) -> MemberList:
    """Have the document signed by an officer of each party, as new terms."""
    changed = []
    for agreement in members.agreements:
        if agreement.consumer == BENEFITS[0] and any(each.id == BENEFITS[1] for each in agreement.purposes):
            listing = msgspec.structs.replace(agreement, documents=(LISTED,), acts=())
            keys = {party: load_ed25519(federation.home.keys(party) / OFFICER_KEYS[0]) for party in parties(listing)}
            at = federation.clock.now()
            acts = tuple(sign_act(listing, party, Act.ACCEPT, key, at) for party, key in keys.items())
            changed.append(msgspec.structs.replace(listing, acts=acts))
        else:
            changed.append(agreement)
    return msgspec.structs.replace(members, agreements=tuple(changed))


def _codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


@pytest.mark.parametrize("sent", [LISTED, document_id(LISTED)], ids=["text", "id"])
async def test_a_listed_document_is_answered_by_its(federation: Simulator, sent: str) -> None:
    answer = (await federation.ask(*BENEFITS, sent, LAURA)).content
    assert answer.get("errors") is None
    assert answer["data"]["citizen"]["givenName"] == "Laura"
    assert answer["data"]["citizen"]["isee"]


@pytest.mark.parametrize("sent", [OTHER, document_id(OTHER), "{ __schema { queryType { name } } }"])
async def test_nothing_else_is_asked_through_the_gateway_or_at_a_node(federation: Simulator, sent: str) -> None:
    before = len(federation.wire.heard)
    answer = (await federation.ask(*BENEFITS, sent, LAURA)).content
    assert _codes(answer) == ["PERSISTED_DOCUMENT_NOT_FOUND"]
    assert "is for the 1 documents that it lists" in answer["errors"][0]["message"]
    assert len(federation.wire.heard) == before  # no node was asked
    assert _codes(await federation.ask_node("c_m999", *BENEFITS, OTHER, LAURA)) == ["PERSISTED_DOCUMENT_NOT_FOUND"]


def _asks_more(content: dict[str, Any]) -> None:
    content["query"] = content["query"].replace("isee", "isee benefits(first: 5) { amount }")


def _sends_another_text(content: dict[str, Any]) -> None:
    own = content["extensions"]["crocevia"]["consumerRequest"]
    body = msgspec.json.decode(base64.b64decode(own["body"]))
    del body["documentId"]
    own["body"] = base64.b64encode(msgspec.json.encode(body | {"query": OTHER})).decode()


def _sends_another_id(content: dict[str, Any]) -> None:
    own = content["extensions"]["crocevia"]["consumerRequest"]
    body = base64.b64decode(own["body"]).replace(document_id(LISTED).encode(), document_id(OTHER).encode())
    own["body"] = base64.b64encode(body).decode()


MALICE: dict[str, tuple[Malice, str]] = {
    "asks more than the document": (_asks_more, "SCOPE_EXCEEDED"),
    "puts a text in place of the id": (_sends_another_text, "DIGEST_MISMATCH"),
    "puts another id": (_sends_another_id, "DIGEST_MISMATCH"),
}


@pytest.mark.parametrize(("malice", "code"), MALICE.values(), ids=MALICE.keys())
async def test_a_node_gives_nothing_to_a_gateway_that(federation: Simulator, malice: Malice, code: str) -> None:
    federation.wire.heard.clear()
    federation.process.fetching._breakers.clear()  # the cases before may have opened the member's
    federation.wire.malice["inprev"] = malice
    try:
        answer = (await federation.ask(*BENEFITS, document_id(LISTED), LAURA)).content
    finally:
        del federation.wire.malice["inprev"]
    refused = [content for member, _, content in federation.wire.heard if member == "inprev"][-1]
    assert (refused.get("data"), _codes(refused)) == (None, [code])
    assert answer["data"] == {"citizen": {"givenName": "Laura", "isee": None}}


async def test_other_agreements_know_no_ids(federation: Simulator) -> None:
    answer = (await federation.ask("istsc_bv01", "school-enrolment", document_id(LISTED), LAURA)).content
    assert _codes(answer) == ["PERSISTED_DOCUMENT_NOT_FOUND"]
    assert "lists no documents: send `query`" in answer["errors"][0]["message"]


async def test_documents_are_terms_and_agreements_without_them_stay_signed() -> None:
    listing = msgspec.structs.replace(DRAFT, documents=(LISTED,))
    assert terms_digest(listing) != terms_digest(DRAFT)
    assert terms_digest(DRAFT) == "sha256:729f127c49db9381a3fb4408f05a74b51739277951f6b612623db3d2fabe2fe3"
    asked = GraphQLRequest(OTHER, None, None, {}, {})
    assert trusted(asked, DRAFT) is asked
    with pytest.raises(PersistedDocumentError):
        trusted(asked, listing)


async def test_documents_are_written_into_a_draft_if_a_gateway_would_read_them(tmp_path: Path) -> None:
    (tmp_path / "name.graphql").write_text(LISTED)
    (tmp_path / "broken.graphql").write_text("query {")
    terms = ["--id", "acc-9", "--consumer", "inprev", "--purpose", "service-notices=6.1.a", "--until", "2099-12-31"]
    terms += ["--provider", "c_m999=Query.citizen,Citizen.*", "--document"]
    done = CliRunner().invoke(app, ["draft", str(tmp_path / "acc-9.json"), *terms, str(tmp_path / "name.graphql")])
    assert done.exit_code == 0, done.output
    assert f"document {document_id(LISTED)}" in done.output
    assert read_agreement(tmp_path / "acc-9.json").documents == (LISTED,)
    broken = CliRunner().invoke(app, ["draft", str(tmp_path / "no.json"), *terms, str(tmp_path / "broken.graphql")])
    assert isinstance(broken.exception, DocumentError)
