"""How the other gateways are started; their packages are installed outside the repository (`CROCEVIA_PEERS`).

mkdir peers && cd peers && npm init -y && npm pkg set type=module
npm install @apollo/gateway @apollo/server graphql@16 @graphql-hive/gateway
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ["CROCEVIA_PEERS"]) if "CROCEVIA_PEERS" in os.environ else None
NODE = os.environ.get("CROCEVIA_NODE", "node")

_APOLLO = """
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { ApolloGateway } from '@apollo/gateway';
import { readFileSync } from 'node:fs';
const [file, port] = process.argv.slice(2);
const gateway = new ApolloGateway({ supergraphSdl: readFileSync(file, 'utf-8') });
const server = new ApolloServer({ gateway });
await startStandaloneServer(server, { listen: { port: Number(port), host: '127.0.0.1' } });
"""


def command(peer: str, supergraph: Path, port: int) -> list[str]:
    """Return the command line of a peer; the script of Apollo's gateway is written where its packages are."""
    if FOLDER is None:
        raise RuntimeError("CROCEVIA_PEERS is not set: the peers' packages are installed outside the repository")
    if peer == "apollo":
        script = FOLDER / "bench-apollo.mjs"
        script.write_text(_APOLLO)
        return [NODE, str(script), str(supergraph), str(port)]
    binary = FOLDER / "node_modules" / ".bin" / "hive-gateway"
    return [NODE, str(binary), "supergraph", str(supergraph), "--port", str(port), "--host", "127.0.0.1", "--fork", "1"]


def environment() -> dict[str, str]:
    """Return the environment in which peers run."""
    return {**os.environ, "NODE_ENV": "production", "APOLLO_TELEMETRY_DISABLED": "1"}
