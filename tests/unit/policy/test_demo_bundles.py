"""The policies of the demo members: sound, tested, locked, and covering what the vocabulary has."""

from __future__ import annotations

import json
import re

import pytest

from node.policy.bundle import REGISTER_FILE
from node.policy.checks.rule import Subject
from node.policy.checks.specified import check
from node.policy.findings import FindingCode
from node.policy.matrix import lock_text
from node.policy.registers import Declared, register_of_processing
from node.policy.schema_view import SchemaView
from node.policy.schemas import TYPE_DOCUMENT
from node.policy.trials import run_suites
from tests.support.policies import DEMO_MEMBERS, ROOT, demo

SDL = (ROOT / "schema.graphql").read_text(encoding="utf-8")


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_a_demo_bundle_has_neither_errors_nor_warnings(member: str) -> None:
    bundle = demo(member)
    view = SchemaView.parse(SDL)
    served = {name: fields for name, fields in view.types.items() if name in bundle.types}
    findings = [
        finding
        for finding in check(Subject(bundle, SchemaView(served)))
        # A member serves a part of `Citizen`; all members together are looked at below.
        if finding.code is not FindingCode.FIELD_UNCOVERED and "does not fit an object" not in finding.message
    ]
    assert findings == []


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_every_case_of_a_demo_bundle_passes(member: str) -> None:
    trials = list(run_suites(demo(member)))
    assert len(trials) >= 15
    assert [trial.differences for trial in trials if not trial.passed] == []


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_every_type_of_a_demo_bundle_has_a_suite(member: str) -> None:
    bundle = demo(member)
    assert {suite.type_name for suite in bundle.suites} == bundle.types.keys()


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_the_matrix_of_a_demo_bundle_is_the_one_that_was_reviewed(member: str) -> None:
    assert (ROOT / "policies" / member / "matrix.lock").read_text(encoding="utf-8") == lock_text(demo(member))


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_the_register_of_a_demo_member_has_no_gap(member: str) -> None:
    declared = Declared.parse((ROOT / "policies" / member / REGISTER_FILE).read_bytes())
    assert {gap for entry in register_of_processing(demo(member), declared) for gap in entry.gaps} == set()


def test_the_members_together_govern_every_field_of_the_vocabulary() -> None:
    governed = {
        f"{name}.{field}"
        for member in DEMO_MEMBERS
        for name, found in demo(member).types.items()
        for field in found.fields
    }
    served = {f"{name}.{field}" for name, fields in SchemaView.parse(SDL).types.items() for field in fields}
    assert governed == served


def test_categories_are_those_that_the_schema_prints() -> None:
    printed = dict(re.findall(r'@privacy\(category: "(\w+)", sensitivity: "(\w+)"\)', SDL))
    vocabulary = demo("c_m999").vocabulary
    assert {name: category.sensitivity.name.lower() for name, category in vocabulary.categories.items()} == printed


def test_a_field_has_the_category_that_the_schema_prints() -> None:
    for name, body in re.findall(r"^type (\w+) [^{]*\{(.*?)^\}", SDL, re.DOTALL | re.MULTILINE):
        for field, category in re.findall(
            r'^  (?:\w+\(|\) *)?(\w+)?[^\n"]*@semantic[^\n]*category: "(\w+)"', body, re.MULTILINE
        ):
            for member in DEMO_MEMBERS:
                document = demo(member).types.get(name)
                if document is not None and field in document.fields:
                    assert document.fields[field].category.name == category, f"{name}.{field}"


def test_the_published_schema_of_documents_is_the_one_in_use() -> None:
    published = json.loads((ROOT / "policies" / "policy.schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(TYPE_DOCUMENT))
