"""A request is read strictly and bounded before any work is done."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from federation.contract.errors import BadInputError, BodyTooLargeError, DocumentError, QueryTooComplexError
from federation.contract.graphql_request import (
    GraphQLRequest,
    Limits,
    message_without_values,
    parse_document,
    variable_values,
)

LIMITS = Limits()

NOT_REQUESTS = {
    "a duplicate key": b'{"query":"{a}","query":"{b}"}',
    "a duplicate key inside": b'{"query":"{a}","variables":{"n":1,"n":2}}',
    "a batch": b'[{"query":"{a}"}]',
    "an unknown key": b'{"query":"{a}","queries":1}',
    "not UTF-8": b'{"query":"\xff"}',
    "nested 50 000 deep": b"[" * 50_000,
    "an integer of 5 000 digits": b'{"query":"{a}","variables":{"n":' + b"9" * 5000 + b"}}",
    "half a surrogate pair": b'{"query":"{a}","variables":{"n":"\\ud800"}}',
    "the other half": b'{"query":"{a}","variables":{"n":"\\udc00 \\ud83d\\ude00"}}',
    "a number beyond all machine numbers": b'{"query":"{a}","variables":{"n":-1e400}}',
    "NaN": b'{"query":"{a}","variables":{"n":NaN}}',
    "no query": b"{}",
    "query and document id": b'{"query":"{a}","documentId":"sha256:00"}',
    "variables as a list": b'{"query":"{a}","variables":[]}',
    "a text": b'"{a}"',
    "nothing": b"",
}

TOO_MUCH = {
    "aliases": "{" + " ".join(f"a{i}:a" for i in range(31)) + "}",
    "depth": "{a" * 16 + "}" * 16,
    "root_fields": "{" + " ".join(f"a{i}" for i in range(21)) + "}",
    "directives": "{a " + "@x " * 51 + "}",
    "fields": "{a {" + "b " * 501 + "}}",
    "tokens": "{a(" + "x:1 " * 700 + ")}",
}


@pytest.mark.parametrize("body", NOT_REQUESTS.values(), ids=NOT_REQUESTS.keys())
def test_what_is_not_one_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadInputError):
        GraphQLRequest.parse(body, LIMITS)


def test_a_long_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(BodyTooLargeError, match="100000 bytes") as refused:
        GraphQLRequest.parse(b"\xff" * 100_001, LIMITS)
    assert (refused.value.status, refused.value.extensions) == (413, {"limit": "body"})


@pytest.mark.parametrize(("limit", "query"), TOO_MUCH.items(), ids=TOO_MUCH.keys())
def test_a_document_over_a_limit_is_refused_by_its_name(limit: str, query: str) -> None:
    with pytest.raises(QueryTooComplexError) as refused:
        parse_document(query, LIMITS)
    assert refused.value.extensions["limit"] == limit


def test_fragments_that_double_are_counted_as_they_would_run() -> None:
    fragments = " ".join(f"fragment f{i} on Q {{...f{i + 1} ...f{i + 1}}}" for i in range(40))
    with pytest.raises(QueryTooComplexError):
        parse_document("{...f0} " + fragments + " fragment f40 on Q {a}", LIMITS)


def test_a_fragment_that_contains_itself_is_refused() -> None:
    with pytest.raises(DocumentError, match="contains itself"):
        parse_document("{...f} fragment f on Q {...g} fragment g on Q {...f}", LIMITS)


def test_a_syntax_error_names_the_place_and_not_the_text() -> None:
    with pytest.raises(DocumentError) as refused:
        parse_document('{ citizen(by: {taxCode: "RSSMRA80A01H501U") }', LIMITS)
    assert refused.value.extensions == {"line": 1, "column": 43}
    assert "RSSMRA" not in refused.value.message


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_text() -> None:
    body = b'{"query":"{a}","variables":{"n":"\\ud83d\\ude00","m":"\\\\ud800"}}'
    assert GraphQLRequest.parse(body, LIMITS).variables == {"n": "\U0001f600", "m": "\\ud800"}


_SCHEMA = build_schema(
    "input By { taxCode: String! sex: Sex } enum Sex { F M } type Query { citizen(by: By, first: Int): Int }"
)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('{ citizen(first: "BNCLRA84H57F257B") }', "Int cannot represent the value"),
        ('{ citizen(by: "BNCLRA84H57F257B") }', "Expected value of type 'By' to be an object"),
        (
            '{ citizen(by: { taxCode: "BNCLRA84H57F257B", zzz: 1 }) }',
            "Expected value of type 'By' not to include unknown field 'zzz'",
        ),
        ("{ citizen(by: { sex: F }) }", "Expected value of type 'By' to include required field 'taxCode'"),
        (
            '{ citizen(by: { taxCode: "x", sex: BNCLRA84H57F257B }) }',
            "the value does not exist in 'Sex' enum.",
        ),
        ("{ citizen(by: { taxCode: { a: BNCLRA84H57F257B } }) }", "String cannot represent the value"),
        ("{ stranger }", "Cannot query field 'stranger' on type 'Query'."),
    ],
)
def test_a_message_names_the_schema_and_repeats_no_value(query: str, message: str) -> None:
    [error] = validate(_SCHEMA, parse(query), hide_suggestions=True)
    assert message_without_values(error) == message


def test_variables_that_do_not_fit_are_named_without_their_values() -> None:
    [operation] = parse("query($by: By!, $first: Int, $fine: Int) { citizen(by: $by, first: $first) }").definitions
    assert isinstance(operation, OperationDefinitionNode)
    wrong = {"by": {"taxCode": 1, "zzz": "BNCLRA84H57F257B"}, "first": "BNCLRA84H57F257B", "fine": 1}
    with pytest.raises(BadInputError) as refused:
        variable_values(_SCHEMA, operation.variable_definitions or (), wrong)
    assert refused.value.message == "variables do not fit the operation: `$by`, `$first`"
