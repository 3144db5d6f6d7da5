"""Non-interference: two databases that look alike through the policy give byte-identical answers to any operation.

Schema, mapping, policy, registers and operations are generated. The pair is made by changing only what the requester
may not see (policy R15, R16, R21, R22, R24, R25, R28). `CROCEVIA_PAIRS` says how many pairs are tried.

That the property would notice a leak is shown with nodes that have one: their answers are honest but for one part,
which comes from a plan that is too loose.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import msgspec
import pytest
from hypothesis import Phase, event, find, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from federation.contract.errors import CroceviaError
from node.data.answer import Answer
from node.data.objects import PlanOf
from node.policy.conditions import TRUE
from node.policy.forms import CLEAR, PREDICATES
from node.policy.plans import FieldPlan, ResidualGrant, TypePlan
from node.policy.requesters import Requester
from tests.support.data import Member
from tests.support.lookalikes import Asked, Question, asked_pairs, bundles, masking_bundles, pairs_in_small_groups
from tests.support.telling import Ask, Node, honestly

pytestmark = pytest.mark.property

PAIRS: Final = int(os.environ.get("CROCEVIA_PAIRS", "40"))


def answers(asked: Asked, ask: Ask = honestly) -> list[list[bytes]]:
    pair, wanted = asked
    return Node.on_sqlite(pair).answers((pair.first, pair.second), wanted, ask)


@given(asked_pairs(bundles() | masking_bundles() | masking_bundles(crowd=True)))
@settings(max_examples=PAIRS)
def test_databases_that_look_alike_answer_alike(asked: Asked) -> None:
    one, other = answers(asked)
    assert one == other
    told = b"".join(one)
    crowds = any(each.aggregates and each.aggregates.alike for each in asked[0].bundle.types["Thing"].grants)
    event(f"crowds: {crowds}, databases differ: {asked[0].first != asked[0].second}")
    for what, sign in (("a group", b'"n":'), ("a row", b'"_k_"'), ("a denial", b"FIELD_DENIED")):
        event(f"{what} was told: {sign in told}")


@given(pairs_in_small_groups())
@settings(max_examples=PAIRS)
def test_r25_databases_that_only_small_groups_tell_apart_answer_alike(asked: Asked) -> None:
    one, other = answers(asked)
    assert one == other
    event(f"databases differ: {asked[0].first != asked[0].second}")
    told = b'"n":' in b"".join(one)
    event(f"a group was told: {told}")


# --- nodes with a leak -----------------------------------------------------------------------------------------------


class _Loose(Member):
    """A member that sees too much: its plans are loosened."""

    loosen: Callable[[TypePlan], TypePlan]

    @override
    def plans(self, requester: Requester, purpose: str) -> PlanOf:
        """Return what a requester may see, and more."""
        honest = Member.plans(self, requester, purpose)
        return lambda type_name: self.loosen(honest(type_name))


def _every_row(plan: TypePlan) -> TypePlan:
    return replace(plan, candidates=TRUE)


def _anybody(plan: TypePlan) -> TypePlan:
    return replace(plan, alike=None)


def _raw_values(plan: TypePlan) -> TypePlan:
    return replace(plan, fields={name: _raw(found) for name, found in plan.fields.items()})


def _raw(found: FieldPlan) -> FieldPlan:
    grants = tuple(_clear(each) for each in found.grants)
    constant = found.constant
    if constant is not None and constant.form is not None and constant.form.name not in PREDICATES:
        constant = replace(constant, form=CLEAR)
    return replace(found, grants=grants, constant=constant)


def _clear(found: ResidualGrant) -> ResidualGrant:
    return found if found.form.name in PREDICATES else msgspec.structs.replace(found, form=CLEAR)


def _every_cell(plan: TypePlan) -> TypePlan:
    counted = plan.aggregates
    return plan if counted is None else replace(plan, aggregates=replace(counted, min_cell=1))


def _part(name: str) -> Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]:
    return lambda honest, loose: {**honest, name: loose[name]} if name in honest else honest


def _order(honest: dict[str, Any], loose: dict[str, Any]) -> dict[str, Any]:
    if "edges" not in honest:
        return honest
    places = {edge["node"]["_k_"]: place for place, edge in enumerate(loose["edges"])}
    return {**honest, "edges": sorted(honest["edges"], key=lambda edge: places.get(edge["node"]["_k_"], -1))}


@dataclass(frozen=True)
class Leak:
    """Which part of a list is taken from which plan."""

    loosen: Callable[[TypePlan], TypePlan]
    mixed: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
    asked: st.SearchStrategy[Asked]

    async def ask(self, member: Member, question: Question, variables: Mapping[str, Any]) -> Answer:
        """Ask a node that has the leak."""
        honest = await honestly(member, question, variables)
        loose_member = _Loose(member.schema, member.plane, member.bundle, member.day)
        loose_member.loosen = self.loosen
        try:
            loose = (await honestly(loose_member, question, variables)).data.get("things")
        except CroceviaError:
            return honest
        shown = honest.data.get("things")
        if not shown or not loose:
            return honest
        return replace(honest, data={**honest.data, "things": self.mixed(shown, loose)})


LEAKS: Final = {
    "filters by raw values": Leak(_raw_values, _part("totalCount"), asked_pairs(masking_bundles())),
    "orders by raw values": Leak(_raw_values, _order, asked_pairs(masking_bundles())),
    "cursors hold raw values": Leak(_raw_values, _part("pageInfo"), asked_pairs(masking_bundles())),
    "groups of raw values": Leak(_raw_values, _part("groups"), asked_pairs(masking_bundles())),
    "counts before the row filter": Leak(_every_row, _part("totalCount"), asked_pairs(masking_bundles())),
    "pages before the row filter": Leak(_every_row, _part("pageInfo"), asked_pairs(masking_bundles())),
    "groups before the row filter": Leak(_every_row, _part("groups"), asked_pairs(masking_bundles())),
    "rows outside of a crowd": Leak(_anybody, _part("totalCount"), asked_pairs(masking_bundles(crowd=True))),
    "small groups are told": Leak(_every_cell, _part("groups"), pairs_in_small_groups()),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_node_with_a_leak_is_found(leak: Leak) -> None:
    def tells(asked: Asked) -> bool:
        one, other = answers(asked, leak.ask)
        return one != other

    quickly = settings(max_examples=400, database=None, phases=[Phase.generate])
    one, other = answers(find(leak.asked, tells, settings=quickly, random=Random(2)))
    assert one == other
