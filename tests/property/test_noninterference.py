"""Non-interference: two databases that look alike through the policy give byte-identical answers to any operation.

The pair is made by changing only what the requester may not see: values that are denied or that a mask makes equal,
attributes of rows that decide alike, and hidden rows, which may be others, more or none (policy R15, R16, R21, R22,
R24, R28).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from federation.contract.errors import CroceviaError
from node.data.answer import Answer
from node.policy import masks
from node.policy.bundle import Bundle
from node.policy.decide import RowDecision, Situation, decide
from node.policy.forms import Clear, DateShift, Form, Hash, Pseudonym, Token, Verify
from node.subgraph.schema import verified_coordinates
from tests.support.data import Member, MemoryDatabase, thing_member
from tests.support.policies import INPS, bundle_of, document, grant

pytestmark = pytest.mark.property

DAY: Final = date(2026, 5, 1)
PURPOSE: Final = "benefit-assessment"
CONSENT: Final = "service-notices"
POOL: Final[dict[str, list[Any]]] = {
    "name": [None, "", "Anna", "Annalisa", "Bruno", "Àèì"],
    "birth": [None, "1980", "1980-05", "1980-05-12", "1980-12-31", "1975-05-12", "12/05/1980"],
    "income": [None, -5, 0, 50, 99.99, 100, 150, 200, 12.25],
    "health": [None, "", "C03", "D50"],
    "code": [None, "A1", "A2", "B1"],
}
FIELDS: Final = tuple(POOL)
FORMS: Final[dict[str, list[object]]] = {
    "name": ["clear", {"partial": {"prefix": 2, "n": 6, "pad": "*"}}, "hash"],
    "birth": ["clear", "month", "year"],
    "income": ["clear", {"band": [0, 100, 200]}, {"top_code": 100}],
    "health": ["clear", {"redact": "riservato"}],
    "code": ["clear", "verify", "pseudonym"],
}
ATTRIBUTES: Final = {
    "flag": st.sampled_from([None, False, True]),
    "age": st.sampled_from([None, 17, 18, 40]),
    "place": st.sampled_from([None, "a", "b"]),
    "tags": st.sets(st.sampled_from(["x", "y"])).map(frozenset),
}
CONDITIONS: Final = (
    "row.flag == true",
    "row.flag == false || row.age < 18",
    "row.age >= 18",
    'row.place == "a"',
    '!(row.place == "b")',
    'row.place in row.tags || "x" in row.tags',
)
ROWS: Final = st.fixed_dictionaries(
    {
        **ATTRIBUTES,
        **{name: st.sampled_from(values) for name, values in POOL.items()},
        "consents": st.sampled_from([frozenset(), frozenset({CONSENT})]),
    }
)
Row = dict[str, Any]


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """Return a policy under which something can usually be seen, and something not."""
    grants = []
    for number in range(draw(st.integers(1, 3))):
        names = draw(st.sets(st.sampled_from(FIELDS), min_size=1, max_size=4))
        see = {name: draw(st.sampled_from(FORMS[name])) for name in sorted(names)}
        changes: dict[str, object] = {"basis9": ["9.2.g"]} if draw(st.booleans()) else {}
        if draw(st.integers(0, 2)) == 0:
            changes["rows"] = draw(st.sampled_from(CONDITIONS))
        if draw(st.integers(0, 3)) == 0:
            changes["consent"] = CONSENT
        grants.append(grant(f"g{number}", see, **changes))
    rules: list[dict[str, object]] = []
    for number in range(draw(st.integers(0, 2))):
        target: dict[str, object] = draw(st.sampled_from([{"hide": "row"}, *({"fields": [name]} for name in FIELDS)]))
        rules.append({"id": f"p{number}", **target, "rows": draw(st.sampled_from(CONDITIONS))})
    return bundle_of(document(grants, **({"prohibitions": rules} if rules else {})))


REQUESTER: Final = replace(INPS, basis=INPS.basis | {"9.2.g"})


def decided(bundle: Bundle, row: Row) -> RowDecision:
    attributes = {name: row[name] for name in ATTRIBUTES}
    return decide(bundle, "Thing", Situation(REQUESTER, PURPOSE, DAY, attributes, row["consents"]))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tables, row by row; None where the second has no such row. `more` rows are the second's own, and hidden."""

    bundle: Bundle
    first: list[Row]
    second: list[Row | None]
    more: list[Row]

    def members(self) -> tuple[Member, Member]:
        """Return a node on each of the two."""
        one = thing_member(self.bundle, DAY, self.first)
        rows = [mine if other is None else other for mine, other in zip(self.first, self.second, strict=True)]
        two = thing_member(self.bundle, DAY, [*rows, *self.more])
        for number, row in enumerate(self.second, start=1):
            if row is None:
                assert isinstance(two.plane.database, MemoryDatabase)
                two.plane.database.connection.execute("DELETE FROM things WHERE n = ?", [number])
        return one, two


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    bundle = draw(bundles())
    verified = verified_coordinates(bundle.types.values())
    first = draw(st.lists(ROWS, min_size=1, max_size=6))
    second: list[Row | None] = []
    for row in first:
        decision = decided(bundle, row)
        other = {**row, **_part(draw(ROWS))}
        if not decision.visible:
            second.append(draw(st.sampled_from([None, other])) if not decided(bundle, other).visible else None)
            continue
        if not _alike(decided(bundle, other), decision):
            other = row
        values = {name: draw(_values(decision, name, row[name], f"Thing.{name}" in verified)) for name in FIELDS}
        second.append({**other, **values})
    more = [row for row in draw(st.lists(ROWS, max_size=3)) if not decided(bundle, row).visible]
    return Pair(bundle, first, second, more)


