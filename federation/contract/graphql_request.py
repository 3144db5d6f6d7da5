"""A GraphQL request as bytes from outside: read strictly, bounded before any work is done.

Gateway and nodes read requests with this one reader (GraphQL over HTTP, section 5.1; limits of trust section 5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isinf
from typing import Any, Self

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    get_variable_values,
    parse,
)
from graphql.execution.values import VariableValues

from federation.contract.errors import (
    BadInputError,
    BodyTooLargeError,
    DocumentError,
    PersistedDocumentError,
    QueryTooComplexError,
)

_LONE_SURROGATE = re.compile(
    rb"(?<!\\)(?:\\\\)*(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
"""An escaped surrogate without its other half (RFC 8259 section 8.2): readers disagree about what it means."""
_KNOWN_KEYS = frozenset({"query", "operationName", "variables", "extensions", "documentId"})


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request may ask before it is refused: bytes of its body, else counts."""

    body: int = 100_000
    tokens: int = 2_000
    depth: int = 15
    aliases: int = 30
    root_fields: int = 20
    directives: int = 50
    fields: int = 500


def strict_json(content: bytes) -> Any:
    """Read JSON as RFC 8259 has it, and refuse what readers disagree about.

    Raises:
        BadInputError: not UTF-8, not JSON, a duplicate key, NaN, a number beyond reason, or nested too deep.
    """
    # The search reads every byte with care; most bodies escape nothing that it could find.
    if (b"\\ud" in content or b"\\uD" in content) and _LONE_SURROGATE.search(content):
        raise BadInputError("body has half a surrogate pair, which is no text")
    try:
        return _STRICT.decode(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadInputError("body is not UTF-8") from error
    except RecursionError as error:
        raise BadInputError("body is nested too deeply") from error
    except ValueError as error:
        raise BadInputError("body is not JSON") from error


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One GraphQL request: a document or the id of a trusted one, and what goes with it."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]

    @property
    def text(self) -> str:
        """The document.

        Raises:
            PersistedDocumentError: the request names it by an id that nothing here was asked to resolve.
        """
        if self.query is None:
            raise PersistedDocumentError("no trusted document of this id is known here")
        return self.query

    @classmethod
    def parse(cls, body: bytes, limits: Limits) -> Self:
        """Read a request body of media type `application/json`.

        Raises:
            BodyTooLargeError: the body is longer than `limits.body`.
            BadInputError: not a GraphQL request; batches are refused.
        """
        if len(body) > limits.body:
            raise BodyTooLargeError("body", limits.body)
        content = strict_json(body)
        if isinstance(content, list):
            raise BadInputError("batches are not accepted; send one operation per request")
        if not isinstance(content, dict):
            raise BadInputError("expected a JSON object with `query`")
        unknown = content.keys() - _KNOWN_KEYS
        if unknown:
            raise BadInputError(f"body has {len(unknown)} unknown keys; known are {', '.join(sorted(_KNOWN_KEYS))}")
        query = _optional(content, "query", str)
        document_id = _optional(content, "documentId", str)
        if (query is None) == (document_id is None):
            raise BadInputError("expected exactly one of `query` and `documentId`")
        return cls(
            query,
            document_id,
            _optional(content, "operationName", str),
            _optional(content, "variables", dict) or {},
            _optional(content, "extensions", dict) or {},
        )


def parse_document(query: str, limits: Limits) -> DocumentNode:
    """Parse a GraphQL document and hold it against the limits.

    Raises:
        DocumentError: a syntax error, named by line and column; or a fragment that contains itself.
        QueryTooComplexError: a limit is passed; `limit` in the extensions names it.
    """
    try:
        document = parse(query, max_tokens=limits.tokens, no_location=False)
    except GraphQLSyntaxError as error:
        if "tokens. Parsing aborted" in error.message:
            raise QueryTooComplexError(f"document has more than {limits.tokens} tokens", limit="tokens") from error
        line, column = error.locations[0] if error.locations else (1, 1)
        raise DocumentError(f"syntax error at line {line}, column {column}", line=line, column=column) from error
    except RecursionError as error:
        raise QueryTooComplexError("document is nested too deeply", limit="depth") from error
    _Counting(document, limits).check()
    return document


def variable_values(
    schema: GraphQLSchema, definitions: Iterable[VariableDefinitionNode], variables: Mapping[str, Any]
) -> VariableValues:
    """Return an operation's variables as their types have them, defaults filled in (GraphQL section 6.1.2).

    Raises:
        BadInputError: some do not fit; names them, and repeats no value.
    """
    found = get_variable_values(schema, tuple(definitions), dict(variables))
    if isinstance(found, list):
        nodes = (node for error in found for node in error.nodes or ())
        names = {node.variable.name.value: None for node in nodes if isinstance(node, VariableDefinitionNode)}
        raise BadInputError(f"variables do not fit the operation: {', '.join(f'`${name}`' for name in names)}")
    return found


def message_without_values(error: GraphQLError) -> str:
    """Return what is wrong with a document, without the literals that GraphQL repeats: they may be a citizen's data.

    What GraphQL says about names of the schema is kept.
    """
    message = error.message
    if not any(isinstance(node, ValueNode | ObjectFieldNode) for node in error.nodes or ()):
        return message
    expected, found, _ = message.partition(", found: ")
    if found:
        return expected
    kind, cannot, _ = message.partition(" cannot represent ")
    if cannot:
        return f"{kind} cannot represent the value"
    _, unknown, enum = message.rpartition("does not exist in ")
    return f"the value {unknown}{enum}" if unknown else "a value does not fit its type"


class _Counting:
    """Counts an operation as it would run, fragments expanded, and stops at the first limit passed."""

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self._document = document
        self._limits = limits
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._counts = {"aliases": 0, "directives": 0, "fields": 0}

    def check(self) -> None:
        for definition in self._document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                roots = sum(1 for _ in self._walk(definition.selection_set, 1, ()))
                if roots > self._limits.root_fields:
                    raise QueryTooComplexError(
                        f"operation has more than {self._limits.root_fields} root fields", limit="root_fields"
                    )

    def _walk(self, selections: SelectionSetNode, depth: int, spreading: tuple[str, ...]) -> Iterator[FieldNode]:
        """Yield the fields of this level, having counted everything below."""
        if depth > self._limits.depth:
            raise QueryTooComplexError(f"document is deeper than {self._limits.depth} levels", limit="depth")
        for node in selections.selections:
            self._count("directives", len(node.directives or ()))
            if isinstance(node, FieldNode):
                self._count("fields", 1)
                self._count("aliases", 1 if node.alias else 0)
                if node.selection_set:
                    for _ in self._walk(node.selection_set, depth + 1, spreading):
                        pass
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._walk(node.selection_set, depth, spreading)
            elif isinstance(node, FragmentSpreadNode):
                yield from self._spread(node.name.value, depth, spreading)

    def _spread(self, name: str, depth: int, spreading: tuple[str, ...]) -> Iterator[FieldNode]:
        if name in spreading:
            raise DocumentError("a fragment contains itself")
        fragment = self._fragments.get(name)
        if fragment is not None:  # an unknown fragment is the validator's finding
            yield from self._walk(fragment.selection_set, depth, (*spreading, name))

    def _count(self, what: str, more: int) -> None:
        self._counts[what] += more
        if self._counts[what] > (most := getattr(self._limits, what)):
            raise QueryTooComplexError(f"document has more than {most} {what}", limit=what)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadInputError("body has a duplicate key")
    return found


def _no_constant(_: str) -> Any:
    raise BadInputError("body holds NaN or Infinity, which JSON does not have")


def _finite(text: str) -> float:
    """Read a number; one that no machine number holds would go on as infinity, which JSON writes as null."""
    number = float(text)
    if isinf(number):
        raise BadInputError("body holds a number beyond the range of 64-bit floating point")
    return number


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def _optional(content: dict[str, Any], key: str, kind: type[Any]) -> Any:
    value = content.get(key)
    if value is not None and not isinstance(value, kind):
        raise BadInputError(f"`{key}` is not of the expected type")
    return value
