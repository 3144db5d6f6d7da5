"""A first bundle for a schema: every field with a category, nobody sees anything, and comments say how to go on.

The category of a field is the one that the schema's own directives name (`@privacy(category: …)`); where there is none,
a guess from the field's name, and where that fails the most sensitive ordinary category. Guesses are marked as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from graphql import ObjectTypeDefinitionNode, ObjectTypeExtensionNode, StringValueNode, parse

from federation.contract.languages import Language
from node.policy.messages import message, said
from node.policy.schema_view import SchemaView

if TYPE_CHECKING:
    from node.policy.vocabulary import Vocabulary

_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("taxcode", "identifier"),
    ("email", "contact"),
    ("phone", "contact"),
    ("birth", "birth"),
    ("name", "name"),
    ("sex", "gender"),
    ("gender", "gender"),
    ("address", "address"),
    ("postcode", "address"),
    ("income", "income"),
    ("amount", "income"),
    ("health", "health"),
    ("disab", "health"),
)
"""Parts of names that tell a category; the first that fits counts."""

_GUESSED: Final = message("   # guessed from the name: check")
_UNKNOWN: Final = message("   # nothing says what this is: choose a category")


@dataclass(frozen=True, slots=True)
class _Named:
    category: str
    remark: str


def starter_files(
    sdl: str,
    vocabulary: Vocabulary,
    owner: str,
    day: date,
    language: Language = Language.ENGLISH,
    attributes: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> dict[str, bytes]:
    """Return types, tests and invariants of a bundle that denies everything, by path; the vocabulary is not among them.

    Args:
        sdl: the schema to govern.
        vocabulary: what documents may name.
        owner: whom to ask about the policy.
        day: the day of the examples.
        language: of the comments.
        attributes: what rows of a type may be tested by, with its type, where a mapping says so.

    Raises:
        PolicyError: the schema is not SDL.
    """
    view = SchemaView.parse(sdl)
    declared = _declared(sdl)
    files: dict[str, bytes] = {}
    for name, fields in sorted(view.types.items()):
        named = {field: _category(field, declared.get((name, field)), vocabulary) for field in fields}
        if named:
            lines = _type_lines(name, named, vocabulary, owner, day, attributes.get(name, {}))
            files[f"types/{name}.yaml"] = _text(lines, language)
            files[f"tests/{name}_test.yaml"] = _text(_test_lines(name, vocabulary, day), language)
    files["invariants.yaml"] = _text(_invariant_lines(day), language)
    return files


def _declared(sdl: str) -> dict[tuple[str, str], str]:
    """Return the categories that directives of the schema name, by type and field."""
    found: dict[tuple[str, str], str] = {}
    for definition in parse(sdl, no_location=True).definitions:
        if isinstance(definition, (ObjectTypeDefinitionNode, ObjectTypeExtensionNode)):
            for field in definition.fields or ():
                for directive in field.directives or ():
                    for argument in directive.arguments or ():
                        if argument.name.value == "category" and isinstance(argument.value, StringValueNode):
                            found[definition.name.value, field.name.value] = argument.value.value
    return found


def _category(field: str, declared: str | None, vocabulary: Vocabulary) -> _Named:
    if declared in vocabulary.categories:
        return _Named(str(declared), "")
    for word, category in _WORDS:
        if word in field.lower() and category in vocabulary.categories:
            return _Named(category, _GUESSED)
    ordinary = [name for name, category in vocabulary.categories.items() if not category.art9]
    strictest = max(ordinary, key=lambda name: vocabulary.categories[name].sensitivity)
    return _Named(strictest, _UNKNOWN)


def _type_lines(
    name: str,
    fields: Mapping[str, _Named],
    vocabulary: Vocabulary,
    owner: str,
    day: date,
    attributes: Mapping[str, str],
) -> Iterator[str]:
    kind, purpose = vocabulary.kinds[0], next(iter(vocabulary.purposes))
    basis = next(iter(sorted(vocabulary.legal_bases.keys() - vocabulary.special_bases, reverse=True)))
    yield f"policy: {name}"
    yield "version: 1"
    yield f"owner: {owner}"
    written = ", ".join(f"{word}: {kind}" for word, kind in attributes.items())
    yield message(
        "attributes: {{{written}}}   # what conditions may test as row.<name>; the node's mapping fills them",
        written=written,
    )
    yield "fields:"
    for field, named in fields.items():
        yield message(
            "  {field}: {{category: {category}}}{remark}", field=field, category=named.category, remark=named.remark
        )
    yield message("grants: []   # nobody sees anything; a first grant looks like this:")
    yield "#  - id: first-grant"
    yield f"#    to: {{kind: [{kind}]}}"
    yield f"#    purpose: {purpose}"
    yield f'#    basis: ["{basis}"]'
    yield message('#    law: "the law that allows it"')
    yield f"#    see: {{{next(iter(fields))}: clear}}"
    yield f"#    valid: {{from: {day}, until: {day.year + 1}-12-31}}"
    yield "#    retain: P180D"


def _test_lines(name: str, vocabulary: Vocabulary, day: date) -> Iterator[str]:
    basis = next(iter(sorted(vocabulary.legal_bases.keys() - vocabulary.special_bases, reverse=True)))
    yield f"suite: {name}"
    yield f"now: {day}"
    yield "requesters:"
    yield f'  somebody: {{kind: {vocabulary.kinds[0]}, basis: ["{basis}"]}}'
    yield "rows:"
    yield "  anyone: {}"
    yield message("tests:   # a field that is not listed under `see` is expected to be denied")
    for purpose in vocabulary.purposes:
        yield f"  - {{as: somebody, for: {purpose}, row: anyone, see: {{}}}}"


def _invariant_lines(day: date) -> Iterator[str]:
    yield message("# What must never happen, whatever the grants say.")
    yield (
        f"- {{id: nothing-after-{day.year + 4}, never: "
        f"{{fields: {{all: true}}, form: any, when: 'today >= \"{day.year + 5}-01-01\"'}}}}"
    )


def _text(lines: Iterator[str], language: Language) -> bytes:
    return "".join(f"{said(line, language)}\n" for line in lines).encode()
