"""Allow or deny of every cell against Cedar; `CROCEVIA_ORACLE_CELLS` sets at least how many."""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

import cedarpy
import pytest

from node.policy.bundle import Bundle
from node.policy.cedar import cedar_entities, cedar_policies, cedar_request
from node.policy.conditions import Value
from node.policy.decide import Situation, decide
from node.policy.documents import TypeDocument
from node.policy.requesters import Requester
from node.policy.worlds import boundary_days, distinguishable_values
from tests.support.policies import demo, example

pytestmark = pytest.mark.property
CELLS = int(os.environ.get("CROCEVIA_ORACLE_CELLS", "18000"))


def situations(bundle: Bundle, document: TypeDocument, chance: random.Random, count: int) -> list[Situation]:
    """Draw requesters, purposes, bases, boundary days and rows without nulls; half of them ask as some grant allows."""
    vocabulary = bundle.vocabulary
    days = boundary_days(day for grant in document.grants for day in (grant.valid.first, grant.valid.last))
    bases = sorted(vocabulary.legal_bases)
    conditions = [grant.rows for grant in document.grants]
    conditions += [part for rule in document.prohibitions for part in (rule.rows, rule.when, rule.unless)]
    values = distinguishable_values(conditions, {"today": [], "purpose": [], "requester.kind": []})
    drawn = []
    for number in range(count):
        grant = chance.choice(document.grants)
        likely = number % 2
        row: dict[str, Value | None] = {
            name: chance.choice([value for value in values.get(f"row.{name}", ()) if value is not None] or [False])
            for name in document.attributes
        }
        requester = Requester(
            kind=chance.choice(grant.kinds) if likely else chance.choice(vocabulary.kinds),
            basis=frozenset(bases if likely else chance.sample(bases, chance.randint(0, len(bases)))),
            area=chance.choice(["F205", "M999", "3_12", str(row.get("municipality"))]),
        )
        purpose = grant.purpose if likely else chance.choice(sorted(vocabulary.purposes))
        day = grant.valid.first if likely else chance.choice(days)
        consents = frozenset(vocabulary.purposes) if chance.random() < 0.5 else frozenset[str]()
        drawn.append(Situation(requester, purpose, day, row, consents))
    return drawn


def cedar_says(bundle: Bundle, document: TypeDocument, asked: list[Situation]) -> list[dict[str, bool]]:
    requests: list[dict[str, Any]] = [
        cedar_request(document.name, name, situation, bool(situation.consents))
        for situation, name in itertools.product(asked, document.fields)
    ]
    answers = cedarpy.is_authorized_batch(
        requests, cedar_policies(document), cedar_entities(bundle.vocabulary, document)
    )
    for answer in answers:
        assert not answer.diagnostics.errors
    allowed = iter(answer.decision == cedarpy.Decision.Allow for answer in answers)
    return [{name: next(allowed) for name in document.fields} for _ in asked]


@pytest.mark.parametrize("member", ["example", "c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte"])
def test_every_cell_is_allowed_or_denied_as_cedar_says(member: str) -> None:
    bundle = example() if member == "example" else demo(member)
    chance = random.Random(f"cedar {member}")
    share = CELLS // 6 // len(bundle.types) + 1
    for document in bundle.types.values():
        asked = situations(bundle, document, chance, share // len(document.fields) + 2)
        expected = cedar_says(bundle, document, asked)
        for situation, cells in zip(asked, expected, strict=True):
            decided = decide(bundle, document.name, situation).fields
            assert {name: decision.form is not None for name, decision in decided.items()} == cells, situation
