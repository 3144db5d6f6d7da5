"""Composition says of public inputs what the reference composer says, but for differences that are argued here."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from graphql import build_schema, validate_schema

from federation.composition.compose import Composed, compose
from federation.composition.errors import CompositionError
from federation.composition.subgraph import Subgraph
from federation.planning.planner import Planner
from tests.support.composition import composition_cases

CASES = {case["id"]: case for case in composition_cases()}

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not CASES, reason="the conformance cases are not beside the repository"),
]

OTHER_VERDICTS = {
    265: "the key `books { id title isbn }` can be had: of each book, the missing fields are read in the target itself",
    267: "the same as 265",
    365: "with the label off, `b` has the group and `a` its level, so what is required can be had; the plan says how",
    475: "the reference composer throws; a slicing argument that another subgraph does not know is only a hint",
    550: "an argument `{}` of a type with a required field is no value of that type",
}
"""Inputs of which we say the contrary, and why."""

OTHER_CODES = {
    172: "the reference composer throws a syntax error that has no code",
    179: "`@oneOf` is GraphQL's own by now; what is wrong is that another subgraph composes a different one",
}
"""Inputs that neither composes, for reasons with other names."""


def reference_codes(case: dict[str, Any]) -> frozenset[str]:
    return frozenset(error["code"] for error in case["apollo"].get("errors", ()))


@cache
def outcome(number: int) -> tuple[Composed | None, frozenset[str]]:
    subgraphs = [Subgraph(item["name"], "", item["sdl"]) for item in CASES[number]["subgraphs"]]
    try:
        return compose(subgraphs), frozenset()
    except CompositionError as error:
        return None, frozenset(finding.code for finding in error.findings)


@pytest.mark.parametrize("number", CASES)
def test_an_input_composes_exactly_when_it_does_for_the_reference_composer(number: int) -> None:
    composed, codes = outcome(number)
    assert ((composed is not None) == CASES[number]["apollo"]["ok"]) == (number not in OTHER_VERDICTS), codes


@pytest.mark.parametrize("number", [number for number in CASES if number not in OTHER_VERDICTS])
def test_errors_have_the_codes_of_the_reference_composer(number: int) -> None:
    _, codes = outcome(number)
    assert (codes == reference_codes(CASES[number])) == (number not in OTHER_CODES), codes


@pytest.mark.parametrize("number", CASES)
def test_what_is_composed_is_a_valid_schema_inside_and_for_clients(number: int) -> None:
    composed, _ = outcome(number)
    if composed is None:
        return
    assert validate_schema(build_schema(composed.supergraph.sdl)) == []
    assert validate_schema(composed.supergraph.api_schema) == []


@pytest.mark.parametrize("number", CASES)
def test_what_is_composed_has_a_query_graph(number: int) -> None:
    composed, _ = outcome(number)
    if composed is not None:
        Planner(composed.supergraph)


def test_verdicts_agree_in_98_and_codes_in_97_of_100_inputs() -> None:
    verdicts = sum((outcome(number)[0] is not None) == case["apollo"]["ok"] for number, case in CASES.items())
    codes = sum(outcome(number)[1] == reference_codes(case) for number, case in CASES.items())
    assert verdicts / len(CASES) >= 0.98
    assert codes / len(CASES) >= 0.97
