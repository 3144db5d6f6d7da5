"""Composition beside other composers: how peers plan on our supergraphs, what composers say of broken schemas.

    CROCEVIA_PEERS=/somewhere python tests/outside/composition_peers.py planners
    CROCEVIA_PEERS=/somewhere python tests/outside/composition_peers.py broken 500 [seed]

`planners` lets Apollo's query planner and the Rust router's plan every query of the public audit, once with the audit's
supergraph (made by Apollo's composer) and once with ours, and counts plans and the fetches in them. `broken` mutates
the subgraphs of the audit and of the 356 public inputs, and compares verdicts and codes with those of the reference,
`@apollo/composition`; so does it with another composer, to tell how much agreement there is to be had.
Packages: `@apollo/composition @apollo/query-planner @theguild/federation-composition`, and
`@graphql-hive/router-query-planner`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from federation.composition.compose import compose
from federation.composition.errors import CompositionError
from federation.composition.subgraph import Subgraph
from tests.bench.gateway.peers import FOLDER, NODE, environment
from tests.support.audit import cases
from tests.support.composition import audit, composition_cases

PLANNERS = """
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { QueryPlanner: Apollo } = require('@apollo/query-planner');
const { Supergraph, operationFromDocument } = require('@apollo/federation-internals');
const { QueryPlanner: Rust } = require('@graphql-hive/router-query-planner');
const { parse } = require('graphql');
const [input, output] = process.argv.slice(2);

function fetches(node) {
  if (node === null || typeof node !== 'object') return 0;
  const own = node.kind === 'Fetch' || node.kind === 'BatchFetch' ? 1 : 0;
  return own + Object.values(node).reduce((sum, below) => sum + fetches(below), 0);
}
const found = [];
for (const { supergraph, queries } of JSON.parse(readFileSync(input, 'utf-8'))) {
  let apollo, rust;
  try { const graph = Supergraph.build(supergraph); apollo = { graph, planner: new Apollo(graph) }; } catch {}
  try { rust = new Rust(supergraph); } catch {}
  for (const query of queries) {
    const row = { apollo: null, rust: null };
    try {
      const operation = operationFromDocument(apollo.graph.apiSchema(), parse(query));
      row.apollo = fetches(apollo.planner.buildQueryPlan(operation).node);
    } catch {}
    try { row.rust = fetches(rust.plan(query, null, new Set(), 0).node); } catch {}
    found.push(row);
  }
}
writeFileSync(output, JSON.stringify(found));
"""

COMPOSERS = """
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const composers = {
  reference: require('@apollo/composition').composeServices,
  another: require('@theguild/federation-composition').composeServices,
};
const { parse } = require('graphql');
const [input, output] = process.argv.slice(2);
function codes(compose, subgraphs) {
  try {
    const services = subgraphs.map(({ name, sdl }) => ({ name, url: '', typeDefs: parse(sdl) }));
    return [...new Set((compose(services).errors ?? []).map((error) => error.extensions.code))];
  } catch (error) {
    return null;
  }
}
const found = JSON.parse(readFileSync(input, 'utf-8')).map((subgraphs) =>
  Object.fromEntries(Object.entries(composers).map(([name, compose]) => [name, codes(compose, subgraphs)])));
writeFileSync(output, JSON.stringify(found));
"""


def main() -> None:
    """Run what the first argument names."""
    if sys.argv[1] == "planners":
        planners()
    else:
        broken(int(sys.argv[2]), Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1))  # the optional one


def run(script: str, asked: Any) -> list[dict[str, Any]]:
    """Run a script where the peers' packages are, with JSON in and JSON out."""
    assert FOLDER is not None, "CROCEVIA_PEERS is not set"
    place = FOLDER / "crocevia-composition.mjs"
    place.write_text(script)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "asked.json", Path(folder) / "answered.json"
        source.write_text(json.dumps(asked))
        # Our own command line.
        subprocess.run([NODE, str(place), str(source), str(target)], env=environment(), check=True)
        found: list[dict[str, Any]] = json.loads(target.read_text())
    return found


