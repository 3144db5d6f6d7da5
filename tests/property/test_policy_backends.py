"""What is proved is what runs: on generated conditions and situations z3 means what the oracle means, nulls included.

Closures and SQL on SQLite are compared in `test_policy_conditions` and `test_data_policy`, SQL on PostgreSQL in
`tests/integration/test_policy_postgres`.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings

from node.console.policy_proofs import Truths
from node.policy.conditions import CONSENT, Condition, evaluate
from tests.support.policies import CONDITIONS, ENVIRONMENTS, example

pytestmark = pytest.mark.property
EXAMPLES = int(os.environ.get("CROCEVIA_ORACLE_EXAMPLES", "40"))
BUNDLE = example()


@given(CONDITIONS, ENVIRONMENTS)
@settings(max_examples=EXAMPLES)
def test_a_condition_means_the_same_to_z3(condition: Condition, names: dict[str, Any]) -> None:
    truths = Truths(BUNDLE, BUNDLE.types["Citizen"], names.values())
    assert truths.of(condition)(names, names[CONSENT]) == evaluate(condition, names)
