"""The way to a field through the API, and the operation that goes it."""

from __future__ import annotations

from dataclasses import dataclass

from federation.composition.supergraph import SuperField

_SAMPLES = {"Int": "0", "Float": "0.0", "Boolean": "false", "String": '""', "ID": '"id"'}


@dataclass(frozen=True, slots=True)
class Path:
    """A way that begins with a root; `step` is a field with its arguments, or a fragment's type condition."""

    step: str
    parent: Path | None = None

    def field(self, declared: SuperField) -> Path:
        """Go on to a field; arguments that must be given are given with some value."""
        required = [item for item in declared.arguments.values() if item.type.endswith("!") and item.default is None]
        arguments = f"({', '.join(f'{item.name}: {_sample(item.type)}' for item in required)})" if required else ""
        return Path(f"{declared.name}{arguments}", self)

    def on(self, type_name: str) -> Path:
        """Go on with a type condition."""
        return Path(f"... on {type_name}", self)

    def operation(self) -> str:
        """Write the operation that goes this way."""
        steps: list[str] = []
        here: Path | None = self
        while here is not None:
            steps.append(here.step)
            here = here.parent
        steps.reverse()
        if steps[0] == "query":
            steps[0] = ""
        lines = [f"{'  ' * depth}{step} {{".replace("  {", " {").lstrip(" ") for depth, step in enumerate(steps[:-1])]
        indented = [f"{'  ' * depth}{line}" for depth, line in enumerate(lines)]
        closing = [f"{'  ' * depth}}}" for depth in reversed(range(len(steps) - 1))]
        return "\n".join([*indented, f"{'  ' * (len(steps) - 1)}{steps[-1]}", *closing])


def _sample(type_text: str) -> str:
    bare = type_text.rstrip("!")
    return "[]" if bare.startswith("[") else _SAMPLES.get(bare, "null" if bare == type_text else f"<{bare}>")