def planners() -> None:
    """Count what peers plan, with the audit's supergraphs and with ours."""
    queries: dict[str, list[str]] = {}
    for case in cases():
        queries.setdefault(case.suite, []).append(case.query)
    schemas = {case.suite: case for case in cases()}
    composed = {
        name: compose([Subgraph(item["name"], "http://x", item["sdl"]) for item in case.subgraphs]).supergraph.sdl
        for name, case in schemas.items()
    }
    theirs = run(PLANNERS, [{"supergraph": schemas[name].supergraph, "queries": queries[name]} for name in queries])
    ours = run(PLANNERS, [{"supergraph": composed[name], "queries": queries[name]} for name in queries])
    for peer in ("apollo", "rust"):
        for whose, rows in (("the audit's", theirs), ("our", ours)):
            planned = [row[peer] for row in rows if row[peer] is not None]
            sys.stdout.write(f"{peer} on {whose} supergraphs: {len(planned)} planned, {sum(planned)} fetches\n")
        worse = sum(
            their[peer] is not None and (our[peer] is None or our[peer] > their[peer])
            for their, our in zip(theirs, ours, strict=True)
        )
        sys.stdout.write(f"{peer}: {worse} of {len(ours)} queries worse on ours\n")


Mutation = Callable[[str, Random], str]


def _dropped(pattern: str) -> Mutation:
    def mutate(sdl: str, random: Random) -> str:
        found = list(re.finditer(pattern, sdl))
        if not found:
            return sdl
        chosen = random.choice(found)
        return sdl[: chosen.start()] + sdl[chosen.end() :]

    return mutate


def _replaced(pattern: str, by: str) -> Mutation:
    def mutate(sdl: str, random: Random) -> str:
        found = list(re.finditer(pattern, sdl))
        if not found:
            return sdl
        chosen = random.choice(found)
        return sdl[: chosen.start()] + chosen.expand(by) + sdl[chosen.end() :]

    return mutate


MUTATIONS: dict[str, Mutation] = {
    "a directive is lost": _dropped(r"@(shareable|external|inaccessible|interfaceObject)\b(?!\")"),
    "a key is lost": _dropped(r'@key\(fields: "[^"]*"\)'),
    "a requirement is lost": _dropped(r'@requires\(fields: "[^"]*"\)'),
    "a key selects something else": _replaced(r'@key\(fields: "\w+', r'@key(fields: "nothing'),
    "a key is not resolvable": _replaced(r'@key\(fields: ("[^"]*")\)', r"@key(fields: \1, resolvable: false)"),
    "a type is another one": _replaced(r": (String|ID|Int)\b", r": Boolean"),
    "null is possible": _replaced(r"!(?=\s)", r""),
    "null is impossible": _replaced(r"(: \w+)(?=\s*[\n}@])", r"\1!"),
    "a field is external": _replaced(r"(\n\s+\w+: \w+!?)(?=\s*\n)", r"\1 @external"),
    "a field is shared": _replaced(r"(\n\s+\w+: \w+!?)(?=\s*\n)", r"\1 @shareable"),
    "a field is gone": _dropped(r"\n\s+\w+: [\w!\[\]]+(?=\s*\n)"),
    "an object is an interface": _replaced(r"\ntype (?!Query|Mutation)", r"\ninterface "),
}


def broken(count: int, random: Random) -> None:
    """Break schemas that composed, in one place each, and compare what is said of them."""
    whole = [suite["subgraphs"] for suite in audit()]
    whole += [case["subgraphs"] for case in composition_cases() if case["apollo"]["ok"]]
    asked: list[list[dict[str, str]]] = []
    names: list[str] = []
    while len(asked) < count:
        subgraphs = [dict(one) for one in random.choice(whole)]
        name = random.choice(sorted(MUTATIONS))
        target = random.choice(subgraphs)
        changed = MUTATIONS[name](target["sdl"], random)
        if changed != target["sdl"]:
            target["sdl"] = changed
            asked.append(subgraphs)
            names.append(name)
    counts: Counter[str] = Counter()
    for name, subgraphs, theirs in zip(names, asked, run(COMPOSERS, asked), strict=True):
        if theirs["reference"] is None:
            counts["the reference composer throws"] += 1
            continue
        reference, ours = set(theirs["reference"]), _codes(subgraphs)
        another = {"throws"} if theirs["another"] is None else set(theirs["another"])
        counts["compared"] += 1
        counts["broken"] += bool(reference)
        for who, found in (("ours", ours), ("another", another)):
            counts[f"{who}: same verdict"] += bool(found) == bool(reference)
            counts[f"{who}: same codes"] += found == reference
        if ours != reference:
            said = {"ours": sorted(ours), "reference": sorted(reference), "another": sorted(another)}
            sys.stdout.write(json.dumps({"mutation": name, **said, "subgraphs": subgraphs}) + "\n")
    sys.stdout.write(json.dumps(counts) + "\n")


def _codes(subgraphs: list[dict[str, str]]) -> set[str]:
    try:
        compose([Subgraph(one["name"], "", one["sdl"]) for one in subgraphs])
    except CompositionError as error:
        return {finding.code for finding in error.findings}
    return set()


if __name__ == "__main__":
    main()
