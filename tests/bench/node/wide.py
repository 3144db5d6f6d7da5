"""A register of wide rows for the benchmark of 10 000 objects: a resident has about twenty fields, as registers have.

The policy is on: one mask, one row predicate, and a field that is denied, which nobody asks for here.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from node.policy.bundle import Bundle, load_bundle
from tests.bench.node.ours import CATEGORIES, document

_TEXTS: Final = {
    "givenName": "given_name",
    "familyName": "family_name",
    "sex": "sex",
    "birthPlace": "birth_place",
    "birthProvince": "birth_province",
    "citizenship": "citizenship",
    "maritalStatus": "marital_status",
    "street": "street",
    "number": "number",
    "postCode": "post_code",
    "town": "town",
    "province": "province",
    "phone": "phone",
    "email": "email",
    "household": "household",
    "language": "language",
}
SELECTED: Final = ("pid", "born", "since", "members", *_TEXTS.values())
"""The columns of `FIELDS`."""
COLUMNS: Final = ("pid", "tax_code", "born", "since", "members", "residency", *_TEXTS.values())
FIELDS: Final = ("id", "dateOfBirth", "since", "members", *_TEXTS)
"""Twenty: texts, two days and a number."""

VOCABULARY: Final = f"""
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) {{ query: Query }}
directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar federation__FieldSet
scalar link__Import
enum link__Purpose {{ SECURITY EXECUTION }}
scalar PartialDate
type Query {{ citizen(by: CitizenKey!): Citizen }}
input CitizenKey @oneOf {{ id: ID taxCode: String }}
type Citizen @key(fields: "id") {{
  id: ID taxCode: String dateOfBirth: PartialDate since: PartialDate members: Int
  {" ".join(f"{name}: String" for name in _TEXTS)}
}}
"""
MAPPING: Final = f"""
member: c_m999
database: {{url: "%s"}}
types:
  Citizen:
    table: resident
    key: pid
    subject: pid
    lookups: {{taxCode: tax_code}}
    attributes: {{residency: residency}}
    fields:
      {{taxCode: tax_code, dateOfBirth: {{column: born, date: iso}}, since: {{column: since, date: iso}},
       members: members, {", ".join(f"{name}: {column}" for name, column in _TEXTS.items())}}}
"""
_TABLE: Final = f"""
CREATE TABLE resident (pid text NOT NULL, tax_code text NOT NULL, born text NOT NULL, since text NOT NULL,
                       members integer NOT NULL, residency text,
                       {", ".join(f"{column} text NOT NULL" for column in _TEXTS.values())});
CREATE UNIQUE INDEX resident_pid ON resident (pid);
CREATE UNIQUE INDEX resident_tax_code ON resident (tax_code);
"""
_TOWNS: Final = ("Borgoverde", "Castelnuovo", "Montechiaro", "San Pietro in Valle", "Torre d'Isola")
_PROVINCES: Final = ("BO", "MI", "NA", "PA", "TO")


def bundle() -> Bundle:
    """Return the policy: a mask on the date of birth, a row predicate, a tax code that is denied."""
    see = dict.fromkeys(FIELDS, "clear") | {"dateOfBirth": "year"}
    resident = "rows: 'row.residency == \"resident\"', "
    policy = document("Citizen", "residency: str", see, resident, ("taxCode",))
    return load_bundle({"vocabulary.yaml": CATEGORIES.encode(), "types/Citizen.yaml": policy})


def resident(n: int) -> str:
    """Return a resident's key; every seventh row is of somebody who moved away."""
    return f"v1.siv.c_m999.{n:022}"


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows, in the order of `COLUMNS`."""
    for n in range(1, count + 1):
        day = f"{1 + n % 12:02}-{1 + n % 28:02}"
        yield (
            resident(n), f"TAX{n:013}", f"{1930 + n % 90}-{day}", f"{1990 + n % 30}-{day}", 1 + n % 6,
            "resident" if n % 7 else "emigrated",
            f"Given{n % 500}", f"Family {n}", "FM"[n % 2], _TOWNS[n % 5], _PROVINCES[n % 5], "ITA",
            ("single", "married", "divorced", "widowed")[n % 4], f"Via Roma {n % 300}", str(n % 120),
            f"{10000 + n % 9000}", _TOWNS[n % 3], _PROVINCES[n % 4], f"+39051{n:07}", f"resident.{n}@post.example",
            f"H{n // 3:09}", ("it", "de", "fr", "sl")[n % 4],
        )  # fmt: skip


def fill_sqlite(file: Path, count: int) -> None:
    """Create the register as a SQLite file."""
    with sqlite3.connect(file) as connection:
        connection.executescript(_TABLE)
        marks = ",".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT INTO resident ({','.join(COLUMNS)}) VALUES ({marks})", rows(count))
        connection.execute("ANALYZE")
    connection.close()


def fill_postgres(url: str, count: int) -> None:
    """Create the register in a PostgreSQL database."""
    asyncio.run(_fill_postgres(url, list(rows(count))))


async def _fill_postgres(url: str, made: Sequence[tuple[Any, ...]]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLE)
    await connection.copy_records_to_table("resident", records=made, columns=COLUMNS)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
