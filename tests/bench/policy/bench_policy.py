"""Figures of the policy engine beside Cedar, Google's CEL, Rust CEL and Cerbos.

    python tests/bench/policy/bench_policy.py [--cerbos BINARY] [--json]

Peers are asked equivalent questions: Cedar and Cerbos the decision of a field, CEL the condition of a grant. Cerbos is
a server of its own (its binary is on npm as `@cerbos/cerbos-linux-x64`); a call asks for the 12 fields of one row, over
HTTP on 127.0.0.1, by wall clock. All else is CPU time, the minimum of several repeats. Targets: compile at most 1 ms
for 20 fields and 40 rules, look up a plan in at most 1 µs, at least 50 decisions in the time cedarpy needs for one.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import cedarpy
import cel as rust
from cel_expr_python import cel as google

sys.path.insert(0, str(Path(__file__).parents[3]))

from node.policy.bundle import load_bundle
from node.policy.cedar import cedar_entities, cedar_policies, cedar_request
from node.policy.cel import to_cel
from node.policy.closures import compile_test
from node.policy.compile import PlanCache, compile_type
from node.policy.conditions import Consent
from node.policy.decide import Decider, Situation, field_test
from node.policy.requesters import Requester
from node.policy.residuals import residual
from tests.support.data import thing_member
from tests.support.policies import ANNA, EXAMPLE, FIELDS, bundle_of, document, example, folder_files, grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from node.policy.bundle import Bundle

DAY = date(2026, 5, 1)
INPS = Requester("national", frozenset({"6.1.e"}), "058091")
REPEATS = 9


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity and its target, if there is one."""

    name: str
    value: float
    unit: str
    target: str = ""


def best(run: Callable[[], object], times: int) -> float:
    """Return the CPU seconds of one run, the minimum of several repeats."""
    found = []
    for _ in range(REPEATS):
        start = time.process_time()
        for _ in range(times):
            run()
        found.append((time.process_time() - start) / times)
    return min(found)


def large_bundle() -> Bundle:
    """Return a bundle of one type with 20 fields and 40 rules, all of them live for the requester asked."""
    fields = {f"field{number}": {"category": "name"} for number in range(20)}
    rows = ["row.age < 19", "row.place == requester.area && row.flag", "row.flag || row.age >= 65", "true"]
    grants = [
        grant(f"g{number}", {f"field{(number + step) % 20}": "clear" for step in range(5)}, rows=rows[number % 4])
        for number in range(36)
    ]
    prohibitions = [
        {"id": f"p{number}", "fields": [f"field{number}"], "rows": "row.flag == true"} for number in range(4)
    ]
    return bundle_of(document(grants, fields=fields, prohibitions=prohibitions))


def figures() -> list[Figure]:
    """Measure everything."""
    files = folder_files(EXAMPLE)
    bundle = load_bundle(files)
    large = large_bundle()
    plans = PlanCache(bundle)
    plan = plans.plan("Citizen", INPS, "benefit-assessment", DAY)
    decider = Decider(plan)
    dependent = field_test(plan.fields["municipality"])
    constant = field_test(plan.fields["givenName"])
    thing = bundle.types["Citizen"]
    situation = Situation(INPS, "benefit-assessment", DAY, ANNA)
    policies = cedarpy.PolicySet.from_str(cedar_policies(thing))  # parsed once, as a careful user of Cedar would
    entities = cedar_entities(bundle.vocabulary, thing)
    request = cedar_request("Citizen", "municipality", situation, consent=False)

    condition = thing.grants[0].rows
    test = compile_test(residual(condition, {}, Consent("p")))
    names = {"row": {"residency": "resident", "municipality": "F205", "age": 34, "protectedPerson": False}}
    row_map = google.Type.Map(google.Type.STRING, google.Type.DYN)
    expression = google.NewEnv(variables={"row": row_map}).compile(to_cel(condition))
    program = rust.compile(to_cel(condition))
    ours_cel = best(lambda: test(ANNA, ()), 100_000)
    google_cel = best(lambda: expression.eval(data=names), 5_000)
    rust_cel = best(lambda: program.execute(names), 5_000)

    ours = best(lambda: dependent(ANNA, ()), 100_000)
    cedar = best(lambda: cedarpy.is_authorized(request, policies, entities), 200)
    return [
        Figure("load and check the example bundle", best(lambda: load_bundle(files), 3) * 1e3, "ms"),
        Figure(
            "compile, 20 fields and 40 rules",
            best(lambda: compile_type(large, "Thing", INPS, "benefit-assessment", DAY), 50) * 1e3,
            "ms",
            "<= 1",
        ),
        Figure(
            "compile the example type",
            best(lambda: compile_type(bundle, "Citizen", INPS, "benefit-assessment", DAY), 200) * 1e3,
            "ms",
        ),
        Figure(
            "cached plan look-up",
            best(lambda: plans.plan("Citizen", INPS, "benefit-assessment", DAY), 100_000) * 1e6,
            "µs",
            "<= 1",
        ),
        Figure("decision of one row-dependent field", ours * 1e6, "µs"),
        Figure("decision of one constant field", best(lambda: constant(ANNA, ()), 100_000) * 1e6, "µs"),
        Figure("statement for unconditional fields, attributes read", conditions_in_statement(), "", "0"),
        Figure("decision of 12 fields of one row", best(lambda: decider.decide(ANNA), 20_000) * 1e6, "µs"),
        Figure("cedarpy, one field", cedar * 1e6, "µs"),
        Figure("cedarpy / ours, per field", cedar / ours, "x", ">= 50"),
        Figure("a grant's condition: closure", ours_cel * 1e6, "µs"),
        Figure("the same in Google's CEL", google_cel * 1e6, "µs"),
        Figure("the same in Rust CEL", rust_cel * 1e6, "µs"),
        Figure("Google's CEL / ours", google_cel / ours_cel, "x"),
        Figure("Rust CEL / ours", rust_cel / ours_cel, "x"),
    ]


