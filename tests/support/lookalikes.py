"""Pairs of registers that look alike through a generated policy, and questions that might tell them apart.

`Shape` is what a node serves and how it reads its tables, `Pair` two contents of them, `Question` an operation. The
second content differs from the first in nothing but what the requester may not see: values that are denied, or that a
mask or the mapping makes equal; attributes that decide alike; and hidden rows, which may be others, more or none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeAlias

import yaml
from hypothesis import strategies as st

from node.policy import masks
from node.policy.bundle import Bundle
from node.policy.compile import compile_type
from node.policy.decide import RowDecision, Situation, decide
from node.policy.forms import KEYED, PREDICATES, AgeOver, Clear, Form, Verify
from node.subgraph.schema import asked_coordinates
from tests.support.data import THING_MAPPING
from tests.support.policies import FIELDS as GOVERNED
from tests.support.policies import INPS, bundle_of, document, grant

DAY: Final = date(2026, 5, 1)
PURPOSE: Final = "benefit-assessment"
REQUESTER: Final = replace(INPS, basis=INPS.basis | {"9.2.g"})
Row = dict[str, Any]

_CONSENT: Final = "service-notices"
_CROWD: Final = 1_000
_POOL: Final[dict[str, list[Any]]] = {
    "name": [None, "", "Anna", "Annalisa", "Bruno", "Àèì"],
    "birth": [
        *(None, "1980", "1980-05", "1980-05-12", "1980-12-31", "1975-05-12", "12/05/1980"),
        *("2008-05-01", "2008-05-02", "2008-05", "2008"),  # who is 18 on the day of the questions, or will be
    ],
    "income": [None, -5, 0, 50, 99.99, 100, 150, 200, 12.25],
    "health": [None, "", "C03", "C04", "D50"],
    "code": [None, "A1", "A2", "B1"],
}
FIELDS: Final = tuple(_POOL)
_ATTRIBUTES: Final = {
    "flag": st.sampled_from([None, False, True, True, True]),
    "age": st.sampled_from([None, 1, 2, 17, 18, 40]),
    "place": st.sampled_from([None, "a", "b"]),
    "tags": st.sets(st.sampled_from(["a", "x"])).map(frozenset),
}
_ROWS: Final = st.fixed_dictionaries(
    {
        **_ATTRIBUTES,
        **{name: st.sampled_from(values) for name, values in _POOL.items()},
        "consents": st.sampled_from([frozenset(), frozenset({_CONSENT})]),
    }
)


# --- what a node serves ----------------------------------------------------------------------------------------------

_CODES: Final = {"C03": "oncology", "C04": "oncology", "D50": "blood"}
_RELATIONS: Final[dict[str, dict[str, Any]]] = {
    "by age": {"to": "Thing", "join": {"n": "age"}},
    "through tags": {"to": "Thing", "through": {"table": "tags", "join": {"n": "thing"}, "then": {"tag": "place"}}},
}
_TIES: Final = {"": (), "by age": ("age",), "through tags": ("tags", "place")}
"""The columns that make a relation: they show where the rows that they tie are shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a node serves of its tables; with `translated`, some columns are read through expressions."""

    fields: tuple[str, ...]
    relation: str
    order: tuple[str, ...]
    translated: bool

    @property
    def measures(self) -> tuple[str, ...]:
        """The fields whose extremes may be asked for."""
        return tuple(name for name in ("name", "birth", "income") if name in self.fields)

    def mapping(self) -> str:
        """Return the node's mapping."""
        found = yaml.safe_load(THING_MAPPING)
        thing, root = found["types"]["Thing"], found["roots"]["things"]
        thing["fields"] = {name: self._expression(name) for name in self.fields}
        order = {"order": list(self.order)} if self.order else {}
        thing["relations"] = {"parts": _RELATIONS[self.relation] | order} if self.relation else {}
        below = [f"parts.{name}" for name in self.fields] if self.relation else []
        root |= {"filter": [*self.fields, *below], "order": [*self.fields], "groups": [*self.fields]}
        root["measures"] = list(self.measures)
        return yaml.safe_dump(found)

    def _expression(self, name: str) -> Any:
        match name:
            case "birth" if self.translated:
                return {"column": "birth", "date": "iso"}
            case "health" if self.translated:
                return {"column": "health", "codes": _CODES}
            case _:
                return name

    def read(self, name: str, value: Any) -> Any:
        """Return what the mapping makes of a column's value."""
        match name:
            case "birth" if self.translated:
                return value if value and value[4:5] in ("", "-") else None
            case "health" if self.translated:
                return _CODES.get(value)
            case _:
                return value


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    names = draw(st.sets(st.sampled_from(FIELDS), min_size=3).map(sorted))
    order = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    signs = st.sampled_from(["", "-"])
    return Shape(
        tuple(names),
        draw(st.sampled_from(["", *_RELATIONS])),
        tuple(draw(signs) + name for name in order),
        draw(st.booleans()),
    )


