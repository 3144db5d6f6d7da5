"""Numbers pass as their members wrote them, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from graphql import parse

from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.respond import Response
from federation.planning.planner import Planner
from tests.support.execution import run
from tests.support.supergraphs import supergraph

ACCOUNTS = """
scalar Money @join__type(graph: BANK) @join__type(graph: TAX)
type Account @join__type(graph: BANK, key: "id") @join__type(graph: TAX, key: "id") {
  id: ID!
  balance: Money @join__field(graph: BANK) @join__field(graph: TAX, external: true)
  rate: Float @join__field(graph: BANK)
  due: Money @join__field(graph: TAX, requires: "balance")
}
type Query @join__type(graph: BANK) @join__type(graph: TAX) { account: Account @join__field(graph: BANK) }
"""


@dataclass
class Texts:
    """Members that answer with these texts."""

    bodies: dict[str, bytes]
    asked: list[FetchRequest] = field(default_factory=list)

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        self.asked.append(request)
        return FetchAnswer(self.bodies[request.member])


def answered(query: str, **bodies: str) -> tuple[Response, Texts]:
    planner = Planner(supergraph(("bank", "tax"), ACCOUNTS))
    members = Texts({name: text.encode() for name, text in bodies.items()})
    return asyncio.run(run(planner.plan(parse(query)), members, api=planner.supergraph.api_schema)), members


@pytest.mark.parametrize(
    "number", ["12345678901234567.89", "0.10", "1e400", "-0.0", "123456789012345678901234567890", '{"of":[1.50,null]}']
)
def test_a_number_of_a_custom_scalar_keeps_all_its_digits_in_the_answer_and_as_an_input(number: str) -> None:
    bank = f'{{"data":{{"account":{{"balance":{number},"id":"1"}}}}}}'
    tax = f'{{"data":{{"_entities":[{{"due":{number}}}]}}}}'
    response, members = answered("{ account { balance due } }", bank=bank, tax=tax)
    assert response.encode() == f'{{"data":{{"account":{{"balance":{number},"due":{number}}}}}}}'.encode()
    assert f'"balance":{number}'.encode() in members.asked[1].variables


def test_a_float_that_no_machine_can_hold_is_an_answer_that_cannot_be_used() -> None:
    response, _ = answered("{ account { rate } }", bank='{"data":{"account":{"rate":1e400}}}')
    assert response.data is not None
    assert [error["extensions"]["code"] for error in response.errors] == ["NODE_MISBEHAVED"]
