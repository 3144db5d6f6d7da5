"""Types, enumerations and scalars that a member declares in its mapping: the same on both databases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from node.data.doctor import doctor
from node.data.mapping import Mapping as NodeMapping
from node.data.operation import Asker
from node.data.records import Record, decide_records
from node.data.selection import Selected
from node.data.written import MappingError
from node.policy.bundle import Bundle, load_bundle
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema
from tests.support.both import DAY, PURPOSE, On, ran
from tests.support.data import KEYS, SEALER
from tests.support.policies import INPS, VOCABULARY, grant, written_yaml

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

GUIDE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
[WORDS] = re.findall(r"```yaml\n(vocabulary:.*?)```", GUIDE, re.DOTALL)
MAPPING = f"""member: c_m999
database: {{url: "sqlite:///x.db"}}
{WORDS}
types:
  Citizen:
    table: people
    key: pid
    subject: pid
    fields: {{givenName: name}}
    relations: {{loans: {{to: Loan, join: {{n: person}}, order: [dueOn]}}}}
  Loan:
    table: loans
    key: {{field: id, column: n, type: int}}
    owner: {{to: Citizen, join: {{person: n}}}}
    fields:
      isbn: isbn
      state: {{column: state, codes: {{"1": open, "2": returned, "3": stolen}}}}
      dueOn: {{column: due, date: iso}}
roots:
  libraryLoans: {{of: Loan}}
"""
TABLES = """
CREATE TABLE people (n integer PRIMARY KEY, pid text NOT NULL, name text);
CREATE TABLE loans (n integer PRIMARY KEY, person integer, isbn text, state text, due date);
CREATE UNIQUE INDEX people_pid ON people (pid);
CREATE INDEX loans_person ON loans (person);
INSERT INTO people VALUES (1, 'v1.siv.c_m999.1', 'Anna'), (2, 'v1.siv.c_m999.2', 'Bruno');
INSERT INTO loans VALUES (1, 1, '9788804668237', '1', '2026-05-01'), (2, 1, 'a book', '2', '2026-04-01'),
  (3, 2, '9788804668237', '3', NULL);
"""


def bundle(without: str | None = None, **loan: Any) -> Bundle:
    def policy(name: str, categories: dict[str, str], see: dict[str, object]) -> bytes:
        fields = {field: {"category": category} for field, category in categories.items()}
        head = {"policy": name, "version": 1, "owner": "officer@member.example"}
        return written_yaml({**head, "fields": fields, "grants": [grant("g", see)]})

    loan_fields = {"id": "identifier", "isbn": "income", "state": "income", "dueOn": "birth"}
    citizen = {"id": "identifier", "givenName": "name", "loans": "income"}
    see = {**dict.fromkeys(loan_fields, "clear"), **loan}
    return load_bundle(
        {
            "vocabulary.yaml": written_yaml(VOCABULARY),
            "types/Citizen.yaml": policy("Citizen", citizen, dict.fromkeys(citizen, "clear")),
            "types/Loan.yaml": policy(
                "Loan", loan_fields, {name: form for name, form in see.items() if name != without}
            ),
        }
    )


def asked(on: On, query: str, policy: Bundle, variables: dict[str, Any] | None = None) -> Any:
    with on.member(full_schema(), MAPPING, TABLES, policy) as member:
        answer = on.run(member.ask(INPS, PURPOSE, query, variables))
        assert len(ran(member)) == 1
    return answer


def test_own_types_are_answered_in_the_same_statement(on: On) -> None:
    loans = "loans(first: 5) { id isbn state dueOn }"
    query = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Citizen {{ givenName {loans} }} }} }}"
    person = {"r": [{"__typename": "Citizen", "id": "v1.siv.c_m999.1"}]}
    answer = asked(on, query, bundle(), person)
    [anna] = answer.data["_entities"]
    # What is no value of its scalar is null: the second book's number is none.
    assert anna["loans"] == [
        {"id": "2", "isbn": None, "state": "returned", "dueOn": "2026-04-01"},
        {"id": "1", "isbn": "9788804668237", "state": "open", "dueOn": "2026-05-01"},
    ]
    assert {each.coordinate for each in answer.decisions} >= {"Citizen.loans", "Loan.isbn", "Loan.state"}


def test_own_types_are_listed_and_found_by_key(on: On) -> None:
    page = asked(on, "{ libraryLoans(first: 2) { totalCount edges { node { id state } } } }", bundle()).data[
        "libraryLoans"
    ]
    assert (page["totalCount"], [edge["node"]["id"] for edge in page["edges"]]) == (3, ["1", "2"])
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Loan { state } } }"
    found = asked(on, query, bundle(), {"r": [{"__typename": "Loan", "id": "3"}]})
    # Neither `stolen` nor any other word that the enumeration does not have leaves the node.
    assert found.data["_entities"] == [{"state": None}]


def test_an_enumeration_may_be_verified(on: On) -> None:
    query = "{ libraryLoans { edges { node { stateMatches(value: open) } } } }"
    found = asked(on, query, bundle(state="verify")).data["libraryLoans"]["edges"]
    assert [edge["node"]["stateMatches"] for edge in found] == [True, False, False]


def test_a_denied_field_of_an_own_type_is_in_no_statement(on: On) -> None:
    denying = bundle(without="state")
    with on.member(full_schema(), MAPPING, TABLES, denying) as member:
        answer = on.run(member.ask(INPS, PURPOSE, "{ libraryLoans(first: 1) { edges { node { id state } } } }"))
        assert ".state" not in ran(member)[0]
    assert answer.data["libraryLoans"]["edges"] == [{"node": {"id": "1", "state": None}}]
    assert [error["extensions"]["code"] for error in answer.errors] == ["FIELD_DENIED"]


def test_the_schema_carries_category_and_meaning_and_composes() -> None:
    sdl = NodeSchema.build(full_schema(), NodeMapping.parse(MAPPING)).published_sdl
    assert 'type Loan @key(fields: "id") {' in sdl
    assert 'state: LoanState @privacy(category: "case", sensitivity: "personal")' in sdl
    assert 'dueOn: Date @semantic(iri: "https://schema.org/endTime") @privacy(category: "case"' in sdl
    assert "enum LoanState {\n  open\n  returned\n  lost\n}" in sdl
    assert "type Loan" in compose([Subgraph("c_m999", "http://127.0.0.1:1/graphql", sdl)]).supergraph.sdl
    assert '"""\nA book lent by the town\'s library.\nit: Un libro prestato dalla biblioteca comunale.\n"""' in sdl


