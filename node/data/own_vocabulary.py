"""Words of a member's own: types, enumerations, scalars and fields that the shared vocabulary does not have.

They stand under `vocabulary` in node.yaml, each with what it means in two languages, each field with its category.
Whether the names are free and the categories known is checked where the schema is built (`node.subgraph.own_words`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from node.data.written import Written

GRAPHQL_NAME: Final = re.compile(r"[A-Za-z][_0-9A-Za-z]*")
_TYPE: Final = re.compile(r"([A-Za-z][_0-9A-Za-z]*)|\[([A-Za-z][_0-9A-Za-z]*)!\]")
_NO_VALUES: Final = frozenset({"true", "false", "null"})
"""Names that no enumeration may have (GraphQL section 3.9)."""
_MEANING: Final = ("en", "it")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word means, in English and Italian, and the term of a published vocabulary that it stands for, if any."""

    en: str
    it: str
    iri: str | None


@dataclass(frozen=True, slots=True)
class OwnField:
    """A field. `is_list` says that it leads to several objects of its type."""

    name: str
    type_name: str
    is_list: bool
    category: str
    meaning: Meaning
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class OwnObject:
    """A type with its fields, or fields that a type of the shared vocabulary is given: then it has no meaning here."""

    name: str
    key: str | None
    fields: tuple[OwnField, ...]
    meaning: Meaning | None
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class OwnEnum:
    """An enumeration: any other value is null."""

    name: str
    values: tuple[str, ...]
    meaning: Meaning
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class OwnScalar:
    """Texts of a pattern: any other is null."""

    name: str
    pattern: re.Pattern[str]
    meaning: Meaning
    line: int = field(compare=False)


OwnWord: TypeAlias = OwnObject | OwnEnum | OwnScalar


def read_own_words(written: Written) -> Mapping[str, OwnWord]:
    """Read the part `vocabulary` of a mapping.

    Raises:
        MappingError: names the line and the word that is wrong.
    """
    return {name: _word(name, entry) for name, entry in written.entries().items()}


def _word(name: str, written: Written) -> OwnWord:
    if not GRAPHQL_NAME.fullmatch(name):
        raise written.wrong("needs a GraphQL name")
    kinds = [kind for kind in ("fields", "enum", "pattern") if kind in written.entries()]
    match kinds:
        case ["fields"]:
            return _object(name, written)
        case ["enum"]:
            keys = written.keys(("enum", *_MEANING), ("iri",))
            values = keys["enum"].texts()
            wrong = [value for value in values if not GRAPHQL_NAME.fullmatch(value) or value in _NO_VALUES]
            if wrong or len(set(values)) < len(values):
                raise keys["enum"].wrong("needs GraphQL names, each once; `codes` gives a register's codes such names")
            return OwnEnum(name, values, _meaning(keys), written.line)
        case ["pattern"]:
            keys = written.keys(("pattern", *_MEANING), ("iri",))
            try:
                pattern = re.compile(keys["pattern"].text())
            except re.error as error:
                raise keys["pattern"].wrong(f"is no regular expression ({error})") from error
            return OwnScalar(name, pattern, _meaning(keys), written.line)
        case _:
            raise written.wrong("needs exactly one of `fields`, `enum`, `pattern`")


def _object(name: str, written: Written) -> OwnObject:
    keys = written.keys(("fields",), ("key", "iri", *_MEANING))
    fields = tuple(_field(word, entry) for word, entry in keys["fields"].entries().items())
    if not fields:
        raise keys["fields"].wrong("needs at least one field")
    key = keys["key"].choice([each.name for each in fields]) if "key" in keys else None
    if key not in {None, "id"}:  # as every entity of the vocabulary has it: `_entities` reads no other
        raise keys["key"].wrong("has to be `id`, the field by which other members refer to an entity; name it so")
    if ("en" in keys) != ("it" in keys):
        raise written.wrong("needs both `en` and `it`")
    meaning = _meaning(keys) if "en" in keys else None
    if meaning is None and ("key" in keys or "iri" in keys):
        raise written.wrong("needs `en` and `it`, as every type of its own does")
    return OwnObject(name, key, fields, meaning, written.line)


def _field(name: str, written: Written) -> OwnField:
    keys = written.keys(("type", "category", *_MEANING), ("iri",))
    if not GRAPHQL_NAME.fullmatch(name):
        raise written.wrong("needs a GraphQL name")
    found = _TYPE.fullmatch(keys["type"].text())
    if found is None:
        raise keys["type"].wrong('needs a type such as `String`, or `"[Loan!]"` for a list; every field admits null')
    return OwnField(
        name, found[1] or found[2], found[2] is not None, keys["category"].text(), _meaning(keys), written.line
    )


def _meaning(keys: Mapping[str, Written]) -> Meaning:
    return Meaning(keys["en"].text(), keys["it"].text(), keys["iri"].text() if "iri" in keys else None)
