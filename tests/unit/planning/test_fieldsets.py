"""Field sets are read with their arguments, type conditions and nesting."""

from __future__ import annotations

import pytest

from federation.planning.errors import PlanningError
from federation.planning.fieldsets import parse_field_set, printed


@pytest.mark.parametrize(
    "text",
    ["id", "id owner { id name }", 'price(currency: "EUR") weight', "... on Dog { size }", "a { ... on B { c } }"],
)
def test_a_field_set_prints_as_it_reads(text: str) -> None:
    assert printed(parse_field_set(text)) == text


def test_nested_conditions_all_hold_and_typename_is_left_out() -> None:
    (found,) = parse_field_set("__typename ... on A { ... on B { c } }")
    assert (found.name, found.conditions) == ("c", ("A", "B"))


@pytest.mark.parametrize("text", ["id {", "...F", "id: "])
def test_what_is_not_a_field_set_is_refused(text: str) -> None:
    with pytest.raises(PlanningError):
        parse_field_set(text)
