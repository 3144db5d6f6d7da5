"""Differential run: generated operations over the public audit's subgraphs, answered by us and by three peers.

    CROCEVIA_AUDIT_URL=http://127.0.0.1:4200 CROCEVIA_PEERS=/somewhere python tests/outside/differential.py 60 [seed]

Peers are Apollo's gateway, Hive's gateway, and Hive's with the planner of the Rust router; their packages are installed
outside the repository (`@apollo/gateway @apollo/server @graphql-hive/gateway-runtime @graphql-hive/router-runtime`).
An operation is *unexplained* when the three agree on data that is not ours. Prints one JSON line per difference.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from graphql import parse, validate

from federation.composition.supergraph import Supergraph
from federation.contract.errors import CroceviaError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.execution.members import HttpFetcher
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from federation.gateway.open_graph import Delivery, OpenGraph, OpenSettings
from tests.bench.gateway.peers import FOLDER, NODE, environment
from tests.support.audit import URL, Case, cases
from tests.support.operation_writer import Writer

PEERS = ("apollo", "hive", "rust")

Answer = tuple[Any, list[str]]
"""The data, and the messages of the errors."""
LIMITS = Limits(tokens=20_000, depth=30, aliases=1_000, root_fields=200, directives=500, fields=10_000)

SCRIPT = """
import { appendFileSync, readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { ApolloGateway } from '@apollo/gateway';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';

const [peer, input, output] = process.argv.slice(2);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function apollo(supergraph) {
  const gateway = new ApolloGateway({ supergraphSdl: supergraph, logger: quiet });
  const server = new ApolloServer({ gateway, logger: quiet });
  await server.start();
  return {
    ask: async ({ query, variables }) => (await server.executeOperation({ query, variables })).body.singleResult,
    stop: () => server.stop(),
  };
}

async function hive(supergraph, more) {
  const gateway = createGatewayRuntime({ supergraph, logging: false, maskedErrors: false, ...more });
  return {
    ask: async (operation) => {
      const answer = await gateway.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(operation),
      });
      return await answer.json();
    },
    stop: () => gateway[Symbol.asyncDispose](),
  };
}

const start = {
  apollo,
  hive: (supergraph) => hive(supergraph, {}),
  rust: (supergraph) => hive(supergraph, { unifiedGraphHandler }),
};
const tell = (row) => appendFileSync(output, JSON.stringify(row) + '\\n');
for (const { name, supergraph, operations } of JSON.parse(readFileSync(input, 'utf-8'))) {
  let running;
  try {
    running = await start[peer](supergraph);
  } catch (error) {
    for (const { number } of operations) tell({ name, number, data: null, errors: [`does not start: ${error}`] });
    continue;
  }
  for (const { number, query, variables } of operations) {
    tell({ name, number });
    let answer;
    try {
      answer = await running.ask({ query, variables });
    } catch (error) {
      answer = { data: null, errors: [{ message: String(error) }] };
    }
    const errors = (answer.errors ?? []).map((error) => error.message);
    tell({ name, number, data: answer.data ?? null, errors });
  }
  await running.stop();
}
process.exit(0);
"""


def suites() -> Iterator[Case]:
    """Yield one case of every suite, for its schemas."""
    seen: set[str] = set()
    for case in cases():
        if case.suite not in seen:
            seen.add(case.suite)
            yield case


def addressed(case: Case) -> str:
    """Return a suite's supergraph, whose subgraphs are where the audit runs."""
    supergraph = case.supergraph
    graph = Supergraph.parse(supergraph)
    for reference in graph.subgraphs:
        path = next(item["path"] for item in case.subgraphs if item["name"].lower() == reference.name.lower())
        supergraph = supergraph.replace(f'"{reference.url}"', f'"{URL}{path}"')
    return supergraph


