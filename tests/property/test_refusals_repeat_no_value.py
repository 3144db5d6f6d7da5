"""A refusal may repeat names that the caller wrote, and no value: no literal, no variable, nothing of the JSON around.

Names of fields, types, arguments, variables, fragments and input fields are code: whoever wrote a wrong one is told
which, and nobody else is, for a refusal's message is neither recorded nor logged. Whatever stands where a value does
(in quotes, as a number, as an enumeration's value, in `variables`) may be a citizen's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, validate
from hypothesis import given
from hypothesis import strategies as st

from federation.contract.coverage import operation_of
from federation.contract.errors import CroceviaError
from federation.contract.graphql_request import GraphQLRequest, Limits, parse_document, variable_values
from federation.gateway.questions import _place
from node.enforcement.documents import Documents

pytestmark = pytest.mark.property
SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))
LIMITS = Limits(tokens=400, depth=8)
SECRET, NUMBER = "BNCLRA84H57F257B", "9173645528"

WORDS = st.sampled_from(
    ["id", "taxCode", "first", "after", "where", "by", "eq", "in", "and", "dateOfBirth", "gender", "wrong", "orderBy"]
)
SCALARS = st.sampled_from(
    [f'"{SECRET}"', f'"""\n{SECRET}\n"""', f'"a{SECRET} b"', SECRET, NUMBER, f"-{NUMBER}", f"{NUMBER}.5", "$v"]
)
LITERALS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        st.dictionaries(WORDS, inner, max_size=3).map(
            lambda each: "{" + ", ".join(f"{name}: {value}" for name, value in each.items()) + "}"
        ),
    ),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(WORDS, LITERALS, max_size=3).map(
    lambda each: f"({', '.join(f'{name}: {value}' for name, value in each.items())})" if each else ""
)
DIRECTIVES = st.one_of(
    st.just(""), LITERALS.map(lambda value: f" @include(if: {value})"), ARGUMENTS.map("@wrong{}".format)
)
FIELDS = st.sampled_from(
    [
        "citizen{} {{ givenName{} }}",
        "citizens{} {{ edges {{ node {{ id{} }} }} }}",
        "publicServices{} {{ totalCount{} }}",
        "wrong{} {{ a{} }}",
        "__typename{}{}",
    ]
)
TYPES = st.sampled_from(["CitizenKey!", "Int", "ID!", "[TaxCode!]", "Boolean", "CitizenWhere", "Wrong", "Citizen"])
DEFAULTS = st.one_of(st.just(""), LITERALS.filter(lambda text: "$" not in text).map(lambda text: f" = {text}"))
ENDS = st.sampled_from(["", "", "", " }", f' "{SECRET}"', f" # {SECRET}", f" {{ {NUMBER}"])

JSON_VALUES = st.recursive(
    st.sampled_from([SECRET, f"{SECRET}\n", int(NUMBER), float(NUMBER), True, None]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.just(SECRET)), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Write a question that is likely to be wrong in some way, with a citizen's values wherever values may stand."""
    fields = " ".join(
        draw(FIELDS).format(draw(ARGUMENTS) + draw(DIRECTIVES), draw(ARGUMENTS) + draw(DIRECTIVES))
        for _ in range(draw(st.integers(1, 2)))
    )
    text = f"query Q($v: {draw(TYPES)}{draw(DEFAULTS)}) {{ {fields} }}{draw(ENDS)}"
    content: dict[str, Any] = {"query": text, "variables": {"v": draw(JSON_VALUES)}}
    if draw(st.booleans()):
        content[draw(st.sampled_from(["operationName", "documentId", "extensions", SECRET]))] = draw(JSON_VALUES)
    return content


def refusals(content: dict[str, Any]) -> list[str]:
    """Return everything that gateway and node would say of a question."""
    said: list[str] = []
    try:
        asked = GraphQLRequest.parse(json.dumps(content).encode(), LIMITS)
        document = parse_document(asked.text, LIMITS)
        said += [_place(error) for error in validate(SCHEMA, document, hide_suggestions=True)]
        operation = operation_of(document, asked.operation_name)
        variable_values(SCHEMA, operation.variable_definitions or (), asked.variables)
        Documents(SCHEMA, LIMITS).asked(asked.text, asked.operation_name, asked.variables)
    except CroceviaError as error:
        said.append(json.dumps(error.problem()))
    return said


@given(questions())
def test_no_refusal_repeats_a_value_of_the_question(content: dict[str, Any]) -> None:
    for message in refusals(content):
        assert SECRET not in message
        assert NUMBER not in message


def test_a_wrong_name_is_told() -> None:
    assert refusals({"query": "{ citizen { wrong } }"})[:1] == [
        "line 1, column 13: Cannot query field 'wrong' on type 'Citizen'."
    ]
