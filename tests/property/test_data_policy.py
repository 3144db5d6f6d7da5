"""SQL = oracle: what a node answers is what the policy's own sentences say, row by row, nulls included."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, column, select, table

from node.data.conditions import condition_sql
from node.data.dialects import SQLITE, Sql
from node.data.mapping import Mapping as NodeMapping
from node.data.masks import Kind, masked, reached
from node.data.rows import Reading, Row, tables_of
from node.data.statements import Statement
from node.policy import masks
from node.policy.bundle import Bundle
from node.policy.compile import compile_type
from node.policy.conditions import Condition, Consent, evaluate
from node.policy.decide import RowDecision, Situation, decide
from node.policy.forms import (
    CLEAR,
    PREDICATES,
    AgeBand,
    AgeOver,
    Band,
    Email,
    Form,
    FormName,
    Level,
    Month,
    Partial,
    Redact,
    Round,
    TopCode,
    Truncate,
    Year,
)
from node.policy.plans import thresholds_of
from node.policy.residuals import residual
from node.subgraph.schema import asked_coordinates
from node.vocabulary.scalars import BY_NAME
from tests.property.test_policy_decisions import ROWS, SITUATIONS, bundles
from tests.support.data import THING_MAPPING, THING_TABLES, MemoryDatabase, thing_member
from tests.support.policies import CONDITIONS, ENVIRONMENTS

pytestmark = pytest.mark.property

TODAY = date(2026, 11, 22)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.none() | st.sampled_from(["", "Anna", "Àèì", "x"]),
    "birth": st.sampled_from([None, "1980", "1980-05", "1980-05-12", "", "12/05/1980"]),
    "income": st.none() | st.integers(-5, 300) | st.sampled_from([0.5, 99.99, 100.0, 12.25]),
    "health": st.sampled_from([None, "", "C03"]),
    "code": st.sampled_from([None, "A1", "B2"]),
}
RAW = st.fixed_dictionaries(VALUES)
FIELDS = tuple(VALUES)


@given(CONDITIONS, ENVIRONMENTS, st.sampled_from([frozenset[str](), frozenset({"statistics"})]))
@settings(max_examples=200)
def test_a_condition_means_the_same_in_sql(
    condition: Condition, names: dict[str, object], consents: frozenset[str]
) -> None:
    known = {name: value for name, value in names.items() if not name.startswith("row.")}
    # A set of another table's values is never unknown, only empty.
    row = names | {"row.tags": names["row.tags"] or frozenset()}
    left = residual(condition, known, Consent("statistics"))
    expected = evaluate(left, row, consents)
    assert in_sql(left, row, consents) == expected


def in_sql(condition: Condition, names: dict[str, Any], consents: frozenset[str]) -> bool | None:
    database = MemoryDatabase.of(THING_TABLES)
    execute = database.connection.execute
    values = [names[f"row.{name}"] for name in ("flag", "age", "place")]
    execute("INSERT INTO things (n, flag, age, place) VALUES (1, ?, ?, ?)", values)
    for tag in names["row.tags"]:
        execute("INSERT INTO tags VALUES (1, ?)", [tag])
    for purpose in consents:
        execute("INSERT INTO consents VALUES (1, ?, NULL, '2025-01-01', NULL, NULL)", [purpose])
    mapping = NodeMapping.parse(THING_MAPPING)
    row = Row.of(Reading(mapping, SQLITE, TODAY, tables_of(mapping)), mapping.sources["Thing"])
    statement = Statement.of(select(condition_sql(condition, row)).select_from(row.tables), SQLITE)
    [[found]] = database.connection.execute(statement.sql, statement.bound).fetchall()
    return None if found is None else bool(found)


@given(bundles(), SITUATIONS, st.lists(st.tuples(ROWS, RAW), min_size=1, max_size=5))
@settings(max_examples=150)
def test_a_node_answers_as_the_oracle_decides(
    bundle: Bundle, situation: Situation, rows: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    """Every row alike, or few: with `generalise_k` the oracle is told how many look alike."""
    things = [{**row, **raw, "tags": row["tags"] or frozenset()} for row, raw in rows]
    consents = frozenset(situation.consents or ())
    member = thing_member(bundle, situation.day, [{**thing, "consents": consents} for thing in things])
    plan = compile_type(bundle, "Thing", situation.requester, situation.purpose, situation.day)
    served = "Thing.birthReached" in asked_coordinates(bundle.types.values())
    granted = thresholds_of(plan.fields["birth"].asked_by(FormName.AGE_OVER))
    ages = [years for years in (18, 45) if served and (not granted or years in granted)]
    selected = " ".join([*FIELDS, *(f"over{years}: birthReached(years: {years})" for years in ages)])
    asked = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Thing {{ {selected} }} }} }}"
    representations = [{"__typename": "Thing", "id": str(number)} for number in range(1, len(things) + 1)]
    answer = asyncio.run(member.ask(situation.requester, situation.purpose, asked, {"r": representations}))
    over = () if plan.alike is None else plan.alike.over

    def decided(thing: dict[str, Any], alike: int) -> RowDecision:
        return decide(bundle, "Thing", replace(situation, row={**thing, "alike": alike}, consents=consents))

    def looks(thing: dict[str, Any]) -> tuple[object, ...] | None:
        found = decided(thing, len(things) + 3)
        forms = [found.fields[name].form for name in over]
        seen = (masked_value(form, thing[name], situation.day) for form, name in zip(forms, over, strict=True))
        return tuple(seen) if found.visible else None

    crowds = Counter(map(looks, things))
    expected = []
    for thing in things:
        found = decided(thing, crowds[looks(thing)])
        expected.append(
            {name: shown(name, found.fields[name].form, thing[name], situation.day) for name in FIELDS}
            | {f"over{years}": told(found.fields["birth"].form, years, thing["birth"], situation.day) for years in ages}
            if found.visible
            else None
        )
    assert answer.data["_entities"] == expected


SCALARS = {"birth": BY_NAME["PartialDate"], "income": BY_NAME["Banded"]}


def told(form: Form | None, years: int, birth: Any, day: date) -> bool | None:
    """Return what is told of an age: of the thresholds that the form lists, or of any where the date is clear."""
    granted = form == CLEAR or (isinstance(form, AgeOver) and years in form.thresholds)
    return masks.reached(birth, years, day) if granted else None


def masked_value(form: Form | None, value: Any, day: date) -> Any:
    """Return a value under a form; what is not shown is null."""
    return None if form is None or form.name in PREDICATES else masks.apply(form, value, day)


def shown(name: str, form: Form | None, value: Any, day: date) -> Any:
    """Return a value as the answer shows it: what is not a value of its scalar is null."""
    found = masked_value(form, value, day)
    text = format(Decimal(repr(found)), "f") if isinstance(found, (int, float)) else found
    return SCALARS[name].canonical(str(text)) if name in SCALARS and text is not None else text


TEXTS = (
    st.none()
    | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
    | st.dates().map(str)
    | st.from_regex(r"[0-9]{4}(-[0-9]{2})?", fullmatch=True)
    | st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,2})?", fullmatch=True)
    | st.from_regex(r"[0-9]{5,6}", fullmatch=True)
    | st.sampled_from(
        ["a@b.it", "@", "a@", "@b", "a@b@c", "1.", ".5", "-", "--1", "1-2", "1..2", "0", "-0", "00", "1e5"]
    )
)
NUMBERS = st.none() | st.integers(-(10**12), 10**12) | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
TEXT_FORMS: list[Form] = [
    CLEAR,
    Redact("riservato"),
    Partial(3, 8, "*"),
    Partial(0, 2, "#"),
    Email(),
    Year(),
    Month(),
    AgeBand(),
    Truncate(Level.PROVINCE),
    Truncate(Level.REGION),
    Band((Decimal(0), Decimal("10.5"), Decimal(1000))),
]
NUMBER_FORMS: list[Form] = [
    CLEAR,
    Band((Decimal(0), Decimal("10.5"), Decimal(1000))),
    Round(1),
    Round(50),
    Round(3),
    TopCode(100),
    Year(),
    Email(),
]


@given(st.sampled_from(TEXT_FORMS), TEXTS)
@settings(max_examples=300)
def test_a_mask_does_the_same_to_texts_in_sql(form: Form, value: str | None) -> None:
    assert masked_in_sql(form, value, Kind.TEXT) == masks.apply(form, value, TODAY)


@given(st.sampled_from(NUMBER_FORMS), NUMBERS)
@settings(max_examples=300)
def test_a_mask_does_the_same_to_numbers_in_sql(form: Form, value: float | None) -> None:
    assert masked_in_sql(form, value, Kind.NUMBER) == masks.apply(form, value, TODAY)


@given(
    TEXTS | st.from_regex(r"(19|20)[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", fullmatch=True),
    st.integers(1, 99),
    st.dates(date(1990, 1, 1), date(2090, 12, 31)),
)
@settings(max_examples=300)
def test_an_age_is_reached_on_the_same_day_in_sql(value: str | None, years: int, day: date) -> None:
    born = column("v", Text)
    found = in_a_table(value, reached(born, SQLITE, years, day))
    assert (None if found is None else bool(found)) == masks.reached(value, years, day)


def masked_in_sql(form: Form, value: Any, kind: Kind) -> Any:
    stored = column("v", Text) if kind is Kind.TEXT else SQLITE.number(column("v"))
    return in_a_table(value, masked(form, stored, kind, SQLITE, TODAY))


def in_a_table(value: Any, expression: Sql) -> Any:
    database = MemoryDatabase.of("CREATE TABLE t (v)")
    database.connection.execute("INSERT INTO t VALUES (?)", [value])
    found = Statement.of(select(expression).select_from(table("t", column("v"))), SQLITE)
    [[shown_value]] = database.connection.execute(found.sql, found.bound).fetchall()
    return shown_value
