"""YAML as a tree that remembers where everything stands, without the parts of YAML that surprise (policy section 1).

Refused, each with its place: duplicate keys, anchors and aliases, tags, several documents, keys that are not text, the
words `yes`, `no`, `on`, `off` (YAML reads them as Booleans), and integers that YAML would read as octal or in base 60.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

import yaml

from node.policy.findings import Finding, FindingCode, Place
from node.policy.messages import Message, message

MAX_BYTES: Final = 1_000_000
"""Bytes of one file."""

MAX_DEPTH: Final = 24
"""Nesting of one file: a policy needs seven levels."""

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?[0-9]+\.[0-9]+")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events and places, in C

LeafValue: TypeAlias = str | int | float | bool | date | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar."""

    value: LeafValue
    place: Place


@dataclass(frozen=True, slots=True)
class Branch:
    """A map with text keys, in the order written."""

    entries: Mapping[str, Tree]
    keys: Mapping[str, Place]
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Tree, ...]
    place: Place


Tree: TypeAlias = Leaf | Branch | Items


def plain(tree: Tree) -> Any:
    """Return the tree as JSON values; days are ISO text."""
    match tree:
        case Leaf(date() as day):
            return day.isoformat()
        case Leaf(value):
            return value
        case Branch(entries):
            return {key: plain(entry) for key, entry in entries.items()}
        case Items(items):
            return [plain(item) for item in items]


def place_of(tree: Tree, path: tuple[str | int, ...]) -> Place:
    """Return the place of what stands at `path`; of the key, where the path ends at a key."""
    for index, step in enumerate(path):
        match tree:
            case Branch(entries, keys) if isinstance(step, str) and step in entries:
                if index == len(path) - 1:
                    return keys[step]
                tree = entries[step]
            case Items(items) if isinstance(step, int) and step < len(items):
                tree = items[step]
            case _:
                return tree.place
    return tree.place


