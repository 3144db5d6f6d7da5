"""How much of a schema a bundle governs (policy R34): what stands in no document is denied, and is a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.schema_view import SchemaView


@dataclass(frozen=True, slots=True)
class Coverage:
    """The fields that a schema serves, and those of them that no document governs, as `Type.field`."""

    served: int
    missing: tuple[str, ...]

    @classmethod
    def of(cls, bundle: Bundle, schema: SchemaView) -> Coverage:
        """Compare by coordinate alone: no directive, alias or overlay of the schema takes a policy away."""
        served = [(name, field) for name, fields in schema.types.items() for field in fields]
        missing = (
            f"{name}.{field}"
            for name, field in served
            if name not in bundle.types or field not in bundle.types[name].fields
        )
        return cls(len(served), tuple(sorted(missing)))

    @property
    def governed(self) -> int:
        """How many served fields have a policy."""
        return self.served - len(self.missing)

    @property
    def percent(self) -> int:
        """The covered part of a hundred, rounded down: 100 means all."""
        return 100 * self.governed // self.served if self.served else 100

    @override
    def __str__(self) -> str:
        return f"{self.governed} of {self.served} served fields have a policy ({self.percent} %)"
