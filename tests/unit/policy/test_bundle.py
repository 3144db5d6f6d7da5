"""Every way in which a bundle can be wrong, with its place, and all of them in one run."""

from __future__ import annotations

from typing import Any

import pytest

from node.policy.bundle import load_bundle, read_bundle
from node.policy.errors import BundleError
from node.policy.findings import MOST_FINDINGS, FindingCode
from tests.support.policies import EXAMPLE as EXAMPLE_FOLDER
from tests.support.policies import FIELDS, VOCABULARY, bundle_of, document, example, files_of, folder_files, grant

GRANT = grant("g", {"name": "clear"})


def messages(files: dict[str, bytes]) -> list[str]:
    return [str(finding) for finding in read_bundle(files).findings]


def refusal(files: dict[str, bytes]) -> str:
    with pytest.raises(BundleError) as error:
        load_bundle(files)
    return str(error.value)


def test_the_example_of_the_specification_loads() -> None:
    bundle = example()
    assert set(bundle.types["Citizen"].fields) >= {"taxCode", "isee", "disability"}
    assert len(bundle.suites[0].cases) == 10
    assert len(bundle.invariants) == 6


def test_the_digest_names_the_content_and_not_the_order_of_files() -> None:
    files = folder_files(EXAMPLE_FOLDER)
    shuffled = dict(reversed(files.items()))
    changed = files | {"invariants.yaml": files["invariants.yaml"] + b"\n"}

    assert load_bundle(shuffled).digest == load_bundle(files).digest
    assert load_bundle(changed).digest != load_bundle(files).digest


WRONG_DOCUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"grant": []}, "key `grant` is unknown in the document; did you mean `grants`?"),
    "name of another type": ({"policy": "Citizen"}, "file is named after its type: expected `policy: Thing`"),
    "version of nothing": ({"version": 0}, "expected 1 or more, got `0` in `version`"),
    "attribute type": ({"attributes": {"age": "integer"}}, "expected one of `bool`, `int`, `str`, `set<str>`"),
    "no fields": ({"fields": {}}, "expected at least one entry in `fields`"),
    "field without category": ({"fields": {"name": {}}}, "key `category` is missing in `fields.name`"),
    "unknown category": (
        {"fields": {**FIELDS, "name": {"category": "nam"}}},
        "category `nam` is not declared; did you mean `name`?",
    ),
    "lookup by prefix": (
        {"fields": {**FIELDS, "code": {"category": "identifier", "lookup": "prefix"}}},
        "expected one of `exact`, got `prefix` in `fields.code.lookup`",
    ),
    "same id": ({"grants": [GRANT, GRANT]}, "grant `g` is there twice; the first is in types/Thing.yaml:"),
    "prohibition of nothing": ({"prohibitions": [{"id": "p"}]}, "a prohibition names `fields`, unless it says"),
    "prohibition of a row and nothing else": (
        {"prohibitions": [{"id": "p", "fields": ["nam"]}]},
        "field `nam` is not declared; did you mean `name`?",
    ),
    "hide a column": ({"prohibitions": [{"id": "p", "hide": "column"}]}, "expected one of `row`, got `column`"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG_DOCUMENTS.values(), ids=WRONG_DOCUMENTS.keys())
def test_a_wrong_document_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(files_of(document([GRANT]) | changes))


