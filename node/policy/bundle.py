"""A bundle: every document of one administration's policy, read, checked and named by a digest (policy section 1).

Reading is one pass that reports everything that is wrong, then refuses the whole if anything is: nothing is ever used
of a bundle with an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from federation.contract.canonical import canonical, sha256_digest, sha256_hex
from node.policy.documents import TypeDocument, read_type_document
from node.policy.errors import BundleError
from node.policy.findings import MOST_FINDINGS, Finding, FindingCode, Place, Severity
from node.policy.invariants import Invariant, read_invariants
from node.policy.messages import message
from node.policy.reader import Reader, leaf, text_of
from node.policy.schemas import VOCABULARY
from node.policy.shape import check_shape
from node.policy.suites import Suite, read_suite
from node.policy.vocabulary import Vocabulary, read_vocabulary
from node.policy.yaml_tree import Tree, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

VOCABULARY_FILE: Final = "vocabulary.yaml"
INVARIANTS_FILE: Final = "invariants.yaml"
LOCK_FILE: Final = "matrix.lock"
REGISTER_FILE: Final = "register.yaml"
"""Beside a bundle, and no part of it: it changes no decision, so nobody signs it."""
TYPES_FOLDER: Final = "types/"
TESTS_FOLDER: Final = "tests/"
_SUITE_ENDING: Final = "_test.yaml"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One administration's policy, complete and without errors.

    `digest` names exactly the files that were read; `hashes` holds the SHA-256 of each, as a manifest lists them.
    """

    digest: str
    vocabulary: Vocabulary
    types: Mapping[str, TypeDocument]
    suites: tuple[Suite, ...]
    invariants: tuple[Invariant, ...]
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading files: a bundle if there is no error, and every finding."""

    bundle: Bundle | None
    findings: tuple[Finding, ...]


def load_bundle(files: Mapping[str, bytes]) -> Bundle:
    """Read and check a bundle.

    Args:
        files: content by path relative to the bundle's folder; `vocabulary.yaml` may be the parent folder's.

    Raises:
        BundleError: with every finding, if at least one is an error.
    """
    reading = read_bundle(files)
    if reading.bundle is None:
        raise BundleError(reading.findings)
    return reading.bundle


def read_bundle(files: Mapping[str, bytes]) -> Reading:
    """Read vocabulary, types, suites and invariants, in that order; all errors of a bundle in one run."""
    reader = Reader()
    _report_foreign_files(files, reader)
    trees = _trees(files, reader)
    vocabulary = _vocabulary(trees, reader)
    if vocabulary is None:
        return Reading(None, _in_order(reader.findings))
    types = _types(trees, vocabulary, reader)
    # What else is wrong of suites and invariants shows once the types they speak of can be read.
    unread = frozenset(_type_name(path) for path in files if _is_type(path)) - types.keys()
    suites = _suites(trees, types, vocabulary, unread, reader)
    invariants = (
        read_invariants(trees[INVARIANTS_FILE], types, vocabulary, reader)
        if INVARIANTS_FILE in trees and not unread
        else ()
    )
    if any(finding.severity is Severity.ERROR for finding in reader.findings):
        return Reading(None, _in_order(reader.findings))
    hashes = {path: sha256_hex(files[path]) for path in sorted(files) if is_bundle_file(path)}
    digest = sha256_digest(canonical(hashes))
    bundle = Bundle(digest, vocabulary, types, suites, invariants, hashes)
    return Reading(bundle, _in_order(reader.findings))


def vocabulary_of(content: bytes) -> Vocabulary:
    """Read a vocabulary by itself.

    Raises:
        BundleError: with every finding, if at least one is an error.
    """
    reader = Reader()
    found = _vocabulary(_trees({VOCABULARY_FILE: content}, reader), reader)
    if found is None or reader.findings:
        raise BundleError(_in_order(reader.findings))
    return found


def is_bundle_file(path: str) -> bool:
    """Say whether a path of a bundle's folder belongs to the bundle: its policy, its tests, its matrix."""
    return path in {VOCABULARY_FILE, INVARIANTS_FILE, LOCK_FILE} or _is_type(path) or _is_suite(path)


def _is_type(path: str) -> bool:
    return path.startswith(TYPES_FOLDER) and path.endswith(".yaml") and path.count("/") == 1


def _type_name(path: str) -> str:
    return path.removeprefix(TYPES_FOLDER).removesuffix(".yaml")


def _is_suite(path: str) -> bool:
    return path.startswith(TESTS_FOLDER) and path.endswith(_SUITE_ENDING) and path.count("/") == 1


