"""A node's files, as one finds them beside its settings: register, policies, keys and registry."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from graphql import print_schema

from federation.contract.canonical import sha256_digest
from federation.contract.identifiers import MemberId
from federation.trust.keys import LEDGER_KEY, MESSAGE_KEY, WITNESS_KEY, generate_ed25519, write_private
from federation.trust.trusted_list import API_FILE
from node.demo.seed import seed
from node.server.planes import CURSORS_KEY, MASKS_KEY
from node.server.process import SUBJECTS_KEY
from node.server.settings import NodeSettings
from node.vocabulary.schema import full_schema
from tests.support.members import registry_of
from tests.support.nodes import pseudonym
from tests.support.parties import NODE_URL, Parties
from tests.support.policies import ROOT


def publish(parties: Parties, registry: Path) -> None:
    """Write the operators, the signed member list and the API schema."""
    sdl = print_schema(full_schema()).encode()
    listed = msgspec.structs.replace(parties.current(), api_schema=sha256_digest(sdl))
    registry_of(registry, listed, parties.clock, {API_FILE: sdl})


@pytest.fixture
def parties() -> Parties:
    return Parties()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    seed(folder, 60, lambda _done, _wanted: None, pseudonym)
    return folder


@pytest.fixture
def settings(tmp_path: Path, town: Path, parties: Parties) -> NodeSettings:
    shutil.copytree(town / "c_m999", tmp_path / "node")
    shutil.copytree(ROOT / "policies" / "c_m999", tmp_path / "policies" / "c_m999")
    shutil.copy(ROOT / "policies" / "vocabulary.yaml", tmp_path / "policies")
    keys = tmp_path / "keys"
    keys.mkdir()
    parties.node.save(keys / MESSAGE_KEY)
    generate_ed25519(keys / LEDGER_KEY)
    generate_ed25519(keys / WITNESS_KEY)
    for name in (SUBJECTS_KEY, MASKS_KEY, CURSORS_KEY):
        write_private(keys / name, bytes(range(32)))
    publish(parties, tmp_path / "registry")
    return NodeSettings(
        member=MemberId("c_m999"),
        listen="127.0.0.1:0",
        url=NODE_URL.removesuffix("/graphql"),
        mapping=tmp_path / "node" / "node.yaml",
        policies=tmp_path / "policies" / "c_m999",
        keys=keys,
        state=tmp_path / "state",
        registry=tmp_path / "registry",
    )
