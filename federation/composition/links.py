"""`@link` and `@core`: which specifications a schema uses, and under which names (link specification v1.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from graphql import ListValueNode, ObjectValueNode, StringValueNode
from graphql.language import EnumValueNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import ValueNode

    from federation.composition.model import Applied

APOLLO = "https://specs.apollo.dev"
FEDERATION = f"{APOLLO}/federation"
LINK = f"{APOLLO}/link"
CORE = f"{APOLLO}/core"
JOIN = f"{APOLLO}/join"

_VERSION = re.compile(r"v(\d+)\.(\d+)")
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


class LinkError(ValueError):
    """A `@link` application that cannot be understood; `code` is the composition error code."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Import:
    """One imported element: `name` in the specification, `alias` here; directives begin with `@` in both."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class Link:
    """One specification in use.

    `identity` is the URL without its version, `name` the specification's own name (`federation`), `alias` the prefix
    for everything not imported, `purpose` is `SECURITY`, `EXECUTION` or None.
    """

    identity: str
    name: str
    version: tuple[int, int] | None
    alias: str
    imports: tuple[Import, ...] = ()
    purpose: str | None = None

    @classmethod
    def parse(cls, node: Applied) -> Self | None:
        """Read a `@link(url:, as:, import:, for:)` or `@core(feature:, as:, for:)` application.

        Returns None when there is no URL at all (a custom directive that happens to be called `link`).

        Raises:
            LinkError: the arguments do not follow the link specification.
        """
        arguments = node.arguments
        url = arguments.get("url") or arguments.get("feature")
        if not isinstance(url, StringValueNode):
            return None
        identity, name, version = _split(url.value)
        alias = arguments.get("as")
        purpose = arguments.get("for")
        return cls(
            identity=identity,
            name=name,
            version=version,
            alias=alias.value if isinstance(alias, StringValueNode) else name,
            imports=tuple(_imports(arguments.get("import"))),
            purpose=purpose.value if isinstance(purpose, EnumValueNode) else None,
        )

    @property
    def url(self) -> str:
        """The URL with its version, as written."""
        return self.identity if self.version is None else f"{self.identity}/v{self.version[0]}.{self.version[1]}"

    def directive(self, name: str) -> str:
        """Return the name, without `@`, that the specification's directive `name` has in this schema."""
        for item in self.imports:
            if item.name == f"@{name}":
                return item.alias[1:]
        return self.alias if name == self.name else f"{self.alias}__{name}"

    def type(self, name: str) -> str:
        """Return the name that the specification's type `name` has in this schema."""
        for item in self.imports:
            if item.name == name:
                return item.alias
        return f"{self.alias}__{name}"

    def owns_directive(self, here: str) -> bool:
        """Whether the directive called `here` in this schema comes from this specification."""
        return (
            here == self.alias
            or here.startswith(f"{self.alias}__")
            or any(item.alias == f"@{here}" for item in self.imports)
        )

    def owns_type(self, here: str) -> bool:
        """Whether the type called `here` in this schema comes from this specification."""
        return here.startswith(f"{self.alias}__") or any(item.alias == here for item in self.imports)

    def canonical(self, here: str) -> str | None:
        """Return the specification's own name of the directive called `here`, or None when it is not its."""
        for item in self.imports:
            if item.alias == f"@{here}":
                return item.name[1:]
        if here == self.alias:
            return self.name
        prefix, separator, rest = here.partition("__")
        return rest if separator and prefix == self.alias else None


def read_links(directives: Iterable[Applied]) -> tuple[Link, ...]:
    """Read the links of a schema from the directives applied to it.

    The link specification may itself be linked under another name, which then is the directive to look for.

    Raises:
        LinkError: an application does not follow the link specification.
    """
    applied = tuple(directives)
    name = _link_name(applied)
    parsed = (Link.parse(node) for node in applied if node.name in {name, "core"})
    return tuple(link for link in parsed if link is not None)


def _link_name(applied: tuple[Applied, ...]) -> str:
    """Find the name of the directive that links the link specification itself."""
    for node in applied:
        arguments = node.arguments
        url = arguments.get("url")
        if isinstance(url, StringValueNode) and url.value.startswith(f"{LINK}/"):
            alias = arguments.get("as")
            expected = alias.value if isinstance(alias, StringValueNode) else "link"
            imported = {item.name: item.alias[1:] for item in _imports(arguments.get("import")) if item.name == "@link"}
            if node.name == imported.get("@link", expected):
                return node.name
    return "link"


def _split(url: str) -> tuple[str, str, tuple[int, int] | None]:
    """Split a specification URL into identity, name and version."""
    path = url.split("?", 1)[0].split("#", 1)[0].rstrip("/")
    head, _, last = path.rpartition("/")
    version = _VERSION.fullmatch(last)
    if version is None:
        return path, last if _NAME.fullmatch(last) else "", None
    if "://" in url and not head.split("://", 1)[1]:
        raise LinkError("INVALID_LINK_IDENTIFIER", f"`{url}` names no specification")
    return head, head.rpartition("/")[2], (int(version[1]), int(version[2]))


def _imports(value: ValueNode | None) -> Iterator[Import]:
    """Read the `import` argument: strings, or `{name:, as:}` objects."""
    if value is None:
        return
    if not isinstance(value, ListValueNode):
        raise LinkError("INVALID_LINK_DIRECTIVE_USAGE", "`import` of `@link` must be a list")
    for item in value.values:
        yield _import(item)


def _import(item: ValueNode) -> Import:
    match item:
        case StringValueNode(value=text):
            return Import(text, text)
        case ObjectValueNode(fields=fields):
            parts = {field.name.value: field.value for field in fields}
            name, alias = parts.get("name"), parts.get("as")
            if not isinstance(name, StringValueNode) or set(parts) - {"name", "as"}:
                raise LinkError("INVALID_LINK_DIRECTIVE_USAGE", "an imported element is a name or `{name:, as:}`")
            if alias is None:
                return Import(name.value, name.value)
            if not isinstance(alias, StringValueNode):
                raise LinkError("INVALID_LINK_DIRECTIVE_USAGE", f"`as` of the import `{name.value}` must be a string")
            if name.value.startswith("@") != alias.value.startswith("@"):
                raise LinkError(
                    "INVALID_LINK_DIRECTIVE_USAGE",
                    f"import `{name.value}` as `{alias.value}`: both or neither must begin with `@`",
                )
            return Import(name.value, alias.value)
        case _:
            raise LinkError("INVALID_LINK_DIRECTIVE_USAGE", "an imported element is a name or `{name:, as:}`")