WRONG_GRANTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown purpose": ({"purpose": "benefit-asessment"}, "purpose `benefit-asessment` is not declared; did you mean"),
    "unknown kind": ({"to": {"kind": ["nation"]}}, "kind `nation` is not declared; did you mean `national`?"),
    "to everybody": ({"to": {}}, "key `kind` is missing in `grants.1.to`"),
    "unknown basis": ({"basis": ["6.1.z"]}, "legal basis of art. 6 `6.1.z` is not declared; did you mean"),
    "art. 9 as basis": ({"basis": ["9.2.g"]}, "legal basis of art. 6 `9.2.g` is not declared"),
    "art. 6 as basis9": ({"basis9": ["6.1.e"]}, "legal basis of art. 9 `6.1.e` is not declared"),
    "no basis": ({"basis": []}, "expected at least one entry in `grants.1.basis`"),
    "short law": ({"law": "L. 1"}, "expected at least 5 characters, got `L. 1` in `grants.1.law`"),
    "see nothing": ({"see": {}}, "expected at least one entry in `grants.1.see`"),
    "see an unknown field": ({"see": {"nme": "clear"}}, "field `nme` is not declared; did you mean `name`?"),
    "see in an unknown form": ({"see": {"name": "clera"}}, "form `clera` does not exist; did you mean `clear`?"),
    "see in no form": ({"see": {"name": 3}}, "expected text or a map, got `3` in `grants.1.see.name`"),
    "rows as a truth": ({"rows": True}, "expected text, got `true` in `grants.1.rows`"),
    "rows of another type": ({"rows": "row.agee < 3"}, "name `row.agee` is not declared; did you mean `row.age`?"),
    "consent to nothing": ({"consent": "notices"}, "purpose `notices` is not declared"),
    "reversed window": ({"valid": {"from": "2027-01-01", "until": "2026-01-01"}}, "`from` 2027-01-01 is after `until`"),
    "open window": ({"valid": {"from": "2027-01-01"}}, "key `until` is missing in `grants.1.valid`"),
    "no day": ({"valid": {"from": "1 gennaio", "until": "2026-01-01"}}, "expected a day such as `2026-01-01`"),
    "retain in words": ({"retain": "6 mesi"}, "expected an ISO 8601 duration such as `P180D` or `P5Y`, got `6 mesi`"),
    "retain nothing": ({"retain": "P"}, "expected an ISO 8601 duration"),
    "cells of nothing": ({"aggregates": {"min_cell": 0, "over": ["name"]}}, "expected more than 0, got `0`"),
    "counts over an unknown field": ({"aggregates": {"over": ["nme"]}}, "field `nme` is not declared"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG_GRANTS.values(), ids=WRONG_GRANTS.keys())
def test_a_wrong_grant_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(files_of(document([GRANT | changes])))


WRONG_VOCABULARIES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown parent": ({"purposes": {"a": {"it": "A", "parent": "b"}}}, "purpose `b` is not declared; known: `a`"),
    "circle": (
        {"purposes": {"a": {"it": "A", "parent": "b"}, "b": {"it": "B", "parent": "a"}}},
        "purposes form a circle: `a` > `b` > `a`",
    ),
    "own parent": ({"purposes": {"a": {"it": "A", "parent": "a"}}}, "purposes form a circle: `a` > `a`"),
    "sensitivity": (
        {"categories": {"name": {"sensitivity": "secret"}}},
        "expected one of `public`, `internal`, `personal`, `confidential`, `special`, got `secret`",
    ),
    "no kinds": ({"requester": {"kind": {"enum": []}}}, "expected at least one entry in `requester.kind.enum`"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG_VOCABULARIES.values(), ids=WRONG_VOCABULARIES.keys())
def test_a_wrong_vocabulary_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(files_of(document([GRANT]), vocabulary={**VOCABULARY, **changes}))


SUITE: dict[str, Any] = {
    "suite": "Thing",
    "now": "2026-05-01",
    "requesters": {"inps": {"kind": "national", "basis": ["6.1.e"]}},
    "rows": {"anna": {"age": 34}},
    "tests": [{"as": "inps", "for": "benefit-assessment", "row": "anna", "see": {"name": "clear"}}],
}
CASE: dict[str, Any] = SUITE["tests"][0]
WRONG_SUITES: dict[str, tuple[dict[str, Any], str]] = {
    "another type": ({"suite": "Thin"}, "type `Thin` has no readable policy in this bundle; did you mean `Thing`?"),
    "unknown requester": ({"tests": [CASE | {"as": "imps"}]}, "requester `imps` is not declared; did you mean `inps`?"),
    "unknown row": ({"tests": [CASE | {"row": "ana"}]}, "row `ana` is not declared; did you mean `anna`?"),
    "unknown purpose": ({"tests": [CASE | {"for": "tax"}]}, "purpose `tax` is not declared"),
    "unknown field": ({"tests": [CASE | {"see": {"nam": "clear"}}]}, "field `nam` is not declared"),
    "unknown form": ({"tests": [CASE | {"see": {"name": "cleer"}}]}, "form `cleer` is not declared; did you mean"),
    "attribute of another type": ({"rows": {"anna": {"age": "34"}}}, "row attribute `age` has type `int`, got `34`"),
    "unknown attribute": (
        {"rows": {"anna": {"agee": 34}}},
        "row attribute `agee` is not declared; did you mean `age`?",
    ),
    "consent of another kind": ({"tests": [CASE | {"consent": "yes"}]}, "expected `true` or `false` or a list"),
    "consent to nothing": ({"tests": [CASE | {"consent": ["notices"]}]}, "purpose `notices` is not declared"),
    "no instant": ({"now": "2026-05-01T25:00:00Z"}, "is neither a day nor an instant with a zone"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG_SUITES.values(), ids=WRONG_SUITES.keys())
def test_a_wrong_suite_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(files_of(document([GRANT]), tests__Thing_test=SUITE | changes))


WRONG_INVARIANTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"fields": ["nme"]}, "field `nme` is not declared; did you mean `name`?"),
    "unknown form": ({"form": "cleer"}, "form `cleer` does not exist; did you mean `clear`?"),
    "unknown name": ({"when": "row.agee > 3"}, "name `row.agee` is not declared"),
    "unknown category": ({"fields": {"category": "nme"}}, "category `nme` is not declared"),
    "two selections": ({"fields": {"all": True, "art9": True}}, "expected only one entry"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG_INVARIANTS.values(), ids=WRONG_INVARIANTS.keys())