# --- what a requester may see ----------------------------------------------------------------------------------------

_MASKS: Final[dict[str, list[list[object]]]] = {
    "id": [["pseudonym"]],
    "name": [[{"partial": {"prefix": 2, "n": 6, "pad": "*"}}], ["hash"], ["email"]],
    "birth": [["month", "year"], ["age_band"], [{"age_over": [18, 46]}, {"age_over": [18]}]],
    "income": [[{"band": [0, 100, 200]}, {"band": [100]}], [{"top_code": 100}], [{"round": 50}]],
    "health": [[{"redact": "riservato"}]],
    "code": [["verify"], ["pseudonym"], [{"token": {"scope": "letters"}}]],
    "parts": [[]],
}
"""Besides `clear`, by field; forms of one list are comparable, as those of one bundle must be (policy R10)."""
_SEEN: Final = {name: several[:1] for name, several in _MASKS.items() if name not in ("id", "code", "parts")}
_CONDITIONS: Final = (
    "row.flag == true",
    "row.flag == false || row.age < 18",
    "row.age >= 18",
    'row.place == "a"',
    '!(row.place == "b")',
    'row.place in row.tags || "x" in row.tags',
)


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """Return a policy under which something can usually be seen, and something not."""
    forms = {name: ["clear", *draw(st.sampled_from(several))] for name, several in _MASKS.items()}
    grants = [_grant(draw, number, forms) for number in range(draw(st.integers(1, 3)))]
    rules: list[dict[str, object]] = []
    for number in range(draw(st.integers(0, 2))):
        target: dict[str, object] = draw(st.sampled_from([{"hide": "row"}, *({"fields": [name]} for name in _MASKS)]))
        rules.append({"id": f"p{number}", **target, "rows": draw(st.sampled_from(_CONDITIONS))})
    return bundle_of(policy(grants, rules))


@st.composite
def masking_bundles(draw: st.DrawFn, *, crowd: bool = False) -> Bundle:
    """Return a policy of one grant that shows some rows, masked, and allows counts: where a leak shows soonest.

    With `crowd` it shows only those that look alike.
    """
    see = {
        name: draw(st.sampled_from([form for forms in several for form in forms])) for name, several in _SEEN.items()
    }
    counts: dict[str, object] = {"min_cell": 1, "over": sorted(FIELDS)}
    if crowd:
        counts["generalise_k"] = {"k": 2, "quasi_identifiers": draw(st.sampled_from([["birth"], ["income"]]))}
    return bundle_of(policy([grant("g", see, rows="row.flag == true", basis9=["9.2.g"], aggregates=counts)], []))


def policy(grants: list[dict[str, object]], prohibitions: list[dict[str, object]]) -> dict[str, object]:
    """Return the document of the type, with its key and its relation governed, too."""
    fields = {**GOVERNED, "id": {"category": "identifier"}, "parts": {"category": "family"}}
    return document(grants, fields=fields, **({"prohibitions": prohibitions} if prohibitions else {}))


