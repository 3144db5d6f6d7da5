"""SQL = oracle: what a node answers is what the policy's own sentences say, row by row, nulls included."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, column, select, table

from node.data.conditions import condition_sql
from node.data.dialects import SQLITE
from node.data.mapping import Mapping as NodeMapping
from node.data.masks import Kind, masked
from node.data.rows import Reading, Row, tables_of
from node.data.statements import Statement
from node.policy import masks
from node.policy.bundle import Bundle
from node.policy.conditions import Condition, Consent, evaluate
from node.policy.decide import Situation, decide
from node.policy.forms import (
    CLEAR,
    AgeBand,
    Band,
    Email,
    Form,
    Level,
    Month,
    Partial,
    Redact,
    Round,
    TopCode,
    Truncate,
    Verify,
    Year,
)
from node.policy.residuals import residual
from node.vocabulary.scalars import BY_NAME
from tests.property.test_policy_decisions import SITUATIONS, bundles
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
@settings(max_examples=200, deadline=None)
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


@given(bundles(), SITUATIONS, st.lists(RAW, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_node_answers_as_the_oracle_decides(bundle: Bundle, situation: Situation, raw: list[dict[str, Any]]) -> None:
    row = {**situation.row, "tags": situation.row.get("tags") or frozenset()}
    consents = frozenset(situation.consents or ())
    member = thing_member(bundle, situation.day, [{**row, **values, "consents": consents} for values in raw])
    decided = decide(
        bundle,
        "Thing",
        Situation(situation.requester, situation.purpose, situation.day, row, consents),
    )
    asked = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Thing {{ {' '.join(FIELDS)} }} }} }}"
    representations = [{"__typename": "Thing", "id": str(number)} for number in range(1, len(raw) + 1)]
    answer = asyncio.run(member.ask(situation.requester, situation.purpose, asked, {"r": representations}))
    expected = [
        {name: shown(name, decided.fields[name].form, values[name], situation.day) for name in FIELDS}
        if decided.visible
        else None
        for values in raw
    ]
    assert answer.data["_entities"] == expected


SCALARS = {"birth": BY_NAME["PartialDate"], "income": BY_NAME["Banded"]}


def shown(name: str, form: Form | None, value: Any, day: date) -> Any:
    """Return a value as the answer shows it: what is not a value of its scalar is null."""
    if form is None or isinstance(form, Verify):
        return None
    found = masks.apply(form, value, day)
    text = format(Decimal(repr(found)), "f") if isinstance(found, (int, float)) else found
    return SCALARS[name].canonical(str(text)) if name in SCALARS and text is not None else text


OPERATORS = st.sampled_from(["eq", "gt", "gte", "lt", "lte", "startsWith"])
WANTED = st.sampled_from(["", "1", "1980", "1980-05", "50", "A1", "Anna", "C03", "[0,100)"])
TESTS = st.builds(lambda name, operator, value: {name: {operator: value}}, st.sampled_from(FIELDS), OPERATORS, WANTED)
FILTERS = st.none() | st.recursive(
    TESTS,
    lambda inner: st.builds(
        lambda word, parts: {word: parts[0] if word == "not" else parts},
        st.sampled_from(["and", "or", "not"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=3,
)
ORDERS = st.lists(
    st.builds(lambda name, way: {name: way}, st.sampled_from(FIELDS), st.sampled_from(["ASC", "DESC"])), max_size=2
)
LISTING = """query($where: ThingWhere, $orderBy: [ThingOrderBy!]) {
  things(first: 2, where: $where, orderBy: $orderBy) {
    totalCount pageInfo { hasNextPage startCursor endCursor }
    edges { cursor node { name birth income health code } } } }"""


@given(bundles(), SITUATIONS, st.lists(st.tuples(RAW, RAW), min_size=1, max_size=4), FILTERS, ORDERS)
@settings(max_examples=100, deadline=None)
def test_what_a_requester_may_not_see_changes_nothing_in_its_answer(
    bundle: Bundle,
    situation: Situation,
    raw: list[tuple[dict[str, Any], dict[str, Any]]],
    where: dict[str, Any] | None,
    order: list[dict[str, str]],
) -> None:
    """Non-interference: two registers that are equal under the policy view give the same bytes to any query."""
    row = {**situation.row, "tags": situation.row.get("tags") or frozenset()}
    consents = frozenset(situation.consents or ())
    asked = Situation(situation.requester, situation.purpose, situation.day, row, consents)
    decided = decide(bundle, "Thing", asked)
    unseen = [name for name in FIELDS if decided.fields[name].form is None]
    variables = {"where": where, "orderBy": order}
    answers = []
    for number in range(2):
        rows = [
            {**row, **pair[0], **{name: pair[number][name] for name in unseen}, "consents": consents} for pair in raw
        ]
        member = thing_member(bundle, situation.day, rows)
        answers.append(asyncio.run(member.ask(situation.requester, situation.purpose, LISTING, variables)))
    assert answers[0] == answers[1]


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
@settings(max_examples=300, deadline=None)
def test_a_mask_does_the_same_to_texts_in_sql(form: Form, value: str | None) -> None:
    assert masked_in_sql(form, value, Kind.TEXT) == masks.apply(form, value, TODAY)


@given(st.sampled_from(NUMBER_FORMS), NUMBERS)
@settings(max_examples=300, deadline=None)
def test_a_mask_does_the_same_to_numbers_in_sql(form: Form, value: float | None) -> None:
    assert masked_in_sql(form, value, Kind.NUMBER) == masks.apply(form, value, TODAY)


def masked_in_sql(form: Form, value: Any, kind: Kind) -> Any:
    database = MemoryDatabase.of("CREATE TABLE t (v)")
    database.connection.execute("INSERT INTO t VALUES (?)", [value])
    stored = column("v", Text) if kind is Kind.TEXT else SQLITE.number(column("v"))
    found = Statement.of(select(masked(form, stored, kind, SQLITE, TODAY)).select_from(table("t", column("v"))), SQLITE)
    [[shown_value]] = database.connection.execute(found.sql, found.bound).fetchall()
    return shown_value
