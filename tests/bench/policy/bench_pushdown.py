"""A policy pushed into SQL beside the same policy decided in Python: 20 000 rows of 12 fields, results compared.

    python tests/bench/policy/bench_pushdown.py [--rows 20000] [--json]

Both read the same table, in SQLite and in PostgreSQL. Pushed: one SELECT that holds row filter, decisions and masks. In
Python: a SELECT of everything, then the node's own closures and masks, row by row. Turn and turn about, medians: of the
process's CPU time with SQLite, which works in the process, and of wall-clock time with PostgreSQL, which does not.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import asyncpg
from sqlalchemy import select

from node.data.cells import candidate_row, cell, shows
from node.data.dialects import POSTGRESQL, SQLITE, Dialect
from node.data.mapping import Mapping as NodeMapping
from node.data.masks import Kind
from node.data.rows import Reading, Row, tables_of
from node.data.statements import Statement
from node.policy import masks
from node.policy.compile import compile_type
from node.policy.decide import Decider
from node.policy.forms import KEYED
from node.policy.plans import TypePlan
from node.policy.requesters import Requester
from tests.support.policies import INPS, example
from tests.support.postgres import Server, running_server

DAY: Final = date(2026, 5, 1)
TURNS: Final = 7
FIELDS: Final = tuple(example().types["Citizen"].fields)
ASKED: Final[dict[str, tuple[Requester, str]]] = {
    "benefits": (INPS, "benefit-assessment"),
    "school": (Requester("school", frozenset({"6.1.e"}), "F205"), "school-enrolment"),
    "emergency": (Requester("health", frozenset({"6.1.d", "9.2.c"}), "F205"), "emergency-care"),
}
MAPPING: Final = """
member: c_m999
database: {url: "sqlite:///unused.db"}
types:
  Citizen:
    table: citizens
    key: {field: key, column: n, type: int}
    subject: n
    attributes:
      residency: {column: residency}
      municipality: {column: municipality}
      age: {column: age, type: int}
      protectedPerson: {column: protected, type: bool}
    fields: {FIELDS}
