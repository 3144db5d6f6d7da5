"""From a tree to the findings of a JSON Schema: unknown keys, missing keys and values of a wrong type, in words."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator

from node.policy.errors import nearest
from node.policy.findings import MOST_FINDINGS, Finding, FindingCode
from node.policy.messages import Message, message
from node.policy.yaml_tree import place_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema.exceptions import ValidationError

    from node.policy.schemas import Schema
    from node.policy.yaml_tree import Tree

_TYPE_WORDS: Final[Mapping[str, Message]] = {
    "string": message("text"),
    "integer": message("a whole number"),
    "number": message("a number"),
    "boolean": message("`true` or `false`"),
    "array": message("a list"),
    "object": message("a map"),
}
_PATTERN_WORDS: Final[Mapping[str, Message]] = {  # the first that a pattern begins with
    "^[a-z0-9]": message("an id of lower-case letters, digits and `-`"),
    "^[_A-Za-z]": message("a GraphQL name"),
    "^P(?=": message("an ISO 8601 duration such as `P180D` or `P5Y`"),
    "^[0-9]+": message("a legal basis such as `6.1.e`"),
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": message("a day such as `2026-01-01`"),
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(": message(
        "a day such as `2026-01-01` or an instant such as `2026-01-01T00:00:00+01:00`"
    ),
}


def check_shape(tree: Tree, schema: Schema) -> tuple[Finding, ...]:
    """Return the ways in which a tree departs from a schema, in the order of lines; of very many, the first found."""
    errors = islice(Draft202012Validator(dict(schema)).iter_errors(plain(tree)), MOST_FINDINGS + 1)
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
            said = message(
                "key `{key}` is unknown in {where}{nearest}",
                key=key,
                where=_where(path),
                nearest=nearest(str(key), known),
            )
            yield Finding(place_of(tree, (*path, key)), FindingCode.KEY_UNKNOWN, said)


def _missing_keys(tree: Tree, path: tuple[str | int, ...], error: ValidationError) -> Iterator[Finding]:
    """Each missing key is an error of its own, whose message begins with the quoted key."""
    key = error.message.split("'")[1]
    yield Finding(
        place_of(tree, path),
        FindingCode.KEY_MISSING,
        message("key `{key}` is missing in {where}", key=key, where=_where(path)),
    )


def _sentence(path: tuple[str | int, ...], error: ValidationError) -> Message:
    limit: Any = error.validator_value
    shown, where = _shown(error.instance), _where(path)
    match error.validator:
        case "type":
            return message(
                "expected {expected}, got {shown} in {where}", expected=_types(limit), shown=shown, where=where
            )
        case "enum":
            return message(
                "expected one of {known}, got {shown} in {where}{nearest}",
                known=", ".join(f"`{value}`" for value in limit),
                shown=shown,
                where=where,
                nearest=nearest(str(error.instance), limit) if isinstance(error.instance, str) else "",
            )
        case "const":
            return message(
                "expected `{expected}`, got {shown} in {where}", expected=_yaml(limit), shown=shown, where=where
            )
        case "pattern":
            return message(
                "expected {expected}, got {shown} in {where}", expected=_pattern(limit), shown=shown, where=where
            )
        case "minLength":
            return message(
                "expected at least {limit} characters, got {shown} in {where}", limit=limit, shown=shown, where=where
            )
        case "minItems" | "minProperties" if limit == 1:
            return message("expected at least one entry in {where}", where=where)
        case "minItems":
            return message("expected at least {limit} entries in {where}", limit=limit, where=where)
        case "maxProperties":
            return message("expected only one entry in {where}", where=where)
        case "uniqueItems":
            return message("expected every entry once in {where}", where=where)
        case "minimum":
            return message("expected {limit} or more, got {shown} in {where}", limit=limit, shown=shown, where=where)
        case "exclusiveMinimum":
            return message("expected more than {limit}, got {shown} in {where}", limit=limit, shown=shown, where=where)
        case keyword:
            raise AssertionError(f"no words for the schema keyword {keyword}")


def _where(path: tuple[str | int, ...]) -> str:
    """Say a path as an officer reads it: entries count from 1."""
    if not path:
        return message("the document")
    return "`" + ".".join(str(step + 1) if isinstance(step, int) else step for step in path) + "`"


def _types(limit: str | list[str]) -> Message:
    """Say the types that a schema admits, two at most."""
    first, *others = [_TYPE_WORDS[name] for name in ([limit] if isinstance(limit, str) else limit)]
    return message("{first} or {second}", first=first, second=others[0]) if others else first


def _pattern(limit: str) -> Message:
    return next(words for start, words in _PATTERN_WORDS.items() if limit.startswith(start))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return message("a map")
    if isinstance(value, list):
        return message("a list")
    return message("nothing") if value is None else f"`{_yaml(value)}`"


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
