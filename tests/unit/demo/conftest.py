"""One small seeded demo, shared by the tests that read it."""

import base64
import hashlib
from collections.abc import Callable

import pytest
from graphql import GraphQLSchema

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from node.data.mapping import Mapping
from node.demo.facts import Person
from node.demo.seed import SeedReport, demo_files, read_truth, seed
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema

TOWN = 1500
MEMBERS = ("c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte")
VERIFIED = frozenset({"Citizen.taxCodeMatches", "Citizen.dateOfBirthMatches"})
DIRECTORY = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"])
type Query { citizen(by: CitizenKey!): Citizen }
input CitizenKey @oneOf { id: ID taxCode: TaxCode }
scalar TaxCode
type Citizen @key(fields: "id") { id: ID }
"""


def pseudonym(member: str, subject: bytes) -> str:
    """Stand in for the pseudonym suite: a different text for every member and subject."""
    digest = hashlib.sha256(member.encode() + subject).digest()
    return f"v1.siv.{member}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.fixture(scope="session")
def pseudonym_of() -> Callable[[str, bytes], str]:
    """Return what the registers of the fixtures were filled with."""
    return pseudonym


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> SeedReport:
    """Return the report of a town of 1 500."""
    return seed(tmp_path_factory.mktemp("demo"), TOWN, lambda _done, _wanted: None, pseudonym)


@pytest.fixture(scope="session")
def people(seeded: SeedReport) -> list[Person]:
    """Return its people."""
    return list(read_truth(seeded.truth_file))


@pytest.fixture(scope="session")
def api_schema() -> GraphQLSchema:
    """Return what a consumer of the composed demo may ask."""
    subgraphs = [Subgraph("directory", "", DIRECTORY)]
    for member in MEMBERS:
        mapping = Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8"))
        verified = VERIFIED if member == "c_m999" else frozenset[str]()
        subgraphs.append(Subgraph(member, "", NodeSchema.build(full_schema(), mapping, verified).published_sdl))
    return compose(subgraphs).supergraph.api_schema
