"""The 61 audits of the npm package `graphql-http`, run by Node as an outside program against open mode.

`CROCEVIA_PEERS` names the folder whose `node_modules` holds the package, `CROCEVIA_NODE` the program.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.join import JOIN

PEERS = os.environ.get("CROCEVIA_PEERS", "")

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not PEERS, reason="CROCEVIA_PEERS is not set: the audits are an outside program"),
]

SUPERGRAPH = f"""{JOIN}
enum join__Graph {{ A @join__graph(name: "a", url: "http://127.0.0.1:1/") }}
type Query @join__type(graph: A) {{ item: ID }}
"""
SCRIPT = """
import { auditServer } from 'graphql-http';
const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
"""
OURS = Path(__file__).parents[1] / "bench" / "gateway" / "ours.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urlopen(url).close()
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer")


def test_every_audit_of_graphql_over_http_is_met(tmp_path: Path) -> None:
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(SUPERGRAPH)
    script = Path(PEERS) / "audit-http.mjs"
    script.write_text(SCRIPT)
    port = free_port()
    server = subprocess.Popen([sys.executable, str(OURS), str(supergraph), str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        node = os.environ.get("CROCEVIA_NODE", "node")
        done = subprocess.run(
            [node, str(script), f"http://127.0.0.1:{port}/graphql"], capture_output=True, check=True, timeout=60
        )
    finally:
        server.terminate()
        server.wait(10)
    audits = json.loads(done.stdout)
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
