"""Random federations of two entities that own each other, entered by keys that select below `owner`, perhaps twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from federation.planning.fieldsets import parse_field_set
from tests.support.federation_world import Builder, FieldSpec, TypeSpec

if TYPE_CHECKING:
    from federation.planning.fieldsets import FieldSet

KEYS = ("id", "code", "id code", "owner { id }", "owner { code }", "id owner { id }", "owner { owner { id } }")
PLAIN = {"id": "ID!", "code": "String!", "s1": "String", "s2": "Int"}


class NestedKeysBuilder(Builder):
    """Draws subgraphs one by one; whether their clients can have everything is for the satisfiability check to say."""

    @override
    def build(self) -> None:
        """Draw the schema, then its values."""
        world = self.world
        world.types["Query"] = TypeSpec("Query", "root", {name: [] for name in world.subgraphs})
        for name, other in (("A", "B"), ("B", "A")):
            spec = world.types[name] = TypeSpec(name, "entity")
            spec.fields = {field: FieldSpec(field, type_text, set()) for field, type_text in PLAIN.items()}
            spec.fields["owner"] = FieldSpec("owner", f"{other}!", set(), targets=(other,))
            world.entities.append(name)
        for graph in world.subgraphs:
            for name in world.entities:
                self.declare(graph, world.types[name])
        for name in world.entities:
            self.drop_unknown(world.types[name])
            if self.random.random() < 0.5:
                self.required(world.types[name])
        self.roots()
        self.values()
        self.breaks()

    def declare(self, graph: str, spec: TypeSpec) -> None:
        """Let a subgraph know an entity, by some keys or by none, with what those keys need on both types."""
        spec.graphs[graph] = sorted(self.some(list(KEYS), 0, 2))
        for key in spec.graphs[graph]:
            self.resolve(graph, spec, parse_field_set(key))
        for name in self.some(list(spec.fields), 1):
            spec.fields[name].owners.add(graph)

    def resolve(self, graph: str, spec: TypeSpec, fields: FieldSet) -> None:
        """Let a subgraph resolve the fields of a key."""
        for one in fields:
            spec.fields[one.name].owners.add(graph)
            if one.children:
                self.resolve(graph, self.world.types[spec.fields[one.name].targets[0]], one.children)

    @staticmethod
    def drop_unknown(spec: TypeSpec) -> None:
        """Drop the fields that nobody resolves."""
        spec.fields = {name: one for name, one in spec.fields.items() if one.owners}