def conditions_in_statement() -> float:
    """Count what the policy of unconditional fields adds to a statement: the attributes that it reads."""
    everything = dict.fromkeys(FIELDS, "clear")
    bundle = bundle_of(document([grant("g", everything)]))
    member = thing_member(bundle, DAY, [])
    asked = "{ things { edges { node { name birth income health code } } } }"
    asyncio.run(member.ask(INPS, "benefit-assessment", asked))
    ran = member.plane.database.ran  # type: ignore[attr-defined]  # the memory database keeps what it ran
    return float(sum(sql.count(f".{name}") for sql in ran for name in ("flag", "age", "place")))


def cerbos_figures(binary: Path) -> list[Figure]:
    """Ask a Cerbos server for the same 12 decisions of one row."""
    with tempfile.TemporaryDirectory() as folder, served(binary, Path(folder)) as port:
        body = json.dumps(
            {
                "requestId": "1",
                "principal": {"id": "inps", "roles": ["national"], "attr": {"purpose": "benefit-assessment"}},
                "resources": [
                    {
                        "actions": list(FIELDS_OF_CITIZEN),
                        "resource": {"kind": "citizen", "id": "1", "attr": dict(ANNA)},
                    }
                ],
            }
        )
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def call() -> dict[str, str]:
            connection.request("POST", "/api/check/resources", body, {"content-type": "application/json"})
            found = json.loads(connection.getresponse().read())
            return dict(found["results"][0]["actions"])

        bundle = load_bundle(folder_files(EXAMPLE))
        plan = compile_type(bundle, "Citizen", INPS, "benefit-assessment", DAY)
        decider = Decider(plan)
        ours = {name: decision.form is not None for name, decision in decider.decide(ANNA).fields.items()}
        assert {name: effect == "EFFECT_ALLOW" for name, effect in call().items()} == ours
        seconds = statistics.median(timed(call) for _ in range(300))
        connection.close()
        here = statistics.median(timed(lambda: decider.decide(ANNA)) for _ in range(300))
    return [
        Figure("Cerbos, 12 fields of one row over HTTP (wall clock)", seconds * 1e3, "ms"),
        Figure("Cerbos / ours, 12 fields (wall clock)", seconds / here, "x"),
    ]


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


CERBOS_POLICY = """
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: citizen
  version: default
  rules:
    - actions: [taxCode, givenName, familyName, birthDate, municipality, maritalStatus]
      effect: EFFECT_ALLOW
      roles: [national, region]
      condition:
        match:
          expr: 'P.attr.purpose in ["social-benefit", "benefit-assessment"] && R.attr.residency == "resident"'
    - actions: [isee]
      effect: EFFECT_ALLOW
      roles: [national]
      condition: {match: {expr: 'P.attr.purpose == "benefit-assessment" && R.attr.residency == "resident"'}}
    - actions: [address, municipality, email]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: {match: {expr: 'R.attr.protectedPerson == true'}}
"""
FIELDS_OF_CITIZEN = tuple(example().types["Citizen"].fields)


@contextmanager
def served(binary: Path, folder: Path) -> Iterator[int]:
    """Run a Cerbos server on free ports of 127.0.0.1."""
    (folder / "policies").mkdir()
    (folder / "policies" / "citizen.yaml").write_text(CERBOS_POLICY, encoding="utf-8")
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    settings = {
        "server": {"httpListenAddr": f"127.0.0.1:{ports[0]}", "grpcListenAddr": f"127.0.0.1:{ports[1]}"},
        "storage": {"driver": "disk", "disk": {"directory": str(folder / "policies")}},
        "telemetry": {"disabled": True},
    }
    (folder / "cerbos.yaml").write_text(json.dumps(settings), encoding="utf-8")
    command = [str(binary), "server", "--config", str(folder / "cerbos.yaml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", ports[0]), timeout=1):
                break
            time.sleep(0.1)
        yield ports[0]
    finally:
        process.terminate()
        process.wait(timeout=20)


def main() -> None:
    """Print the figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--cerbos", type=Path, help="the binary of Cerbos, to be asked as well")
    options = parser.parse_args()
    found = figures() + ([] if options.cerbos is None else cerbos_figures(options.cerbos))
    if options.json:
        print(
            json.dumps(
                [{"name": one.name, "value": one.value, "unit": one.unit, "target": one.target} for one in found]
            )
        )
        return
    for one in found:
        print(f"{one.name:56} {one.value:12.3f} {one.unit:3} {one.target}")


if __name__ == "__main__":
    main()
