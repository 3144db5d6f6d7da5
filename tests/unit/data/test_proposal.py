"""A mapping is proposed from a database's own names, keys and shapes of values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from federation.contract.errors import NotFoundError
from node.data.expressions import Column, DateFormat, Day, columns_in
from node.data.mapping import Mapping as NodeMapping
from node.data.proposal import propose
from node.data.register_words import has_phrase
from node.data.samples import Sampled
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema
from tests.unit.data.conftest import Register

DEMO = Path(__file__).parents[3] / "deploy" / "demo"
REGISTER = """
CREATE TABLE anagrafe (id INTEGER PRIMARY KEY, pseudonimo TEXT, codice_fiscale TEXT, cognome TEXT, nome TEXT,
                       data_nascita TEXT, sesso TEXT, via TEXT, cap TEXT, tutela TEXT, x1 TEXT);
CREATE TABLE servizi (codice TEXT PRIMARY KEY, titolo TEXT, descrizione TEXT);
CREATE TABLE pratiche (numero TEXT PRIMARY KEY, persona INTEGER REFERENCES anagrafe (id), oggetto TEXT, servizio TEXT
                       REFERENCES servizi (codice));
CREATE TABLE log (a TEXT, b TEXT);
INSERT INTO anagrafe VALUES
  (1, 'v1.siv.c_m999.aaaa', 'RSSMRA80A01H501U', 'Rossi', 'Mario', '01/01/1980', '1', 'Via Po', '41121', 'N', 'Secret'),
  (2, 'v1.siv.c_m999.bbbb', 'BNCLRA84H57F257B', 'Villa', 'Laura', '17/06/1984', '2', 'Via Po', '41121', 'S', 'Secret'),
  (3, 'v1.siv.c_m999.cccc', 'FRRPLA82C03D548Z', 'Greco', 'Paolo', '03/03/1982', '1', 'Via Po', '41121', 'N', 'Secret');
