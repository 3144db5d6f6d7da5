"""The five mappings of the demo against the vocabulary, the registers and the policies' row attributes."""

import sqlite3
from collections import Counter

import pytest
import yaml
from graphql import GraphQLObjectType, get_named_type

from federation.contract.coverage import is_plumbing
from node.data.mapping import Mapping
from node.demo.seed import SeedReport, demo_files
from node.demo.truth import _EXEMPTIONS, _SCHOOLS, _SERVICE_COST, _SERVICE_DAYS
from node.vocabulary.schema import full_schema

MEMBERS = ("c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte")


def _mapping(member: str) -> Mapping:
    return Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8"), f"{member}/node.yaml")


@pytest.mark.parametrize("member", MEMBERS)
def test_a_mapping_uses_only_types_and_fields_of_the_vocabulary(member: str) -> None:
    mapping = _mapping(member)
    assert mapping.member == member
    for source in mapping.sources.values():
        declared = full_schema().type_map[source.type_name]
        assert isinstance(declared, GraphQLObjectType)
        assert {*source.fields, *source.relations} <= declared.fields.keys()
        for name, relation in source.relations.items():
            assert get_named_type(declared.fields[name].type).name == mapping.sources[relation.to].type_name


def test_every_field_of_the_vocabulary_has_an_owner_and_a_citizens_field_has_one() -> None:
    owners: Counter[str] = Counter()
    for member in MEMBERS:
        for source in _mapping(member).sources.values():
            key = {source.key.field} if source.key and source.key.field else set()
            owners.update(f"{source.type_name}.{name}" for name in {*source.fields, *source.relations, *key})
        owners.update(_of_writes(_mapping(member)))
    asked = {
        f"{kind.name}.{name}"
        for kind in full_schema().type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name in kind.fields
        if kind.name != "Query" and not is_plumbing(kind.name)
    }
    assert asked == owners.keys()
    shared = {"Citizen.id": 5} | {
        f"PublicOrganisation.{name}": 2 for name in ("id", "prefLabel", "classification", "homepage")
    }
    assert {name: count for name, count in owners.items() if count > 1} == shared


def _of_writes(mapping: Mapping) -> set[str]:
    """Return the mutations that a member answers, and the fields of records that lie in no table of its own."""
    mapped = {source.type_name for source in mapping.sources.values()}
    roots = full_schema().mutation_type
    assert roots is not None
    written = {get_named_type(roots.fields[name].type) for name in mapping.writes}
    records = {kind for kind in written if isinstance(kind, GraphQLObjectType) and kind.name not in mapped}
    return {f"Mutation.{name}" for name in mapping.writes} | {
        f"{kind.name}.{name}" for kind in records for name in kind.fields
    }


@pytest.mark.parametrize("member", MEMBERS)
def test_a_policy_reads_only_row_attributes_that_the_mapping_gives(member: str) -> None:
    mapping = _mapping(member)
    given = {source.type_name: set(source.attributes) for source in mapping.sources.values()}
    # What is written about a person has the person's attributes.
    given |= {word.partition(".")[0]: given["Citizen"] for word in _of_writes(mapping) if word[:9] != "Mutation."}
    for file in sorted((demo_files().parents[1] / "policies" / member / "types").glob("*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert set(document.get("attributes", {})) <= given[document["policy"]], file.name


def test_the_facts_of_the_check_are_those_of_the_reference_tables(seeded: SeedReport) -> None:
    with sqlite3.connect(seeded.registers["c_m999"]) as municipality:
        services = municipality.execute("SELECT COD_SERV, GG_PROC, COSTO FROM SERVIZI").fetchall()
    assert {code: days for code, days, _ in services} == _SERVICE_DAYS
    assert {code: f"{cost:.2f}" for code, _, cost in services if cost} == _SERVICE_COST
    with sqlite3.connect(seeded.registers["istsc_bv01"]) as school:
        assert {code for (code,) in school.execute("SELECT COD_MECC FROM PLESSI")} == _SCHOOLS.keys()
    with sqlite3.connect(seeded.registers["aslvs"]) as health:
        assert {code for (code,) in health.execute("SELECT DISTINCT COD_ESE FROM ESENZIONI")} <= _EXEMPTIONS.keys()
