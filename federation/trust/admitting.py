"""Who may open a channel: parties of the member list in force, asked anew for every request."""

from __future__ import annotations

from typing import Any, Final

from federation.contract.errors import RegistryStaleError, UnknownMemberError
from federation.serving.server import Secured
from federation.trust.channel import Channel, party_of
from federation.trust.registry import Registry

OPERATOR: Final = "operator"
"""The party of the operators' own certificate: they ask nodes for proofs, and are no member."""


def secured(channel: Channel | None, registry: Registry) -> Secured | None:
    """Return the server's side of a party's channels; None where there are none."""
    if channel is None:
        return None

    def admits(certificate: Any) -> str | None:
        party = party_of(certificate, registry.federation)
        if party is None or party == OPERATOR:
            return party
        try:
            registry.current().party(party)
        except UnknownMemberError:
            return None
        except RegistryStaleError:
            return party  # it is told so in words
        return party

    return Secured(channel.accepting, admits)
