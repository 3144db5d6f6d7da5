"""Documents understood once: the same text is parsed, bounded, validated and measured at its first question only.

A gateway sends the same operations again and again, with other keys. What is kept depends on nothing but the text, the
schema and, for scope, the variables; never on who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from graphql import DocumentNode, GraphQLSchema, validate

from federation.contract.coverage import AskedField, Measured
from federation.contract.errors import ValidationError
from federation.contract.graphql_request import Limits, message_without_values, parse_document

_MOST = 1_000
_MOST_VARIABLES = 4_096
"""Bytes of variables up to which a measured operation is kept; longer ones seldom come again."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Kept(Generic[_Key, _Value]):
    """A bounded memory: when it is full it begins anew."""

    def __init__(self) -> None:
        self._values: dict[_Key, _Value] = {}

    def get(self, key: _Key) -> _Value | None:
        return self._values.get(key)

    def put(self, key: _Key, value: _Value) -> _Value:
        if len(self._values) >= _MOST:
            self._values.clear()
        self._values[key] = value
        return value


@dataclass(slots=True)
class Documents:
    """Documents written on one schema."""

    schema: GraphQLSchema
    limits: Limits
    _understood: _Kept[str, DocumentNode] = field(default_factory=_Kept)
    _measures: _Kept[tuple[str, str | None], Measured] = field(default_factory=_Kept)
    _measured: _Kept[tuple[str, str | None, bytes], frozenset[AskedField]] = field(default_factory=_Kept)

    def understood(self, query: str) -> DocumentNode:
        """Return the document of a text that fits the limits and the schema; nothing is suggested (policy R20).

        Raises:
            DocumentError, QueryTooComplexError: the text does not parse, or passes a limit.
            ValidationError: it does not fit the schema.
        """
        found = self._understood.get(query)
        if found is not None:
            return found
        document = parse_document(query, self.limits)
        errors = validate(self.schema, document, max_errors=1, hide_suggestions=True)
        if errors:
            raise ValidationError(f"operation does not fit the schema: {message_without_values(errors[0])}")
        return self._understood.put(query, document)

    def asked(self, query: str, operation_name: str | None, variables: Mapping[str, Any]) -> frozenset[AskedField]:
        """Return what an operation asks for; see `Measured`.

        Raises:
            As `understood`, and BadInputError when a variable does not fit.
        """
        written = msgspec.json.encode(variables, order="deterministic")
        key = (query, operation_name, written)
        found = self._measured.get(key)
        if found is None:
            found = self._measure(query, operation_name).asked(variables)
            if len(written) <= _MOST_VARIABLES:
                self._measured.put(key, found)
        return found

    def _measure(self, query: str, operation_name: str | None) -> Measured:
        """Return what the text says; other variables, such as the next citizen's, change nothing of it."""
        key = (query, operation_name)
        found = self._measures.get(key)
        if found is None:
            found = self._measures.put(key, Measured.of(self.schema, self.understood(query), operation_name))
        return found
