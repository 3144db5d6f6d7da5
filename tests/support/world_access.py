"""Who may see what of a random federation, by what its types and fields ask for: docs/open-mode.md, said once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, get_named_type, is_abstract_type

from federation.planning import guards
from federation.planning.fieldsets import parse_field_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLResolveInfo, GraphQLSchema, SelectionSetNode

    from federation.planning.fieldsets import SetField
    from tests.support.federation_world import FieldSpec, TypeSpec, World

Alternatives = frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of whoever asks: nothing when `scopes` is None."""

    scopes: frozenset[str] | None = None
    policies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asks:
    """What a type or a field says that a client must have; without alternatives in a list, nobody has it."""

    known: bool = False
    scopes: Alternatives | None = None
    policies: Alternatives | None = None

    @property
    def marks(self) -> str:
        """The directives that say so."""
        found = " @authenticated" if self.known else ""
        for directive, alternatives in (("requiresScopes(scopes", self.scopes), ("policy(policies", self.policies)):
            if alternatives is not None:
                found += f" @{directive}: {json.dumps(sorted(map(sorted, alternatives)))})"
        return found

    def admit(self, client: Client) -> bool:
        """Say whether a client has what is asked; whoever has a scope or a policy is known."""
        lists = [(self.scopes, client.scopes or frozenset()), (self.policies, client.policies)]
        listed = [(alternatives, held) for alternatives, held in lists if alternatives is not None]
        if (self.known or listed) and client.scopes is None:
            return False
        return all(any(one <= held for one in alternatives) for alternatives, held in listed)


OPEN = Asks()


def denied_coordinates(world: World, client: Client) -> frozenset[str]:
    """Return the fields of object types that a client may not see."""
    return frozenset(
        f"{spec.name}.{name}"
        for spec in world.types.values()
        if not spec.below
        for name in _names(world, spec)
        if _denies(world, client, spec, name)
    )


def _names(world: World, spec: TypeSpec) -> list[str]:
    return [*spec.fields, *(one.name for above in world.above(spec.name) for one in above.lifted)]


def _denies(world: World, client: Client, spec: TypeSpec, name: str) -> bool:
    """Say whether one of those who have a say about a field denies it, or about what it is computed from."""
    if not spec.asks.admit(client):
        return True
    for owner in (spec, *world.above(spec.name)):
        for one in (*owner.fields.values(), *owner.lifted):
            if one.name != name:
                continue
            target = world.types.get(one.type.strip("[]!"))
            saying = [owner.asks, one.asks, *([] if target is None else [target.asks])]
            if not all(asks.admit(client) for asks in saying):
                return True
            if any(_reads_denied(world, client, on, wanted) for on, wanted in _inputs(world, spec, one)):
                return True
    return False


def _inputs(world: World, spec: TypeSpec, one: FieldSpec) -> Iterator[tuple[TypeSpec, SetField]]:
    """Yield what a field is computed from: of its own object, or of objects above."""
    for wanted in parse_field_set(one.requires):
        yield spec, wanted
    for name, text in one.context.reads.items() if one.context is not None else ():
        for wanted in parse_field_set(text):
            yield world.types[name], wanted


def _reads_denied(world: World, client: Client, spec: TypeSpec, wanted: SetField) -> bool:
    if wanted.name not in spec.fields or (wanted.conditions and spec.name not in wanted.conditions):
        return False
    below = [world.types[name] for name in spec.fields[wanted.name].targets]
    inner = (_reads_denied(world, client, target, each) for target in below for each in wanted.children)
    return _denies(world, client, spec, wanted.name) or any(inner)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client selects on an object: selection sets, and the types of which the schema lets it be."""

    selections: tuple[SelectionSetNode, ...]
    possible: frozenset[str]

    def field(self, type_name: str, info: GraphQLResolveInfo[object]) -> tuple[frozenset[str], Asked]:
        """Return the types that the selections of a field reach, and what is selected below it.

        A selection counts though a variable leaves it out. One that does not reach the object's own type is another
        one's, under the same name.
        """
        found = [
            (node, types)
            for selections in self.selections
            for node, types in _flattened(selections, self.possible, guards.ALWAYS, info)
            if (node.alias or node.name).value == info.path.key and type_name in types
        ]
        reached = frozenset().union(*(types for _, types in found))
        below = tuple(node.selection_set for node, _ in found if node.selection_set is not None)
        return reached, Asked(below, possible_types(info.schema, get_named_type(info.return_type).name))


def possible_types(schema: GraphQLSchema, name: str) -> frozenset[str]:
    """Return the object types that stand for a type."""
    named = schema.type_map[name]
    if is_abstract_type(named):
        return frozenset(one.name for one in schema.get_possible_types(named))
    return frozenset({name})


def _flattened(
    selections: SelectionSetNode, types: frozenset[str], outer: guards.Guard, info: GraphQLResolveInfo[object]
) -> Iterator[tuple[FieldNode, frozenset[str]]]:
    for node in selections.selections:
        guard = guards.both(outer, guards.of_directives(node.directives))
        if guard == guards.NEVER:
            continue
        if isinstance(node, FieldNode):
            yield node, types
            continue
        assert isinstance(node, FragmentSpreadNode | InlineFragmentNode)
        fragment = info.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        condition = fragment.type_condition
        inner = types if condition is None else types & possible_types(info.schema, condition.name.value)
        yield from _flattened(fragment.selection_set, inner, guard, info)