def test_a_wrong_invariant_is_refused(changes: dict[str, Any], message: str) -> None:
    never = {"fields": ["name"], "form": "any", "when": "true", **changes}
    assert message in refusal(files_of(document([GRANT]), invariants=[{"id": "i", "never": never}]))


WRONG_YAML: dict[str, tuple[bytes, FindingCode, str]] = {
    "duplicate key": (b"policy: Thing\npolicy: Thing\n", FindingCode.YAML_DUPLICATE_KEY, ":2:1: key `policy`"),
    "anchor": (b"policy: &a Thing\n", FindingCode.YAML_ANCHOR, ":1:9: anchor `&a` is refused"),
    "alias": (b"a: [&x 1, *x]\n", FindingCode.YAML_ANCHOR, ":1:11: alias `*x` is refused"),
    "tag": (b"policy: !!python/name:os.system x\n", FindingCode.YAML_TAG, ":1:9: tag"),
    "two documents": (b"a: 1\n---\nb: 2\n", FindingCode.YAML_INVALID, "a second document"),
    "open list": (b"a: [1\n", FindingCode.YAML_INVALID, ":2:1: not valid YAML"),
    "bytes": (b"policy: \xff\n", FindingCode.ENCODING_INVALID, ":1:1: expected UTF-8"),
    "empty": (b"", FindingCode.YAML_INVALID, "file is empty"),
    "deep": (b"[" * 50, FindingCode.YAML_INVALID, "expected at most 24 levels of nesting"),
    "large": (b"a: 1 #" + b"x" * 1_000_001, FindingCode.YAML_INVALID, "file is larger than 1000000 bytes"),
    "Boolean word": (b"policy: no\n", FindingCode.VALUE_INVALID, "YAML reads `no` as a Boolean"),
    "octal": (b"version: 010\n", FindingCode.VALUE_INVALID, "number of another base or size"),
    "base 60": (b"version: 12:30\n", FindingCode.VALUE_INVALID, "number of another base or size"),
    "no day": (b"version: 2026-02-30\n", FindingCode.VALUE_INVALID, "day `2026-02-30` does not exist"),
    "key that is a list": (b"? [a]\n: 1\n", FindingCode.VALUE_INVALID, "expected text as a key"),
}


@pytest.mark.parametrize(("content", "code", "message"), WRONG_YAML.values(), ids=WRONG_YAML.keys())
def test_yaml_that_surprises_is_refused(content: bytes, code: FindingCode, message: str) -> None:
    findings = read_bundle(files_of(document([GRANT])) | {"types/Thing.yaml": content}).findings

    assert any(finding.code is code and message in str(finding) for finding in findings), findings


def test_a_file_that_would_have_no_effect_is_refused() -> None:
    files = files_of(document([GRANT])) | {"types/Citizen.yml": b"policy: Citizen", "tests/Thing.yaml": b"suite: Thing"}

    assert [(finding.place.file, finding.code) for finding in read_bundle(files).findings] == [
        ("tests/Thing.yaml", FindingCode.FILE_UNKNOWN),
        ("types/Citizen.yml", FindingCode.FILE_UNKNOWN),
    ]


def test_a_bundle_without_vocabulary_or_types_is_refused() -> None:
    assert messages({}) == [
        "types: a bundle has at least one policy: expected `types/<Type>.yaml` [FILE_MISSING]",
        "vocabulary.yaml: vocabulary is missing, here and in the parent folder [FILE_MISSING]",
    ]