"""


Proposed = Callable[[str], str]


@pytest.fixture
def proposed(register: Register) -> Proposed:
    """What is proposed on each database."""
    return partial(_proposed, register)


def _proposed(register: Register, script: str) -> str:
    return register.asked(script, lambda database: propose(database, full_schema(), "c_m999", "sqlite:///register.db"))


def test_a_proposal_is_a_mapping_that_fits_the_vocabulary(proposed: Proposed) -> None:
    mapping = NodeMapping.parse(proposed(REGISTER))
    NodeSchema.build(full_schema(), mapping)
    citizen = mapping.sources["Citizen"]
    assert citizen.table == "anagrafe"
    assert citizen.subject == "pseudonimo"
    assert citizen.fields["taxCode"] == Column("codice_fiscale")
    assert citizen.fields["dateOfBirth"] == Day(Column("data_nascita"), DateFormat.DAY_FIRST)
    assert citizen.lookups == {"taxCode": "codice_fiscale"}
    assert citizen.relations["cases"].join == (("id", "persona"),)
    assert mapping.sources["ServiceCase"].owner is not None
    assert mapping.sources["ServiceCase"].relations["service"].join == (("servizio", "codice"),)
    assert mapping.sources["Address"].fields["postCode"] == Column("cap")


def test_every_line_says_how_sure_it_is(proposed: Proposed) -> None:
    text = proposed(REGISTER)
    assert "taxCode: codice_fiscale   # 0.95 name and values" in text
    assert "givenName: nome   # 0.60 name" in text
    assert "# Tables not recognised: log" in text
    assert "# columns not used as fields: id, pseudonimo, tutela, x1" in text


def test_no_value_of_a_citizen_stands_in_a_proposal(proposed: Proposed) -> None:
    text = proposed(REGISTER)
    for value in ("RSSMRA80A01H501U", "Rossi", "Mario", "Via Po", "Secret", "v1.siv", "1980"):
        assert value not in text


def test_a_column_is_known_by_its_values_where_its_name_says_nothing(proposed: Proposed) -> None:
    text = proposed(REGISTER.replace("codice_fiscale TEXT", "c07 TEXT"))
    assert "taxCode: c07   # 0.65 values" in text


def test_values_that_contradict_a_name_are_said(proposed: Proposed) -> None:
    text = proposed(
        REGISTER.replace("'RSSMRA80A01H501U'", "'a@b.it'")
        .replace("'BNCLRA84H57F257B'", "'c@d.it'")
        .replace("'FRRPLA82C03D548Z'", "'e@f.it'")
    )
    assert "taxCode: codice_fiscale   # 0.20 name, but the values look like email" in text


def test_an_empty_database_gives_no_proposal(proposed: Proposed) -> None:
    with pytest.raises(NotFoundError, match="none that can be read"):
        proposed("")


@pytest.mark.parametrize("member", ["c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte"])
def test_most_of_what_a_demo_member_maps_is_proposed(member: str) -> None:
    text = _proposed(Register(), (DEMO / member / "schema.sql").read_text(encoding="utf-8"))
    mapping = NodeMapping.parse(text)
    written = NodeMapping.parse((DEMO / member / "node.yaml").read_text(encoding="utf-8"))
    wanted, found = mapped(written), mapped(mapping)
    assert len(wanted & found) >= 0.6 * len(wanted), sorted(wanted - found)


def mapped(mapping: NodeMapping) -> set[tuple[str, str, str]]:
    return {
        (source.type_name, field, name.lower())
        for source in mapping.sources.values()
        for field, expression in source.fields.items()
        for name in columns_in(expression)
    }


NAMES = {
    "DATA_NASCITA": ("dat nasc", True),
    "dt_nasc": ("dt nasc", True),
    "DATANASC": ("dat nasc", True),
    "alunno": ("al", False),
    "AL": ("al", True),
    "nome": ("cogn", False),
    "COD_STATO_CIVILE": ("stato civ", True),
    "COD_COMUNE_NASCITA": ("cod com", False),
    "DataDiNascita": ("dat nasc", True),
    "codfiscale": ("cod fisc", True),
    "capelli": ("cap.", False),
    "CAP": ("cap.", True),
    "indirizzo_email": ("indirizz", False),
    "des_comune": ("comun", True),
    "Città": ("citta.", True),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES.keys())
def test_stems_find_names(name: str, expected: tuple[str, bool]) -> None:
    phrase, found = expected
    assert has_phrase(name, (phrase,)) is found


VARIED = """
CREATE TABLE T_STATO_CIVILE (CODICE CHAR(1) PRIMARY KEY, DESCRIZIONE VARCHAR(40));
CREATE TABLE SCHEDA_SOGGETTO (ID_SCHEDA INTEGER PRIMARY KEY, CODICE_FISCALE CHAR(16), COGNOME TEXT, NOME TEXT,
  DATA_NASCITA DATE, COD_COMUNE_NASCITA CHAR(4), CITTADINANZA CHAR(3),
  COD_STATO_CIVILE CHAR(1) REFERENCES T_STATO_CIVILE);
CREATE TABLE RESIDENZA (ID INTEGER PRIMARY KEY, ID_SCHEDA INTEGER REFERENCES SCHEDA_SOGGETTO, TOPONIMO TEXT,
  CAP CHAR(5), CODICE_COMUNE CHAR(4), DATA_DECORRENZA DATE, DATA_FINE DATE);
CREATE TABLE support_cases (id INTEGER PRIMARY KEY, person INTEGER REFERENCES SCHEDA_SOGGETTO, case_title TEXT,
  case_status TEXT, opened_at DATE);
INSERT INTO T_STATO_CIVILE VALUES ('1', 'Celibe/nubile'), ('2', 'Coniugato/a'), ('8', 'Unito civilmente');
INSERT INTO SCHEDA_SOGGETTO VALUES (1, 'RSSMRA80A01F257G', 'ROSSI', 'MARIO', '1980-01-01', 'F257', 'ITA', '1'),
  (2, 'BNCLRA84H57F257B', 'BIANCHI', 'LAURA', '1984-06-17', 'F257', 'ROU', '2'),
  (3, 'FRRPLA82C03A944U', 'FERRARI', 'PAOLO', '1982-03-03', 'A944', 'ITA', '2');
