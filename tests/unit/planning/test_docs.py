"""The worked example of the planning page is what the planner prints."""

from __future__ import annotations

import re
from pathlib import Path

from graphql import parse

from federation.planning.explain import explain, mermaid, print_fetches, print_operation, print_paths
from federation.planning.planner import Planner, PlannerOptions
from tests.support.supergraphs import supergraph

PAGE = Path(__file__).resolve().parents[3] / "docs" / "planning.md"


def test_the_worked_example_is_what_the_planner_prints() -> None:
    types, operation, *printed = re.findall(r"```(?:graphql|text|mermaid)\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    planner = Planner(supergraph(("registry", "health", "benefits"), types), PlannerOptions(internal_prefix="_k_"))
    stages = planner.stages(parse(operation))
    assert printed == [
        print_operation(stages.operation),
        print_paths(stages),
        print_fetches(stages),
        explain(stages.plan),
        mermaid(stages.plan),
    ]
