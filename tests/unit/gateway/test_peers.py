"""What the gateway knows of other processes follows the member list, and ends when a key does."""

from __future__ import annotations

from datetime import timedelta

from federation.gateway.process import _Others
from tests.support.parties import NOW, Parties


def test_a_node_s_key_ends_while_the_member_list_stays_in_force() -> None:
    parties = Parties()
    others = _Others.of(parties.current(), parties.clock)
    node, exchange = others.nodes["c_m999"], others.exchange
    assert node.keys(parties.node.kid) is not None
    assert exchange.keys(parties.exchange.kid) is not None
    parties.clock.instant = NOW + timedelta(days=4_000)
    assert node.keys(parties.node.kid) is None
    assert exchange.keys(parties.exchange.kid) is None
