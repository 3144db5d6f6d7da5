"""A plan made ready to run: decoders, collectors, mergers and the projection, compiled once and kept with the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import GraphQLSchema, graphql_sync

from federation.execution.answer import answer_decoder
from federation.execution.codegen import attribute
from federation.execution.collect import Collect, collector
from federation.execution.fold import (
    FoldedBlock,
    FoldedFetch,
    FoldedPlan,
    WantedEntities,
    condition_variables,
    fold,
    truth_of,
)
from federation.execution.merge import Merge, merger
from federation.execution.output import OutNode, output_node
from federation.execution.project import Project, projector
from federation.execution.shape import Leaf, Position, answer_struct, locate, merged_tree, positions, root_struct
from federation.execution.types import SchemaTypes
from federation.planning.plan import Path, Plan

MOST_FOLDED_FORMS = 64
"""Folded forms kept per plan; the oldest is dropped, since a client chooses the variables."""


@dataclass(frozen=True, slots=True)
class Target:
    """The objects under one path of an entity input. `layer` says which decoding of the answer fits their position."""

    path: Path
    position: Position
    collect: Collect
    merge: Merge
    layer: int


@dataclass(frozen=True, slots=True)
class CompiledEntities:
    """One entity input. `layers` are the further decoders needed when its paths lead to several positions."""

    wanted: WantedEntities
    attribute: str
    targets: tuple[Target, ...]
    layers: tuple[msgspec.json.Decoder[Any], ...]


@dataclass(frozen=True, slots=True)
class CompiledFetch:
    """One fetch. `dependants` are places in the plan's order, `chain` counts the steps from here to the last one."""

    order: int
    folded: FoldedFetch
    operation: bytes
    decoder: msgspec.json.Decoder[Any]
    merge_root: Merge | None
    entities: tuple[CompiledEntities, ...]
    parents: tuple[int, ...]
    dependants: tuple[int, ...]
    chain: int


@dataclass(frozen=True, slots=True)
class CompiledBlock:
    """A deferred fragment: the fetches it waits for, by order, and how its objects are read."""

    folded: FoldedBlock
    orders: tuple[int, ...]
    node: OutNode


@dataclass(frozen=True, slots=True)
class Supplied:
    """Provenance of one field of the response: its path without list positions, and who is asked for it."""

    path: tuple[str, ...]
    coordinate: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledForm:
    """A plan compiled for one truth assignment of its condition variables."""

    plan: FoldedPlan
    root: type[msgspec.Struct]
    fetches: tuple[CompiledFetch, ...]
    initial: tuple[int, ...]
    node: OutNode
    project: Project | None
    deferred: tuple[CompiledBlock, ...]
    provenance: tuple[Supplied, ...]


