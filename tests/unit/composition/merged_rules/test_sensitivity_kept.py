"""No member publishes a field as less sensitive than its owner does."""

from tests.support.composition import codes, composed, fed, findings

PRIVACY = """
extend schema @link(url: "https://w3id.org/crocevia/vocabulary/v1.0", import: ["@privacy"])
  @composeDirective(name: "@privacy")
directive @privacy(category: String!, sensitivity: String!) on FIELD_DEFINITION
"""


def member(level: str, field: str = "x: Int @shareable", query: str = "") -> str:
    privacy = f'@privacy(category: "health", sensitivity: "{level}")'
    return fed(f'{PRIVACY} {query} type A @key(fields: "id") {{ id: ID {field} {privacy} }}')


QUERY = "type Query { a: A }"


def test_members_that_agree_compose() -> None:
    assert codes(member("special", query=QUERY), member("special")) == []


def test_a_member_that_says_less_than_another_owner_is_refused() -> None:
    (finding,) = findings(member("special", query=QUERY), member("personal"))
    assert finding.code == "SENSITIVITY_WEAKENED"
    assert finding.subgraphs == ("b",)
    assert finding.coordinates == ("A.x",)


def test_who_does_not_resolve_a_field_may_say_more_but_not_less() -> None:
    reading = 'y: Int @requires(fields: "x") x: Int @external'
    assert codes(member("personal", query=QUERY), member("special", reading)) == []
    assert codes(member("personal", query=QUERY), member("public", reading)) == ["SENSITIVITY_WEAKENED"]


def test_a_member_that_says_nothing_weakens_nothing() -> None:
    silent = fed('type A @key(fields: "id") { id: ID x: Int @shareable }')
    text = composed(member("special", query=QUERY), silent).supergraph.sdl
    assert 'sensitivity: "special"' in text


def test_the_supergraph_keeps_the_strictest_level() -> None:
    reading = 'y: Int @requires(fields: "x") x: Int @external'
    field = composed(member("personal", query=QUERY), member("special", reading)).supergraph.types["A"].fields["x"]
    assert [item.text("sensitivity") for item in field.directives] == ["special"]


def test_a_level_that_nobody_knows_is_refused() -> None:
    assert codes(member("secret", query=QUERY)) == ["SENSITIVITY_UNKNOWN"]
