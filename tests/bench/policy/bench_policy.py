"""Figures of the policy engine, side by side with cedarpy: `python tests/bench/policy/bench_policy.py [--json]`.

CPU time, the minimum of several repeats. Targets: compile at most 1 ms for 20 fields and 40 rules, a cached look-up at
most 1 µs, at least 50 decisions per field in the time cedarpy needs for one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import cedarpy

sys.path.insert(0, str(Path(__file__).parents[3]))

from node.policy.bundle import load_bundle
from node.policy.cedar import cedar_entities, cedar_policies, cedar_request
from node.policy.compile import PlanCache, compile_type
from node.policy.decide import Decider, Situation, field_test
from node.policy.requesters import Requester
from tests.support.policies import ANNA, EXAMPLE, bundle_of, document, folder_files, grant

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
        Figure("decision of 12 fields of one row", best(lambda: decider.decide(ANNA), 20_000) * 1e6, "µs"),
        Figure("cedarpy, one field", cedar * 1e6, "µs"),
        Figure("cedarpy / ours, per field", cedar / ours, "x", ">= 50"),
    ]


def main() -> None:
    """Print the figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    found = figures()
    if parser.parse_args().json:
        print(
            json.dumps(
                [{"name": one.name, "value": one.value, "unit": one.unit, "target": one.target} for one in found]
            )
        )
        return
    for one in found:
        print(f"{one.name:45} {one.value:12.3f} {one.unit:3} {one.target}")


if __name__ == "__main__":
    main()