"""
PROPOSED = {
    "codes by the register's own list": (
        'maritalStatus: {column: COD_STATO_CIVILE, codes: {"1": single, "2": married, "8": "Unito civilmente"}}'
    ),
    "a country is no code": "citizenship: CITTADINANZA   #",
    "where somebody lives, in a table of its own": "residence: {to: Residence, join: {ID_SCHEDA: ID_SCHEDA}}",
    "rows of the past": "# valid: {from: DATA_DECORRENZA, until: DATA_FINE, date: iso}",
    "an address inside that table": "address: {to: Address}",
    "not where somebody was born": "municipality: CODICE_COMUNE   #",
    "a column that repeats its table": "status: case_status   #",
    "a key to a table that names no column of it": "cases: {to: ServiceCase, join: {ID_SCHEDA: person}}",
}


@pytest.mark.parametrize("line", PROPOSED.values(), ids=PROPOSED.keys())
def test_what_is_written_in_many_ways_is_recognised(proposed: Proposed, line: str) -> None:
    assert line.lower() in proposed(VARIED).lower()


def test_only_few_and_short_values_are_codes() -> None:
    assert Sampled.of(["1", "2", "1"]).codes == ("1", "2")
    assert Sampled.of(["1", "2"]).codes == ()
    assert Sampled.of(["Mario Rossi", "Mario Rossi"]).codes == ()
    assert Sampled.of([None, "", "  "]).codes == ()


def test_a_database_that_holds_nothing_known_is_told_so(proposed: Proposed) -> None:
    with pytest.raises(NotFoundError, match=r"no table was recognised \(log, stock\)"):
        proposed("CREATE TABLE stock (a TEXT); CREATE TABLE log (b TEXT);")


PUBLIC = """
CREATE TABLE city (city_id INTEGER PRIMARY KEY, city VARCHAR(50), country_id INTEGER, changed VARCHAR(20));
CREATE TABLE address (address_id INTEGER PRIMARY KEY, address VARCHAR(50), city_id INTEGER REFERENCES city);
CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, first_name VARCHAR(45), last_name VARCHAR(45),
  address_id INTEGER REFERENCES address);
"""
STAFF = """CREATE TABLE customers (n INTEGER PRIMARY KEY, company VARCHAR(40), contact VARCHAR(40));
CREATE TABLE t_017 (n INTEGER PRIMARY KEY, LastName VARCHAR(20), FirstName VARCHAR(20), BirthDate DATE);"""


def test_customers_are_people_and_keys_of_other_rows_say_nothing_of_them(proposed: Proposed) -> None:
    text = proposed(PUBLIC)
    assert "table: customer" in text
    assert "givenName: first_name" in text
    assert "residence: {to: Residence, join: {address_id: address_id}}" in text
    assert "postName" not in text


def test_people_are_known_by_their_columns_whatever_their_table_is_called(proposed: Proposed) -> None:
    text = proposed(STAFF)
    assert "table: t_017" in text
    assert "familyname: lastname" in text.lower()


MODULES = """
CREATE TABLE ana_soggetto (pkid DECIMAL(22, 0) PRIMARY KEY, codice_fiscale VARCHAR(16), cognome VARCHAR(80),
  nome VARCHAR(80), dt_nascita TIMESTAMP, sesso CHAR(1), capelli VARCHAR(20), e_mail VARCHAR(80), telex VARCHAR(20));
CREATE TABLE ana_indirizzo (pkid DECIMAL(22, 0) PRIMARY KEY,
  fkid_soggetto DECIMAL(22, 0) REFERENCES ana_soggetto (pkid),
  cod_indirizzo VARCHAR(10), des_area VARCHAR(80), num_civ INTEGER, cap VARCHAR(5), des_comune VARCHAR(60),
  dt_ini TIMESTAMP, dt_fin TIMESTAMP);