def read_yaml(file: str, content: bytes) -> tuple[Tree | None, tuple[Finding, ...]]:
    """Read one YAML file; the tree is None when it could not be read at all. Nothing raises."""
    if len(content) > MAX_BYTES:
        return None, (
            _finding(
                file, FindingCode.YAML_INVALID, message("file is larger than {most_bytes} bytes", most_bytes=MAX_BYTES)
            ),
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        place = Place(file, line, 1)
        return None, (
            Finding(place, FindingCode.ENCODING_INVALID, message("expected UTF-8; save the file in that encoding")),
        )
    try:
        refused = list(_refused_syntax(file, text))
        if any(finding.code is not FindingCode.YAML_TAG for finding in refused):
            return None, tuple(refused)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        return None, (_yaml_error(file, error),)
    if node is None:
        return None, (_finding(file, FindingCode.YAML_INVALID, message("file is empty")),)
    tree = _tree(file, node, refused)
    return tree, tuple(refused)


def _refused_syntax(file: str, text: str) -> Iterator[Finding]:
    """Yield what must not be composed: aliases (they may explode), tags, and a depth that would exhaust the stack."""
    depth = 0
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        place = _place(file, event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            yield Finding(
                place,
                FindingCode.YAML_ANCHOR,
                message("alias `*{anchor}` is refused; write the value again", anchor=event.anchor),
            )
        elif getattr(event, "anchor", None):
            yield Finding(
                place, FindingCode.YAML_ANCHOR, message("anchor `&{anchor}` is refused; remove it", anchor=event.anchor)
            )
        elif getattr(event, "tag", None):
            yield Finding(place, FindingCode.YAML_TAG, message("tag `{tag}` is refused; remove it", tag=event.tag))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                yield Finding(
                    place,
                    FindingCode.YAML_INVALID,
                    message("expected at most {most_depth} levels of nesting", most_depth=MAX_DEPTH),
                )
                return
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _tree(file: str, node: Any, findings: list[Finding]) -> Tree:
    place = _place(file, node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return Items(tuple(_tree(file, item, findings) for item in node.value), place)
    if isinstance(node, yaml.MappingNode):
        return _branch(file, node, findings)
    value, problem = _scalar(node)
    if problem:
        findings.append(Finding(place, FindingCode.VALUE_INVALID, problem))
    return Leaf(value, place)


def _branch(file: str, node: Any, findings: list[Finding]) -> Branch:
    entries: dict[str, Tree] = {}
    keys: dict[str, Place] = {}
    for key_node, value_node in node.value:
        place = _place(file, key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            findings.append(Finding(place, FindingCode.VALUE_INVALID, message("expected text as a key")))
            continue
        key = key_node.value
        if key in entries:
            findings.append(
                Finding(
                    place,
                    FindingCode.YAML_DUPLICATE_KEY,
                    message("key `{key}` is there twice; the first is in {first}", key=key, first=keys[key]),
                )
            )
            continue
        keys[key] = place
        entries[key] = _tree(file, value_node, findings)
    return Branch(entries, keys, _place(file, node.start_mark))


def _scalar(node: Any) -> tuple[LeafValue, str | None]:
    """Return the value of a scalar, and what is wrong with it."""
    text = node.value
    match node.tag.removeprefix("tag:yaml.org,2002:"):
        case "null":
            return None, None
        case "bool":
            if text.lower() in {"true", "false"}:
                return text.lower() == "true", None
            return text, message(
                'YAML reads `{text}` as a Boolean; write `true` or `false`, or quote it: "{text}"', text=text
            )
        case "int":
            if _INTEGER.fullmatch(text) and len(text) <= len(str(2**63)):
                return int(text), None
            return text, message(
                'YAML reads `{text}` as a number of another base or size; quote a code: "{text}"', text=text
            )
        case "float":
            if _FLOAT.fullmatch(text):
                return float(text), None
            return text, message('`{text}` is not a plain decimal number; quote it if it is text: "{text}"', text=text)
        case "timestamp":
            return _timestamp(text)
        case _:
            return text, None


def _timestamp(text: str) -> tuple[LeafValue, str | None]:
    if not _DAY.fullmatch(text):
        return text, None  # an instant stays text; whoever expects one reads it
    try:
        return date.fromisoformat(text), None
    except ValueError:
        return text, message("day `{text}` does not exist in the calendar", text=text)


_PROBLEMS: Final[Mapping[str, Message]] = {
    "could not find expected ':'": message(
        "a key without `:` after it, or a value on a line of its own that is indented less than it should be"
    ),
    "mapping values are not allowed in this context": message(
        "a `:` where no key can be; quote a text that contains one"
    ),
    "did not find expected key": message("a key that is indented otherwise than those beside it"),
    "did not find expected '-' indicator": message(
        "an entry that is indented otherwise than those beside it, or lacks its `-`"
    ),
    "block sequence entries are not allowed in this context": message("a `-` where no list can begin"),
    "did not find expected ',' or ']'": message("a list that lacks a `,` or its closing `]`"),
    "did not find expected ',' or '}'": message("a map that lacks a `,` or its closing `}}`"),
    "found character that cannot start any token": message(
        "a tab, or a character that must be quoted; indent with spaces"
    ),
    "found a tab character that violates indentation": message(
        "a tab, or a character that must be quoted; indent with spaces"
    ),
    "found unexpected end of stream": message("a quotation mark that is never closed"),
    "found unknown escape character": message("a backslash in double quotes; write the text in single quotes"),
    "control characters are not allowed": message("a control character; this is no text file"),
    "but found another document": message("a second document; write one per file"),
}
"""What libyaml says of common mistakes, in an officer's words."""


def _yaml_error(file: str, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or message("not readable")
    place = Place(file) if mark is None else _place(file, mark)
    said = message("not valid YAML: {problem}", problem=_PROBLEMS.get(problem, problem))
    return Finding(place, FindingCode.YAML_INVALID, said)


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


def _finding(file: str, code: FindingCode, message: str) -> Finding:
    return Finding(Place(file), code, message)
