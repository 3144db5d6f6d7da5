"""docs/policy-rules.md is true: every rule of the policy has tests of its name, and stands where the table says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
DOCUMENT: Final = ROOT / "docs" / "policy-rules.md"
_TEST: Final = re.compile(r"^(?:async )?def (test_r(\d{1,2})_\w+)\(", re.MULTILINE)
_AT_DOORS: Final = re.compile(r"^async def test_r(\d{1,2})_\w+\(\s*(?:own_)?door: Door", re.MULTILINE)

RULES: Final[Mapping[int, tuple[str, str]]] = {
    1: ("no grant, no field", "node/policy/compile.py node/policy/checks/schema_is_covered.py"),
    2: ("a prohibition beats any grant, in any order", "node/policy/compile.py node/data/cells.py"),
    3: ("unknown grants nothing and prohibits everything", "node/policy/residuals.py node/data/conditions.py"),
    4: ("one known purpose, or no answer", "node/policy/compile.py federation/contract/members.py"),
    5: ("a purpose covers its descendants only", "node/policy/vocabulary.py"),
    6: ("a special category needs a basis of art. 9", "node/policy/compile.py"),
    7: ("validity is in days of Rome", "federation/contract/clock.py node/policy/documents.py"),
    8: ("consent is read per request and row", "node/data/conditions.py node/policy/compile.py"),
    9: ("who asks is known from the member list only", "node/enforcement/caller.py"),
    10: ("forms that cannot be compared are an error", "node/policy/checks/forms_are_comparable.py"),
    11: ("no input makes a condition raise", "node/policy/closures.py node/policy/condition_parser.py"),
    12: (
        "a denied field is null with an error, or nothing is answered",
        "node/data/operation.py federation/gateway/rejecting.py",
    ),
    13: (
        "a denial that depends on the row has no error",
        "node/data/cells.py node/policy/checks/predicates_reveal_nothing.py",
    ),
    14: ("every governed field is nullable", "node/policy/checks/fields_are_nullable.py"),
    15: ("however it is written, one decision", "node/data/selection.py"),
    16: ("a hidden row is absent", "node/data/cells.py node/data/connections.py"),
    17: ("a list of masked scalars is one cell", "node/policy/checks/masks_fit_types.py"),
    18: (
        "an abstract type asks every type it reaches",
        "federation/planning/places.py federation/gateway/visible_schema.py node/data/selection.py",
    ),
    19: ("a mask fits its type and never raises", "node/policy/masks.py node/data/masks.py"),
    20: ("nobody is told of what it may not see", "node/subgraph/visible.py federation/gateway/visible_schema.py"),
    21: ("a denied field may not be named in an argument", "node/data/filters.py"),
    22: ("filter and order see the masked value", "node/data/filters.py"),
    23: ("one exact look-up, and bounded", "node/data/operation.py node/enforcement/guards.py"),
    24: ("pages count visible rows; a cursor is bound", "node/data/connections.py node/data/cursors.py"),
    25: ("small cells and their complements are left out", "node/data/suppression.py node/data/aggregates.py"),
    26: ("two counts do not tell of one person", "node/enforcement/overlap.py node/enforcement/told_counts.py"),
    27: ("a pseudonym's order tells nothing", "node/data/filters.py"),
    28: ("errors hold no values; hidden is absent", "node/data/database.py node/data/operation.py"),
    29: ("what is denied is never read", "node/data/objects.py"),
    30: ("a representation gives nothing more", "node/data/operation.py node/enforcement/scope.py"),
    31: ("what is computed shows no more than its inputs", "node/enforcement/scope.py node/policy/forms.py"),
    32: ("a node decides for who signed, not for the gateway", "node/enforcement/caller.py"),
    33: ("each member decides its own value", "federation/gateway/disclosure.py node/enforcement/decide.py"),
    34: ("nothing in a schema drops a policy", "node/policy/checks/schema_is_covered.py node/server/policies.py"),
    35: ("nothing prepared for one is used for another", "node/policy/compile.py node/data/plane.py"),
    36: ("one operation sees one policy", "node/enforcement/answer.py node/server/process.py"),
    37: ("a bad bundle never replaces a good one", "node/server/policies.py node/policy/signing.py"),
    38: ("no record, no answer; the record has no value", "node/enforcement/record.py node/enforcement/answer.py"),
    39: ("an explanation tells rules, never rows", "node/policy/explanation.py node/enforcement/policy_view.py"),
    40: ("the duty to erase comes along; an end is an end", "node/data/decisions.py federation/contract/members.py"),
    41: ("what a write returns is read under the policy", "node/enforcement/answer.py"),
}

AT_BOTH_DOORS: Final = ("test_rules_at_both_doors.py", "test_bad_questions_at_both_doors.py")
"""Files in which a test that takes a `door` is run four times: through the gateway and at a node, on both databases."""

OTHERWISE: Final[Mapping[int, str]] = {
    17: "the vocabulary has no list of scalars; a mask of one is refused when a policy is loaded",
    18: "the vocabulary has no interface; tested at the gateway and at a node with schemas that have",
    32: "one test asks at both doors and compares, on both databases",
    33: "a node has no value but its own; tested through the gateway, on both databases",
    41: "a node writes only what the gateway translated; tested through the gateway, on both databases",
}
"""Rules without a test that is run at both doors, and why."""


def named_tests() -> dict[int, dict[str, list[str]]]:
    """Return the names of all tests by rule and file."""
    found: dict[int, dict[str, list[str]]] = {number: {} for number in RULES}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _TEST.findall(path.read_text(encoding="utf-8")):
            found[int(number)].setdefault(path.relative_to(ROOT).as_posix(), []).append(name)
    return found


def at_both_doors() -> frozenset[int]:
    """Return the rules that some test asks through the gateway and at a node."""
    found = set()
    for name in AT_BOTH_DOORS:
        text = (ROOT / "tests" / "integration" / name).read_text(encoding="utf-8")
        found |= {int(number) for number in _AT_DOORS.findall(text)}
    return frozenset(found)


def table() -> str:
    """Return the table that the document holds."""
    lines = ["| Rule | Says | Enforced in | At both doors | Tests |", "|---|---|---|---|---|"]
    tests, both = named_tests(), at_both_doors()
    for number, (says, places) in RULES.items():
        where = ", ".join(f"`{place}`" for place in places.split())
        held = ", ".join(f"`{file}`" for file in tests[number])
        doors = "yes" if number in both else OTHERWISE[number]
        lines.append(f"| R{number} | {says} | {where} | {doors} | {held} |")
    return "\n".join(lines)


def test_every_rule_has_a_test_of_its_name() -> None:
    assert [f"R{number}" for number, files in named_tests().items() if not files] == []


def test_every_rule_is_tested_at_both_doors_or_says_why_not() -> None:
    assert at_both_doors().isdisjoint(OTHERWISE)
    assert sorted(at_both_doors() | OTHERWISE.keys()) == sorted(RULES)


def test_what_asks_at_both_doors_does_so_on_both_databases() -> None:
    fixtures = (ROOT / "tests" / "integration" / "conftest.py").read_text(encoding="utf-8")
    for door, federation in {"door": "on_each", "own_door": "own_on_each"}.items():
        assert f"def {door}({federation}: Simulator," in fixtures
        assert re.search(rf"def {federation}\(\s*registers: Registers", fixtures)
    for name, taken in {
        "test_rules_at_both_doors.py": {"federation"},
        "test_bad_questions_at_both_doors.py": set(),
    }.items():
        text = (ROOT / "tests" / "integration" / name).read_text(encoding="utf-8")
        assert set(re.findall(r"(\w+): Simulator", text)) <= {"on_each", "own_on_each"} | taken


def test_the_table_of_rules_is_true() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8"), f"docs/policy-rules.md should hold:\n\n{table()}\n"


def test_every_rule_stands_where_the_table_says() -> None:
    places = {place for _, named in RULES.values() for place in named.split()}
    assert [place for place in sorted(places) if not (ROOT / place).is_file()] == []