CREATE TABLE ana_soggetto_storico (pkid DECIMAL(22, 0) PRIMARY KEY, codice_fiscale VARCHAR(16), cognome VARCHAR(80),
  nome VARCHAR(80), dt_nascita TIMESTAMP, sesso CHAR(1));
CREATE TABLE edi_pratica (pkid DECIMAL(22, 0) PRIMARY KEY, oggetto VARCHAR(80), dt_stato TIMESTAMP, cod_stato CHAR(1));
CREATE VIEW v_soggetto AS SELECT * FROM ana_soggetto;
CREATE TABLE personal_access_tokens (id INTEGER PRIMARY KEY, name VARCHAR(20));
"""
IN_MODULES = {
    "people by their table, not a copy, a view or whatever begins like them": "table: ana_soggetto\n",
    "keys that are numbers without places": "key: {field: id, column: pkid, type: int}",
    "a day in a timestamp": "dateofbirth: {column: dt_nascita, date: iso}   # 0.95",
    "where they live, by the foreign key": "residence: {to: residence, join: {pkid: fkid_soggetto}}",
    "a street by its name": "thoroughfare: des_area",
    "a house number that is a number": "locatordesignator: num_civ",
    "how to reach them, in their own table": "contactpoints: {to: contactpoint, join: {pkid: pkid}}",
    "the state, not the day of the state": "status: cod_stato",
}
NOT_IN_MODULES = ("cod_indirizzo   #", "status: dt_stato", "telephone: telex", "postCode: capelli")


@pytest.mark.parametrize("line", IN_MODULES.values(), ids=IN_MODULES.keys())
def test_the_names_of_modules_and_of_marks_say_nothing(proposed: Proposed, line: str) -> None:
    assert line in proposed(MODULES).lower()


@pytest.mark.parametrize("line", NOT_IN_MODULES)
def test_what_only_begins_like_a_field_is_none(proposed: Proposed, line: str) -> None:
    assert line not in proposed(MODULES)


def test_a_name_by_itself_may_be_the_whole_name(proposed: Proposed) -> None:
    text = proposed(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(80), email VARCHAR(80), town VARCHAR(9));"
    )
    assert "givenName: name   # 0.30 name, which may be the whole name" in text
    assert "email: email" in text


ODD = """
CREATE TABLE "Persona Fisica" ("Id" INTEGER PRIMARY KEY, "Codice Fiscale" VARCHAR(16), "Cognome" TEXT, "Nome" TEXT,
  "Note: varie, #1" TEXT, "null" TEXT, "12" TEXT, "user's {x}" TEXT, "àèì" TEXT, "select" TEXT, "Stato
Civile" TEXT);
INSERT INTO "Persona Fisica" ("Id", "Codice Fiscale", "Stato
Civile") VALUES (1, 'A', '"'), (2, 'B', '"'), (3, 'C', '\');
"""


def test_any_name_of_a_database_is_written_so_that_it_is_read_again(proposed: Proposed) -> None:
    text = proposed(ODD)
    citizen = NodeMapping.parse(text).sources["Citizen"]
    assert citizen.table == "Persona Fisica"
    assert citizen.fields["taxCode"] == Column("Codice Fiscale")
    assert set(columns_in(citizen.fields["maritalStatus"])) == {"Stato\nCivile"}
    assert "\n".join(text.splitlines()) + "\n" == text


def test_many_and_wide_tables_are_looked_at(proposed: Proposed) -> None:
    wide = ", ".join(f"campo_{number} VARCHAR(9)" for number in range(500))
    many = "".join(
        f"CREATE TABLE mod_t{number} (id INTEGER PRIMARY KEY, valore_{number} TEXT);" for number in range(60)
    )
    text = proposed(f"CREATE TABLE cittadini (id INTEGER PRIMARY KEY, cognome TEXT, {wide}); {many}")
    assert "familyName: cognome" in text
