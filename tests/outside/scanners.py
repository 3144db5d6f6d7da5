"""Run others' scanners against a running demo.

    python tests/outside/scanners.py --tools VENV/bin [--cop GRAPHQL-COP/graphql-cop.py] [--examples 100] [--seeds 2]

`--tools` holds the programs of an environment of their own (`pip install schemathesis sslyze requests simplejson
termcolor PySocks`); graphql-cop is a folder of its repository. Both ask through the demo's signing
proxy, so that every question is signed, planned, policed and recorded. The last line counts what was found; exit code 1
when anything was.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.demo.running import programs
from node.demo.seed import read_truth
from tests.faults.field import founded
from tests.support import leaks
from tests.support.channels import Issuer
from tests.support.demo import RunningDemo

PROXY = "/demo/graphql?as=inprev&purpose=benefit-assessment"
HOOKS = "tests.outside.schemathesis_hooks"
CITIZENS = 40
NODE = "c_m999"
WANTED = "Introspection"
"""A proved partner is shown what its agreement opens."""
OWN_AUTHORITY = "certificate_path_validation"
"""The one thing that never complies: the federation's authority is in nobody's store but its own."""


def schemathesis(demo: RunningDemo, tools: Path, examples: int, seed: int) -> int:
    """Ask generated questions for every root field of the API schema; return the tool's exit code."""
    codes = [person.tax_code for person in read_truth(demo.home.root / "truth.ndjson")]
    done = subprocess.run(
        [
            str(tools / "schemathesis"),
            "run",
            str(demo.home.root / "registry" / "api.graphql"),
            *("--url", demo.gateway + "/demo/graphql", "--max-examples", str(examples), "--seed", str(seed)),
            *("--checks", "nothing_is_repeated", "--continue-on-failure", "--no-color"),
            *("--phases", "fuzzing", "--suppress-health-check", "all", "--request-timeout", "20"),
        ],
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "CROCEVIA_TAX_CODES": " ".join(codes)},
        check=False,
    )
    return done.returncode


def graphql_cop(demo: RunningDemo, tools: Path, program: Path) -> int:
    """Run the audits of graphql-cop; return how many more than `WANTED` it finds."""
    done = subprocess.run(
        [str(tools / "python"), str(program), "-t", demo.gateway + PROXY, "-f", "-o", "json"],
        cwd=program.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    results = json.loads(done.stdout)
    for each in results:
        print(f"    {'FOUND' if each['result'] else 'no   '} {each['title']}")
    return sum(each["result"] and each["title"] != WANTED for each in results)


def sslyze(demo: RunningDemo, tools: Path) -> list[str]:
    """Start a node with mutual TLS and hold its door against Mozilla's modern profile; return what does not comply."""
    federation = demo.partner("inprev").members.federation
    issuer = Issuer.found(demo.home.root / "channels", federation)
    node, own = issuer.party(NODE, federation), issuer.party("gateway", federation)
    settings = demo.home.party(NODE) / "settings.toml"
    files = {"certificate": node.certificate, "key": node.key, "authority": node.authority}
    table = "".join(f'{name} = "{path}"\n' for name, path in files.items())
    settings.write_text(f"{settings.read_text()}\n[channel]\n{table}")
    [program] = [each for each in programs(demo.home, demo.charter, demo.ports) if each.name == NODE]
    demo.processes.stop(NODE)
    demo.processes.start([program])
    _wait_for(demo.ports.node(0))
    done = subprocess.run(
        [
            *(str(tools / "sslyze"), "--mozilla_config", "modern", "--cert", str(own.certificate)),
            *("--key", str(own.key), f"127.0.0.1:{demo.ports.node(0)}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, compliance = done.stdout.partition("COMPLIANCE AGAINST TLS CONFIGURATION")
    print(compliance)
    if not compliance:
        return ["sslyze came to no end"]
    found = [line.strip() for line in compliance.splitlines() if line.strip().startswith("* ")]
    return [each for each in found if not each.startswith(f"* {OWN_AUTHORITY}")]


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port}")


def main() -> int:
    """Run what is there, and count."""
    parser = argparse.ArgumentParser(description="others' scanners against a demo")
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--cop", type=Path)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    with founded(CITIZENS) as demo:
        failed = sum(schemathesis(demo, asked.tools, asked.examples, seed) != 0 for seed in range(asked.seeds))
        found = graphql_cop(demo, asked.tools, asked.cop) if asked.cop else 0
        unfit = sslyze(demo, asked.tools) if (asked.tools / "sslyze").exists() else []
        leaked = leaks.in_home(demo.home)
    print("\n".join(leaked))
    print(
        f"schemathesis: {failed} of {asked.seeds} runs failed; graphql-cop: {found} found; "
        f"sslyze: {len(unfit)} do not comply; {len(leaked)} values left"
    )
    return 1 if failed or found or unfit or leaked else 0


if __name__ == "__main__":
    sys.exit(main())
