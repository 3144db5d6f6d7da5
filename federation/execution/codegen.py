"""Writes straight-line Python functions: the one place where source text becomes code.

INVARIANT: no text from a client or member enters the source except GraphQL names, which cannot be anything but
identifiers; every other value is passed in as a constant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class PlanError(Exception):
    """A plan contradicts itself: a path or a type condition needs a field that no fetch selects."""


class Source:
    """A function being written: indented lines, and the constants that they mention."""

    def __init__(self) -> None:
        """Begin with no lines and no constants."""
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {}
        self._fresh = 0

    def line(self, indent: int, text: str) -> None:
        """Add one line, `indent` levels deep."""
        self._lines.append("    " * indent + text)

    def constant(self, value: Any, prefix: str = "c") -> str:
        """Return a name by which the code can use `value`."""
        name = self.fresh(prefix)
        self._constants[name] = value
        return name

    def fresh(self, prefix: str) -> str:
        """Return a name not used before."""
        self._fresh += 1
        return f"{prefix}{self._fresh}"

    def function(self, name: str) -> Callable[..., Any]:
        """Compile the lines and return the function called `name`."""
        namespace = self._constants
        exec(compile("\n".join(self._lines), f"<{name}>", "exec"), namespace)  # noqa: S102  # the module's purpose; see INVARIANT
        function: Callable[..., Any] = namespace[name]
        return function


def attribute(key: str) -> str:
    """Return the attribute that holds the field under this source key: never a keyword, never mangled."""
    if not key.isidentifier():
        raise PlanError(f"`{key}` is not a GraphQL name")
    return f"f_{key}"


def writer_attribute(key: str) -> str:
    """Return the attribute that remembers which fetch wrote a field that several fetches may write."""
    return f"w_{key}"
