"""Coverage-guided fuzzing of the policy loader and the condition parser, with atheris, for as long as one likes.

    python tests/faults/policy_fuzz.py condition|document|bundle [-max_total_time=600] [-artifact_prefix=FOLDER/]

Promises: (1) reading ends in a bundle or in findings, never in another exception, (2) no half: a bundle exists only if
no finding is an error, (3) what was parsed prints as text that parses to the same, (4) 4 kB take at most a second.
atheris is no dependency of this repository (its wheels follow few versions of Python): install it beside it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["node.policy"]):
    from node.policy.bundle import read_bundle
    from node.policy.condition_parser import Scope, parse_condition
    from node.policy.conditions import ValueType, evaluate, to_text
    from node.policy.errors import ConditionError
    from node.policy.findings import Severity

EXAMPLE = Path(__file__).resolve().parents[1] / "unit" / "policy" / "example"
FILES = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.rglob("*.yaml")}
SCOPE = Scope(
    {
        "row.flag": ValueType.BOOL,
        "row.age": ValueType.INT,
        "row.place": ValueType.STR,
        "row.tags": ValueType.SET_STR,
        "requester.kind": ValueType.STR,
        "requester.basis": ValueType.SET_STR,
        "today": ValueType.STR,
        "consent": ValueType.BOOL,
    },
    {"requester.kind": frozenset({"school", "national"})},
)
SECONDS = 1.0


def condition(data: bytes) -> None:
    """Parse a text as a condition."""
    text = data.decode("utf-8", "replace")
    try:
        parsed = parse_condition(text, SCOPE)
    except ConditionError as error:
        if not 0 <= error.offset <= len(text):
            raise AssertionError("an error outside of the text") from error
        return
    assert parse_condition(to_text(parsed), SCOPE) == parsed
    assert evaluate(parsed, {}, None) in (True, False, None)


def document(data: bytes) -> None:
    """Read a bundle whose policy is the input."""
    read(FILES | {"types/Citizen.yaml": data})


def bundle(data: bytes) -> None:
    """Read a bundle of which one file, chosen by the first byte, is the input."""
    if data:
        names = sorted(FILES)
        read(FILES | {names[data[0] % len(names)]: data[1:]})


def read(files: dict[str, bytes]) -> None:
    started = time.process_time()
    found = read_bundle(files)
    errors = [finding for finding in found.findings if finding.severity is Severity.ERROR]
    assert (found.bundle is None) == bool(errors)
    assert all(finding.message for finding in found.findings)
    assert time.process_time() - started < SECONDS


if __name__ == "__main__":
    target = {"condition": condition, "document": document, "bundle": bundle}[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
