"""The SQL that gives a node the role it needs on PostgreSQL: it may read what the mapping names, and nothing else.

A person reads it and runs it as the database's owner. Row security is a second fence, for tables that hold rows of
other people than the federation's: it hides them from the node's role whatever the node asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, column, or_
from sqlalchemy.dialects import postgresql

from node.data.expressions import ValueSet
from node.data.mapping import Mapping
from node.data.rows import passes, tables_of

ROLE = "crocevia"


def role_statements(mapping: Mapping, database: str, *, row_security: bool) -> Iterator[str]:
    """Yield the statements, with what each is for.

    Args:
        mapping: what the node reads.
        database: the name of the database.
        row_security: also hide the rows that do not meet the mapping's `only`.
    """
    schema = _quoted(mapping.database.schema or "public")
    role = _quoted(ROLE)
    yield "-- A role that reads. Give it a password of its own, in ~/.pgpass of the node: \\password crocevia"
    yield f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS CONNECTION LIMIT 10;"
    yield f"ALTER ROLE {role} SET default_transaction_read_only = on;"
    yield f"ALTER ROLE {role} SET statement_timeout = '{mapping.database.statement_timeout}s';"
    yield f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {role};"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role};"
    yield "-- Only the columns that the mapping names: a column that it does not name cannot be read by mistake."
    for name, table in sorted(tables_of(mapping).items()):
        columns = ", ".join(_quoted(column.name) for column in table.columns)
        yield f"GRANT SELECT ({columns}) ON {schema}.{_quoted(name)} TO {role};"
    if row_security:
        yield from _fences(mapping, schema, role)


def _fences(mapping: Mapping, schema: str, role: str) -> Iterator[str]:
    yield "-- The second fence. Other roles keep what they see, and the tables' owner is not bound by it."
    for name, rows in sorted(_hidden_in(mapping).items()):
        table = f"{schema}.{_quoted(name)}"
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        yield f"CREATE POLICY crocevia_others ON {table} FOR ALL TO PUBLIC USING (current_user <> '{ROLE}');"
        yield f"CREATE POLICY crocevia_reads ON {table} FOR SELECT TO {role} USING ({rows});"


def _hidden_in(mapping: Mapping) -> dict[str, str]:
    """Return the condition on each table of which every reading of the mapping leaves rows out."""
    found = {}
    for name in tables_of(mapping):
        read = [source for source in mapping.sources.values() if source.table == name]
        if not read or not all(source.only for source in read) or _read_otherwise(name, mapping):
            continue
        rows = or_(*(and_(*(passes(test, column(test.column)) for test in source.only)) for source in read))
        found[name] = str(rows.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]  # SQLAlchemy's own signature
    return found


def _read_otherwise(name: str, mapping: Mapping) -> bool:
    """Say whether a table is also read as it is: for consents, for a set, or between two others."""
    between = {
        relation.through.table
        for source in mapping.sources.values()
        for relation in source.relations.values()
        if relation.through
    }
    sets = {
        each.table
        for source in mapping.sources.values()
        for each in source.attributes.values()
        if isinstance(each, ValueSet)
    }
    return name in between | sets or (mapping.consent is not None and mapping.consent.table == name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
