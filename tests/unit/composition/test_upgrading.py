"""What a schema of federation v1 says without saying it."""

from __future__ import annotations

from tests.support.composition import codes, composed

OWNER = 'type Query { one: User } type User @key(fields: "id") { id: ID! name: String }'
EXTENSION = "type Query {{ any: User }} extend type User {{ id: ID! @external {more}}}"
"""Without a key of its own, so that its objects can be looked up elsewhere, and not be entered here."""


def test_objects_of_an_extension_without_a_key_are_looked_up_by_the_key_of_their_owner() -> None:
    supergraph = composed(OWNER, EXTENSION.format(more="")).supergraph
    (key,) = supergraph.types["User"].subgraphs["b"].keys
    assert (key.fields, key.resolvable) == ("id", False)


def test_an_extension_without_a_key_cannot_be_entered() -> None:
    assert codes(OWNER, EXTENSION.format(more="score: Int")) == ["SATISFIABILITY_ERROR"]
