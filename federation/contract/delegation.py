"""Acting for another: a parent, a guardian or an attorney who asks who looked, as the portal vouches for it.

It stands under `extensions.delegation` of what the portal signs. A node records it sealed under the citizen's key: the
citizen reads who asked in its place, and nobody else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from federation.contract.errors import BadInputError

DELEGATION = "delegation"
"""The key under `extensions` of the portal's request."""

DELEGATED = "asked by a delegate"
"""What the ledger entry says of it in clear."""


class DelegationBasis(StrEnum):
    """By what right somebody acts for the citizen."""

    PARENT = "parental-responsibility"
    GUARDIAN = "guardianship"
    ATTORNEY = "power-of-attorney"


class Delegation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who acts: the delegate in the portal's own pseudonym, by what right, and the portal's file about it."""

    delegate: str
    basis: DelegationBasis
    reference: str = ""

    def to_bytes(self) -> bytes:
        """Return what is sealed for the citizen."""
        return msgspec.json.encode(self)

    @classmethod
    def parse(cls, content: bytes) -> Delegation:
        """Read what was sealed.

        Raises:
            BadInputError: it is no delegation.
        """
        try:
            return msgspec.json.decode(content, type=cls)
        except ValueError as error:
            raise BadInputError("delegation cannot be read") from error


def read_delegation(extensions: Mapping[str, Any]) -> Delegation | None:
    """Return the delegation in a request's extensions, None when the citizen asks in person.

    Raises:
        BadInputError: there is something else under its name.
    """
    given = extensions.get(DELEGATION)
    if given is None:
        return None
    try:
        return msgspec.convert(given, Delegation)
    except msgspec.ValidationError as error:
        bases = ", ".join(f"`{basis.value}`" for basis in DelegationBasis)
        raise BadInputError(f"`extensions.{DELEGATION}` needs `delegate` and `basis`, one of {bases}") from error
