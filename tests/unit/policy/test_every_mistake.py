"""Whatever is mistyped, of a wrong type, missing or there twice in a document is refused, at its line, all in one run.

The demo's own documents are spoilt at every kind of position: a path whose list entries and chosen names count as one.
`CROCEVIA_MISTAKES=all` spoils every position of every document.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, Final

import pytest
import yaml

from federation.contract.languages import Language
from node.policy.bundle import REGISTER_FILE, VOCABULARY_FILE, read_bundle
from node.policy.errors import BundleError
from node.policy.findings import Finding, FindingCode, Severity
from node.policy.messages import fillings_of, said
from node.policy.registers import Declared
from tests.support.policies import DEMO_MEMBERS, demo_files

Path = tuple[str | int, ...]
EVERYWHERE: Final = os.environ.get("CROCEVIA_MISTAKES") == "all"
ANY: Final = "*"
CODE: Final = len("6.1.e")
CHOSEN_UNDER: Final = ("attributes", "fields", "see", "requesters", "rows", "purposes", "legal_bases", "categories")
"""Keys whose own keys are names that somebody chose; `fields` and `rows` only where they are maps."""
REFERENCES: Final = (
    *(("grants", ANY, key) for key in ("purpose", "consent")),
    ("grants", ANY, "to", "kind", ANY),
    ("grants", ANY, "basis", ANY),
    ("grants", ANY, "basis9", ANY),
    ("grants", ANY, "aggregates", "over", ANY),
    ("prohibitions", ANY, "fields", ANY),
    ("prohibitions", ANY, "hide"),
    ("never_together", ANY, "fields", ANY),
    ("never_together", ANY, "to", "kind", ANY),
    ("fields", ANY, "category"),
    ("fields", ANY, "lookup"),
    ("attributes", ANY),
    ("tests", ANY, "as"),
    ("tests", ANY, "for"),
    ("tests", ANY, "row"),
    ("tests", ANY, "see", ANY),
    ("requesters", ANY, "kind"),
    ("requesters", ANY, "basis", ANY),
    ("suite",),
    (ANY, "never", "fields", ANY),
    (ANY, "never", "fields", "category"),
    ("purposes", ANY, "parent"),
    ("categories", ANY, "sensitivity"),
)
"""Where a document writes a word that it, or the language, declares elsewhere."""
OPTIONAL: Final = {
    "attributes", "prohibitions", "never_together", "basis9", "rows", "when", "unless", "hide", "lookup", "consent",
    "aggregates", "noise", "min_cell", "parent", "iri", "en", "art9",
}  # fmt: skip
OPTIONAL_THERE: Final = {
    ("prohibitions", ANY, "law"),
    ("never_together", ANY, "law"),
    ("requesters", ANY, "area"),
    ("categories", ANY, "it"),
    ("tests", ANY, "now"),
    *((key,) for key in ("controller", "contact", "dpo", "subjects", "transfers", "security")),
}


def shape(path: Path) -> Path:
    """Return the kind of a position: entries of lists and chosen names are alike."""
    return tuple(
        ANY if isinstance(step, int) or (place and path[place - 1] in CHOSEN_UNDER) else step
        for place, step in enumerate(path)
    )


def positions(tree: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, child in children:
        yield from positions(child, (*path, step))


@cache
def files_of(member: str) -> dict[str, bytes]:
    return demo_files(member)


@cache
def written(member: str, file: str) -> Any:
    """Return a document as it is; whoever spoils it takes a copy."""
    return yaml.load(files_of(member)[file], Loader=yaml.CSafeLoader)


def every_position() -> Iterator[tuple[str, str, Path]]:
    """Yield member, document and position; each kind of position of a kind of document once, unless all are wanted."""
    seen: set[tuple[str, Path]] = set()
    for member in reversed(DEMO_MEMBERS):  # the smallest first: they are read again and again
        for file in sorted(files_of(member)):
            if file.endswith(".yaml"):
                for path in positions(written(member, file)):
                    kind = (file.partition("/")[0], shape(path))
                    if EVERYWHERE or kind not in seen:
                        seen.add(kind)
                        yield member, file, path


POSITIONS: Final = list(every_position())


def at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def refusals(member: str, file: str, text: str) -> list[Finding]:
    """Return the errors of a bundle with one document replaced; of its types, only those that it is about."""
    if file == REGISTER_FILE:
        try:
            Declared.parse(text.encode())
        except BundleError as refused:
            return [*refused.findings]
        return []
    files = files_of(member)
    about = file.partition("/")[2].removesuffix(".yaml").removesuffix("_test")
    kept = {path: content for path, content in files.items() if needed(path, file, about)}
    found = read_bundle({**kept, file: text.encode()}).findings
    return [finding for finding in found if finding.severity is Severity.ERROR]


def needed(path: str, file: str, about: str) -> bool:
    """Say whether a document is read along with a spoilt one: the type of its tests, all types for the invariants."""
    return path == VOCABULARY_FILE or (about in path if about else file != VOCABULARY_FILE)


def dumped(tree: Any, twice: Path = (), path: Path = ()) -> str:
    """Write a document with every key on a line of its own; the key at `twice` is there twice."""
    match tree:
        case dict():
            entries = []
            for key, value in tree.items():
                entries.append(f"{json.dumps(key)}: {dumped(value, twice, (*path, key))}")
                if (*path, key) == twice:
                    entries.append(f"{json.dumps(key)}: 1")
            return "{\n" + ",\n".join(entries) + "\n}"
        case list():
            return "[\n" + ",\n".join(dumped(one, twice, (*path, number)) for number, one in enumerate(tree)) + "\n]"
        case date():
            return tree.isoformat()
        case _:
            return json.dumps(tree, ensure_ascii=False)


def mistyped(word: str) -> str:
    """Return a word without its second letter, or with its last one twice if that would be too little."""
    return f"{word[0]}{word[2:]}" if len(word) > 4 else f"{word}{word[-1]}"


def renamed(tree: Any, path: Path, name: str) -> Any:
    """Return the tree with the key at the end of a path renamed, in its place."""
    changed = copy.deepcopy(tree)
    parent = at(changed, path[:-1])
    entries = [(name if key == path[-1] else key, value) for key, value in parent.items()]
    parent.clear()
    parent.update(entries)
    return changed


def replaced(tree: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(tree)
    at(changed, path[:-1])[path[-1]] = value
    return changed


def is_keyword(path: Path) -> bool:
    return isinstance(path[-1], str) and shape(path)[-1] is not ANY


def is_named_field(path: Path) -> bool:
    return len(path) > 1 and path[-2] == "see"


def names(mistakes: list[Any]) -> list[str]:
    return [f"{member}/{file}:{'.'.join(map(str, path))}" for member, file, path in mistakes]


KEYWORDS: Final = [one for one in POSITIONS if is_keyword(one[2]) or is_named_field(one[2])]
WORDS: Final = [
    one for one in POSITIONS if shape(one[2]) in REFERENCES and isinstance(at(written(*one[:2]), one[2]), str)
]


@pytest.mark.parametrize("mistake", KEYWORDS, ids=names(KEYWORDS))
def test_a_mistyped_key_is_refused_at_its_line_with_the_right_one(mistake: tuple[str, str, Path]) -> None:
    member, file, path = mistake
    wrong = mistyped(str(path[-1]))
    text = dumped(renamed(written(member, file), path, wrong))
    found = refusals(member, file, text)
    [named] = [one for one in found if one.place.file == file and f"`{wrong}`" in one.message]
    assert wrong in text.splitlines()[named.place.line - 1]
    assert fillings_of(named.message)["nearest"] == path[-1]


@pytest.mark.parametrize("mistake", WORDS, ids=names(WORDS))
def test_a_mistyped_word_is_refused_at_its_line_with_the_right_one(mistake: tuple[str, str, Path]) -> None:
    member, file, path = mistake
    tree = written(member, file)
    word = at(tree, path)
    wrong = mistyped(word)
    text = dumped(replaced(tree, path, wrong))
    found = [one for one in refusals(member, file, text) if one.place.file == file and f"`{wrong}`" in one.message]
    assert found
    assert all(wrong in text.splitlines()[one.place.line - 1] for one in found)
    suggested = {fillings_of(one.message).get("nearest") for one in found}
    assert suggested == {word} if len(word) > CODE else None not in suggested  # codes are near to each other
    assert all(f"forse `{one}`?" in said(found[0].message, Language.ITALIAN) for one in suggested)


@pytest.mark.parametrize("value", [{"a": {"b": []}}, [[1]], -1.5, None], ids=["map", "list", "number", "null"])
def test_a_value_of_another_type_is_refused_at_a_line_of_its_document(value: Any) -> None:
    admitted = []
    for member, file, path in POSITIONS:
        tree = written(member, file)
        if type(at(tree, path)) is type(value) or "band" in path or (value is None and path[0] == "rows"):
            continue  # a bound may be any number; null is how a test says that a row lacks a value
        found = [one for one in refusals(member, file, dumped(replaced(tree, path, value))) if one.place.file == file]
        if not any(one.place.line for one in found):
            admitted.append((member, file, path))
    assert admitted == []


def test_a_missing_key_is_refused_at_a_line_of_its_document() -> None:
    admitted = []
    for member, file, path in POSITIONS:
        if not is_keyword(path) or path[-1] in OPTIONAL or shape(path) in OPTIONAL_THERE or path[0] == "rows":
            continue
        tree = copy.deepcopy(written(member, file))
        del at(tree, path[:-1])[path[-1]]
        found = refusals(member, file, dumped(tree))
        if not any(one.place.file == file and one.place.line for one in found):
            admitted.append((member, file, path))
    assert admitted == []


def test_a_key_that_is_there_twice_is_refused_where_it_is_there_again() -> None:
    admitted = []
    for member, file, path in POSITIONS:
        if isinstance(path[-1], str):
            text = dumped(written(member, file), twice=path)
            found = refusals(member, file, text)
            lines = {one.place.line for one in found if one.code is FindingCode.YAML_DUPLICATE_KEY}
            if not any(text.splitlines()[line - 1].startswith(json.dumps(path[-1])) for line in lines):
                admitted.append((member, file, path))
    assert admitted == []


def test_a_mistyped_name_in_a_condition_is_refused_at_its_line_with_the_right_one() -> None:
    admitted = []
    for member, file, path in POSITIONS:
        condition = at(written(member, file), path)
        if path[-1] not in {"rows", "when", "unless"} or not isinstance(condition, str):
            continue
        for name in re.findall(r"(?:row|requester)\.\w+", condition):
            text = dumped(replaced(written(member, file), path, condition.replace(name, f"{name}x", 1)))
            found = [one for one in refusals(member, file, text) if one.code is FindingCode.CONDITION_INVALID]
            if not any(one.place.line and fillings_of(one.message).get("nearest") == name for one in found):
                admitted.append((member, file, path, name))
    assert admitted == []


def test_two_mistakes_of_a_document_and_one_of_another_are_told_in_one_run() -> None:
    files = demo_files("aslvs")
    citizen = files["types/Citizen.yaml"].replace(b"purpose: emergency-care", b"purpose: emergency-cart", 1)
    files["types/Citizen.yaml"] = citizen.replace(b"disability: clear", b"disability: cler", 1)
    files["types/Disability.yaml"] = files["types/Disability.yaml"].replace(b"version: 1", b"version: one", 1)
    files["invariants.yaml"] += b"- {id: x, never: {fields: [disabilty], form: any, when: 'true'}}\n"
    found = [(one.place.file, fillings_of(one.message).get("nearest")) for one in read_bundle(files).findings]
    assert found == [
        ("invariants.yaml", "disability"),
        ("types/Citizen.yaml", "emergency-care"),
        ("types/Citizen.yaml", "clear"),
        ("types/Disability.yaml", None),
    ]
