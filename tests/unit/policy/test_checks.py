"""The checks of a complete bundle, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from node.policy.bundle import read_bundle
from node.policy.checks.rule import Subject
from node.policy.checks.specified import check
from node.policy.errors import BundleError
from node.policy.findings import FindingCode, Severity
from node.policy.schema_view import SchemaView
from tests.support.policies import FIELDS, bundle_of, document, example, files_of, grant

SDL = "type Thing { name: String birth: PartialDate income: Banded health: Boolean code: TaxCode }"


def found(thing: dict[str, object], sdl: str | None = None) -> list[tuple[FindingCode, str]]:
    schema = None if sdl is None else SchemaView.parse(sdl)
    return [(finding.code, finding.message) for finding in check(Subject(bundle_of(thing), schema))]


def test_a_sound_bundle_has_no_findings() -> None:
    assert found(document([grant("g", {"name": "clear", "birth": "year"})]), SDL) == []


PARTIAL = {"partial": {"prefix": 2, "n": 6, "pad": "*"}}
APART: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "purposes": ({"purpose": "benefit-assessment"}, {"purpose": "tax-assessment"}),
    "kinds": ({"to": {"kind": ["national"]}}, {"to": {"kind": ["school"]}}),
    "windows": (
        {"valid": {"from": "2026-01-01", "until": "2026-06-30"}},
        {"valid": {"from": "2026-07-01", "until": "2026-12-31"}},
    ),
    "numbers": ({"rows": "row.age < 18"}, {"rows": "row.age >= 18"}),
    "texts": ({"rows": 'row.place == "a"'}, {"rows": 'row.place != "a"'}),
    "truths": ({"rows": "row.flag"}, {"rows": "!row.flag"}),
    "sets": ({"rows": 'any(row.tags, ["a", "b"])'}, {"rows": 'none(row.tags, ["a"]) && none(row.tags, ["b"])'}),
    "kinds in rows": ({"rows": 'requester.kind == "national"'}, {"rows": 'requester.kind == "school"'}),
    "days in rows": ({"rows": 'today < "2026-06-01"'}, {"rows": 'today >= "2026-06-01"'}),
    "between integers": ({"rows": "row.age > 3 && row.age < 5"}, {"rows": "row.age != 4"}),
    "two names": ({"rows": "row.place == requester.area"}, {"rows": "row.place != requester.area"}),
}


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART.keys())
def test_r10_incomparable_forms_are_admitted_where_the_grants_never_meet(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    grants = [grant("a", {"name": {"redact": "x"}}, **one), grant("b", {"name": {"redact": "y"}}, **other)]
    assert found(document(grants)) == []


MEETING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "always": ({}, {}),
    "descendant": ({"purpose": "social-benefit"}, {"purpose": "benefit-assessment"}),
    "one day": (
        {"valid": {"from": "2026-01-01", "until": "2026-07-01"}},
        {"valid": {"from": "2026-07-01", "until": "2026-12-31"}},
    ),
    "numbers": ({"rows": "row.age <= 18"}, {"rows": "row.age >= 18"}),
    "between texts": ({"rows": 'row.place > "a"'}, {"rows": 'row.place < "b"'}),
    "unnamed elements": ({"rows": "any(row.tags, row.tags)"}, {"rows": 'none(row.tags, ["a"])'}),
    "days in rows": ({"rows": 'today < "2026-06-02"'}, {"rows": 'today >= "2026-06-01"'}),
    "two names": ({"rows": "row.place == requester.area"}, {"rows": 'row.place == "H501"'}),
}


@pytest.mark.parametrize(("one", "other"), MEETING.values(), ids=MEETING.keys())
def test_r10_incomparable_forms_are_an_error_where_the_grants_may_meet(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    grants = [grant("a", {"name": {"redact": "x"}}, **one), grant("b", {"name": {"redact": "y"}}, **other)]
    [(code, message)] = found(document(grants))
    assert code is FindingCode.FORMS_INCOMPARABLE
    assert "grants `a` and `b` may both apply and give `name` forms that cannot be compared" in message


def test_r10_too_many_values_to_try_count_as_a_meeting() -> None:
    tags = ", ".join(f'"{number}"' for number in range(20))
    grants = [
        grant("a", {"name": {"redact": "x"}}, rows=f"any(row.tags, [{tags}])"),
        grant("b", {"name": {"redact": "y"}}, rows=f"none(row.tags, [{tags}])"),
    ]
    assert [code for code, _ in found(document(grants))] == [FindingCode.FORMS_INCOMPARABLE]


def test_r1_a_schema_field_without_category_is_an_error() -> None:
    [(code, message)] = found(document([grant("g", {"name": "clear"})]), SDL[:-1] + " added: String }")
    assert code is FindingCode.FIELD_UNCOVERED
    assert message == "field `Thing.added` of the schema has no category here: it is denied to everybody"


def test_r1_a_schema_type_without_policy_is_an_error() -> None:
    [(code, message)] = found(document([grant("g", {"name": "clear"})]), SDL + " type Other { x: Int }")
    assert code is FindingCode.FIELD_UNCOVERED
    assert "type `Other` of the schema has no policy: write `types/Other.yaml`" in message


def test_a_governed_field_that_the_schema_does_not_have_is_an_error() -> None:
    thing = document([grant("g", {"name": "clear"})], fields={**FIELDS, "nam": {"category": "name"}})
    [(code, message)] = found(thing, SDL)
    assert code is FindingCode.FIELD_UNKNOWN
    assert message == "field `Thing.nam` is not in the schema; did you mean `name`?"


def test_a_policy_of_no_type_is_an_error() -> None:
    codes = [code for code, _ in found(document([grant("g", {"name": "clear"})]), "type Think { x: Int }")]
    assert codes == [FindingCode.TYPE_UNKNOWN, FindingCode.FIELD_UNCOVERED]


def test_roots_connections_and_generated_matches_are_not_governed() -> None:
    more = " codeMatches(value: TaxCode!): Boolean } type Query { things: ThingConnection }"
    more += " type ThingConnection { edges: [ThingEdge] } type ThingEdge { node: Thing } type PageInfo { end: String }"
    assert found(document([grant("g", {"name": "clear"})]), SDL[:-1] + more) == []


def test_extensions_of_types_count() -> None:
    assert [code for code, _ in found(document([]), SDL + ' extend type Thing @key(fields: "name") { more: Int }')] == [
        FindingCode.FIELD_UNCOVERED
    ]


def test_r14_a_governed_field_that_is_non_null_is_an_error() -> None:
    [(code, message)] = found(document([]), SDL.replace("name: String", "name: String!"))
    assert code is FindingCode.FIELD_NOT_NULLABLE
    assert "a denial would null its parent" in message


UNFIT: dict[str, tuple[dict[str, object], str]] = {
    "year of a name": ({"name": "clear", "income": "year"}, "form `year` of `Thing.income` in grant `g` does not fit"),
    "band of a name": ({"name": "clear", "birth": {"band": [1]}}, "it fits `Banded`, `String`"),
    "partial tax code": ({"code": PARTIAL}, "does not fit its type `TaxCode`; it fits `String`"),
    "pseudonym of a truth": ({"health": "pseudonym"}, "it fits `ID`, `String`"),
}  # fmt: skip


@pytest.mark.parametrize(("see", "message"), UNFIT.values(), ids=UNFIT.keys())
def test_r19_a_mask_that_its_type_does_not_admit_is_an_error(see: dict[str, object], message: str) -> None:
    findings = found(document([grant("g", see, basis9=["9.2.g"])]), SDL)
    assert [code for code, _ in findings] == [FindingCode.FORM_TYPE_MISMATCH]
    assert message in findings[0][1]


def test_r19_an_object_is_shown_clear_or_not_at_all() -> None:
    sdl = SDL.replace("name: String", "name: Other") + " type Other { x: Int }"
    bundle_findings = found(document([grant("g", {"name": {"redact": "x"}})]), sdl)
    assert "does not fit an object: `Other` has a policy of its own; write `clear`" in bundle_findings[-1][1]


def test_r6_a_special_category_without_basis9_is_a_warning() -> None:
    [(code, message)] = found(document([grant("g", {"health": "clear"})]))
    assert code is FindingCode.ART9_BASIS_MISSING
    assert message == "grant `g` has no `basis9`, so it never shows `health` (GDPR art. 9)"


def test_small_cells_over_special_categories_are_a_warning() -> None:
    counts = {"min_cell": 5, "over": ["health"]}
    [(code, message)] = found(document([grant("g", {"health": "clear"}, basis9=["9.2.g"], aggregates=counts)]))
    assert code is FindingCode.CELL_SMALL
    assert "special categories need 10" in message


@pytest.mark.parametrize(
    "written", [5, None, {"k": 1, "quasi_identifiers": ["birth"]}, {"k": 5}, {"k": 5, "quasi_identifiers": ["birht"]}]
)
def test_a_crowd_without_a_number_or_without_fields_is_refused(written: object) -> None:
    counts = {"over": ["birth"], "generalise_k": written}
    with pytest.raises(BundleError) as refused:
        bundle_of(document([grant("g", {"birth": "year"}, aggregates=counts)]))
    [finding] = refused.value.findings
    assert finding.severity is Severity.ERROR
    assert finding.place.line > 0


def test_an_attribute_cannot_have_the_name_of_the_number_alike() -> None:
    with pytest.raises(BundleError) as refused:
        bundle_of(document([grant("g", {"birth": "year"})], attributes={"alike": "int"}))
    [finding] = refused.value.findings
    assert "give the attribute another name" in finding.message


def crowd(see: dict[str, object], over: list[str]) -> dict[str, object]:
    counts = {"over": ["birth"], "generalise_k": {"k": 5, "quasi_identifiers": over}}
    return document([grant("g", see, aggregates=counts)])


@pytest.mark.parametrize(
    ("see", "problem"),
    [
        ({"name": "clear"}, "does not show `birth`"),
        ({"birth": "hash"}, "as `hash` nobody's `birth` is like another's"),
        ({"birth": "verify"}, "as `verify` nobody's `birth` is like another's"),
    ],
)
def test_a_crowd_of_those_who_never_look_alike_is_refused(see: dict[str, object], problem: str) -> None:
    [(code, message)] = found(crowd(see, ["birth"]))
    assert code is FindingCode.CROWD_UNCOUNTABLE
    assert problem in message


def test_a_crowd_is_counted_by_single_values_of_a_type_with_a_key() -> None:
    sdl = SDL.replace("name: String", "name: [String]").replace("health: Boolean", "health: Other")
    other = "type Other { x: ID }"
    assert found(crowd({"birth": "year"}, ["birth"]), SDL.replace("{", '@key(fields: "name") {', 1)) == []
    assert [message for code, message in found(crowd({"birth": "year"}, ["birth"]), SDL)] == [
        "grant `g` says `generalise_k`, but `Thing` has no key in the schema: protect the type that leads to it"
    ]
    findings = found(
        crowd({"name": "clear", "health": "clear"}, ["name", "health"]),
        f"{sdl} {other}".replace("{", '@key(fields: "code") {', 1),
    )
    assert [message.split(", but ")[1] for code, message in findings if code is FindingCode.CROWD_UNCOUNTABLE] == [
        f"`{name}` is no single value: leave it out of `quasi_identifiers`" for name in ("health", "name")
    ]


def test_r13_a_null_that_tells_a_hidden_attribute_is_a_warning() -> None:
    rule = {"id": "p", "fields": ["name"], "rows": "row.flag == true"}
    [(code, message)] = found(document([grant("g", {"name": "clear", "birth": "clear"})], prohibitions=[rule]))
    assert code is FindingCode.PREDICATE_REVEALS
    assert "consider `hide: row`" in message


def test_r13_a_hidden_row_tells_nothing() -> None:
    rule = {"id": "p", "hide": "row", "rows": "row.flag == true"}
    assert found(document([grant("g", {"name": "clear"})], prohibitions=[rule])) == []


def test_the_example_of_the_specification_has_warnings_only() -> None:
    findings = check(Subject(example(), None))
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    assert [finding.code for finding in findings] == [FindingCode.CELL_SMALL, FindingCode.PREDICATE_REVEALS]


COMPUTED: dict[str, dict[str, object]] = {
    "name": {"category": "name"},
    "birth": {"category": "birth"},
    "adult": {"category": "birth", "computed_from": ["birth"]},
}


def found_for(
    see: dict[str, object],
    prohibitions: list[dict[str, object]] | None = None,
    fields: dict[str, dict[str, object]] | None = None,
) -> list[tuple[FindingCode, str]]:
    thing = document([grant("g", see)], fields=fields or COMPUTED, prohibitions=prohibitions or [])
    return [(one.code, one.message) for one in check(Subject(bundle_of(thing), None))]


def test_r31_a_computed_field_shows_no_more_than_its_inputs() -> None:
    assert found_for({"birth": "clear", "adult": "clear"}) == []
    for see in ({"adult": "clear"}, {"adult": "clear", "birth": "year"}):
        [(code, message)] = found_for(dict(see))
        assert code is FindingCode.COMPUTED_SHOWS_MORE
        assert "declassified" in message


def test_r31_what_denies_an_input_denies_what_is_computed_from_it() -> None:
    see: dict[str, object] = {"birth": "clear", "adult": "clear"}
    found = found_for(see, [{"id": "p", "fields": ["birth"], "rows": "row.age < 3"}])
    [message] = [message for code, message in found if code is FindingCode.COMPUTED_SHOWS_MORE]
    assert "denies `birth` but not `adult`" in message


def test_r31_a_policy_declassifies_by_name_with_a_law() -> None:
    adult: dict[str, object] = {**COMPUTED["adult"], "declassified": {"law": "D.P.R. 445/2000 art. 43"}}
    assert found_for({"adult": "clear"}, fields={**COMPUTED, "adult": adult}) == []


def test_r31_the_inputs_of_a_computed_field_are_fields() -> None:
    fields = {**COMPUTED, "adult": {"category": "birth", "computed_from": ["brith"]}}
    found = read_bundle(files_of(document([grant("g", {"name": "clear"})], fields=fields))).findings
    assert any("did you mean `birth`?" in one.message for one in found)


@pytest.mark.parametrize("form", ["verify", "hash", PARTIAL, {"redact": "x"}])
def test_r17_a_list_of_scalars_is_shown_clear_or_not_at_all(form: object) -> None:
    """A masked list would tell how many values there are."""
    sdl = SDL.replace("name: String", "name: [String!]")
    [(code, message)] = found(document([grant("g", {"name": form})]), sdl)
    assert code is FindingCode.FORM_TYPE_MISMATCH
    assert "a list is shown clear or not at all" in message
    assert found(document([grant("g", {"name": "clear"})]), sdl) == []
