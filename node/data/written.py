"""A configuration file read strictly: closed keys, typed leaves, and an error that names line, word and way out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from federation.contract.errors import ConfigurationError
from node.policy.errors import nearest
from node.policy.yaml_tree import Branch, Items, Leaf, Tree, read_yaml


class MappingError(ConfigurationError):
    """A mapping that cannot be used: CONFIGURATION_INVALID, with the line and the offending word."""


@dataclass(frozen=True, slots=True)
class Written:
    """One part of a configuration file, with the name under which messages call it."""

    tree: Tree
    name: str

    @property
    def line(self) -> int:
        """The line where it stands, from 1."""
        return self.tree.place.line

    def wrong(self, problem: str) -> MappingError:
        """Return the error about this part."""
        place = self.tree.place
        return MappingError(f"{place.file}:{place.line}: `{self.name}` {problem}")

    def text(self) -> str:
        """Return a text that is not empty."""
        if isinstance(self.tree, Leaf) and isinstance(self.tree.value, str) and self.tree.value:
            return self.tree.value
        hint = ', quoted: "…"' if isinstance(self.tree, Leaf) and self.tree.value is not None else ""
        raise self.wrong(f"needs a text{hint}")

    def scalar(self) -> str | int | bool:
        """Return a text, whole number or Boolean."""
        if isinstance(self.tree, Leaf) and isinstance(self.tree.value, (str, int)):
            return self.tree.value
        raise self.wrong("needs a text, a whole number, `true` or `false`")

    def number(self) -> int:
        """Return a whole number above 0."""
        value = self.scalar()
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise self.wrong("needs a whole number above 0")
        return value

    def choice(self, known: Collection[str]) -> str:
        """Return one of the known words."""
        word = self.text()
        if word not in known:
            raise self.wrong(f"does not know `{word}`{nearest(word, known)}")
        return word

    def is_null(self) -> bool:
        """Say whether `null` is written here."""
        return isinstance(self.tree, Leaf) and self.tree.value is None

    def is_text(self) -> bool:
        """Say whether a text is written here."""
        return isinstance(self.tree, Leaf) and isinstance(self.tree.value, str)

    def is_list(self) -> bool:
        """Say whether a list is written here."""
        return isinstance(self.tree, Items)

    def items(self) -> tuple[Written, ...]:
        """Return the parts of a list."""
        if not isinstance(self.tree, Items):
            raise self.wrong("needs a list")
        return tuple(Written(item, f"{self.name}[{index}]") for index, item in enumerate(self.tree.items))

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts with at least one element."""
        found = tuple(item.text() for item in self.items())
        if not found:
            raise self.wrong("needs at least one element")
        return found

    def entries(self) -> Mapping[str, Written]:
        """Return a map whose keys are names of the writer's own."""
        if not isinstance(self.tree, Branch):
            raise self.wrong("needs a map")
        return {key: Written(entry, f"{self.name}.{key}") for key, entry in self.tree.entries.items()}

    def words(self) -> tuple[tuple[str, str], ...]:
        """Return a map from text to text, in the order written."""
        return tuple((key, entry.text()) for key, entry in self.entries().items())

    def keys(self, required: Collection[str], optional: Collection[str] = ()) -> Mapping[str, Written]:
        """Return a map whose keys are all known and whose required keys are all there."""
        entries = self.entries()
        known = [*required, *optional]
        for key, entry in entries.items():
            if key not in known:
                assert isinstance(self.tree, Branch)
                place = self.tree.keys[key]
                raise MappingError(f"{place.file}:{place.line}: `{entry.name}` is not a known key{nearest(key, known)}")
        for key in required:
            if key not in entries:
                raise self.wrong(f"needs the key `{key}`")
        return entries


def read_written(file: str, content: str) -> Written:
    """Read a YAML file without its surprises (duplicate keys, anchors, tags).

    Raises:
        MappingError: the file is not YAML of that kind; the first problem is named with its line.
    """
    tree, findings = read_yaml(file, content.encode())
    for finding in findings:
        raise MappingError(f"{finding.place.file}:{finding.place.line}: {finding.message}")
    if tree is None:
        raise MappingError(f"{file}: file is empty")
    return Written(tree, file)