WRONG = {
    "no category": ("category: public", "category: publik", "the category `publik`, which there is not; did you mean"),
    "no type": (
        "type: Isbn",
        "type: Isbm",
        "`Loan.isbn` is of type `Isbm`, which nobody declares; did you mean `Isbn`?",
    ),
    "no meaning": ("  Citizen:", "  Citizenn:", "`Citizenn` is not in the vocabulary: say what it means"),
    "a list of values": ("type: Date,", 'type: "[Date!]",', "`Loan.dueOn` is a list of values"),
    "a name of the vocabulary": ("  Isbn: {", "  TaxCode: {", "`Isbn`, which nobody declares"),
    "a field of the vocabulary": (
        "      loans: {type",
        "      cases: {type",
        "and the vocabulary says `[ServiceCase!]`",
    ),
    "a node's own ending": ("  Isbn: {", "  Isbn: {enum: [a], en: x, it: x}\n  LoanGroup: {", "declares `LoanGroup`"),
    "not null": ("type: Isbn", "type: Isbn!", "needs a type such as `String`"),
    "no pattern": ("97[89]", "97(89", "is no regular expression"),
    "no enumeration": ("[open, returned, lost]", '["1", "2"]', "needs GraphQL names, each once"),
    "no such key": ("    key: id  ", "    key: number  ", "does not know `number`"),
    "a key of another name": ("    key: id  ", "    key: isbn  ", "has to be `id`"),
    "two kinds": ("{enum: [", '{pattern: "x", enum: [', "needs exactly one of `fields`, `enum`, `pattern`"),
    "a filter": ("libraryLoans: {of: Loan}", "libraryLoans: {of: Loan, filter: [state]}", "opens `state`"),
}


@pytest.mark.parametrize(("written_text", "wrong", "message"), WRONG.values(), ids=WRONG.keys())
def test_words_that_cannot_be_served_are_refused_with_their_line(written_text: str, wrong: str, message: str) -> None:
    text = MAPPING.replace(written_text, wrong, 1)
    assert text != MAPPING
    with pytest.raises(MappingError, match=r"^node.yaml:\d+: ") as refused:
        NodeSchema.build(full_schema(), NodeMapping.parse(text))
    assert message in str(refused.value)


def test_the_doctor_counts_values_that_an_enumeration_does_not_have(on: On) -> None:
    with on.member(full_schema(), MAPPING, TABLES, bundle()) as member:
        findings = on.run(doctor(member.plane.prepared.mapping, member.plane.database, DAY))
    [line] = [found.message for found in findings if found.code == "VALUES_UNREADABLE"]
    assert line == "`Loan.state`: 1 of 3 rows hold none of the enumeration's values; they are answered null"


def test_of_words_of_its_own_it_is_known_who_may_read_them_though_no_value_is(on: On) -> None:
    """What the member's own programs told of names fields only: any text stands in for a value (`signals`)."""
    with on.member(full_schema(), MAPPING, TABLES, bundle("dueOn")) as member:
        schema, plans = member.plane.schema, member.plans(INPS, PURPOSE)
        loan = schema.type_map["Loan"]
        assert isinstance(loan, GraphQLObjectType)
        wanted = [Selected(each, each, {}, loan.fields[each].type, None, {}) for each in ("isbn", "state", "dueOn")]
        record = Record({"isbn": "x", "state": "x", "dueOn": "2026-05-01"}, {}, None)

        def decided(stand_ins: set[str]) -> Any:
            asking = decide_records(schema, "Loan", [record], wanted, plans, Asker("inprev", KEYS, SEALER), stand_ins)
            return on.run(asking).objects[0]

        assert decided({"Isbn", "LoanState"}) == {"isbn": "x", "state": "x", "dueOn": None}
        assert decided(set()) == {"isbn": None, "state": None, "dueOn": None}
