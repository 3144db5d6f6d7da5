"""How long composition takes, and how it grows: 10, 100 and 300 generated subgraphs, optionally beside other composers.

    python -m tests.bench.composition [--peers FOLDER]

`FOLDER` has a `node_modules` with `@apollo/composition` and `@theguild/federation-composition`, run by `node`. Every
subgraph has four types of its own, refers to entities of its neighbours and adds fields to three entities that all
share. Times are CPU seconds of one process, the best of three runs; "1 new" composes again with one subgraph changed.
A peer that needs more than `--peer-seconds` is stopped, and its cell says so.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from federation.composition.compose import Composer, compose
from federation.composition.subgraph import Subgraph

SIZES = (10, 100, 300)
RUNS = 3
SHARED = ("Person", "Place", "Office")
OWN_TYPES = 4
_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@shareable", "@external", "@requires", "@provides", "@tag", "@inaccessible"])'
)
_PEER = """
const fs = require('fs'), { parse } = require('graphql');
const input = JSON.parse(fs.readFileSync(0, 'utf8'));
const composers = {
  apollo: () => require('@apollo/composition').composeServices(
    input.map(item => ({ name: item.name, url: item.url, typeDefs: parse(item.sdl) }))),
  guild: () => require('@theguild/federation-composition').composeServices(
    input.map(item => ({ name: item.name, url: item.url, typeDefs: parse(item.sdl) }))),
};
const compose = composers[process.argv[1]];
const before = process.cpuUsage();
const result = compose();
const used = process.cpuUsage(before);
if (result.errors && result.errors.length) { console.error(result.errors[0].message); process.exit(1); }
console.log((used.user + used.system) / 1e6);
"""


def subgraphs(count: int) -> list[Subgraph]:
    """Return generated subgraphs that compose."""
    return [
        Subgraph(f"member{number:03}", f"http://member{number}.example/graphql", "\n".join(_lines(number, count)))
        for number in range(count)
    ]


def _lines(number: int, count: int) -> Iterator[str]:
    neighbour = (number + 1) % count
    yield _LINK
    yield f"type Query {{ things{number}(first: Int = 20, order: Order{number}): [Thing{number}x0!]! }}"
    yield f"enum Order{number} {{ RISING FALLING }}"
    yield "type Amount @shareable { value: Float! currency: Currency! }"
    yield "enum Currency { EUR USD }"
    for name in SHARED:
        yield f'type {name} @key(fields: "id") {{'
        yield f'  id: ID!\n  {name.lower()}Field{number}: String @tag(name: "member{number}")'
        yield f"  {name.lower()}Things{number}: [Thing{number}x1!]!\n}}"
    yield f'type Thing{neighbour}x0 @key(fields: "id", resolvable: false) {{ id: ID! }}'
    for own in range(OWN_TYPES):
        yield f'type Thing{number}x{own} @key(fields: "id") {{'
        yield "  id: ID!\n  title: String!\n  description(language: String): String\n  amount: Amount\n  count: Int"
        yield f"  owner: Person\n  place: Place\n  next: Thing{number}x{(own + 1) % OWN_TYPES}"
        yield f"  neighbour: Thing{neighbour}x0\n}}"


def ours(given: list[Subgraph]) -> float:
    """Return the CPU seconds of the best run."""
    best = float("inf")
    for _ in range(RUNS):
        gc.collect()
        before = time.process_time()
        compose(given)
        best = min(best, time.process_time() - before)
    return best


def one_changed(given: list[Subgraph]) -> float:
    """Return the CPU seconds of the best composition in which one subgraph of many is new."""
    composer = Composer()
    composer.compose(given)
    best = float("inf")
    for run in range(RUNS):
        first, *others = given
        changed = Subgraph(first.name, first.url, first.sdl + f"\ntype Change{run} {{ of: Int }}\n")
        gc.collect()
        before = time.process_time()
        composer.compose([changed, *others])
        best = min(best, time.process_time() - before)
    return best


def peer(name: str, given: list[Subgraph], folder: Path, most: int) -> str:
    """Return the CPU seconds of another composer, or that it needs more than `most`; "-" where it fails."""
    node = shutil.which("node")
    if node is None:
        return "-"
    text = json.dumps([{"name": item.name, "url": item.url, "sdl": item.sdl} for item in given])
    limited = ["sh", "-c", 'ulimit -t "$0" && exec "$@"', str(most), node, "-e", _PEER, name]
    done = subprocess.run(limited, input=text, cwd=folder, capture_output=True, text=True, check=False)
    if -done.returncode in (signal.SIGXCPU, signal.SIGKILL):
        return f"> {most}"
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return "-"
    return f"{float(done.stdout):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--peer-seconds", type=int, default=600, help="CPU seconds that a peer may take")
    options = parser.parse_args()
    print(f"{'subgraphs':>9} {'kB':>6} {'ours s':>8} {'ms each':>8} {'1 new s':>8} {'apollo s':>9} {'guild s':>9}")
    for count in options.sizes:
        given = subgraphs(count)
        size = sum(len(item.sdl) for item in given) / 1000
        own, again = ours(given), one_changed(given)
        others = [
            peer(name, given, options.peers, options.peer_seconds) if options.peers else "-"
            for name in ("apollo", "guild")
        ]
        cells = " ".join(f"{other:>9}" for other in others)
        print(f"{count:9} {size:6.0f} {own:8.3f} {own / count * 1000:8.2f} {again:8.3f} {cells}", flush=True)


if __name__ == "__main__":
    main()
