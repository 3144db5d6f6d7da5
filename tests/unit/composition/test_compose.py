"""Composition as a whole: what is said of subgraphs that contradict themselves or each other."""

from __future__ import annotations

import pytest
from graphql import validate_schema

from federation.composition.compose import Composer, compose
from federation.composition.errors import CompositionError
from federation.composition.subgraph import Subgraph

HEAD = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible"])\n'
)
USERS = 'type Query { users: [User] } type User @key(fields: "id") { id: ID! name: String }'


def codes(*sdls: str) -> list[str]:
    """Return the codes of what is found, sorted; subgraphs are called a, b, …."""
    subgraphs = [Subgraph(name, "", HEAD + sdl) for name, sdl in zip("abc", sdls, strict=False)]
    try:
        compose(subgraphs)
    except CompositionError as error:
        return sorted({finding.code for finding in error.findings})
    return []


CASES = {
    "an external field with a promise nobody keeps": (
        (USERS, 'type User @key(fields: "id") { id: ID! name: String! @external x: Int @requires(fields: "name") }'),
        ["EXTERNAL_TYPE_MISMATCH"],
    ),
    "a key that needs an argument": (
        ('type Query { users: [User] } type User @key(fields: "id") { id(x: Int!): ID! }',),
        ["KEY_INVALID_FIELDS"],
    ),
    "a key that may take an argument": (
        ('type Query { users: [User] } type User @key(fields: "id") { id(x: Int): ID! }',),
        ["KEY_FIELDS_HAS_ARGS"],
    ),
    "a root type that does not exist": (("extend schema { query: Nothing } type A { x: Int }",), ["INVALID_GRAPHQL"]),
    "a directive with an argument of an unknown type": (
        (f"{USERS} directive @a(b: Nothing) on FIELD",),
        ["INVALID_GRAPHQL"],
    ),
    "a directive with a default that is none": (
        (f"{USERS} directive @a(b: E = Z) on FIELD enum E {{ X }}",),
        ["INVALID_GRAPHQL"],
    ),
    "faults of several subgraphs": (
        (f"{USERS} type A {{ x: Nothing }}", 'type User @key(fields: "nothing") { id: ID! }'),
        ["INVALID_GRAPHQL", "KEY_INVALID_FIELDS"],
    ),
    "a field set that does not hold uses nothing": (
        (f"{USERS}", 'type User @key(fields: "id nothing") { id: ID! name: String @external }'),
        ["EXTERNAL_UNUSED", "KEY_INVALID_FIELDS"],
    ),
    "no queries, and nothing else either": (
        ("type A @shareable { x: Int }", "type A @shareable { x: String }"),
        ["FIELD_TYPE_MISMATCH", "NO_QUERIES"],
    ),
    "an interface's key that only refers": (
        (
            (
                'type Query { n: N } interface N @key(fields: "id", resolvable: false) { id: ID! }'
                ' type A implements N @key(fields: "id") { id: ID! }'
            ),
        ),
        [],
    ),
}


@pytest.mark.parametrize(("sdls", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_has_its_code(sdls: tuple[str, ...], expected: list[str]) -> None:
    assert codes(*sdls) == expected


def test_a_finding_names_the_subgraph_and_the_coordinate() -> None:
    with pytest.raises(CompositionError) as refused:
        compose([Subgraph("town", "", HEAD + USERS), Subgraph("school", "", HEAD + "type User { name: String }")])
    (finding,) = refused.value.findings
    assert finding.code == "INVALID_FIELD_SHARING"
    assert finding.subgraphs == ("school", "town")
    assert finding.coordinates == ("User.name",)


def test_an_operation_that_cannot_be_answered_is_shown_with_every_reason() -> None:
    town = Subgraph("town", "", HEAD + 'type Query { users: [User] } type User @key(fields: "id") { id: ID! }')
    school = Subgraph("school", "", HEAD + 'type User @key(fields: "code") { code: String! marks: [Int!] }')
    with pytest.raises(CompositionError) as refused:
        compose([town, school])
    message = "\n".join(finding.message for finding in refused.value.findings)
    assert "users {\n    marks" in message
    assert "`town` has no `User.marks`" in message
    assert '`school` cannot be entered with @key(fields: "code") of `User`' in message


def test_the_order_in_which_subgraphs_are_given_does_not_matter() -> None:
    one, other = Subgraph("a", "", HEAD + USERS), Subgraph("b", "", HEAD + "type Query { b: Int }")
    assert compose([one, other]).supergraph.sdl == compose([other, one]).supergraph.sdl


def test_what_is_composed_is_valid_inside_and_for_clients() -> None:
    hidden = Subgraph("b", "", HEAD + 'type User @key(fields: "id") { id: ID! secret: String @inaccessible }')
    composed = compose([Subgraph("a", "", HEAD + USERS), hidden]).supergraph
    assert not validate_schema(composed.schema)
    assert not validate_schema(composed.api_schema)
    assert "secret" in composed.sdl
    assert "secret" not in composed.api_sdl


def test_a_composer_reads_only_what_is_new_and_composes_the_same() -> None:
    users, other = Subgraph("a", "", HEAD + USERS), Subgraph("b", "", HEAD + "type Query { one: Int }")
    changed = Subgraph("b", "", HEAD + "type Query { one: Int two: Int }")
    composer = Composer()
    for subgraphs in ([users, other], [users, changed], [users], [other, users]):
        assert composer.compose(subgraphs).supergraph.sdl == compose(subgraphs).supergraph.sdl


def test_a_composer_that_refused_composes_again() -> None:
    broken = Subgraph("b", "", HEAD + "type Query {")
    users = Subgraph("a", "", HEAD + USERS)
    composer = Composer()
    with pytest.raises(CompositionError):
        composer.compose([users, broken])
    assert composer.compose([users]).supergraph.sdl == compose([users]).supergraph.sdl
    with pytest.raises(CompositionError):
        composer.compose([users, broken])
