"""Random operations for tests, valid for a schema most of the time: variables, fragments, conditions, `@defer`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLUnionType,
    is_required_argument,
    parse,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from graphql import DocumentNode, GraphQLSchema


class Writer:
    """Writes random operations that are valid for a schema, most of the time."""

    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self.schema = schema
        self.deferring = any(one.name == "defer" for one in schema.directives)
        self.random = random
        self.variables: dict[str, bool | int] = {}
        self.fragments: list[str] = []
        self.written: dict[str, str] = {}
        self.calls = 0

    def operation(self, root: str = "Query") -> tuple[str, dict[str, Any]]:
        """Write an operation with its variables."""
        return self.document(root.lower(), self.selection(root, self.random.randint(2, 5)))

    def document(self, kind: str, body: str) -> tuple[str, dict[str, Any]]:
        """Put a selection set, its variables and its fragments together."""
        types = {name: "Boolean!" if isinstance(value, bool) else "Int" for name, value in self.variables.items()}
        head = ", ".join(f"${name}: {type_text}" for name, type_text in types.items())
        text = f"{kind}{f'({head})' if head else ''} {body}"
        return "\n".join([text, *self.fragments]), dict(self.variables)

    def selection(self, name: str, depth: int) -> str:
        if name in self.written and name != "Mutation" and self.random.random() < 0.3:
            # The same of other objects, with other arguments: what tells the two apart is easily lost.
            return re.sub(r"\(n: [^)]*\)", lambda _: f"(n: {self.number()})", self.written[name])
        parts = [self.one(name, depth) for _ in range(self.random.randint(1, 5))]
        found = f"{{ {' '.join(part for part in parts if part) or '__typename'} }}"
        self.written.setdefault(name, found)
        return found

    def one(self, name: str, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.08:
            return f"{self.random.choice(['', 't: '])}__typename{self.directive()}"
        if chance < 0.35 and depth > 0:
            return self.fragment(name, depth)
        fields = getattr(self.schema.type_map[name], "fields", {})
        if not fields:
            return self.fragment(name, depth) if depth > -1 else "__typename"
        return self.field(fields[self.random.choice(sorted(fields))], sorted(fields), depth)

    def field(self, found: Any, names: list[str], depth: int) -> str:
        name = found.ast_node.name.value
        target = str(found.type).strip("[]!")
        alias = ""
        if self.random.random() < 0.15:
            # Names that belong to other fields are the interesting ones; they often do not validate.
            alias = f"{self.random.choice([*names, 'id'])}: " if self.random.random() < 0.3 else f"z_{name}: "
        arguments = ""
        if "n" in found.args and self.random.random() < 0.8:
            number = self.number()
            arguments = f"(n: {number})"
            if self.schema.mutation_type is not None and found in self.schema.mutation_type.fields.values():
                # One name twice, once under a condition, is refused: its place among the others depends on a variable.
                self.calls += 1
                return f"call{self.calls}: {name}{arguments}{self.directive()} {self.selection(target, depth)}"
            # Without the alias, one name may have other arguments at another place; at one place it does not validate.
            alias = f"{name}_{number.strip('$')}: " if self.random.random() < 0.4 else alias
        elif "n" not in found.args:
            arguments = self.literals(found.args)
        composite = hasattr(self.schema.type_map[target], "fields") or hasattr(self.schema.type_map[target], "types")
        if composite and depth <= 0:
            return ""
        below = f" {self.selection(target, depth - 1)}" if composite else ""
        return f"{alias}{name}{arguments}{self.directive()}{below}"

    def literals(self, arguments: dict[str, Any]) -> str:
        """Write arguments of a schema that is not ours: always the same value, so that fields merge."""
        given = [f"{name}: {_literal(one.type)}" for name, one in arguments.items() if is_required_argument(one)]
        return f"({', '.join(given)})" if given else ""

    def fragment(self, name: str, depth: int) -> str:
        named = self.schema.type_map[name]
        possible: list[Any] = [named]
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            possible = list(self.schema.get_possible_types(named))
        around = {found.name for one in possible for found in (one, *one.interfaces)} | {name}
        condition = self.random.choice(sorted(around))
        body = self.selection(condition, depth - 1)
        if self.random.random() < 0.3:
            fragment = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {fragment} on {condition} {body}")
            return f"...{fragment}{self.directive()}{self.defer()}"
        on = f" on {condition}" if condition != name or self.random.random() < 0.5 else ""
        return f"...{on}{self.directive()}{self.defer()} {body}"

    def defer(self) -> str:
        if not self.deferring or self.random.random() < 0.4:
            return ""
        self.calls += 1
        when = f", if: {self.boolean()}" if self.random.random() < 0.3 else ""
        return f' @defer(label: "part {self.calls}"{when})'

    def directive(self) -> str:
        if self.random.random() > 0.18:
            return ""
        return f" @{self.random.choice(['skip', 'include'])}(if: {self.boolean()})"

    def boolean(self) -> str:
        if self.random.random() < 0.2:
            return self.random.choice(["true", "false"])
        name = self.random.choice(["p", "q", "w"])
        self.variables.setdefault(name, self.random.random() < 0.5)
        return f"${name}"

    def number(self) -> str:
        if self.random.random() < 0.5:
            return str(self.random.randint(1, 3))
        name = self.random.choice(["m", "k"])
        self.variables.setdefault(name, self.random.randint(1, 3))
        return f"${name}"


def _literal(wanted: Any) -> str:
    """Write some value of an input type."""
    if isinstance(wanted, GraphQLNonNull):
        return _literal(wanted.of_type)
    if isinstance(wanted, GraphQLList):
        return f"[{_literal(wanted.of_type)}]"
    if isinstance(wanted, GraphQLEnumType):
        return str(min(wanted.values))
    if isinstance(wanted, GraphQLInputObjectType):
        fields = (f"{name}: {_literal(one.type)}" for name, one in wanted.fields.items())
        return f"{{{', '.join(fields)}}}"
    found: dict[str, str] = {"Int": "1", "Float": "1.5", "Boolean": "true"}
    return found.get(wanted.name, '"1"')


def operations(
    schema: GraphQLSchema, random: Random, count: int, roots: tuple[str, ...] = ("Query", "Mutation")
) -> Iterator[tuple[DocumentNode, str, dict[str, Any]]]:
    """Yield random operations that are valid for a schema: parsed, as text, and with their variables."""
    for _ in range(count):
        changing = "Mutation" in roots and schema.mutation_type is not None and random.random() < 0.3
        text, variables = Writer(schema, random).operation("Mutation" if changing else "Query")
        document = parse(text)
        if not validate(schema, document):
            yield document, text, variables


def subscription(schema: GraphQLSchema, random: Random) -> tuple[str, dict[str, Any]] | None:
    """Write a random subscription, which selects one field; None when it came out invalid."""
    assert schema.subscription_type is not None
    writer = Writer(schema, random)
    name, field = random.choice(sorted(schema.subscription_type.fields.items()))
    text, variables = writer.document("subscription", f"{{ {name} {writer.selection(str(field.type), 3)} }}")
    return None if validate(schema, parse(text)) else (text, variables)