class CompiledPlan:
    """A plan with its compiled forms, which are made when first needed.

    With `keyed` the collectors remember which member supplied each key, as an `EntityRouter` needs to know.
    """

    def __init__(
        self, plan: Plan, api: GraphQLSchema, *, keyed: bool = False, shown: GraphQLSchema | None = None
    ) -> None:
        """Keep the plan; `api` is the API schema, `shown` what introspection answers from when that is less."""
        self.plan = plan
        self.api = api
        self.keyed = keyed
        self.shown = shown or api
        self._types = SchemaTypes(api)
        self._names = condition_variables(plan)
        self._forms: dict[tuple[bool, ...], CompiledForm] = {}

    def form(self, variables: Mapping[str, Any]) -> CompiledForm:
        """Return the form for these variables, defaults included."""
        truth = truth_of(self._names, variables)
        form = self._forms.get(truth)
        if form is None:
            form = _compile(fold(self.plan, dict(zip(self._names, truth, strict=True))), self._types, self.keyed)
            while len(self._forms) >= MOST_FOLDED_FORMS:
                self._forms.pop(next(iter(self._forms)))
            self._forms[truth] = form
        return form

    def introspect(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the plan's `__schema` and `__type` fields from the API schema (GraphQL section 4)."""
        if self.plan.introspection is None:
            return {}
        return graphql_sync(self.shown, self.plan.introspection, variable_values=dict(variables)).data or {}


def _compile(plan: FoldedPlan, types: SchemaTypes, keyed: bool) -> CompiledForm:  # noqa: FBT001  # keeps CompiledPlan's own switch
    root = merged_tree(plan)
    node = output_node(types, root, plan.response)
    members = [fetch.member for fetch in plan.fetches]
    orders = {fetch.id: order for order, fetch in enumerate(plan.fetches)}
    parents = [tuple(orders[parent] for parent in fetch.after if parent in orders) for fetch in plan.fetches]
    dependants = [
        tuple(child for child, above in enumerate(parents) if order in above) for order in range(len(plan.fetches))
    ]
    chains = _chains(dependants)
    fetches = tuple(
        CompiledFetch(
            order=order,
            folded=fetch,
            operation=msgspec.json.encode(fetch.operation),
            decoder=answer_decoder(_data_struct(root, fetch, order, types.leaf)),
            merge_root=merger(root, fetch.selections, order) if fetch.selections else None,
            entities=tuple(
                _entities(root, entity, order, types.leaf, members if keyed else None) for entity in fetch.entities
            ),
            parents=parents[order],
            dependants=dependants[order],
            chain=chains[order],
        )
        for order, fetch in enumerate(plan.fetches)
    )
    later = {orders[fetch] for block in plan.deferred for fetch in block.fetches if fetch in orders}
    return CompiledForm(
        plan=plan,
        root=root_struct(root),
        fetches=fetches,
        initial=tuple(order for order in range(len(fetches)) if order not in later),
        node=node,
        project=None if _denies(node) else projector(node),
        deferred=tuple(_block(root, block, orders, types) for block in plan.deferred),
        provenance=tuple(_provenance(node, members, ())),
    )


def _chains(dependants: Sequence[Sequence[int]]) -> list[int]:
    """Return the length of the longest chain of fetches that begins with each; orders are topological."""
    chains = [1] * len(dependants)
    for order in reversed(range(len(dependants))):
        chains[order] += max((chains[child] for child in dependants[order]), default=0)
    return chains


def _data_struct(root: Position, fetch: FoldedFetch, order: int, leaf: Leaf) -> Any:
    if not fetch.entities:
        return answer_struct(root, fetch.selections, order, leaf)
    definition: list[tuple[str, Any, Any]] = []
    for entity in fetch.entities:
        position = next(iter(positions(root, entity.paths)), Position(()))
        definition.append(_entity_list(entity, position, order, leaf))
    rename = {attribute(entity.alias): entity.alias for entity in fetch.entities}
    return msgspec.defstruct("Entities", definition, rename=rename, gc=False)


def _entity_list(entity: WantedEntities, position: Position, order: int, leaf: Leaf) -> tuple[str, Any, Any]:
    struct = answer_struct(position, entity.selections, order, leaf)
    return (attribute(entity.alias), list[struct | None] | None, None)  # type: ignore[valid-type]  # built at run time


def _entities(
    root: Position, entity: WantedEntities, order: int, leaf: Leaf, members: Sequence[str] | None
) -> CompiledEntities:
    """Compile one entity input.

    Objects below an entity are attached as they were decoded, so each position needs a decoding of its own; a flat
    selection is copied field by field and one decoding serves all.
    """
    found = positions(root, entity.paths)
    flat = all(wanted.selections is None for wanted in entity.selections)
    targets: list[Target] = []
    for path in entity.paths:
        position = locate(root, path)
        collect = collector(root, path, entity, members)
        if position is None or collect is None:
            continue
        layer = 0 if flat else next(index for index, other in enumerate(found) if other is position)
        targets.append(Target(path, position, collect, merger(position, entity.selections, order), layer))
    layers = () if flat else tuple(_layer(entity, position, order, leaf) for position in found[1:])
    return CompiledEntities(entity, attribute(entity.alias), tuple(targets), layers)


def _layer(entity: WantedEntities, position: Position, order: int, leaf: Leaf) -> msgspec.json.Decoder[Any]:
    data = msgspec.defstruct(
        "Entities",
        [_entity_list(entity, position, order, leaf)],
        rename={attribute(entity.alias): entity.alias},
        gc=False,
    )
    return answer_decoder(data)


def _block(root: Position, block: FoldedBlock, orders: Mapping[int, int], types: SchemaTypes) -> CompiledBlock:
    position = locate(root, block.path) or Position(())
    return CompiledBlock(
        folded=block,
        orders=tuple(orders[fetch] for fetch in block.fetches if fetch in orders),
        node=output_node(types, position, block.response),
    )


def _denies(node: OutNode) -> bool:
    return any(
        field.denied or (field.node is not None and _denies(field.node))
        for variant in node.variants
        for field in variant.fields
    )


def _provenance(node: OutNode, members: Sequence[str], path: tuple[str, ...]) -> Iterator[Supplied]:
    for variant in node.variants:
        for field in variant.fields:
            here = (*path, field.response_name)
            slot = None if field.source is None else node.position.slots.get(field.source)
            if slot is not None:
                asked = tuple(dict.fromkeys(members[writer] for writer in slot.writers))
                yield Supplied(here, field.coordinate, asked)
            if field.node is not None:
                yield from _provenance(field.node, members, here)