def _report_foreign_files(files: Mapping[str, bytes], reader: Reader) -> None:
    """Refuse what stands among the documents without being one: it would be silently without effect."""
    for path in sorted(files):
        if _looks_like_a_document(path) and not is_bundle_file(path):
            said = message(
                "file has no effect here: expected {expected}; rename or remove it", expected=_expected_instead(path)
            )
            reader.report(Place(path), FindingCode.FILE_UNKNOWN, said)
    if not any(_is_type(path) for path in files):
        said = message("a bundle has at least one policy: expected `types/<Type>.yaml`")
        reader.report(Place(TYPES_FOLDER.rstrip("/")), FindingCode.FILE_MISSING, said)


def is_read(path: str) -> bool:
    """Say whether a path of a bundle's folder is read with it: its files, and what may be one in the wrong place."""
    return is_bundle_file(path) or _looks_like_a_document(path)


def _looks_like_a_document(path: str) -> bool:
    """Whatever stands in a bundle's two folders, and YAML beside or in a folder beside them, does; nothing hidden."""
    if path.startswith((TYPES_FOLDER, TESTS_FOLDER)):
        return True
    near = path.count("/") <= 1 and not any(part.startswith(".") for part in path.split("/"))
    return near and path.lower().endswith((".yaml", ".yml")) and path != REGISTER_FILE


def _expected_instead(path: str) -> str:
    """Say what a file that is none of a bundle's should be: of its folder, else of all."""
    known = {TYPES_FOLDER: "`types/<Type>.yaml`", TESTS_FOLDER: "`tests/<Type>_test.yaml`"}
    of_folder = next((name for folder, name in known.items() if path.startswith(folder)), None)
    return of_folder or ", ".join((f"`{VOCABULARY_FILE}`", f"`{INVARIANTS_FILE}`", *known.values()))


def _trees(files: Mapping[str, bytes], reader: Reader) -> dict[str, Tree]:
    trees: dict[str, Tree] = {}
    for path in sorted(files):
        if is_bundle_file(path) and path != LOCK_FILE:
            tree, findings = read_yaml(path, files[path])
            reader.findings.extend(findings)
            if tree is not None:
                trees[path] = tree
    return trees


def _vocabulary(trees: Mapping[str, Tree], reader: Reader) -> Vocabulary | None:
    tree = trees.get(VOCABULARY_FILE)
    if tree is None:
        if not any(finding.place.file == VOCABULARY_FILE for finding in reader.findings):
            said = message("vocabulary is missing, here and in the parent folder")
            reader.report(Place(VOCABULARY_FILE), FindingCode.FILE_MISSING, said)
        return None
    reader.findings.extend(check_shape(tree, VOCABULARY))
    vocabulary = read_vocabulary(tree, reader)
    # Documents cannot be read against a world without purposes, bases, categories or kinds.
    complete = vocabulary.purposes and vocabulary.legal_bases and vocabulary.categories and vocabulary.kinds
    return vocabulary if complete else None


def _types(trees: Mapping[str, Tree], vocabulary: Vocabulary, reader: Reader) -> dict[str, TypeDocument]:
    types: dict[str, TypeDocument] = {}
    for path, tree in trees.items():
        if _is_type(path):
            document = read_type_document(tree, vocabulary, reader)
            name = _type_name(path)
            if document is not None and document.name != name:
                said = message(
                    "file is named after its type: expected `policy: {name}`, got `{written}`",
                    name=name,
                    written=document.name,
                )
                reader.report(document.place, FindingCode.VALUE_INVALID, said)
            elif document is not None:
                types[document.name] = document
    return types


def _suites(
    trees: Mapping[str, Tree],
    types: Mapping[str, TypeDocument],
    vocabulary: Vocabulary,
    unread: frozenset[str],
    reader: Reader,
) -> tuple[Suite, ...]:
    suites = (
        read_suite(tree, types, vocabulary, reader)
        for path, tree in trees.items()
        if _is_suite(path) and text_of(leaf(tree, "suite")) not in unread
    )
    return tuple(suite for suite in suites if suite is not None)


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    found = sorted(set(findings))
    if len(found) > MOST_FINDINGS:
        rest = Place(found[MOST_FINDINGS].place.file)
        told = message("there is more; mend the first {number} and check again", number=MOST_FINDINGS)
        found[MOST_FINDINGS:] = [Finding(rest, FindingCode.FINDINGS_OMITTED, told)]
    return tuple(found)
