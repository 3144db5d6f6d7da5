"""What is proved about the asking administration: the attributes a policy may look at (R9)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requester:
    """Attributes of the consumer from verified claims, for one purpose.

    `basis` holds the legal bases that the agreement records for the purpose, of art. 6 and of art. 9 alike.
    """

    kind: str
    basis: frozenset[str]
    area: str | None = None