def _grant(draw: st.DrawFn, number: int, forms: Mapping[str, list[object]]) -> dict[str, object]:
    names = draw(st.sets(st.sampled_from(sorted(forms)), min_size=1, max_size=5))
    see = {name: draw(st.sampled_from(forms[name])) for name in sorted(names)}
    changes: dict[str, object] = {"basis9": ["9.2.g"]} if draw(st.booleans()) else {}
    if draw(st.integers(0, 2)) == 0:
        changes["rows"] = draw(st.sampled_from(_CONDITIONS))
    if draw(st.integers(0, 4)) == 0:
        changes["consent"] = _CONSENT
    if draw(st.integers(0, 2)):
        over = draw(st.sets(st.sampled_from(FIELDS), min_size=3).map(sorted))
        noise = {"noise": {"epsilon": 0.5}} if draw(st.integers(0, 4)) == 0 else {}
        crowd = _crowd(draw, [name for name in see if name in FIELDS])
        changes["aggregates"] = {"min_cell": draw(st.integers(1, 2)), "over": over, **noise, **crowd}
    return grant(f"g{number}", see, **changes)


def _crowd(draw: st.DrawFn, names: list[str]) -> dict[str, object]:
    """Return what some grants demand: that few persons look alike is told of nobody."""
    if not names or draw(st.integers(0, 2)):
        return {}
    over = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    return {"generalise_k": {"k": draw(st.integers(2, 3)), "quasi_identifiers": over}}


# --- two registers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two registers, their rows by number, that a requester cannot tell apart."""

    shape: Shape
    bundle: Bundle
    first: Mapping[int, Row]
    second: Mapping[int, Row]


@st.composite
def pairs(draw: st.DrawFn, policies: st.SearchStrategy[Bundle]) -> Pair:
    shape, bundle = draw(shapes()), draw(policies)
    few = draw(st.lists(_ROWS, min_size=1, max_size=3))
    # Crowds come from rows that are there several times.
    rows = draw(st.lists(_ROWS, min_size=3, max_size=7) | st.lists(st.sampled_from(few), min_size=3, max_size=7))
    first = dict(enumerate(rows, start=1))
    decisions = _decisions(shape, bundle, first)
    changed = {number: _lookalike(draw, shape, bundle, row, decisions[number]) for number, row in first.items()}
    more = draw(st.lists(_ROWS | st.sampled_from(rows), max_size=3))
    second = {number: row for number, row in changed.items() if row is not None}
    second |= dict(enumerate(more, start=len(first) + 1))
    return Pair(shape, bundle, first, _with_the_same_visible(shape, bundle, first, second))


def _with_the_same_visible(
    shape: Shape, bundle: Bundle, first: Mapping[int, Row], second: Mapping[int, Row]
) -> Mapping[int, Row]:
    """Leave out of a register what the other does not show; if that takes away what it does show, return the other."""
    shown = {number for number, found in _decisions(shape, bundle, first).items() if found.visible}
    while True:
        seen = {number for number, found in _decisions(shape, bundle, second).items() if found.visible}
        if not seen - shown:
            return second if seen == shown else first
        second = {number: row for number, row in second.items() if number in shown or number not in seen}


def _decisions(shape: Shape, bundle: Bundle, rows: Mapping[int, Row]) -> dict[int, RowDecision]:
    """Decide the rows of a register, each as one of those that look like it."""
    looks = {number: _look(shape, bundle, row) for number, row in rows.items()}
    crowds = Counter(looks.values())
    return {number: _decided(bundle, row, crowds[looks[number]]) for number, row in rows.items()}


