"""The 61 audits of the npm package `graphql-http`, run by Node as an outside program: open mode, gateway and node.

The latter two are asked through a proxy that signs as a partner would.

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

from federation.demo.layout import Home
from tests.support.demo import CITIZENS, demo_charter, found_with_members, free_ports, running
from tests.support.join import JOIN
from tests.support.signing_proxy import Signing, signing_proxy

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
AUDITS = 61
OVER_GET = ("5A70", "D6D5", "6A70")
"""What a server MAY do over GET. A signed question is not put into a URL, which everybody on the way writes down."""
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


def audited(url: str, script: Path) -> list[dict[str, str]]:
    """Run the audits, and return what became of each."""
    script.write_text(SCRIPT)
    node = os.environ.get("CROCEVIA_NODE", "node")
    done = subprocess.run([node, str(script), url], capture_output=True, check=True, timeout=200)
    audits: list[dict[str, str]] = json.loads(done.stdout)
    assert len(audits) == AUDITS
    return audits


def test_every_audit_of_graphql_over_http_is_met_in_open_mode(tmp_path: Path) -> None:
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(SUPERGRAPH)
    port = free_port()
    server = subprocess.Popen([sys.executable, str(OURS), str(supergraph), str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        audits = audited(f"http://127.0.0.1:{port}/graphql", Path(PEERS) / "audit-http.mjs")
    finally:
        server.terminate()
        server.wait(10)
    assert [audit for audit in audits if audit["status"] != "ok"] == []


def test_gateway_and_node_meet_every_audit_but_those_that_would_put_questions_into_urls(tmp_path: Path) -> None:
    home, ports = Home(tmp_path), free_ports()
    found_with_members(home, demo_charter(), ports, CITIZENS)
    with running(home, ports) as demo:
        partner = demo.partner("inprev")
        for party in ("gateway", "c_m999"):
            endpoint = partner.members.party(party).endpoint
            with signing_proxy(Signing(demo, partner, "benefit-assessment", endpoint or "")) as url:
                audits = audited(url, Path(PEERS) / "audit-http.mjs")
            other = {audit["id"]: audit["status"] for audit in audits if audit["status"] != "ok"}
            assert other == dict.fromkeys(OVER_GET, "notice"), party
