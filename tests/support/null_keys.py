"""Random federations whose entities have several keys that may be null, though never all of one object at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tests.support.federation_world import Builder, FieldSpec, TypeSpec

if TYPE_CHECKING:
    from tests.support.federation_world import World

KEYS = ("code", "tag", "ref { one two }")


class NullKeysBuilder(Builder):
    """Lets every subgraph that knows an entity know it by all its keys; `id` is a field like any other there."""

    def __init__(self, world: World) -> None:
        """Begin without keys."""
        super().__init__(world)
        self.keys: dict[str, list[str]] = {}

    @override
    def entity(self, name: str) -> None:
        """Make an entity with two or three keys."""
        spec = self.world.types[name] = TypeSpec(name, "entity")
        self.world.types["Ref"].fields["two"].type = "ID"
        keys = self.keys[name] = self.random.sample(KEYS, self.random.randint(2, 3))
        spec.fields["id"] = FieldSpec("id", "ID!", set())
        types = {"code": "String", "tag": "Int", "ref": "Ref"}
        for key in keys:
            field = key.split(" ")[0]
            spec.fields[field] = FieldSpec(field, types[field], set())
        self.world.entities.append(name)
        for graph in sorted(self.some(self.world.subgraphs, 1)):
            self.know(spec, graph)

    @override
    def know(self, spec: TypeSpec, graph: str, keys: list[str] | None = None) -> None:
        """Let a subgraph know an entity by all its keys, in an order of its own."""
        own = self.keys.get(spec.name)
        if own is None or graph in spec.graphs:
            super().know(spec, graph, keys)
            return
        super().know(spec, graph, self.random.sample(own, len(own)))
        spec.fields["id"].owners.add(graph)

    @override
    def nested_key(self, spec: TypeSpec) -> None:
        """Make none: who knows an entity by its owner only does not know it by all its keys."""

    @override
    def object(self, spec: TypeSpec, number: str, ids: dict[str, list[str]]) -> None:
        """Take away some of an object's keys, but one."""
        super().object(spec, number, ids)
        values = self.world.data[spec.name, number]
        keys = [key.split(" ")[0] for key in self.keys.get(spec.name, ())]
        for name in self.random.sample(keys, self.random.randint(0, max(0, len(keys) - 1))):
            if name == "ref" and self.random.random() < 0.5:
                self.world.data[values[name]]["two"] = None
            else:
                values[name] = None

    @override
    def value(self, one: FieldSpec, number: str, ids: dict[str, list[str]]) -> Any:
        """Number the tags, so that each is one object's."""
        if one.name == "tag":
            return len(self.world.data)
        return super().value(one, number, ids)
