"""The benchmark's register: citizens with an address and three cases each, the same rows in SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg

CASES: Final = 3
_TABLES: Final = """
CREATE TABLE citizen (id integer PRIMARY KEY, pid text NOT NULL, given_name text NOT NULL, family_name text NOT NULL,
                      born text NOT NULL, sex text NOT NULL, tax_code text NOT NULL, residency text);
CREATE TABLE address (id integer PRIMARY KEY, citizen_id integer NOT NULL UNIQUE REFERENCES citizen,
                      street text NOT NULL, number text NOT NULL, post_code text NOT NULL, town text NOT NULL);
CREATE TABLE service_case (id integer PRIMARY KEY, citizen_id integer NOT NULL REFERENCES citizen,
                           title text NOT NULL, status text NOT NULL, opened text NOT NULL);
CREATE UNIQUE INDEX citizen_pid ON citizen (pid);
CREATE UNIQUE INDEX citizen_tax_code ON citizen (tax_code);
CREATE INDEX service_case_citizen ON service_case (citizen_id);
"""
_NAMES: Final = ("Anna", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Giulia", "Luca", "Marta", "Nicola")
_FAMILIES: Final = ("Bianchi", "Conti", "Esposito", "Ferrari", "Greco", "Leone", "Moretti", "Ricci", "Romano", "Villa")
_TITLES: Final = ("Registration of residence", "Nursery place", "Parking permit", "Building permit", "Waste fee")


def citizens(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield citizens; every seventh is not resident."""
    for n in range(1, count + 1):
        born = f"{1930 + n % 90}-{1 + n % 12:02}-{1 + n % 28:02}"
        family, given = _FAMILIES[n % 10], _NAMES[n // 10 % 10]
        residency = "resident" if n % 7 else "emigrated"
        yield n, f"v1.siv.c_m999.{n:022}", given, f"{family} {n}", born, "FM"[n % 2], f"TAX{n:013}", residency


def addresses(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield an address for every citizen."""
    for n in range(1, count + 1):
        yield n, n, f"Via {_FAMILIES[n % 10]} {n % 300}", str(n % 120), f"{10000 + n % 9000}", "Borgoverde"


def cases(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the cases of every citizen."""
    for n in range(1, count + 1):
        for each in range(CASES):
            status = "open" if (n + each) % 3 else "closed"
            yield n * CASES + each, n, f"{_TITLES[(n + each) % 5]} {n}", status, f"202{each}-0{1 + n % 9}-11"


def fill_sqlite(file: Path, count: int) -> None:
    """Create the register as a SQLite file."""
    with sqlite3.connect(file) as connection:
        connection.executescript(_TABLES)
        for table, rows in _all(count):
            marks = ",".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute("ANALYZE")


def fill_citizens_in_sqlite(file: Path, count: int) -> None:
    """Create a register of citizens alone as a SQLite file, without holding them in memory."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO citizen VALUES (?, ?, ?, ?, ?, ?, ?, ?)", citizens(count))


def fill_citizens_in_postgres(url: str, count: int) -> None:
    """The same in PostgreSQL, in the place of what is there."""
    asyncio.run(_fill_citizens(url, count))


async def _fill_citizens(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"DROP TABLE IF EXISTS service_case, address, citizen; {_TABLES}")
    await connection.copy_records_to_table("citizen", records=citizens(count))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def fill_postgres(url: str, count: int) -> None:
    """Create the register in an empty PostgreSQL database."""
    asyncio.run(_fill_postgres(url, count))


async def _fill_postgres(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLES)
    for table, rows in _all(count):
        await connection.copy_records_to_table(table, records=rows)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _all(count: int) -> Iterator[tuple[str, Sequence[tuple[Any, ...]]]]:
    yield "citizen", list(citizens(count))
    yield "address", list(addresses(count))
    yield "service_case", list(cases(count))
