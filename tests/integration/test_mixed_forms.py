"""A field may have one form on one row and another on the next: every pair of forms, on both databases."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from node.policy.bundle import Bundle
from node.policy.forms import Form
from node.policy.masks import apply
from tests.support.both import DAY, PURPOSE, On
from tests.support.policies import INPS, bundle_of, document, grant

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

FORMS: dict[str, tuple[Any, ...]] = {
    "income": ("clear", {"band": [0, 100]}, {"round": 50}, {"top_code": 120}),
    "birth": ("clear", "year", "month", "age_band"),
    "name": ("clear", {"redact": "***"}, {"partial": {"prefix": 1, "n": 3, "pad": "*"}}, "email", "hash"),
}
PAIRS = [(name, one, other) for name, forms in FORMS.items() for one, other in combinations(forms, 2)]
ROWS: list[dict[str, Any]] = [
    {"flag": True, "name": "Anna", "birth": "1980-05-12", "income": 110.5},
    {"flag": False, "name": "Bruno", "birth": "1981-06-13", "income": 130},
    {"flag": None, "name": "Carla", "birth": "1982-07-14", "income": 20},
]


def granting(name: str, one: Any, other: Any, **more: Any) -> Bundle:
    conditions = (("one", one, "row.flag == true"), ("other", other, "row.flag == false"))
    return bundle_of(document([grant(id_, {name: form}, rows=rows, **more) for id_, form, rows in conditions]))


@pytest.mark.parametrize(("name", "one", "other"), PAIRS, ids=[f"{name}-{one}-{other}" for name, one, other in PAIRS])
def test_each_row_has_its_own_form(on: On, name: str, one: Any, other: Any) -> None:
    bundle = granting(name, one, other)
    forms = [each.see[name] for each in bundle.types["Thing"].grants]
    with on.things(bundle, ROWS) as member:
        answer = on.run(member.ask(INPS, PURPOSE, f"{{ things {{ edges {{ node {{ {name} }} }} }} }}"))
    shown = [edge["node"][name] for edge in answer.data["things"]["edges"]]
    expected = [as_text(form, row[name]) for form, row in zip(forms, ROWS, strict=False)]
    assert [found for found, text in zip(shown, expected, strict=True) if text is not None] == [
        text for text in expected if text is not None
    ]


COMPARED = [pair for pair in PAIRS if pair[0] != "name"]


@pytest.mark.parametrize(
    ("name", "one", "other"), COMPARED, ids=[f"{name}-{one}-{other}" for name, one, other in COMPARED]
)
def test_rows_of_different_forms_are_ordered_filtered_and_counted(on: On, name: str, one: Any, other: Any) -> None:
    bundle = granting(name, one, other, aggregates={"min_cell": 2, "over": [name]})
    query = f"""{{ things(orderBy: [{{{name}: DESC}}]) {{ totalCount groups(by: [{name}]) {{ count }} }}
      few: things(where: {{{name}: {{gt: "0", lt: "1"}}}}) {{ totalCount }} }}"""
    with on.things(bundle, ROWS * 2) as member:
        answer = on.run(member.ask(INPS, PURPOSE, query))
    assert answer.errors == []
    assert answer.data["things"]["totalCount"] == 4  # nobody has a grant for Carla
    assert answer.data["things"]["groups"]


def as_text(form: Form, value: Any) -> str | None:
    """Return what the readable mask gives; null for one that needs a key."""
    found = apply(form, value, DAY)
    return None if found is None else str(found)
