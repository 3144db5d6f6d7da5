"""A policy pushed into SQL beside the same policy decided in Python: 20 000 rows of 12 fields, results compared.

    python tests/bench/policy/bench_pushdown.py [--rows 20000] [--json]

Both read the same table of a SQLite file. Pushed: one SELECT that holds row filter, decisions and masks. In Python: a
SELECT of everything, then the node's own closures and masks, row by row. CPU time of the process, median of turns.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from sqlalchemy import select

from node.data.cells import candidate_row, cell, shows
from node.data.dialects import SQLITE
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


def register(rows: int) -> sqlite3.Connection:
    """Return a table of synthetic citizens."""
    chance = random.Random("citizens")
    connection = sqlite3.connect(":memory:")
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    connection.execute(f"CREATE TABLE citizens (n INTEGER PRIMARY KEY, {columns}, residency, age, protected)")
    places = ",".join("?" * (len(FIELDS) + 4))
    for number in range(rows):
        values: dict[str, Any] = {name: f"{name} {number}" for name in FIELDS}
        values |= {
            "municipality": chance.choice(["F205", "M999", "H501"]),
            "birthDate": f"{chance.randint(1930, 2024)}-05-12",
            "isee": chance.choice([None, chance.randint(0, 60_000)]),
        }
        rest = (chance.choice(["resident", "abroad"]), chance.randint(0, 100), chance.choice([None, 0, 0, 0, 1]))
        connection.execute(f"INSERT INTO citizens VALUES ({places})", [number, *values.values(), *rest])
    return connection


def pushed(connection: sqlite3.Connection, plan: TypePlan) -> list[tuple[Any, ...]]:
    """Let the database decide."""
    statement = statement_of(plan)
    return connection.execute(statement.sql, statement.bound).fetchall()


def statement_of(plan: TypePlan) -> Statement:
    mapping = NodeMapping.parse(MAPPING.replace("FIELDS", ", ".join(f"{name}: {name}" for name in FIELDS)))
    row = Row.of(Reading(mapping, SQLITE, DAY, tables_of(mapping)), mapping.sources["Citizen"])
    table = row.tables
    cells = []
    for name in FIELDS:
        plan_of_field = plan.fields[name]
        if shows(plan_of_field):
            kind = Kind.NUMBER if name == "isee" else Kind.TEXT
            raw = SQLITE.number(table.c[name]) if name == "isee" else SQLITE.text(table.c[name])
            cells.append(cell(plan_of_field, raw, kind, row).value.label(name))
    return Statement.of(select(*cells).select_from(table).where(candidate_row(plan, row)), SQLITE)


def in_python(connection: sqlite3.Connection, plan: TypePlan) -> list[tuple[Any, ...]]:
    """Read everything and decide row by row."""
    decider = Decider(plan)
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    shown = [name for name in FIELDS if shows(plan.fields[name])]
    answers = []
    for row in connection.execute(f"SELECT {columns}, residency, age, protected FROM citizens"):
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


def median(run: Callable[[], object]) -> float:
    found = []
    for _ in range(TURNS):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return statistics.median(found)


def main() -> None:
    """Print one line per purpose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    connection = register(options.rows)
    found = {}
    for name, (requester, purpose) in ASKED.items():
        plan = compile_type(example(), "Citizen", requester, purpose, DAY)
        assert not any(grant.form.name in KEYED for field in plan.fields.values() for grant in field.grants)
        left, right = pushed(connection, plan), in_python(connection, plan)
        assert sorted(map(repr, left)) == sorted(map(repr, right)), f"{name}: SQL and Python differ"
        sql, python = median(lambda: pushed(connection, plan)), median(lambda: in_python(connection, plan))  # noqa: B023
        found[name] = {"rows": len(left), "sql_ms": sql * 1e3, "python_ms": python * 1e3, "ratio": python / sql}
    connection.close()
    if options.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(
            f"{name:10} {one['rows']:6} rows  SQL {one['sql_ms']:7.1f} ms  Python {one['python_ms']:7.1f} ms  "
            f"{one['ratio']:5.1f}x  identical"
        )


if __name__ == "__main__":
    main()
