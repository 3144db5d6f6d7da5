"""A plan made ready to run: decoders, collectors, mergers and the projection, compiled once and kept with the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import msgspec
from graphql import GraphQLSchema, graphql_sync

from federation.execution.answer import NullFoundError, answer_decoder, failure_of_status, read_answer
from federation.execution.codegen import attribute
from federation.execution.collect import Collect, collector
from federation.execution.contexts import Given, in_sets, operation_text
from federation.execution.fold import (
    FoldedBlock,
    FoldedFetch,
    FoldedPlan,
    WantedEntities,
    condition_variables,
    fold,
    surely_shows,
    truth_of,
    whole_response,
)
from federation.execution.merge import Merge, MergeAll, entity_merger, merger
from federation.execution.output import OutNode, judge_nulls, output_node
from federation.execution.ports import FetchAnswer
from federation.execution.project import Project, projector
from federation.execution.shape import Leaf, Nulls, Position, answer_struct, locate, merged_tree, positions, root_struct
from federation.execution.types import SchemaTypes
from federation.planning.plan import Path, Plan

MOST_FOLDED_FORMS = 64
"""Folded forms kept per plan; the oldest is dropped, since a client chooses the variables."""


MOST_SET_FORMS = 16
"""Forms kept per fetch with contexts; data decides how many there could be."""


class Reading:
    """Decodes one fetch's answers, once for each layer.

    The first layer holds everything; a further one holds the entities of one input for another position of the tree.
    Strict decoders come first; where they find a null in a non-null place, lenient ones read the answer again.
    """

    def __init__(self, build: Callable[[Nulls], list[Any]], *, copied: bool) -> None:
        """Make the strict decoders; `build` returns the data type of each layer.

        What is `copied` into the tree field by field may be read once for all who share an answer; objects that become
        parts of a tree may not.
        """
        self._build = build
        self._copied = copied
        self._strict = [answer_decoder(data).decode for data in build(Nulls.JUDGED)]
        self._lenient: list[Callable[[bytes], Any]] | None = None

    def read(self, member: str, answer: FetchAnswer) -> tuple[list[Any], bool]:
        """Return the decoded layers, and whether all that passes as it is has its nulls judged.

        Raises:
            CroceviaError: see `read_answer`.
        """
        if answer.read is None or not self._copied:
            return self._read(member, answer)
        found: tuple[list[Any], bool] | None = answer.read.get(self)
        if found is None:
            found = answer.read[self] = self._read(member, answer)
        return found

    def _read(self, member: str, answer: FetchAnswer) -> tuple[list[Any], bool]:
        try:
            return [read_answer(member, decode, answer) for decode in self._strict], True
        except NullFoundError:
            if self._lenient is None:
                self._lenient = [answer_decoder(data).decode for data in self._build(Nulls.ALLOWED)]
        try:
            return [read_answer(member, decode, answer) for decode in self._lenient], False
        except NullFoundError as error:
            raise failure_of_status(member, answer.status) from error


@dataclass(frozen=True, slots=True)
class Target:
    """The objects under one path of an entity input. `layer` says which decoding of the answer fits their position.

    `given` says what objects above give them, for an input with contexts.
    """

    path: Path
    position: Position
    collect: Collect
    merge: MergeAll
    layer: int
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class CompiledEntities:
    """One entity input. Inputs of one plan that ask about the same objects in the same way have the same `sharing`.

    `routed` inputs may be of a type whose representations are translated for their member; what was found for them is
    changed on the way, and so not shared.
    """

    wanted: WantedEntities
    attribute: str
    label: bytes
    targets: tuple[Target, ...]
    sharing: int
    routed: bool


@dataclass(frozen=True, slots=True)
class CompiledFetch:
    """One fetch. `dependants` are places in the plan's order, `chain` counts the steps from here to the last one.

    `sets` makes the form for several sets of values from contexts, where there are contexts.
    """

    order: int
    folded: FoldedFetch
    operation: bytes
    labels: tuple[tuple[str, bytes], ...]
    idle: tuple[bytes, ...]
    reading: Reading
    merge_root: Merge | None
    entities: tuple[CompiledEntities, ...]
    parents: tuple[int, ...]
    dependants: tuple[int, ...]
    chain: int
    routed: bool
    sets: Sets | None = None


class Sets:
    """The forms of a fetch with contexts, by how many sets of values each input has; made when first needed."""

    def __init__(self, fetch: FoldedFetch, build: Callable[[FoldedFetch], CompiledFetch]) -> None:
        """Keep the fetch for one set each, and how a fetch is compiled."""
        self._fetch = fetch
        self._build = build
        self._forms: dict[tuple[int, ...], CompiledFetch] = {}

    def form(self, counts: tuple[int, ...]) -> CompiledFetch:
        """Return the form for these numbers of sets; inputs without contexts always have one."""
        form = self._forms.get(counts)
        if form is None:
            form = self._build(in_sets(self._fetch, counts))
            while len(self._forms) >= MOST_SET_FORMS:
                self._forms.pop(next(iter(self._forms)))
            self._forms[counts] = form
        return form


@dataclass(frozen=True, slots=True)
class CompiledBlock:
    """A deferred fragment: the fetches it waits for, by order, and how its objects are read.

    `behind` are the fragments, by their position among all, without which the client may not know the place yet.
    """

    folded: FoldedBlock
    orders: tuple[int, ...]
    node: OutNode
    behind: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Supplied:
    """Provenance of one field of the response: its path without list positions, and who is asked for it."""

    path: tuple[str, ...]
    coordinate: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledForm:
    """A plan compiled for one truth assignment of its condition variables.

    `node` reads the initial response, `whole` knows deferred fragments too: errors are placed by it.
    """

    plan: FoldedPlan
    root: type[msgspec.Struct]
    fetches: tuple[CompiledFetch, ...]
    initial: tuple[int, ...]
    node: OutNode
    whole: OutNode
    project: Project | None
    deferred: tuple[CompiledBlock, ...]
    provenance: tuple[Supplied, ...]


class CompiledPlan:
    """A plan with its compiled forms, which are made when first needed.

    `routed` names the types whose representations an `EntityRouter` translates: their collectors remember which member
    supplied each key, as it needs to know.
    """

    def __init__(
        self,
        plan: Plan,
        api: GraphQLSchema,
        *,
        routed: frozenset[str] = frozenset(),
        shown: GraphQLSchema | None = None,
    ) -> None:
        """Keep the plan; `api` is the API schema, `shown` what introspection answers from when that is less."""
        self.plan = plan
        self.api = api
        self.routed = routed
        self.shown = shown or api
        self._types = SchemaTypes(api)
        self._names = condition_variables(plan)
        self._forms: dict[tuple[bool, ...], CompiledForm] = {}

    def form(self, variables: Mapping[str, Any]) -> CompiledForm:
        """Return the form for these variables, defaults included."""
        truth = truth_of(self._names, variables)
        form = self._forms.get(truth)
        if form is None:
            form = _compile(fold(self.plan, dict(zip(self._names, truth, strict=True))), self._types, self.routed)
            while len(self._forms) >= MOST_FOLDED_FORMS:
                self._forms.pop(next(iter(self._forms)))
            self._forms[truth] = form
        return form

    def introspect(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the plan's `__schema` and `__type` fields from the API schema (GraphQL section 4)."""
        if self.plan.introspection is None:
            return {}
        return graphql_sync(self.shown, self.plan.introspection, variable_values=dict(variables)).data or {}


