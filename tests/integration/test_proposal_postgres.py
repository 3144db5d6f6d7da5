"""A mapping proposed from what only PostgreSQL has: schemas, enumerations, domains, partitions, rights to columns."""

from __future__ import annotations

from datetime import date

import pytest

from federation.contract.errors import NotFoundError
from node.data.catalogue import read_catalogue
from node.data.diagnoses import Code
from node.data.doctor import doctor, missing_names
from node.data.mapping import DatabaseSettings
from node.data.mapping import Mapping as NodeMapping
from node.data.postgres import PostgreSQLDatabase
from node.data.proposal import propose
from node.data.roles import role_statements
from node.vocabulary.schema import full_schema
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

SCHEMA = "Anagrafe Comunale"
TABLES = f"""
CREATE SCHEMA "{SCHEMA}"; SET search_path TO "{SCHEMA}";
CREATE TYPE sesso AS ENUM ('M', 'F');
CREATE DOMAIN codice AS varchar(16);
CREATE DOMAIN codice_fiscale AS codice CHECK (length(VALUE) = 16);
CREATE TABLE "Persona" ("Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Codice" codice_fiscale UNIQUE,
  "Cognome" text, "Nome" text[], "DataNascita" timestamptz, "Sesso" sesso, "Nascita" point, ritratto bytea,
  mancia money, durata interval, bits bit(8), periodo int4range, nota xml, rete inet, altro jsonb,
  "Nome Intero" text GENERATED ALWAYS AS ("Cognome") STORED);
INSERT INTO "Persona" ("Codice", "Cognome", "Sesso", ritratto)
  SELECT 'RSSMRA80A01H50' || n || 'U', 'Rossi', (ARRAY['M', 'F'])[n % 2 + 1]::sesso, '\\xff'
  FROM generate_series(1, 9) n;
CREATE TABLE "Pratica" (numero integer, anno integer, "Persona" bigint REFERENCES "Persona", oggetto text,
  PRIMARY KEY (anno, numero)) PARTITION BY RANGE (anno);
CREATE TABLE "Pratica_2026" PARTITION OF "Pratica" FOR VALUES FROM (2026) TO (2027);
CREATE TABLE ente (id uuid PRIMARY KEY, denominazione text);
CREATE VIEW rotta AS SELECT 1 / (numero - numero) AS nome FROM "Pratica";
INSERT INTO "Pratica" VALUES (1, 2026, 1, 'Bonus');
CREATE MATERIALIZED VIEW riassunto AS SELECT "Cognome" AS cognome FROM "Persona";
CREATE TABLE vuota ();
"""


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    found = postgres.database("proposals")
    found.run(TABLES)
    return found


def proposed(server: Server, schema: str | None) -> str:
    async def asked() -> str:
        database = server.open()
        try:
            return await propose(database, full_schema(), "c_m999", server.url, schema)
        finally:
            await database.close()

    return server.runner.run(asked())


WRITTEN = {
    "a schema's name": f'schema: "{SCHEMA}"',
    "a domain of a domain": "taxCode: Codice   # 0.65 values",
    "an enumeration": 'sex: {column: Sesso, codes: {"M": male, "F": female}}',
    "a moment that has no day of its own": "but it is a moment: map a view that has the day",
    "a partitioned table": "table: Pratica\n",
    "a key of a type that no key of the federation has": "0.40 unique index, but map a view that has id as text",
    "a view that cannot be read": "# Rows that could not be read, so that only names were looked at: rotta",
}


@pytest.mark.parametrize("line", WRITTEN.values(), ids=WRITTEN.keys())
def test_what_postgresql_has_is_understood(server: Server, line: str) -> None:
    assert line in proposed(server, SCHEMA)


def test_arrays_points_and_parts_of_a_table_are_proposed_for_nothing(server: Server) -> None:
    text = proposed(server, SCHEMA)
    mapping = NodeMapping.parse(text)
    assert "givenName" not in mapping.sources["Citizen"].fields
    assert "Pratica_2026" not in text


def test_a_schema_without_tables_names_those_that_have_some(server: Server) -> None:
    with pytest.raises(NotFoundError, match=f'there are "{SCHEMA}"'):
        proposed(server, None)


def test_the_role_that_is_printed_reads_all_that_the_doctor_and_a_start_ask(server: Server) -> None:
    mapping = NodeMapping.parse(proposed(server, SCHEMA))
    server.run("\n".join(role_statements(mapping, "proposals", row_security=False)))
    narrow = PostgreSQLDatabase(DatabaseSettings(server.url.replace("postgres:", "crocevia:"), SCHEMA, 5))

    async def examined() -> tuple[set[Code], bool]:
        assert await missing_names(mapping, narrow) == ()
        found = await doctor(mapping, narrow, date(2026, 11, 28))
        persona = (await read_catalogue(narrow, SCHEMA)).table("Persona")
        await narrow.close()
        assert persona is not None
        return {each.code for each in found}, "ritratto" in persona.columns

    try:
        codes, sees_portrait = server.runner.run(examined())
    finally:
        server.run("DROP OWNED BY crocevia; DROP ROLE crocevia")
    assert Code.RIGHTS_TOO_WIDE not in codes
    assert not sees_portrait
