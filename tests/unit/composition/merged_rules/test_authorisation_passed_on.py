"""What a field requires of others it must be allowed to see."""

from tests.support.composition import codes, fed

OWNER = 'type Query { a: A } type A @key(fields: "id") { id: ID x: Int %s }'
READER = 'type A @key(fields: "id") { id: ID x: Int @external y: Int @requires(fields: "x") %s }'


def refused(owner: str, reader: str) -> bool:
    return codes(fed(OWNER % owner), fed(READER % reader)) == ["MISSING_TRANSITIVE_AUTH_REQUIREMENTS"]


def test_a_field_that_reads_a_protected_one_is_protected_itself() -> None:
    assert refused("@authenticated", "")
    assert not refused("@authenticated", "@authenticated")


def test_more_scopes_include_fewer() -> None:
    assert refused('@requiresScopes(scopes: [["a", "b"]])', '@requiresScopes(scopes: [["a"]])')
    assert not refused('@requiresScopes(scopes: [["a"]])', '@requiresScopes(scopes: [["a", "b"]])')


def test_every_alternative_must_suffice() -> None:
    assert refused('@requiresScopes(scopes: [["a"]])', '@requiresScopes(scopes: [["a"], ["b"]])')
    assert not refused('@requiresScopes(scopes: [["a"], ["b"]])', '@requiresScopes(scopes: [["a"]])')