def written(case: Case, random: Random, count: int) -> list[dict[str, Any]]:
    """Write operations that are valid for a suite's API schema."""
    schema = Supergraph.parse(case.supergraph).api_schema
    found: list[dict[str, Any]] = []
    for _ in range(count * 20):
        text, variables = Writer(schema, random).operation()
        if len(found) < count and not validate(schema, parse(text)):
            found.append({"number": len(found), "query": text, "variables": variables})
    return found


async def ours(supergraph: str, operations: list[dict[str, Any]]) -> list[Any]:
    """Answer operations in the same way as open mode does."""
    graph = Supergraph.parse(supergraph)
    client = HttpClient(TransportLimits())
    endpoints = {reference.name: Endpoint.parse(reference.url) for reference in graph.subgraphs}
    gateway = OpenGraph(graph, HttpFetcher(client, endpoints), OpenSettings(limits=LIMITS, seconds=60))
    found: list[Any] = []
    for operation in operations:
        request = GraphQLRequest(operation["query"], None, None, operation["variables"], {})
        try:
            response = await gateway.run(gateway.prepare(request, Delivery.AT_ONCE), operation["variables"])
            whole = msgspec.json.decode(response.encode())
        except CroceviaError as error:
            whole = {"data": None, "errors": [{"message": str(error)}]}
        found.append((whole["data"], [error["message"] for error in whole.get("errors", [])]))
    client.close()
    return found


def theirs(peer: str, asked: list[dict[str, Any]]) -> dict[tuple[str, int], Answer]:
    """Let a peer answer; an operation that ends its process is answered with that, and the rest is asked again."""
    assert FOLDER is not None, "CROCEVIA_PEERS is not set"
    script = FOLDER / "crocevia-differential.mjs"
    script.write_text(SCRIPT)
    found: dict[tuple[str, int], Answer] = {}
    while left := [suite for suite in (_without(suite, found) for suite in asked) if suite["operations"]]:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "asked.json", Path(folder) / "answered.ndjson"
            source.write_text(json.dumps(left))
            target.touch()
            command = [NODE, str(script), peer, str(source), str(target)]
            # Our own command line.
            subprocess.run(command, env=environment(), check=False, capture_output=True)
            rows = [json.loads(line) for line in target.read_text().splitlines()]
        if not rows:
            raise RuntimeError(f"{peer} does not run")
        for row in rows:
            found[row["name"], row["number"]] = (row.get("data"), row.get("errors", ["the process ended"]))
    return found


def _without(suite: dict[str, Any], found: dict[tuple[str, int], Answer]) -> dict[str, Any]:
    kept = [one for one in suite["operations"] if (suite["name"], one["number"]) not in found]
    return {**suite, "operations": kept}


def verdict(mine: Any, answers: dict[str, Any]) -> str:
    """Name how an answer stands to those of the peers."""
    agreeing = [peer for peer, data in answers.items() if data == mine]
    distinct = {json.dumps(data, sort_keys=True) for data in answers.values()}
    if len(agreeing) == len(PEERS):
        return "all agree"
    if len(distinct) == 1:
        return "unexplained"
    return f"peers differ, ours is that of {len(agreeing)}"


def main() -> None:
    """Run, print the differences, then the counts."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1  # the optional one
    random = Random(seed)
    asked: list[dict[str, Any]] = [
        {"name": case.suite, "supergraph": addressed(case), "operations": written(case, random, count)}
        for case in suites()
    ]
    answers = {peer: theirs(peer, asked) for peer in PEERS}
    counts: Counter[str] = Counter()
    for suite in asked:
        for number, (data, errors) in enumerate(asyncio.run(ours(suite["supergraph"], suite["operations"]))):
            peers = {peer: answers[peer][suite["name"], number] for peer in PEERS}
            found = verdict(data, {peer: answer for peer, (answer, _) in peers.items()})
            counts[found] += 1
            if found != "all agree":
                row = {"suite": suite["name"], "verdict": found, **suite["operations"][number], "ours": [data, errors]}
                sys.stdout.write(json.dumps({**row, **peers}) + "\n")
    sys.stdout.write(json.dumps({"operations": sum(counts.values()), **counts}) + "\n")


if __name__ == "__main__":
    main()
