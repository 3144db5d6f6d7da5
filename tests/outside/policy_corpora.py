"""Public corpora against the policy engine and its oracles; needs folders of files that are not in this repository.

    python tests/outside/policy_corpora.py cel FOLDER      google/cel-spec: tests/simple/testdata
    python tests/outside/policy_corpora.py cerbos FOLDER   cerbos/cerbos: internal/test/testdata
    python tests/outside/policy_corpora.py cedar FOLDER    cedar-policy/cedar-integration-tests: corpus-tests, unpacked
    python tests/outside/policy_corpora.py dpv FOLDER      w3c/dpv: the csv files of one version

`cel` holds every case of the simple tests that our subset of CEL admits to the value it expects. `cerbos` takes the
conditions of its test policies that our subset admits, and compares them, whole and partially evaluated, with Google's
CEL. `cedar` shows that cedarpy, our oracle for decisions, decides the whole corpus as Cedar's authors say. `dpv` finds
every IRI of policies/vocabulary.yaml in the published tables. The last line counts; exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cedarpy
import yaml
from cel_expr_python import cel as google

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from node.policy.condition_parser import Scope, parse_condition
from node.policy.conditions import Condition, Consent, ValueType, evaluate, names_in
from node.policy.errors import ConditionError
from node.policy.residuals import residual
from tests.support.policies import ROOT

_TEST = re.compile(
    r'expr:\s*(?P<quote>["\'])(?P<expr>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*(?P<rest>.*?)(?=\n  test \{|\Z)', re.DOTALL
)
_VALUE = re.compile(r"^\s*value:\s*\{\s*bool_value:\s*(true|false)\s*\}")
_SINGLE = re.compile(r"'([^'\"\\]*)'")
_NAME = re.compile(r"\b(?:(R|request\.resource)\.attr|(P|request\.principal)(?:\.attr)?)\.([A-Za-z_][A-Za-z_0-9]*)\b")
_TYPES = (ValueType.STR, ValueType.BOOL, ValueType.INT, ValueType.SET_STR)
_TRIALS = 50


def cel(folder: Path) -> int:
    """Hold the simple tests of the specification that fit our subset to their values."""
    seen = admitted = wrong = 0
    for path in sorted(folder.rglob("*.textproto")):
        for found in _TEST.finditer(path.read_text(encoding="utf-8")):
            seen += 1
            value = _VALUE.match(found["rest"])
            if value is None:
                continue  # another type than Boolean, an error, or variables of a proto
            expression = found["expr"].encode().decode("unicode_escape")
            try:
                parsed = parse_condition(_SINGLE.sub(r'"\1"', expression), Scope({}))  # we quote texts one way
            except ConditionError:
                continue
            admitted += 1
            if evaluate(parsed, {}) is not (value[1] == "true"):
                wrong += 1
                print(f"{path.name}: {expression}: expected {value[1]}")
    print(f"cel-spec: {seen} cases, {admitted} in the subset, {wrong} wrong")
    return wrong


def cerbos(folder: Path) -> int:
    """Compare conditions of Cerbos' test policies, whole and partially evaluated, with Google's CEL."""
    chance = random.Random("cerbos")
    texts = {text for path in sorted(folder.rglob("*.yaml")) for text in _expressions(path)}
    admitted = compared = wrong = 0
    for text in sorted(texts):
        found = _admitted(text)
        if found is None:
            continue
        admitted += 1
        condition, ours = found
        names = {name.dotted: name.type for name in names_in(condition)}
        for _ in range(_TRIALS):
            values = {dotted: _drawn(type_, ours, chance) for dotted, type_ in names.items()}
            known = {dotted: value for dotted, value in values.items() if dotted.startswith("requester.")}
            expected = _asked_google(ours, values)
            left = residual(condition, known, Consent("p"))
            compared += 1
            if not expected == evaluate(condition, values) == evaluate(left, values):
                wrong += 1
                print(f"{text}: {values}")
    print(f"cerbos: {len(texts)} conditions, {admitted} in the subset, {compared} comparisons, {wrong} differences")
    return wrong


def _expressions(path: Path) -> Iterator[str]:
    def walk(tree: Any) -> Iterator[str]:
        if isinstance(tree, dict):
            for key, value in tree.items():
                if key == "expr" and isinstance(value, str):
                    yield value.strip()
                yield from walk(value)
        elif isinstance(tree, list):
            for value in tree:
                yield from walk(value)

    try:
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield from walk(document)
    except yaml.YAMLError:
        return


def _admitted(text: str) -> tuple[Condition, str] | None:
    """Return a condition over our names, its types guessed, if the subset admits it."""
    ours = _NAME.sub(lambda found: f"{'row' if found[1] else 'requester'}.{found[3]}", text)
    dotted = sorted(set(re.findall(r"\b(?:row|requester)\.[A-Za-z_][A-Za-z_0-9]*", ours)))
    if not dotted or len(dotted) > 4:
        return None
    for types in itertools.product(_TYPES, repeat=len(dotted)):
        try:
            return parse_condition(ours, Scope(dict(zip(dotted, types, strict=True)))), ours
        except ConditionError:
            continue
    return None


def _drawn(type_: ValueType, text: str, chance: random.Random) -> Any:
    written = [*re.findall(r'"([^"]*)"', text), "", "x"]
    match type_:
        case ValueType.BOOL:
            return chance.choice([True, False])
        case ValueType.INT:
            numbers = [int(found) for found in re.findall(r"\b[0-9]+\b", text)] or [0]
            return chance.choice(numbers) + chance.choice([-1, 0, 1])
        case ValueType.STR:
            return chance.choice(written)
        case _:
            return frozenset(chance.sample(written, chance.randint(0, len(written))))


_ENVIRONMENT = google.NewEnv(
    variables={name: google.Type.Map(google.Type.STRING, google.Type.DYN) for name in ("row", "requester")}
)


def _asked_google(text: str, values: dict[str, Any]) -> object:
    nested: dict[str, dict[str, Any]] = {"row": {}, "requester": {}}
    for dotted, value in values.items():
        group, _, name = dotted.partition(".")
        nested[group][name] = sorted(value) if isinstance(value, frozenset) else value
    return _ENVIRONMENT.compile(text).eval(data=nested).value()


def cedar(folder: Path) -> int:
    """Ask cedarpy every request of the corpus."""
    asked = unread = wrong = 0
    for path in sorted(folder.rglob("*.json")):
        if path.name.endswith(".entities.json"):
            continue
        case = json.loads(path.read_text(encoding="utf-8"))
        policies = (path.parent / Path(case["policies"]).name).read_text(encoding="utf-8")
        entities = (path.parent / Path(case["entities"]).name).read_text(encoding="utf-8")
        requests = [
            {key: _reference(one[key]) for key in ("principal", "action", "resource")} | {"context": one["context"]}
            for one in case["requests"]
        ]
        answers = cedarpy.is_authorized_batch(requests, policies, entities)
        for one, answer in zip(case["requests"], answers, strict=True):
            asked += 1
            if answer.decision is cedarpy.Decision.NoDecision:
                unread += 1
            elif str(answer.decision.value).lower() != one["decision"]:
                wrong += 1
    print(
        f"cedar: {asked} requests, {unread} that cedarpy's text form of a request cannot say, {wrong} decided otherwise"
    )
    return wrong


def _reference(entity: dict[str, str]) -> str:
    """Write an entity as Cedar does, whose escapes are not JSON's."""
    escaped = "".join(_escaped(character) for character in entity["id"])
    return f'{entity["type"]}::"{escaped}"'


_ESCAPES = {"\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "'": "\\'", "\\": "\\\\"}


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


def dpv(folder: Path) -> int:
    """Look every IRI of the vocabulary up."""
    known: set[str] = set()
    for path in folder.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as rows:
            known |= {row.get("iri") or "" for row in csv.DictReader(rows)}
    vocabulary = (ROOT / "policies" / "vocabulary.yaml").read_text(encoding="utf-8")
    iris = sorted(set(re.findall(r"https://w3id\.org/dpv[^\"]*", vocabulary)))
    missing = [iri for iri in iris if iri not in known]
    for iri in missing:
        print(f"not published: {iri}")
    print(f"dpv: {len(iris)} IRIs, {len(missing)} not among {len(known)} published")
    return len(missing)


CORPORA: dict[str, Callable[[Path], int]] = {"cel": cel, "cerbos": cerbos, "cedar": cedar, "dpv": dpv}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=CORPORA)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    sys.exit(1 if CORPORA[options.corpus](options.folder) else 0)
