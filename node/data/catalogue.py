"""What a database says about itself: tables, columns, indexes, foreign keys, comments, and this role's rights."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from node.data.database import Database
from node.data.dialects import POSTGRESQL
from node.data.statements import Statement


class Family(StrEnum):
    """Types that can be compared with each other."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "Boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    JSON = "JSON"
    ENUMERATION = "enumeration"
    OTHER = "other"


MOMENT_OF_ANY_ZONE: Final = "timestamp with time zone"
"""What PostgreSQL calls `timestamptz`."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column; `type` is as the database writes it."""

    name: str
    type: str
    family: Family
    nullable: bool
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """The columns of an index, in order; a partial one or one on expressions is not among them."""

    columns: tuple[str, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns here that hold a key of another table."""

    columns: tuple[str, ...]
    table: str
    there: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table or view; `writable` says that this role could change it, `is_part` that its rows are another's too."""

    name: str
    is_view: bool
    columns: Mapping[str, ColumnFacts]
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    writable: bool
    comment: str = ""
    is_part: bool = False

    def is_unique(self, columns: Sequence[str]) -> bool:
        """Say whether an index keeps these columns unique, all together or some of them."""
        return any(index.unique and set(index.columns) <= set(columns) for index in self.indexes)

    def is_indexed(self, columns: Sequence[str]) -> bool:
        """Say whether an index begins with these columns, in any order."""
        return any(set(index.columns[: len(columns)]) == set(columns) for index in self.indexes)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the first unique index, the primary key if there is one; empty without any."""
        return next((index.columns for index in self.indexes if index.unique), ())


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every table that the role may see. Names compare as the database compares them."""

    tables: Mapping[str, TableFacts]
    folds_case: bool

    def table(self, name: str) -> TableFacts | None:
        """Return a table by name."""
        return self.tables.get(self.folded(name))

    def column(self, table: TableFacts, name: str) -> ColumnFacts | None:
        """Return a column of a table by name."""
        return table.columns.get(self.folded(name))

    def wholes(self) -> tuple[TableFacts, ...]:
        """Return the tables that are no partition of another and inherit from none."""
        return tuple(facts for facts in self.tables.values() if not facts.is_part)

    def folded(self, name: str) -> str:
        """Return a name as the catalogue keys it: SQLite does not tell case, PostgreSQL does where it is quoted."""
        return name.lower() if self.folds_case else name


async def read_catalogue(database: Database, schema: str | None = None) -> Catalogue:
    """Read what a database says about itself.

    Args:
        database: the member's.
        schema: PostgreSQL's schema; the search path's tables if there is none.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    if database.dialect is POSTGRESQL:
        return await _postgres(database, schema)
    return await _sqlite(database)


async def schemas_of(database: Database) -> tuple[str, ...]:
    """Return the schemas that hold tables this role may read, the fullest first; SQLite has none.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    if database.dialect is not POSTGRESQL:
        return ()
    return tuple(row[0] for row in await database.rows(Statement(_POSTGRES_SCHEMAS, {}, ()), {}))


def family_of(declared: str) -> Family:
    """Return the family of a declared type, of either database."""
    written = declared.lower()
    if re.fullmatch(r"(numeric|decimal|number)\(\d+(, *0)?\)", written):
        return Family.INTEGER  # without places after the point, as the keys of many registers are
    name = " ".join(re.sub(r"\(.*?\)|unsigned", " ", written).split())
    for family, pattern in _FAMILIES:
        if re.fullmatch(pattern, name):
            return family
    return Family.OTHER


_FAMILIES: Final[tuple[tuple[Family, str], ...]] = (
    (Family.ENUMERATION, r"enum .*"),
    (Family.BOOLEAN, r"bool(ean)?"),
    (Family.TIMESTAMP, r"timestamp.*|(small)?datetime2?"),
    (Family.DATE, r"date"),
    (Family.JSON, r"jsonb?"),
    (Family.INTEGER, r"(tiny|small|medium|big|unsigned big )?int(eger)?[248]?|.*serial|year"),
    (Family.NUMBER, r"numeric|decimal|number|real|float[48]?|double.*|money"),
    (Family.TEXT, r".*(char|varchar2|character|text|clob|character varying)|name|string"),
)


# --- SQLite -----------------------------------------------------------------------------------------------------------

_SQLITE_COLUMNS: Final = """
SELECT m.name, m.type, p.name, p.type, p."notnull" OR p.pk > 0, p.pk
FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, p.cid"""
_SQLITE_INDEXES: Final = """
SELECT m.name, i.name, i."unique", x.name
FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS i JOIN pragma_index_info(i.name) AS x
WHERE m.type = 'table' AND NOT i.partial ORDER BY m.name, i.seq, x.seqno"""
_SQLITE_FOREIGN_KEYS: Final = """
SELECT m.name, f.id, f."table", f."from", coalesce(f."to", p.name, '')
FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f
LEFT JOIN pragma_table_info(f."table") AS p ON f."to" IS NULL AND p.pk = f.seq + 1
WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq"""
"""A key that names no columns refers to the other table's primary key, column by column."""


async def _sqlite(database: Database) -> Catalogue:
    columns = await _ask(database, _SQLITE_COLUMNS)
    indexes = _gathered((row[0], row[1], bool(row[2]), row[3]) for row in await _ask(database, _SQLITE_INDEXES))
    foreign = _joined_keys(await _ask(database, _SQLITE_FOREIGN_KEYS))
    keys: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    kinds: dict[str, str] = {}
    found: defaultdict[str, dict[str, ColumnFacts]] = defaultdict(dict)
    for table, kind, name, declared, required, position in columns:
        kinds[table] = kind
        found[table][name.lower()] = ColumnFacts(name, declared, family_of(declared), not required)
        if position:
            keys[table].append((position, name))
    return Catalogue(
        {
            table.lower(): TableFacts(
                name=table,
                is_view=kinds[table] == "view",
                columns=of_table,
                indexes=(*_primary(keys[table]), *indexes.get(table, ())),
                foreign_keys=foreign.get(table, ()),
                writable=False,  # the file is opened read only, whoever owns it
            )
            for table, of_table in found.items()
        },
        folds_case=True,
    )


def _primary(key: list[tuple[int, str]]) -> tuple[Index, ...]:
    return (Index(tuple(name for _, name in sorted(key)), unique=True),) if key else ()


# --- PostgreSQL -------------------------------------------------------------------------------------------------------

_READABLE: Final = """
 c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 AND has_any_column_privilege(c.oid, 'SELECT')"""
"""A role may have the right to some columns and not to the table, as the one of `crocevia node roles` has."""
_VISIBLE: Final = f"""{_READABLE}
 AND CASE WHEN $1::text IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = $1 END"""
_BENEATH_DOMAINS: Final = """
WITH RECURSIVE beneath (type, modifier) AS (
  SELECT a.atttypid, a.atttypmod UNION ALL
  SELECT t.typbasetype, t.typtypmod FROM beneath b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
SELECT CASE t.typtype WHEN 'e' THEN 'enum ' ELSE '' END || format_type(b.type, b.modifier)
FROM beneath b JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd'"""
"""A column's type; of a domain, what it is a domain of. An enumeration says that it is one."""
_POSTGRES_SCHEMAS: Final = f"""
SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_READABLE} AND n.nspname !~ '^pg_' GROUP BY n.nspname ORDER BY count(*) DESC, n.nspname"""  # noqa: S608  # a constant
_POSTGRES_COLUMNS: Final = f"""
SELECT c.relname, c.relkind IN ('v', 'm'), a.attname, ({_BENEATH_DOMAINS}), NOT a.attnotnull,
       coalesce(col_description(c.oid, a.attnum), ''), coalesce(obj_description(c.oid, 'pg_class'), ''),
       has_table_privilege(c.oid, 'DELETE, TRUNCATE') OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'),
       EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE {_VISIBLE} AND has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY c.relname, a.attnum"""  # noqa: S608  # constants only; the schema is a parameter
_POSTGRES_INDEXES: Final = f"""
SELECT c.relname, i.indexrelid::text, i.indisunique, a.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indrelid = c.oid
CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(number, at)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE {_VISIBLE} AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid
ORDER BY c.relname, i.indisprimary DESC, i.indexrelid, k.at"""  # noqa: S608  # as above
_POSTGRES_FOREIGN_KEYS: Final = f"""
SELECT c.relname, f.oid::text, other.relname, here.attname, there.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_constraint f ON f.conrelid = c.oid
JOIN pg_class other ON other.oid = f.confrelid
CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k(here, there, at)
JOIN pg_attribute here ON here.attrelid = c.oid AND here.attnum = k.here
JOIN pg_attribute there ON there.attrelid = other.oid AND there.attnum = k.there
WHERE {_VISIBLE} AND f.contype = 'f' ORDER BY c.relname, f.oid, k.at"""  # noqa: S608  # as above


async def _postgres(database: Database, schema: str | None) -> Catalogue:
    columns = await _ask(database, _POSTGRES_COLUMNS, schema)
    indexes = _gathered(await _ask(database, _POSTGRES_INDEXES, schema))
    foreign = _joined_keys(await _ask(database, _POSTGRES_FOREIGN_KEYS, schema))
    found: defaultdict[str, dict[str, ColumnFacts]] = defaultdict(dict)
    facts: dict[str, tuple[bool, str, bool, bool]] = {}
    for table, is_view, name, declared, nullable, comment, about, writable, is_part in columns:
        found[table][name] = ColumnFacts(name, declared, family_of(declared), nullable, comment)
        facts[table] = (is_view, about, writable, is_part)
    return Catalogue(
        {
            table: TableFacts(
                name=table,
                is_view=facts[table][0],
                columns=of_table,
                indexes=indexes.get(table, ()),
                foreign_keys=foreign.get(table, ()),
                writable=facts[table][2],
                comment=facts[table][1],
                is_part=facts[table][3],
            )
            for table, of_table in found.items()
        },
        folds_case=False,
    )


async def _ask(database: Database, sql: str, schema: str | None = None) -> Sequence[Sequence[Any]]:
    numbered = database.dialect is POSTGRESQL
    bound = {"schema": schema} if numbered else {}
    return await database.rows(Statement(sql, bound, ("schema",) if numbered else None), {})


def _gathered(rows: Iterable[Sequence[Any]]) -> dict[str, tuple[Index, ...]]:
    """Put the columns of each index together."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for table, index, unique, column in rows:
        if column is not None:  # SQLite has no name for an expression
            found.setdefault((table, index, unique), []).append(column)
    of_tables: defaultdict[str, list[Index]] = defaultdict(list)
    for (table, _, unique), columns in found.items():
        of_tables[table].append(Index(tuple(columns), unique))
    return {table: tuple(indexes) for table, indexes in of_tables.items()}


def _joined_keys(rows: Iterable[Sequence[Any]]) -> dict[str, tuple[ForeignKey, ...]]:
    """Put the columns of each foreign key together."""
    found: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for table, constraint, other, here, there in rows:
        found.setdefault((table, str(constraint), other), []).append((here, there or here))
    of_tables: defaultdict[str, list[ForeignKey]] = defaultdict(list)
    for (table, _, other), pairs in found.items():
        of_tables[table].append(ForeignKey(tuple(here for here, _ in pairs), other, tuple(there for _, there in pairs)))
    return {table: tuple(keys) for table, keys in of_tables.items()}
