"""Field coordinates, the unit in which policies, agreements, decisions and the ledger speak."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from typing_extensions import override

from federation.contract.errors import BadInputError

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


@dataclass(frozen=True, slots=True, order=True)
class FieldCoordinate:
    """A field of the federated schema, written `Citizen.dateOfBirth` (schema coordinates, GraphQL RFC)."""

    type_name: str
    field_name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `Type.field`.

        Raises:
            BadInputError: the text is not two GraphQL names with a dot between.
        """
        type_name, dot, field_name = text.partition(".")
        if not dot or not all(_NAME.fullmatch(name) for name in (type_name, field_name)):
            raise BadInputError(f"expected a field coordinate such as `Citizen.givenName`, got `{text}`")
        return cls(type_name, field_name)

    @override
    def __str__(self) -> str:
        return f"{self.type_name}.{self.field_name}"
