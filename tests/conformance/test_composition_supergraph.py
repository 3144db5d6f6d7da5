"""Every supergraph of the public gateway audit can be read."""

from __future__ import annotations

import pytest
from graphql import validate_schema

from federation.composition.fieldset import parse_field_set
from federation.composition.supergraph import Supergraph
from tests.support.composition import audit

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("suite", audit(), ids=lambda suite: str(suite["name"]))
def test_a_supergraph_of_the_audit_reads_as_values(suite: dict[str, object]) -> None:
    supergraph = Supergraph.parse(str(suite["supergraph"]))

    assert [item.name for item in supergraph.subgraphs] == sorted(item["name"] for item in suite["subgraphs"])  # type: ignore[attr-defined]
    assert not validate_schema(supergraph.schema)
    assert not validate_schema(supergraph.api_schema)
    assert "join__" not in supergraph.api_sdl
    for declared in supergraph.types.values():
        assert declared.subgraphs
        for there in declared.subgraphs.values():
            for key in there.keys:
                assert parse_field_set(key.fields)
