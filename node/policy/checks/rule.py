"""What a check is: it reads a bundle, and the schema if there is one, yields findings and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from node.policy.bundle import Bundle
from node.policy.findings import Finding
from node.policy.schema_view import SchemaView


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked."""

    bundle: Bundle
    schema: SchemaView | None


class Rule(Protocol):
    """A check of a complete bundle."""

    def __call__(self, subject: Subject) -> Iterator[Finding]:
        """Yield what is wrong, or worth reading."""
        ...