def _look(shape: Shape, bundle: Bundle, row: Row) -> tuple[str, ...] | None:
    """Return how a row looks in the quasi-identifiers of its policy; None for one that would be hidden in any crowd."""
    decision = _decided(bundle, row, _CROWD)
    plan = compile_type(bundle, "Thing", REQUESTER, PURPOSE, DAY)
    over = () if plan.alike is None else plan.alike.over
    forms = {name: decision.fields[name].form for name in over if name in shape.fields}
    return tuple(_as_seen(shape, form, name, row[name]) for name, form in forms.items()) if decision.visible else None


def _as_seen(shape: Shape, form: Form | None, name: str, value: Any) -> str:
    if form is None or form.name in PREDICATES:
        return "nothing"
    if form.name in KEYED:
        return repr((str(form), shape.read(name, value)))
    shown = _shown(shape, form, name, value)
    return "nothing" if shown is None else repr(shown)  # a missing value looks as a denied one does


def _decided(bundle: Bundle, row: Row, alike: int = _CROWD) -> RowDecision:
    attributes = {name: row[name] for name in _ATTRIBUTES} | {"alike": alike}
    return decide(bundle, "Thing", Situation(REQUESTER, PURPOSE, DAY, attributes, row["consents"]))


def _lookalike(draw: st.DrawFn, shape: Shape, bundle: Bundle, row: Row, decision: RowDecision) -> Row | None:
    """Return a row that the requester cannot tell from another; None, or any other, for a hidden one."""
    other = draw(_ROWS)
    if not decision.visible:
        return draw(st.sampled_from([None, row, other]))
    decides = {name: other[name] for name in (*_ATTRIBUTES, "consents")} | {
        name: row[name] for name in _TIES[shape.relation]
    }
    other = {**row, **decides}
    if not _alike(_decided(bundle, other), decision):
        other = row
    asked = asked_coordinates(bundle.types.values())
    values = {name: draw(_values(shape, decision, name, row[name], asked)) for name in FIELDS}
    return {**other, **values}


def _alike(one: RowDecision, other: RowDecision) -> bool:
    return one.visible == other.visible and all(one.fields[name].form == other.fields[name].form for name in _MASKS)


def _values(
    shape: Shape, decision: RowDecision, name: str, value: Any, asked: frozenset[str]
) -> st.SearchStrategy[Any]:
    """Return the values of a field that the requester cannot tell from `value`."""
    form = decision.fields[name].form
    if form is None or name not in shape.fields:
        return st.sampled_from(_POOL[name])
    if f"Thing.{name}Matches" in asked or isinstance(form, (Clear, Verify)) or form.name in KEYED:
        # Each of its values is shown, or told by its own pseudonym.
        return st.sampled_from(
            [each for each in _POOL[name] if _equal(shape.read(name, each), shape.read(name, value))]
        )
    shown = _shown(shape, form, name, value)
    return st.sampled_from([each for each in _POOL[name] if _equal(_shown(shape, form, name, each), shown)])


def _shown(shape: Shape, form: Form, name: str, value: Any) -> Any:
    if isinstance(form, AgeOver):
        return [masks.reached(shape.read(name, value), years, DAY) for years in form.thresholds]
    return masks.apply(form, shape.read(name, value), DAY)


