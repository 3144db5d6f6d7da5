"""Which output types fit where another one is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from federation.composition.model import Kind, Type


@dataclass(frozen=True, slots=True)
class Lattice:
    """The abstract types of a schema, each with the names of the types that may stand for it."""

    below: Mapping[str, frozenset[str]]

    @classmethod
    def over(cls, types: Mapping[str, Type]) -> Self:
        """Read interfaces and unions."""
        found: dict[str, set[str]] = {}
        for type_ in types.values():
            if type_.kind is Kind.UNION:
                found.setdefault(type_.name, set()).update(type_.members)
            for interface in type_.interfaces:
                found.setdefault(interface, set()).add(type_.name)
        return cls({name: frozenset(members) for name, members in found.items()})

    def fits(self, narrow: str, wide: str) -> bool:
        """Say whether every value of the printed type `narrow` is one of the printed type `wide`."""
        if narrow == wide:
            return True
        if narrow.endswith("!"):
            return self.fits(narrow[:-1], wide.removesuffix("!"))
        if wide.endswith("!"):
            return False
        if narrow.startswith("[") or wide.startswith("["):
            return narrow.startswith("[") and wide.startswith("[") and self.fits(narrow[1:-1], wide[1:-1])
        return narrow in self.below.get(wide, ())
