"""Non-interference on PostgreSQL: the pairs of `tests/property/test_noninterference.py`, on tables with types."""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import given, settings

from tests.support.lookalikes import Asked, asked_pairs, bundles, masking_bundles, pairs_in_small_groups
from tests.support.postgres import THINGS_IN_POSTGRES, Server
from tests.support.telling import Node

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

PAIRS: Final = int(os.environ.get("CROCEVIA_PAIRS", "15"))


@pytest.fixture(scope="module")
def server(postgres: Server) -> Server:
    found = postgres.database("lookalikes")
    found.run(THINGS_IN_POSTGRES)
    return found


@given(asked=asked_pairs(bundles() | masking_bundles() | masking_bundles(crowd=True)) | pairs_in_small_groups())
@settings(max_examples=PAIRS)
def test_databases_that_look_alike_answer_alike_on_postgres(server: Server, asked: Asked) -> None:
    pair, wanted = asked
    one, other = Node.on_postgres(pair, server).answers((pair.first, pair.second), wanted)
    assert one == other
