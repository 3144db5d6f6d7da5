"""One meaning, four back-ends: every condition of a bundle, in every situation it can tell apart, nulls included.

What is proved must be what runs: the oracle (`conditions.evaluate`) and z3 prove, closures decide in the node's
process, SQL decides in its database. The situations come from the policy's own literals and their neighbours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from node.console.policy_proofs import Truths, available
from node.data.conditions import condition_sql
from node.data.dialects import SQLITE
from node.data.mapping import Mapping as NodeMapping
from node.data.rows import Reading, Row, tables_of
from node.data.statements import Statement
from node.policy.closures import Consents, compile_test
from node.policy.conditions import CONSENT, ROW, Condition, Consent, Value, ValueType, evaluate, to_text
from node.policy.documents import TypeDocument
from node.policy.matrix import conditions_of
from node.policy.residuals import residual
from node.policy.vocabulary import KIND, PURPOSE, TODAY
from node.policy.worlds import boundary_days, days_in, distinguishable_values, situation, size

if TYPE_CHECKING:
    from node.policy.bundle import Bundle

MOST_SITUATIONS: Final = 600
"""Of more situations of one condition, as many are taken at equal distances."""

MOST_SITUATIONS_Z3: Final = 100
"""Of those, as many for z3, which is slower."""

_CONSENTED: Final = "purpose"
_TODAY: Final = date(2026, 1, 1)
_Names = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A situation in which a back-end says something else than the oracle."""

    type_name: str
    condition: str
    backend: str
    situation: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What came of comparing the back-ends on one bundle."""

    conditions: int
    situations: int
    z3: bool
    disagreements: tuple[Disagreement, ...]


def compare_backends(bundle: Bundle) -> Agreement:
    """Compare closures, SQL on a database in memory and, if it is installed, z3 with the oracle."""
    conditions = tried = 0
    found: list[Disagreement] = []
    for name, document in sorted(bundle.types.items()):
        written = [one for one in dict.fromkeys(conditions_of(document)) if not _is_literal(one)]
        with closing(_Register(document)) as register:
            for condition in written:
                chosen = list(_situations(condition, bundle, document))
                conditions += 1
                tried += len(chosen)
                found.extend(
                    Disagreement(name, to_text(condition), backend, str(dict(case.names)))
                    for backend, case in _differing(condition, chosen, bundle, document, register)
                )
    return Agreement(conditions, tried, available(), tuple(found))


@dataclass(frozen=True, slots=True)
class _Case:
    """One situation: every name the condition reads, and whether consent was given, None for not known."""

    names: _Names
    consent: bool | None

    @property
    def row(self) -> dict[str, Value | None]:
        """The attributes of the row."""
        return {dotted.removeprefix(ROW): value for dotted, value in self.names.items() if dotted.startswith(ROW)}

    @property
    def known(self) -> dict[str, object]:
        """What is known before a row is read."""
        return {dotted: value for dotted, value in self.names.items() if not dotted.startswith(ROW)}

    @property
    def consents(self) -> Consents:
        """The purposes consented to."""
        return None if self.consent is None else frozenset({_CONSENTED} if self.consent else ())


def _is_literal(condition: Condition) -> bool:
    return not distinguishable_values((condition,), {KIND: [], PURPOSE: [], TODAY: []})


def _situations(condition: Condition, bundle: Bundle, document: TypeDocument) -> Iterator[_Case]:
    """Take situations at equal distances through all that the condition can tell apart."""
    days = boundary_days((*days_in((condition,)), *(grant.valid.last for grant in document.grants)))
    fixed: dict[str, Sequence[Value | None]] = {
        KIND: bundle.vocabulary.kinds,
        PURPOSE: tuple(bundle.vocabulary.purposes),
        TODAY: tuple(day.isoformat() for day in days),
    }
    values = distinguishable_values((condition,), fixed)
    step = size(values) // MOST_SITUATIONS + 1
    for number in range(0, size(values), step):
        yield _Case(situation(values, number), (True, False, None)[number // step % 3])


def _differing(
    condition: Condition, cases: list[_Case], bundle: Bundle, document: TypeDocument, register: _Register
) -> Iterator[tuple[str, _Case]]:
    """Yield the back-ends that say something else than the oracle, and where."""
    said = {id(case): evaluate(condition, {**case.names, CONSENT: case.consent}, case.consents) for case in cases}
    residuals: dict[Condition, list[_Case]] = {}
    for case in cases:
        residuals.setdefault(residual(condition, case.known, Consent(_CONSENTED)), []).append(case)
    answers: list[tuple[str, Iterable[tuple[_Case, bool | None]]]] = []
    for left, members in residuals.items():
        test = compile_test(left)
        answers.append(("closure", [(case, test(case.row, case.consents)) for case in members]))
        answers.append(("sql", list(register.ask(left, members))))
    if available():
        some = cases[:: len(cases) // MOST_SITUATIONS_Z3 + 1]
        truths = Truths(bundle, document, (value for case in some for value in case.names.values()))
        asked = truths.of(condition)
        answers.append(("z3", [(case, asked(case.names, case.consent)) for case in some]))
    for backend, found in answers:
        for case, answer in found:
            if answer is not said[id(case)]:
                yield backend, case


# --- SQL ---


class _Register:
    """A database in memory with the attributes of one type, each in a column of its own name."""

    def __init__(self, document: TypeDocument) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._sets = {name for name, type_ in document.attributes.items() if type_ is ValueType.SET_STR}
        self._connection.executescript(_tables(document, self._sets))
        self._mapping = NodeMapping.parse(_mapping(document, self._sets))
        self._source = self._mapping.sources[document.name]

    def close(self) -> None:
        self._connection.close()

    def ask(self, condition: Condition, cases: list[_Case]) -> Iterator[tuple[_Case, bool | None]]:
        """Ask in SQL. There a set and a consent are never unknown, only absent: such cases are left out."""
        askable = [
            case
            for case in cases
            if case.consent is not None and all(case.row.get(name, frozenset()) is not None for name in self._sets)
        ]
        self._connection.execute("DELETE FROM governed")
        for key, case in enumerate(askable):
            self._insert(key, case)
        reading = Reading(self._mapping, SQLITE, _TODAY, tables_of(self._mapping))
        row = Row.of(reading, self._source)
        statement = Statement.of(select(row.key(), condition_sql(condition, row)).select_from(row.tables), SQLITE)
        for key, found in self._connection.execute(statement.sql, statement.bound).fetchall():
            yield askable[int(key)], None if found is None else bool(found)

    def _insert(self, key: int, case: _Case) -> None:
        plain = {name: value for name, value in case.row.items() if name not in self._sets}
        columns = "".join(f', "a_{name}"' for name in plain)
        places = ", ?" * len(plain)
        execute, many = self._connection.execute, self._connection.executemany
        execute(f'INSERT INTO governed ("key"{columns}) VALUES (?{places})', [key, *plain.values()])  # noqa: S608  # names of the policy language
        for name in self._sets & case.row.keys():
            members = case.row[name]
            assert isinstance(members, frozenset)
            execute(f'DELETE FROM "set_{name}" WHERE owner = ?', [key])  # noqa: S608  # as above
            many(f'INSERT INTO "set_{name}" VALUES (?, ?)', [(key, member) for member in members])  # noqa: S608  # as above
        execute("DELETE FROM consents WHERE owner = ?", [key])
        if case.consent:
            execute("INSERT INTO consents VALUES (?, ?, NULL, '2020-01-01', NULL, NULL)", [key, _CONSENTED])


def _mapping(document: TypeDocument, sets: set[str]) -> str:
    kinds = {ValueType.BOOL: "bool", ValueType.INT: "int", ValueType.STR: "str"}
    attributes = [
        f"      {name}: {{set: value, table: set_{name}, join: {{key: owner}}}}"
        if name in sets
        else f"      {name}: {{column: a_{name}, type: {kinds[type_]}}}"
        for name, type_ in document.attributes.items()
    ]
    return f"""\
member: c_m999
database: {{url: "sqlite:///unused.db"}}
types:
  {document.name}:
    table: governed
    key: {{field: id, column: key, type: int}}
    subject: key
    fields: {{same: key}}
    attributes: {"" if attributes else "{}"}
{chr(10).join(attributes)}
consent:
  of: {document.name}
  table: consents
  join: {{key: owner}}
  purpose: purpose
  consumer: consumer
  given: given
  withdrawn: withdrawn
  expires: expires
roots: {{}}
"""


def _tables(document: TypeDocument, sets: set[str]) -> str:
    columns = "".join(f', "a_{name}"' for name in document.attributes if name not in sets)
    tables = [f'CREATE TABLE "set_{name}" (owner INTEGER, value TEXT);' for name in sets]
    return (
        f'CREATE TABLE governed ("key" INTEGER PRIMARY KEY{columns});'
        "CREATE TABLE consents (owner INTEGER, purpose TEXT, consumer TEXT, given TEXT, withdrawn TEXT, expires TEXT);"
    ) + "".join(tables)
