"""From a tree to the findings of a JSON Schema: unknown keys, missing keys and values of a wrong type, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator

from node.policy.errors import nearest
from node.policy.findings import Finding, FindingCode
from node.policy.yaml_tree import place_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

    from node.policy.schemas import Schema
    from node.policy.yaml_tree import Tree

_TYPE_WORDS: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a map",
}
_PATTERN_WORDS: Final[Mapping[str, str]] = {  # the first that a pattern begins with
    "^[a-z0-9]": "an id of lower-case letters, digits and `-`",
    "^[_A-Za-z]": "a GraphQL name",
    "^P(?=": "an ISO 8601 duration such as `P180D` or `P5Y`",
    "^[0-9]+": "a legal basis such as `6.1.e`",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day such as `2026-01-01`",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(": "a day such as `2026-01-01` or an instant such as `2026-01-01T00:00:00+01:00`",
}


def check_shape(tree: Tree, schema: Schema) -> tuple[Finding, ...]:
    """Return every way in which a tree departs from a schema, in the order of lines."""
    errors = Draft202012Validator(dict(schema)).iter_errors(plain(tree))
    return tuple(sorted(finding for error in errors for finding in _read(tree, error)))


def _read(tree: Tree, error: ValidationError) -> Iterator[Finding]:
    path = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(tree, path, error)
        case "required":
            yield from _missing_keys(tree, path, error)
        case _:
            yield Finding(place_of(tree, path), FindingCode.VALUE_INVALID, _sentence(path, error))


def _unknown_keys(tree: Tree, path: tuple[str | int, ...], error: ValidationError) -> Iterator[Finding]:
    schema: Any = error.schema
    instance: Any = error.instance
    known = schema["properties"]
    for key in instance:
        if key not in known:
            message = f"key `{key}` is unknown in {_where(path)}{nearest(str(key), known)}"
            yield Finding(place_of(tree, (*path, key)), FindingCode.KEY_UNKNOWN, message)


def _missing_keys(tree: Tree, path: tuple[str | int, ...], error: ValidationError) -> Iterator[Finding]:
    """Each missing key is an error of its own, whose message begins with the quoted key."""
    key = error.message.split("'")[1]
    yield Finding(place_of(tree, path), FindingCode.KEY_MISSING, f"key `{key}` is missing in {_where(path)}")


def _sentence(path: tuple[str | int, ...], error: ValidationError) -> str:
    limit: Any = error.validator_value
    sentences: Mapping[str, Callable[[], str]] = {
        "type": lambda: f"expected {_types(limit)}, got {_shown(error.instance)}",
        "enum": lambda: f"expected one of {', '.join(f'`{value}`' for value in limit)}, got {_shown(error.instance)}",
        "const": lambda: f"expected `{_yaml(limit)}`, got {_shown(error.instance)}",
        "pattern": lambda: f"expected {_pattern(limit)}, got {_shown(error.instance)}",
        "minLength": lambda: f"expected at least {limit} characters, got {_shown(error.instance)}",
        "minItems": lambda: "expected at least one entry",
        "minProperties": lambda: "expected at least one entry",
        "maxProperties": lambda: "expected only one entry",
        "uniqueItems": lambda: "expected every entry once",
        "minimum": lambda: f"expected {limit} or more, got {_shown(error.instance)}",
        "exclusiveMinimum": lambda: f"expected more than {limit}, got {_shown(error.instance)}",
    }
    return f"{sentences[str(error.validator)]()} in {_where(path)}"


def _where(path: tuple[str | int, ...]) -> str:
    """Say a path as an officer reads it: entries count from 1."""
    if not path:
        return "the document"
    return "`" + ".".join(str(step + 1) if isinstance(step, int) else step for step in path) + "`"


def _types(limit: str | list[str]) -> str:
    return " or ".join(_TYPE_WORDS[name] for name in ([limit] if isinstance(limit, str) else limit))


def _pattern(limit: str) -> str:
    return next(words for start, words in _PATTERN_WORDS.items() if limit.startswith(start))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"`{_yaml(value)}`"


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
