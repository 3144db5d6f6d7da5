"""What a change of a schema means for those who use it."""

import pytest
from graphql import build_schema

from federation.composition.diff import Severity, schema_changes

OLD = """
type Query { a(x: Int, y: Int = 1): Int b: B e(f: E, i: In): U }
interface I { x: Int } type B implements I { x: Int } type C { y: Int }
union U = B | C enum E { X Y } input In { a: Int }
"""
CHANGES = {
    "a field goes": ("b: B ", "", Severity.BREAKING, "Query.b"),
    "a field comes": ("b: B ", "b: B n: Int ", Severity.SAFE, "Query.n"),
    "a field changes its type": ("b: B ", "b: C ", Severity.BREAKING, "Query.b"),
    "an argument goes": ("x: Int, ", "", Severity.BREAKING, "Query.a(x:)"),
    "a required argument comes": ("x: Int, ", "x: Int, z: Int!, ", Severity.BREAKING, "Query.a(z:)"),
    "a default changes": ("= 1", "= 2", Severity.DANGEROUS, "Query.a(y:)"),
    "an enum value goes": ("X Y", "X", Severity.BREAKING, "E.Y"),
    "an enum value comes": ("X Y", "X Y Z", Severity.DANGEROUS, "E.Z"),
    "a required input field comes": ("a: Int }", "a: Int r: Int! }", Severity.BREAKING, "In.r"),
    "a member leaves a union": ("B | C", "B", Severity.BREAKING, "C"),
    "an interface is no longer implemented": ("B implements I", "B", Severity.BREAKING, "B"),
}


@pytest.mark.parametrize(("before", "after", "severity", "coordinate"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_graded_and_placed(before: str, after: str, severity: Severity, coordinate: str) -> None:
    changes = schema_changes(build_schema(OLD), build_schema(OLD.replace(before, after)))
    assert (severity, coordinate) in {(change.severity, change.coordinate) for change in changes}


def test_the_same_schema_has_no_changes() -> None:
    assert schema_changes(build_schema(OLD), build_schema(OLD)) == ()


def test_what_nobody_uses_can_go() -> None:
    old, new = build_schema(OLD), build_schema(OLD.replace("b: B ", ""))
    (change,) = schema_changes(old, new, used={"Query.a"})
    assert change.severity is Severity.SAFE
    assert change.unused
    assert schema_changes(old, new, used={"Query.b"})[0].severity is Severity.BREAKING


def test_who_uses_a_field_is_touched_by_its_new_required_argument() -> None:
    old, new = build_schema(OLD), build_schema(OLD.replace("x: Int, ", "x: Int, z: Int!, "))
    assert schema_changes(old, new, used={"Query.a"})[0].severity is Severity.BREAKING
    assert schema_changes(old, new, used={"Query.b"})[0].severity is Severity.SAFE


def test_the_worst_comes_first() -> None:
    new = OLD.replace("b: B ", "n: Int ").replace("= 1", "= 2")
    severities = [change.severity for change in schema_changes(build_schema(OLD), build_schema(new))]
    assert severities == sorted(severities, key=list(Severity).index)