roots: {}
"""


@dataclass(frozen=True, slots=True)
class Register:
    """A table of synthetic citizens in one of the databases: how it is read, and with which clock reading is timed."""

    name: str
    dialect: Dialect
    read: Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]
    clock: Callable[[], float]


def citizens(count: int) -> list[list[Any]]:
    """Return rows: a number, the fields, residency, age, whether she is protected."""
    chance = random.Random("citizens")
    rows = []
    for number in range(count):
        values: dict[str, Any] = {name: f"{name} {number}" for name in FIELDS}
        values |= {
            "municipality": chance.choice(["F205", "M999", "H501"]),
            "birthDate": f"{chance.randint(1930, 2024)}-05-12",
            "isee": chance.choice([None, chance.randint(0, 60_000)]),
        }
        rest = (
            chance.choice(["resident", "abroad"]),
            chance.randint(0, 100),
            chance.choice([None, False, False, True]),
        )
        rows.append([number, *values.values(), *rest])
    return rows


_KINDS: Final = {"n": "BIGINT", "isee": "BIGINT", "age": "BIGINT", "protected": "BOOLEAN"}
_COLUMNS: Final = ("n", *FIELDS, "residency", "age", "protected")
_EVERYTHING: Final = 'SELECT "' + '", "'.join(_COLUMNS[1:]) + '" FROM citizens'


def _table() -> str:
    written = (f'"{name}" {_KINDS.get(name, "TEXT")}' for name in _COLUMNS)
    return f"CREATE TABLE citizens ({', '.join(written)})"


def in_sqlite(rows: Sequence[Sequence[Any]]) -> Register:
    """Put the citizens into a SQLite database in memory."""
    connection = sqlite3.connect(":memory:")
    connection.execute(_table())
    connection.executemany(f"INSERT INTO citizens VALUES ({', '.join('?' * len(_COLUMNS))})", rows)  # question marks
    return Register("SQLite", SQLITE, lambda sql, values: connection.execute(sql, values).fetchall(), time.process_time)


def in_postgres(server: Server, rows: Sequence[Sequence[Any]]) -> Register:
    """Put the citizens into a PostgreSQL database."""
    found = server.database("pushdown")
    found.run(_table())
    found.fill("citizens", rows)
    found.run("ANALYZE citizens")
    connection = found.runner.run(asyncpg.connect(found.url))

    def read(sql: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        fetched: Sequence[Sequence[Any]] = found.runner.run(connection.fetch(sql, *values.values()))
        return fetched

    return Register("PostgreSQL", POSTGRESQL, read, time.perf_counter)


def statement_of(plan: TypePlan, dialect: Dialect) -> Statement:
    """Write the policy view of all citizens."""
    mapping = NodeMapping.parse(MAPPING.replace("FIELDS", ", ".join(f"{name}: {name}" for name in FIELDS)))
    row = Row.of(Reading(mapping, dialect, DAY, tables_of(mapping)), mapping.sources["Citizen"])
    table = row.tables
    cells = []
    for name in FIELDS:
        plan_of_field = plan.fields[name]
        if shows(plan_of_field):
            kind = Kind.NUMBER if name == "isee" else Kind.TEXT
            raw = dialect.number(table.c[name]) if name == "isee" else dialect.text(table.c[name])
            cells.append(cell(plan_of_field, raw, kind, row).value.label(name))
    return Statement.of(select(*cells).select_from(table).where(candidate_row(plan, row)), dialect)


def in_python(rows: Sequence[Sequence[Any]], plan: TypePlan) -> list[tuple[Any, ...]]:
    """Decide row by row."""
    decider = Decider(plan)
    shown = [name for name in FIELDS if shows(plan.fields[name])]
    answers = []
    for row in rows:
        values = dict(zip(FIELDS, row, strict=False))
        residency, age, protected = row[len(FIELDS) :]
        attributes = {
            "residency": residency,
            "municipality": values["municipality"],
            "age": age,
            "protectedPerson": None if protected is None else bool(protected),
        }
        decided = decider.decide(attributes)
        if decided.visible:
            forms = decided.fields
            answers.append(
                tuple(
                    None if (form := forms[name].form) is None else masks.apply(form, values[name], DAY)
                    for name in shown
                )
            )
    return answers


def compared(register: Register, plan: TypePlan) -> dict[str, Any]:
    """Measure both ways, turn and turn about."""
    statement = statement_of(plan, register.dialect)
    values = {name: statement.bound[name] for name in statement.order or statement.bound}
    times: tuple[list[float], list[float]] = ([], [])
    pushed: Sequence[Sequence[Any]] = ()
    decided: list[tuple[Any, ...]] = []
    for _ in range(TURNS):
        start = register.clock()
        pushed = register.read(statement.sql, values)
        middle = register.clock()
        decided = in_python(register.read(_EVERYTHING, {}), plan)
        times[0].append(middle - start)
        times[1].append(register.clock() - middle)
    assert sorted(repr(tuple(each)) for each in pushed) == sorted(map(repr, decided)), "SQL and Python differ"
    sql, python = (statistics.median(found) * 1e3 for found in times)
    return {"rows": len(decided), "sql_ms": sql, "python_ms": python, "ratio": python / sql}


def main() -> None:
    """Print one line per purpose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = citizens(options.rows)
    found = {}
    with TemporaryDirectory() as folder, running_server(Path(folder)) as server:
        for register in (in_sqlite(rows), in_postgres(server, rows)):
            for name, (requester, purpose) in ASKED.items():
                plan = compile_type(example(), "Citizen", requester, purpose, DAY)
                assert not any(grant.form.name in KEYED for field in plan.fields.values() for grant in field.grants)
                found[f"{register.name} {name}"] = compared(register, plan)
    if options.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(
            f"{name:22} {one['rows']:6} rows  SQL {one['sql_ms']:7.1f} ms  Python {one['python_ms']:7.1f} ms  "
            f"{one['ratio']:5.1f}x  identical"
        )


if __name__ == "__main__":
    main()