def _equal(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


# --- questions -------------------------------------------------------------------------------------------------------

_KNOWN: Final = sorted({str(value) for values in _POOL.values() for value in values if value is not None})
_ODD: Final = [
    "An****",
    "[0,100)",
    "[100,200)",
    "riservato",
    "1980-0",
    "A",
    "oncology",
    "x'; DROP TABLE things --",
    "%",
]
_TEXTS: Final = st.sampled_from([*_KNOWN, *_ODD])
_OPERATORS: Final = st.sampled_from(["eq", "gt", "gte", "lt", "lte", "startsWith"])
_COMPARISONS: Final = st.one_of(
    st.tuples(_OPERATORS, _TEXTS).map(lambda pair: {pair[0]: pair[1]}),
    st.lists(_TEXTS, max_size=3).map(lambda found: {"in": found}),
    st.tuples(_TEXTS, _TEXTS).map(lambda pair: {"gte": pair[0], "lt": pair[1]}),
)
_LIST: Final = """query($after: String, $where: ThingWhere, $order: [ThingOrderBy!], $yes: Boolean!) {
  things(first: %d, after: $after, where: $where, orderBy: $order) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { %s } }
    %s
  } } %s"""
_ENTITIES: Final = """query($r: [_Any!]!, $yes: Boolean!) {
  _entities(representations: $r) { ... on Thing { %s } } } %s"""


@dataclass(frozen=True, slots=True)
class Question:
    """A query with its variables; `pages` says that it is asked again from where it ended."""

    query: str
    variables: dict[str, Any]
    pages: bool


Asked: TypeAlias = tuple[Pair, list[Question]]


@st.composite
def questions(draw: st.DrawFn, pair: Pair) -> Question:
    shape, plan = pair.shape, pair.bundle.types["Thing"]
    # Most questions name what may be seen: of the others all that is told is that they are denied.
    seen = {name for one in plan.grants for name in one.see}
    names = [name for name in shape.fields if name in seen]
    if not names or draw(st.integers(0, 4)) == 0:
        names = list(shape.fields)
    asked = asked_coordinates(pair.bundle.types.values())
    selected = _selected(draw, shape, [name for name in _GUESSES if name in asked])
    more = f"fragment More on Thing {{ ... on Thing {{ {draw(st.sampled_from(shape.fields))} @include(if: $yes) }} }}"
    if draw(st.integers(0, 3)) == 0:
        keys = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
        given = [{"__typename": "Thing", "id": str(key)} for key in keys]
        return Question(_ENTITIES % (selected, more), {"r": given, "yes": draw(st.booleans())}, pages=False)
    order = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    allowed = [one.aggregates.over for one in plan.grants if one.aggregates]
    counted = [name for name in names if allowed and all(name in over for over in allowed)]
    groups = groups_of(draw, shape, counted or names) if draw(st.integers(0, 2)) else ""
    filters = wheres(counted if groups and counted else names, relation=bool(shape.relation and "parts" in seen))
    variables = {
        "where": draw(st.none() | filters),
        "order": [{name: draw(st.sampled_from(["ASC", "DESC"]))} for name in order],
        "yes": draw(st.booleans()),
    }
    return Question(_LIST % (draw(st.sampled_from([0, 1, 3, 5])), selected, groups, more), variables, pages=True)


@st.composite
def asked_pairs(draw: st.DrawFn, policies: st.SearchStrategy[Bundle]) -> Asked:
    """Return a pair of registers and four questions that might tell them apart."""
    pair = draw(pairs(policies))
    return pair, draw(st.lists(questions(pair), min_size=4, max_size=4))


_GUESSES: Final = {"Thing.codeMatches": ['value: "A1"'], "Thing.birthReached": ["years: 18", "years: 46", "years: 21"]}
"""Questions about values that are not shown, by the field that answers them; nobody is granted the last age."""


def _selected(draw: st.DrawFn, shape: Shape, asked: list[str]) -> str:
    several = st.lists(st.sampled_from(shape.fields), min_size=1, max_size=4)
    parts = [f"a{number}: {name}" for number, name in enumerate(draw(several))]
    for coordinate in asked:
        name = coordinate.removeprefix("Thing.")
        if name.removesuffix("Matches").removesuffix("Reached") in shape.fields:
            parts.append(f"{name}({draw(st.sampled_from(_GUESSES[coordinate]))})")
    if shape.relation:
        below = " ".join(dict.fromkeys(draw(several)))
        parts.append(f"parts(first: {draw(st.integers(0, 3))}) {{ {below} ... on Thing {{ id }} _k_: id }}")
    return " ".join(["__typename", "id", *parts, "...More", "_k_: id"])


def groups_of(draw: st.DrawFn, shape: Shape, names: list[str], unmeasured: str = "") -> str:
    """Return a selection of groups by some of the names, with extremes and means of fields other than `unmeasured`."""
    by = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    measures = [name for name in shape.measures if name != unmeasured]
    parts = ["n: count", *by, "... on ThingGroup { count }"]
    if draw(st.booleans()) and measures:
        word, name = draw(st.sampled_from(["min", "max"])), draw(st.sampled_from(measures))
        parts.append(f"m: {word} {{ {name} __typename }}")
    if "income" in measures and draw(st.booleans()):
        parts.append("avg { income }")
    return f"groups(by: [{' '.join(by)}]) {{ {' '.join(parts)} }}"


def wheres(names: list[str], *, relation: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Return filters that compare some of the names, here or in the rows that a relation leads to."""
    leaves = st.tuples(st.sampled_from(names), _COMPARISONS).map(lambda pair: {pair[0]: pair[1]})

    def larger(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        several = st.lists(parts, min_size=1, max_size=2)
        branches = [
            parts.map(lambda part: {"not": part}),
            several.map(lambda found: {"and": found}),
            several.map(lambda found: {"or": found}),
        ]
        return st.one_of(*branches, *([parts.map(lambda part: {"parts": part})] if relation else []))

    return st.recursive(leaves, larger, max_leaves=4)


# --- two registers that only small groups tell apart -----------------------------------------------------------------


@st.composite
def pairs_in_small_groups(draw: st.DrawFn) -> Asked:
    """Return registers that differ in which small group of one field rows are of, and questions for other groups.

    Every row keeps its other values, and every small group stays small: no sum over them changes, so whatever is told
    of the others says nothing. What differs where a filter or a measure names that field is asked by nobody here: that
    several tables tell more than each is for the audit of overlapping questions (policy R26).
    """
    field, *others = draw(st.permutations(["name", "health", "code"]))
    least = draw(st.integers(3, 5))
    large, *small = draw(st.permutations([value for value in _POOL[field] if value]))[:3]
    sizes = [draw(st.integers(least, least + 2)), *(draw(st.integers(1, least - 1)) for _ in small)]
    rows = [
        {**draw(_ROWS), "flag": True, field: value}
        for value, size in zip([large, *small], sizes, strict=True)
        for _ in range(size)
    ]
    first = dict(enumerate(rows, start=1))
    moved = _moved(draw, {number: row[field] for number, row in first.items() if row[field] != large}, small, least)
    second = {number: {**row, field: moved.get(number, row[field])} for number, row in first.items()}
    hidden = [{**row, "flag": False} for row in draw(st.lists(_ROWS, max_size=2))]
    counts = {"min_cell": least, "over": sorted([field, *others])}
    seeing = grant("g", dict.fromkeys(FIELDS, "clear"), rows="row.flag == true", basis9=["9.2.g"], aggregates=counts)
    shape = Shape(FIELDS, "", (), translated=False)
    pair = Pair(shape, bundle_of(policy([seeing], [])), first, second | dict(enumerate(hidden, start=len(first) + 1)))
    return pair, [_counting(draw, shape, field, others) for _ in range(3)]


def _moved(draw: st.DrawFn, held: Mapping[int, Any], small: list[Any], least: int) -> Mapping[int, Any]:
    """Return other small groups for the rows of small groups; their own if one would be small no more."""
    moved = {number: draw(st.sampled_from(small)) for number in held}
    return moved if all([*moved.values()].count(value) < least for value in small) else held


def _counting(draw: st.DrawFn, shape: Shape, field: str, others: list[str]) -> Question:
    groups = groups_of(draw, shape, [field, *others], unmeasured=field)
    query = f"query($where: ThingWhere) {{ things(first: 1, where: $where) {{ totalCount {groups} }} }}"
    return Question(query, {"where": draw(st.none() | wheres(others))}, pages=False)