def _compile(plan: FoldedPlan, types: SchemaTypes, routed: frozenset[str]) -> CompiledForm:
    root = merged_tree(plan)
    node = output_node(types, root, plan.response)
    judge_nulls(node)
    members = [fetch.member for fetch in plan.fetches]
    orders = {fetch.id: order for order, fetch in enumerate(plan.fetches)}
    parents = [tuple(orders[parent] for parent in fetch.after if parent in orders) for fetch in plan.fetches]
    dependants = [
        tuple(child for child, above in enumerate(parents) if order in above) for order in range(len(plan.fetches))
    ]
    chains = _chains(dependants)
    compiler = _Compiler(root, types.leaf, members, routed)
    fetches = tuple(
        replace(
            compiler.fetch(fetch, order),
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
        whole=output_node(types, root, whole_response(plan)) if plan.deferred else node,
        project=None if _denies(node) else projector(node),
        deferred=tuple(_block(root, block, orders, types, _behind(plan, block)) for block in plan.deferred),
        provenance=tuple(_provenance(node, members, ())),
    )


def _label(name: str) -> bytes:
    return msgspec.json.encode(name) + b":"


@dataclass(slots=True)
class _Compiler:
    """Makes the parts of fetches; `members` are those of all fetches, in the plan's order."""

    root: Position
    leaf: Leaf
    members: list[str]
    routed: frozenset[str]
    sharings: dict[Any, int] = field(default_factory=dict)

    def fetch(self, fetch: FoldedFetch, order: int) -> CompiledFetch:
        """Compile one fetch, apart from its place among the others."""
        made = self._fetch(fetch, order)
        if all(entity.contexts is None for entity in fetch.entities):
            return made
        return replace(made, sets=Sets(fetch, lambda several: self._fetch(several, order)))

    def _fetch(self, fetch: FoldedFetch, order: int) -> CompiledFetch:
        entities = self.entities(fetch, order)
        return CompiledFetch(
            order=order,
            folded=fetch,
            operation=msgspec.json.encode(operation_text(fetch)),
            labels=tuple((name, _label(name)) for name in fetch.variables),
            idle=tuple(_label(name) + b"[]" for name in fetch.idle_variables),
            reading=Reading(
                partial(self.layers, fetch, order),
                copied=not fetch.selections and all(_is_flat(entity) for entity in fetch.entities),
            ),
            merge_root=merger(self.root, fetch.selections, order) if fetch.selections else None,
            entities=entities,
            parents=(),
            dependants=(),
            chain=1,
            routed=any(entity.routed for entity in entities),
        )

    def entities(self, fetch: FoldedFetch, order: int) -> tuple[CompiledEntities, ...]:
        """Compile the entity inputs of a fetch, numbering layers as `layers` makes them."""
        made: list[CompiledEntities] = []
        next_layer = 1
        for entity in fetch.entities:
            found = positions(self.root, entity.paths)
            numbers = [0, *range(next_layer, next_layer + len(found) - 1)]
            flat = _is_flat(entity)
            routed = bool(self.routed) and (entity.typename is None or entity.typename in self.routed)
            targets: list[Target] = []
            for path in entity.paths:
                position = locate(self.root, path)
                collect = collector(self.root, path, entity, self.members if routed else None)
                if position is None or collect is None:
                    continue
                layer = 0 if flat else next(number for number, at in zip(numbers, found, strict=True) if at is position)
                merge = entity_merger(position, entity.selections, order)
                given = None if entity.contexts is None else Given.of(entity.contexts, self.root, path)
                targets.append(Target(path, position, collect, merge, layer, given))
            if not flat:
                next_layer += max(len(found) - 1, 0)
            asked = (entity.paths, entity.references, entity.typename)
            sharing = self.sharings.setdefault(asked, len(self.sharings))
            label = _label(entity.variable)
            made.append(CompiledEntities(entity, attribute(entity.alias), label, tuple(targets), sharing, routed))
        return tuple(made)

    def layers(self, fetch: FoldedFetch, order: int, nulls: Nulls) -> list[Any]:
        """Return the data types of a fetch's layers.

        Objects below an entity are attached as they were decoded, so each position needs a decoding of its own; a flat
        selection is copied field by field and one decoding serves all.
        """
        if not fetch.entities:
            return [answer_struct(self.root, fetch.selections, order, self.leaf, nulls)]
        whole: list[tuple[WantedEntities, Position]] = []
        further: list[list[tuple[WantedEntities, Position]]] = []
        for entity in fetch.entities:
            first, *others = positions(self.root, entity.paths) or [Position(())]
            whole.append((entity, first))
            if not _is_flat(entity):
                further += [[(entity, other)] for other in others]
        return [self._layer(parts, order, nulls) for parts in (whole, *further)]

    def _layer(self, parts: Sequence[tuple[WantedEntities, Position]], order: int, nulls: Nulls) -> Any:
        definition: list[tuple[str, Any, Any]] = []
        for entity, position in parts:
            struct = answer_struct(position, entity.selections, order, self.leaf, nulls)
            definition.append((attribute(entity.alias), list[struct | None] | None, None))  # type: ignore[valid-type]  # built at run time
        rename = {attribute(entity.alias): entity.alias for entity, _ in parts}
        return msgspec.defstruct("Entities", definition, rename=rename, gc=False)


def _is_flat(entity: WantedEntities) -> bool:
    return all(wanted.selections is None for wanted in entity.selections)


def _chains(dependants: Sequence[Sequence[int]]) -> list[int]:
    """Return the length of the longest chain of fetches that begins with each; orders are topological."""
    chains = [1] * len(dependants)
    for order in reversed(range(len(dependants))):
        chains[order] += max((chains[child] for child in dependants[order]), default=0)
    return chains


def _behind(plan: FoldedPlan, block: FoldedBlock) -> tuple[int, ...]:
    """Return the fragments that show the place of one, unless the initial response does."""
    if surely_shows(plan.response, block.path):
        return ()
    return tuple(number for number, other in enumerate(plan.deferred) if other.leads_to(block.path))


def _block(
    root: Position, block: FoldedBlock, orders: Mapping[int, int], types: SchemaTypes, behind: tuple[int, ...]
) -> CompiledBlock:
    position = locate(root, block.path) or Position(())
    return CompiledBlock(
        folded=block,
        orders=tuple(orders[fetch] for fetch in block.fetches if fetch in orders),
        node=output_node(types, position, block.response),
        behind=behind,
    )


def _denies(node: OutNode) -> bool:
    return any(
        field.denied or (field.node is not None and _denies(field.node))
        for variant in node.variants
        for field in variant.fields
    )


def _provenance(node: OutNode, members: Sequence[str], path: tuple[str, ...]) -> Iterator[Supplied]:
    for variant in node.variants:
        for shown in variant.fields:
            here = (*path, shown.response_name)
            slot = None if shown.source is None else node.position.slots.get(shown.source)
            if slot is not None:
                asked = tuple(dict.fromkeys(members[writer] for writer in slot.writers))
                yield Supplied(here, shown.coordinate, asked)
            if shown.node is not None:
                yield from _provenance(shown.node, members, here)
