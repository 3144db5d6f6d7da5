"""The planner: from an operation to a plan, stage by stage.

1. normalise   `operation`  fragments, conditions and literals away: a tree of fields on concrete types
2. graph       `graph`      what every subgraph resolves, and how it is entered (once per supergraph)
3. paths       `paths`      every way to have each field that `goals` names
4. choose      `choose`     one way per field, so that all together cost least
5. fetch graph `fetches`    what each jump selects, with the inputs it needs; `keys` what else may stand for a null key
6. passes      `passes`     requests joined until nothing changes; `names` keeps shapes apart
7. lower       `lower`      the plan, with operations as text and the response's shape
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from federation.planning import passes
from federation.planning.choose import choose
from federation.planning.errors import PlanningError, UnanswerableError
from federation.planning.fetches import Part, fill, requests
from federation.planning.goals import goals
from federation.planning.graph import QueryGraph
from federation.planning.lower import lower
from federation.planning.names import separate_shapes
from federation.planning.operation import SelectionTree, normalise
from federation.planning.paths import MOST_AGAIN, Search
from federation.planning.places import Places
from federation.planning.plan import OperationKind
from federation.planning.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import DocumentNode

    from federation.composition.supergraph import Supergraph
    from federation.planning.fetches import Request
    from federation.planning.goals import Goal
    from federation.planning.operation import Field, Operation
    from federation.planning.plan import Plan
    from federation.planning.tree import Node

BUDGET = 50_000
"""How many sets of jumps one planning may weigh before it takes the best answer so far (well under a second)."""


@dataclass(frozen=True, slots=True)
class PlannerOptions:
    """What a planning depends on besides the operation; all of it belongs to the key of a cached plan.

    `internal_prefix` is privacy mode: join keys and `@requires` inputs are selected under aliases that begin with it,
    so that a node can tell them from what the consumer asked for. `labels` are the active labels of progressive
    `@override`. `denied` are coordinates (`Type.field`) nobody is asked for.
    """

    internal_prefix: str | None = None
    labels: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    budget: int = BUDGET


@dataclass(frozen=True, slots=True)
class Stages:
    """Everything between an operation and its plan, kept for printing."""

    operation: Operation
    parts: tuple[Part, ...]
    requests: tuple[Request, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans operations against one supergraph. Documents must be valid for its API schema."""

    supergraph: Supergraph
    options: PlannerOptions = field(default_factory=PlannerOptions)
    graph: QueryGraph = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the query graph once."""
        object.__setattr__(self, "graph", QueryGraph.of(self.supergraph))

    def plan(
        self, document: DocumentNode, operation_name: str | None = None, options: PlannerOptions | None = None
    ) -> Plan:
        """Plan one operation of a document; `options` replaces the planner's own for this call.

        Raises:
            UnknownOperationError: the document does not hold the operation.
            UnanswerableError: no combination of subgraphs answers a selected field.
        """
        return self.stages(document, operation_name, options).plan

    def stages(
        self, document: DocumentNode, operation_name: str | None = None, options: PlannerOptions | None = None
    ) -> Stages:
        """Plan one operation and keep every stage, for printing. Raises as `plan` does."""
        chosen = self.options if options is None else options
        operation = normalise(self.graph.schema, document, operation_name)
        parts = list(self._parts(operation, chosen))
        for part in parts:
            fill(part)
        joined = passes.run(requests(parts))
        by_step = {part.step: part for part in parts}
        for request in joined:
            separate_shapes(by_step[request.step], request.uses)
        return Stages(operation, tuple(parts), tuple(joined), lower(operation, parts, joined))

    def _parts(self, operation: Operation, options: PlannerOptions) -> Iterator[Part]:
        """Search and choose: a query at once, each root field of a mutation or subscription on its own.

        A query may begin in several subgraphs. A mutation's field must run exactly once, so it begins in one.
        """
        roots = [name for name in self.graph.subgraphs if (name, operation.root) in self.graph.below]
        if operation.kind is OperationKind.QUERY:
            if not all(asked.is_meta for asked in operation.tree.fields):
                yield self._part(operation.root, operation.tree, roots, 0, options)
            else:
                yield self._part(operation.root, operation.tree, roots[:1], 0, options)
            return
        yield from self._serial_parts(operation, options)

    def _serial_parts(self, operation: Operation, options: PlannerOptions) -> Iterator[Part]:
        """Plan root fields that run one after the other.

        Neighbours in one subgraph share a request when nothing has to happen between them: the subgraph itself runs
        them in order.
        """
        run: list[Field] = []
        last: Part | None = None
        for step, asked in enumerate(operation.tree.fields):
            part = self._single_root(operation.root, [asked], step, options)
            if last is not None and _only_root(last) and _origin(last) == _origin(part):
                run.append(asked)
                last = self._from(operation.root, run, _origin(part), step, options)
                continue
            if last is not None:
                yield last
            run, last = [asked], part
        if last is not None:
            yield last

    def _single_root(self, root: str, asked: list[Field], step: int, options: PlannerOptions) -> Part:
        """Plan one root field from each subgraph that resolves it, and keep the cheapest."""
        (field,) = asked
        holders = [edge.subgraph for edge in self.graph.holders.get((root, field.name), ())] or self.graph.subgraphs[:1]
        found: list[Part] = []
        refusal: PlanningError | None = None
        for subgraph in holders:
            try:
                found.append(self._from(root, asked, subgraph, step, options))
            except UnanswerableError as error:
                refusal = error
        if not found:
            raise refusal or UnanswerableError(f"`{root}.{field.name}` cannot be answered: no subgraph resolves it")
        return min(found, key=lambda part: part.choice.cost)

    def _from(self, root: str, asked: list[Field], subgraph: str, step: int, options: PlannerOptions) -> Part:
        """Plan root fields from one subgraph."""
        return self._part(root, SelectionTree(frozenset({root}), tuple(asked)), [subgraph], step, options)

    def _part(self, root: str, tree: SelectionTree, subgraphs: list[str], step: int, options: PlannerOptions) -> Part:
        search, node, wanted = self._searched(root, tree, subgraphs, options)
        return Part(search, choose(search.places, wanted, options.budget), node, step)

    def _searched(
        self, root: str, tree: SelectionTree, subgraphs: list[str], options: PlannerOptions
    ) -> tuple[Search, Node, tuple[Goal, ...]]:
        """Find the options of everything that is asked; look further only when that is not enough.

        Keys that select below the field they lead to are rare, and the search for them multiplies.
        """
        again = 0
        while True:
            places = Places(self.graph, Sources(options.internal_prefix), options.denied)
            search = Search(places, active=options.labels, again=again)
            node = places.root(root, tree, subgraphs)
            try:
                return search, node, tuple(goals(search, node))
            except UnanswerableError:
                if not search.shortened or again == MOST_AGAIN:
                    raise
            again += 1


def _only_root(part: Part) -> bool:
    """Tell whether a part is answered by its root selection alone."""
    return part.choice.mask.bit_count() <= 1


def _origin(part: Part) -> str:
    return part.root.descents[0].jump.subgraph