def test_all_errors_are_reported_in_one_run_with_their_places() -> None:
    files = files_of(document([GRANT | {"purpose": "tax"}, grant("h", {"nme": "claer"}, rows="row.x == 1")]))
    files["types/Thing.yaml"] += b"extra: 1\n"

    codes = [finding.code for finding in read_bundle(files).findings]
    assert codes.count(FindingCode.NAME_UNKNOWN) == 2
    assert {FindingCode.KEY_UNKNOWN, FindingCode.FORM_INVALID, FindingCode.CONDITION_INVALID} <= set(codes)
    assert all(finding.place.line > 0 for finding in read_bundle(files).findings)


def test_the_place_of_a_condition_error_is_the_offending_word() -> None:
    files = files_of(document([GRANT]))
    files["types/Thing.yaml"] = files["types/Thing.yaml"].replace(
        b"  law: law for a test\n", b"  law: law for a test\n  rows: 'row.age < 3 && row.agee > 1'\n"
    )
    [finding] = read_bundle(files).findings

    line = files["types/Thing.yaml"].decode().splitlines()[finding.place.line - 1]
    assert line[finding.place.column - 1 :].startswith("row.agee")


def test_counts_over_special_categories_default_to_ten() -> None:
    grants = [
        grant("n", {"name": "clear"}, aggregates={"over": ["name"]}),
        grant("h", {"health": "clear"}, aggregates={"over": ["health"]}, basis9=["9.2.g"]),
    ]
    plain, special = bundle_of(document(grants)).types["Thing"].grants
    assert plain.aggregates is not None
    assert special.aggregates is not None
    assert (plain.aggregates.min_cell, special.aggregates.min_cell) == (5, 10)


def test_a_mistyped_attribute_type_is_one_error_and_not_one_per_condition() -> None:
    files = folder_files(EXAMPLE_FOLDER)
    wrong = files["types/Citizen.yaml"].replace(b"residency: str", b"residency: strr")
    found = read_bundle(files | {"types/Citizen.yaml": wrong}).findings
    assert [finding.message for finding in found] == [
        "expected one of `bool`, `int`, `str`, `set<str>`, got `strr` in `attributes.residency`; did you mean `str`?"
    ]


TOO_MANY = {
    "keys twice": "a: 1\n" * 3_000,
    "shapes": "grants:\n" + "- {id: x}\n" * 3_000,
    "names": "fields: {" + ", ".join(f"f{number}: {{category: nme}}" for number in range(3_000)) + "}",
    "conditions": "grants:\n" + "- {rows: row.x}\n" * 3_000,
}


@pytest.mark.parametrize("text", TOO_MANY.values(), ids=TOO_MANY.keys())
def test_of_very_many_mistakes_the_first_are_told(text: str) -> None:
    found = read_bundle(folder_files(EXAMPLE_FOLDER) | {"types/Citizen.yaml": text.encode()}).findings
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1].code is FindingCode.FINDINGS_OMITTED


def test_the_errors_of_every_file_are_told_in_one_run() -> None:
    """A misspelt grant does not hide what is wrong with the tests and the invariants of the same type."""
    thing = document([grant("g", {"name": "claer"}, purpose="benefit-assesment", rows="row.agee < 3")])
    suite = {
        "suite": "Thing",
        "now": "2026-05-01",
        "requesters": {"inps": {"kind": "nationl", "basis": ["6.1.e"]}},
        "rows": {"anna": {"agee": 34}},
        "tests": [{"as": "inp", "for": "benefit-assessment", "row": "anna", "see": {"nmae": "clear"}}],
    }
    invariants = [{"id": "i", "never": {"fields": ["nam"], "form": "cler", "when": "row.age > 3 && row.flg"}}]
    found = [
        str(finding)
        for finding in read_bundle(files_of(thing, tests__Thing_test=suite, invariants=invariants)).findings
    ]
    for file, word, right in [
        ("types/Thing.yaml", "claer", "clear"),
        ("types/Thing.yaml", "benefit-assesment", "benefit-assessment"),
        ("types/Thing.yaml", "row.agee", "row.age"),
        ("tests/Thing_test.yaml", "nationl", "national"),
        ("tests/Thing_test.yaml", "agee", "age"),
        ("tests/Thing_test.yaml", "inp", "inps"),
        ("tests/Thing_test.yaml", "nmae", "name"),
        ("invariants.yaml", "nam", "name"),
        ("invariants.yaml", "cler", "clear"),
    ]:
        assert any(
            one.startswith(f"{file}:") and f"`{word}`" in one and f"did you mean `{right}`?" in one for one in found
        ), (file, word, found)