def _part(row: Row) -> Row:
    """What decides, without what is shown."""
    return {name: value for name, value in row.items() if name not in FIELDS}


def _alike(one: RowDecision, other: RowDecision) -> bool:
    return one.visible == other.visible and all(one.fields[name].form == other.fields[name].form for name in FIELDS)


def _values(decision: RowDecision, name: str, value: Any, verified: bool) -> st.SearchStrategy[Any]:  # noqa: FBT001  # of one field
    """Return the values that the requester cannot tell from `value`."""
    form = decision.fields[name].form
    if form is None:
        return st.sampled_from(POOL[name])
    if verified or isinstance(form, (Clear, Verify, Pseudonym, Hash, Token, DateShift)):
        return st.just(value)
    return st.sampled_from([other for other in POOL[name] if _same(form, value, other)])


def _same(form: Form, one: Any, other: Any) -> bool:
    return repr(masks.apply(form, one, DAY)) == repr(masks.apply(form, other, DAY))


# --- operations ------------------------------------------------------------------------------------------------------

_KNOWN: Final = sorted({str(value) for values in POOL.values() for value in values if value is not None})
_ODD: Final = ["An****", "[0,100)", "[100,200)", "riservato", "1980-0", "A", "x'; DROP TABLE things --", "%", "_"]
_TEXTS: Final = st.sampled_from([*_KNOWN, *_ODD])
_OPERATORS: Final = st.sampled_from(["eq", "gt", "gte", "lt", "lte", "startsWith"])
_COMPARISONS: Final = st.one_of(
    st.tuples(_OPERATORS, _TEXTS).map(lambda pair: {pair[0]: pair[1]}),
    st.lists(_TEXTS, max_size=3).map(lambda found: {"in": found}),
    st.tuples(_TEXTS, _TEXTS).map(lambda pair: {"gte": pair[0], "lt": pair[1]}),
)


def wheres(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.tuples(st.sampled_from(names), _COMPARISONS).map(lambda pair: {pair[0]: pair[1]})

    def larger(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        several = st.lists(parts, min_size=1, max_size=2)
        return st.one_of(
            parts.map(lambda part: {"not": part}),
            several.map(lambda found: {"and": found}),
            several.map(lambda found: {"or": found}),
        )

    return st.recursive(leaves, larger, max_leaves=4)


@dataclass(frozen=True, slots=True)
class Operation:
    """A query with its variables; `pages` says that it is asked again from where it ended."""

    query: str
    variables: dict[str, Any]
    pages: bool


@st.composite
def operations(draw: st.DrawFn, bundle: Bundle) -> Operation:
    # Most operations name what may be seen: of the others all that is told is that they are denied.
    seen = sorted({name for one in bundle.types["Thing"].grants for name in one.see})
    names = list(FIELDS) if draw(st.integers(0, 4)) == 0 else seen
    selected = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4))
    parts = [f"a{number}: {name}" for number, name in enumerate(selected)]
    if "Thing.code" in verified_coordinates(bundle.types.values()):
        parts.append('codeMatches(value: "A1")')
    fields = " ".join(["__typename", "id", *parts, "...More"])
    more = f"fragment More on Thing {{ ... on Thing {{ {draw(st.sampled_from(FIELDS))} @include(if: $yes) }} _k_: id }}"
    if draw(st.booleans()):
        keys = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
        head = "query($r: [_Any!]!, $yes: Boolean!)"
        query = f"{head} {{ _entities(representations: $r) {{ ... on Thing {{ {fields} }} }} }}"
        given = [{"__typename": "Thing", "id": str(key)} for key in keys]
        return Operation(f"{query} {more}", {"r": given, "yes": draw(st.booleans())}, pages=False)
    order = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    query = f"""query($after: String, $where: ThingWhere, $order: [ThingOrderBy!], $yes: Boolean!) {{
      things(first: {draw(st.integers(0, 3))}, after: $after, where: $where, orderBy: $order) {{
        totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
        edges {{ cursor node {{ {fields} }} }}
      }} }} {more}"""
    variables = {
        "where": draw(st.none() | wheres(names)),
        "order": [{name: draw(st.sampled_from(["ASC", "DESC"]))} for name in order],
        "yes": draw(st.booleans()),
    }
    return Operation(query, variables, pages=True)


async def told(member: Member, operation: Operation) -> list[bytes]:
    """Return all that leaves the node, page after page, as bytes."""
    found: list[bytes] = []
    after: str | None = None
    for _ in range(8):
        variables = {**operation.variables, "after": after} if operation.pages else operation.variables
        try:
            answer = await member.ask(REQUESTER, PURPOSE, operation.query, variables)
        except CroceviaError as refused:
            return [*found, msgspec.json.encode(refused.graphql())]
        found.append(_bytes(answer))
        listed = answer.data.get("things")
        if listed is None or not listed["pageInfo"]["hasNextPage"] or listed["pageInfo"]["endCursor"] is None:
            return found
        after = listed["pageInfo"]["endCursor"]
    return found


def _bytes(answer: Answer) -> bytes:
    return msgspec.json.encode((answer.data, answer.errors, answer.decisions, sorted(answer.subjects)))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_databases_that_look_alike_answer_alike(data: st.DataObject) -> None:
    pair = data.draw(pairs())
    one, two = pair.members()
    for _ in range(4):
        operation = data.draw(operations(pair.bundle))
        answers = asyncio.run(told(one, operation)), asyncio.run(told(two, operation))
        event(f"pages: {min(len(answers[0]), 3)}, denied: {b'FIELD_DENIED' in answers[0][0]}")
        assert answers[0] == answers[1]
    event(f"databases differ: {pair.first != pair.second or bool(pair.more)}")
