"""A whole federation in which somebody does not behave: what is refused, by whom, and what stays exact."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from federation.consumer.client import Refused
from federation.contract.errors import DatabaseUnavailableError, RegistryStaleError
from federation.contract.members import AgreementState
from node.data.dialects import SQLITE
from tests.support.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from federation.contract.members import MemberList
    from federation.execution.transport.message import HttpAnswer
    from node.data.statements import Statement
    from tests.support.simulator import Lie, Malice

pytestmark = pytest.mark.integration

CHILD = {"by": {"taxCode": "FRRSFO14E54F257M"}}
MOTHER = {"by": {"taxCode": "BNCLRA84H57F257B"}}
QUESTION = """query($by: CitizenKey!) {
  citizen(by: $by) { givenName isee disability { percentage } enrolments { schoolYear } }
}"""


FANNING_OUT = """query($n: Int) { citizens(first: $n) { edges { node {
  household { members { kinship } } cases(first: 100) { status } interactions(first: 100) { topic }
  benefits(first: 100) { amount } contributions(first: 100) { year }
} } } }"""
"""Fewer than 50 000 objects at either node, and more at both."""


async def _asked(federation: Simulator) -> dict[str, Any]:
    return (await federation.ask("inprev", "benefit-assessment", QUESTION, CHILD)).content


def _with_another_field(content: dict[str, Any]) -> None:
    content["query"] = content["query"].replace("isee", "isee benefits(first: 5) { amount }")


def _under_a_reserved_name(content: dict[str, Any]) -> None:
    content["query"] = content["query"].replace("isee", "isee _k_more: contributions(first: 1) { amount }")


def _without_statements(content: dict[str, Any]) -> None:
    content["extensions"]["crocevia"]["translations"] = []


def _with_another_question(content: dict[str, Any]) -> None:
    own = content["extensions"]["crocevia"]["consumerRequest"]
    body = base64.b64decode(own["body"]).replace(b"isee", b"isee benefits(first: 5) { amount }")
    own["body"] = base64.b64encode(body).decode()


def _for_another_purpose(content: dict[str, Any]) -> None:
    own = content["extensions"]["crocevia"]["consumerRequest"]
    head, claims, signature = own["headers"]["authorization"].removeprefix("DPoP ").split(".")
    text = base64.urlsafe_b64decode(claims + "==").replace(b"benefit-assessment", b"emergency-care")
    changed = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    own["headers"]["authorization"] = f"DPoP {head}.{changed}.{signature}"


MALICE: dict[str, tuple[Malice, str]] = {
    "asks for a field more": (_with_another_field, "SCOPE_EXCEEDED"),
    "hides a field under a reserved name": (_under_a_reserved_name, "SCOPE_EXCEEDED"),
    "leaves out the statements of the exchange": (_without_statements, "SCOPE_EXCEEDED"),
    "changes the consumer's question": (_with_another_question, "DIGEST_MISMATCH"),
    "changes the token's purpose": (_for_another_purpose, "TOKEN_INVALID"),
}


@pytest.mark.parametrize(("malice", "code"), MALICE.values(), ids=MALICE.keys())
async def test_a_node_gives_nothing_to_a_gateway_that(federation: Simulator, malice: Malice, code: str) -> None:
    federation.wire.malice["inprev"] = malice
    answer = await _asked(federation)
    refused = _heard(federation, "inprev")
    assert "data" not in refused
    assert [error["extensions"]["code"] for error in refused["errors"]] == [code]
    assert answer["data"]["citizen"]["isee"] is None
    assert answer["data"]["citizen"]["givenName"] == "Sofia"


async def test_a_gateway_cannot_put_one_citizen_in_the_place_of_another(federation: Simulator) -> None:
    seen: list[dict[str, Any]] = []
    federation.wire.malice["inprev"] = lambda content: seen.append(content["variables"])
    await federation.ask("inprev", "benefit-assessment", QUESTION, MOTHER)

    federation.wire.malice["inprev"] = lambda content: content.update(variables=seen[0])
    await _asked(federation)
    refused = _heard(federation, "inprev")
    assert "data" not in refused
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["SCOPE_EXCEEDED"]


def _unsigned(answer: HttpAnswer) -> HttpAnswer:
    kept = tuple(pair for pair in answer.headers if not pair[0].startswith(b"signature"))
    return msgspec.structs.replace(answer, headers=kept)


def _changed(answer: HttpAnswer) -> HttpAnswer:
    return msgspec.structs.replace(answer, body=answer.body.replace(b"[6000,9360)", b"[0000,9360)"))


@pytest.mark.parametrize("lie", [_unsigned, _changed], ids=["is not signed", "is not what was signed"])
async def test_an_answer_is_thrown_away_that(federation: Simulator, lie: Lie) -> None:
    honest = (await _asked(federation))["data"]["citizen"]
    federation.wire.lies["inprev"] = lie
    answer = await _asked(federation)
    assert _failures(answer) == {("NODE_MISBEHAVED", "inprev")}
    assert answer["data"]["citizen"] == {**honest, "isee": None}


async def test_a_node_that_has_too_much_to_do_is_unavailable_and_not_misbehaved(federation: Simulator) -> None:
    honest = (await _asked(federation))["data"]["citizen"]
    federation.wire.lies["inprev"] = lambda answer: msgspec.structs.replace(_unsigned(answer), status=503)
    answer = await _asked(federation)
    assert _failures(answer) == {("NODE_UNAVAILABLE", "inprev")}
    assert answer["data"]["citizen"] == {**honest, "isee": None}


async def test_h2_what_fans_out_too_far_is_refused_before_a_node_is_asked(federation: Simulator) -> None:
    asked = ("ustat", "statistics", FANNING_OUT)
    assert (await federation.ask(*asked, {"n": 2})).content["data"]["citizens"]["edges"]
    federation.wire.heard.clear()
    [refused] = (await federation.ask(*asked, {"n": 100})).content["errors"]
    told = {name: refused["extensions"][name] for name in ("code", "limit", "cost")}
    assert told == {"code": "QUERY_TOO_COMPLEX", "limit": "cost", "cost": 50_401}
    assert federation.wire.heard == []


async def test_an_answer_to_another_question_is_thrown_away(federation: Simulator) -> None:
    kept: list[HttpAnswer] = []

    def always_the_first(answer: HttpAnswer) -> HttpAnswer:
        kept.append(answer)
        return kept[0]

    federation.wire.lies["inprev"] = always_the_first
    honest = (await _asked(federation))["data"]["citizen"]
    answer = await _asked(federation)
    assert honest["isee"] == "[6000,9360)"
    assert _failures(answer) == {("NODE_MISBEHAVED", "inprev")}
    assert answer["data"]["citizen"] == {**honest, "isee": None}


async def test_a_stopped_node_costs_its_own_fields_only(federation: Simulator) -> None:
    honest = (await _asked(federation))["data"]["citizen"]
    federation.wire.stopped.add("istsc_bv01")
    answer = await _asked(federation)
    assert _failures(answer) == {("NODE_UNAVAILABLE", "istsc_bv01")}
    assert answer["data"]["citizen"] == {**honest, "enrolments": None}
    assert answer["extensions"]["privacy"]["unavailable"] == ["istsc_bv01"]


class _Away:
    """A database that does not answer."""

    dialect = SQLITE

    async def rows(self, _: Statement, __: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        raise DatabaseUnavailableError("the database did not answer")

    async def close(self) -> None:
        pass


async def test_a_node_whose_database_is_away_says_so_and_is_named_as_unavailable(federation: Simulator) -> None:
    honest = (await _asked(federation))["data"]["citizen"]
    node = federation.nodes["inprev"]
    there = node.plane
    node.plane = replace(there, database=_Away())
    answer = await _asked(federation)
    node.plane = there
    assert _failures(answer) == {("DATABASE_UNAVAILABLE", "inprev")}
    assert answer["data"]["citizen"] == {**honest, "isee": None}
    assert answer["extensions"]["privacy"]["unavailable"] == ["inprev"]
    assert (await _asked(federation))["data"]["citizen"] == honest


async def test_without_the_exchange_nobody_learns_anything(federation: Simulator) -> None:
    federation.wire.stopped.add("exchange")
    answer = await _asked(federation)
    assert (answer.get("data") or {}).get("citizen") is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["EXCHANGE_UNAVAILABLE"]


async def test_a_policy_that_changes_meanwhile_decides_whole_answers(federation: Simulator) -> None:
    before = await _asked(federation)
    policy = federation.policy("inprev", "Citizen")
    policy.write_text(policy.read_text(encoding="utf-8").replace("[0, 6000, 9360,", "[0, 8000,"), encoding="utf-8")
    answers = await asyncio.gather(
        *(_asked(federation) for _ in range(3)), federation.renew("inprev"), *(_asked(federation) for _ in range(3))
    )
    after = await _asked(federation)
    digests = {_digest(before): before["data"], _digest(after): after["data"]}
    assert len(digests) == 2
    for answer in filter(None, answers):
        assert answer["data"] == digests[_digest(answer)]


async def test_a_suspended_agreement_opens_nothing(federation: Simulator) -> None:
    def suspend(members: MemberList) -> MemberList:
        agreements = (
            msgspec.structs.replace(each, state=AgreementState.SUSPENDED) if each.consumer == "inprev" else each
            for each in members.agreements
        )
        return msgspec.structs.replace(members, agreements=tuple(agreements))

    await _asked(federation)
    federation.publish(suspend)
    with pytest.raises(Refused) as refused:
        await _asked(federation)
    assert (refused.value.status, refused.value.code) == (400, "AGREEMENT_INACTIVE")  # at the token endpoint


async def test_with_an_expired_member_list_nobody_is_trusted(federation: Simulator) -> None:
    await _asked(federation)
    federation.forward(timedelta(days=8))
    with pytest.raises(Refused) as refused:
        await _asked(federation)
    assert (refused.value.status, refused.value.code) == (503, "REGISTRY_STALE")
    with pytest.raises(RegistryStaleError):
        federation.nodes["c_m999"].node()


def _heard(federation: Simulator, member: str) -> dict[str, Any]:
    """What a member answered last."""
    return next(content for name, _, content in reversed(federation.wire.heard) if name == member)


def _failures(answer: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (error["extensions"]["code"], error["extensions"].get("member", ""))
        for error in answer.get("errors", ())
        if error["extensions"]["code"] != "FIELD_DENIED"
    }


def _digest(answer: dict[str, Any]) -> str:
    """The digest of the one policy by which social security answered."""
    (digest,) = {
        each["policy"]["digest"] for each in answer["extensions"]["privacy"]["members"] if each["member"] == "inprev"
    }
    return str(digest)
