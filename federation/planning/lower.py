"""Stage 7, lower: requests become the plan's fetches, with their operations as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import print_ast

from federation.planning import guards
from federation.planning.entities import entered
from federation.planning.guards import NEVER
from federation.planning.outputs import outputs
from federation.planning.plan import (
    DeferredBlock,
    Each,
    EntityInput,
    Fetch,
    Key,
    OnType,
    OperationKind,
    Plan,
    Selection,
)
from federation.planning.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphql import VariableDefinitionNode

    from federation.planning.fetches import Part, Request
    from federation.planning.operation import Block, Operation
    from federation.planning.plan import OutputField, Path, PathStep
    from federation.planning.tree import Entry, Node


def lower(operation: Operation, parts: list[Part], requests: list[Request]) -> Plan:
    """Write the plan down."""
    numbers = {request.number: index for index, request in enumerate(requests)}
    by_step = {part.step: part for part in parts}
    fetches = tuple(_fetch(operation, by_step[request.step], request, numbers) for request in requests)
    return Plan(
        kind=operation.kind,
        fetches=fetches,
        response=tuple(_response(operation, parts)),
        deferred=tuple(_deferred(parts, requests, numbers)),
        introspection=operation.introspection,
        best_effort=not all(part.choice.proved for part in parts),
    )


def _response(operation: Operation, parts: list[Part]) -> Iterator[OutputField]:
    """Read the root fields in the client's order, whichever part answers them."""
    order = {asked.response_name: index for index, asked in enumerate(operation.tree.fields)}
    found = [output for part in parts for output in outputs(part.places, part.root, None)]
    yield from sorted(found, key=lambda output: order[output.response_name])


# Fetches


def _fetch(operation: Operation, part: Part, request: Request, numbers: Mapping[int, int]) -> Fetch:
    outer = request.guard
    conditions = guards.to_conditions(outer)
    after = tuple(sorted(numbers[number] for number in request.after))
    renderer = Renderer(part.places.graph, request.subgraph)
    kind = operation.kind if request.is_root else OperationKind.QUERY
    selections: tuple[Selection, ...] = ()
    entities: tuple[EntityInput, ...] = ()
    definitions: tuple[str, ...] = ()
    if request.is_root:
        (use,) = request.uses
        rendered = renderer.selection([use.branch], operation.root, outer)
        selections, used, body = tuple(rendered.selections), rendered.variables, rendered.text()
    else:
        found = entered(part, request, renderer, operation.variables)
        entities, used, body, definitions = found.inputs, found.used, found.body, found.definitions
    text, variables = _text(operation, kind, used, definitions, body)
    return Fetch(
        id=numbers[request.number],
        member=request.subgraph,
        kind=kind,
        operation=text,
        variables=variables,
        after=after,
        selections=selections,
        entities=entities,
        conditions=conditions,
    )


def _text(
    operation: Operation, kind: OperationKind, used: set[str], ours: tuple[str, ...], body: str
) -> tuple[str, tuple[str, ...]]:
    """Print a subgraph operation, with the definitions of the client's variables that it uses, and of ours."""
    variables = tuple(name for name in operation.variables if name in used)
    definitions = [*(_definition(operation.variables[name]) for name in variables), *ours]
    head = f"{kind.value}({', '.join(definitions)})" if definitions else kind.value
    return f"{head} {{ {body} }}", variables


def _definition(node: VariableDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value is not None else ""
    return f"${node.variable.name.value}: {print_ast(node.type)}{default}"


# Deferred blocks


def _deferred(parts: list[Part], requests: list[Request], numbers: Mapping[int, int]) -> Iterator[DeferredBlock]:
    for part in parts:
        for node in part.places.nodes:
            if node.parent is not None and node.parent not in node.parent.entry.read.values():
                continue  # stands for an input
            for block in node.tree.blocks if node.tree is not None else ():
                guard = guards.both(node.guard, block.guard)
                if guard == NEVER:
                    continue
                yield DeferredBlock(
                    label=block.label,
                    path=_place(part, node),
                    fetches=_later(part, node, block, requests, numbers),
                    response=outputs(part.places, node, block),
                    conditions=guards.to_conditions(guard),
                )


def _later(
    part: Part, node: Node, block: Block, requests: list[Request], numbers: Mapping[int, int]
) -> tuple[int, ...]:
    """Return the fetches that a block waits for beyond the initial ones."""
    mask = 0
    for goal, option in part.choice.picks:
        wanted = goal.block == block.number or block in _wanted(goal.entry)
        if wanted and _is_below(goal.entry.node, node):
            mask |= option.mask
    return tuple(
        sorted(
            numbers[request.number]
            for request in requests
            if request.step == part.step
            and request.block is not None
            and any(mask >> number & 1 for use in request.uses for number in use.numbers)
        )
    )


def _wanted(entry: Entry) -> Iterable[Block | None]:
    """Return the places of delivery for which the client wants an entry; the type of an object is wanted with it."""
    if entry.asked is not None:
        return entry.asked.wanted
    above = entry.node.parent
    return () if above is None or above.entry.asked is None else above.entry.asked.wanted


def _is_below(node: Node, top: Node) -> bool:
    above: Node | None = node
    while above is not None and above is not top:
        above = above.parent.entry.node if above.parent is not None else None
    return above is top


def _place(part: Part, node: Node) -> Path:
    """Return the path to a node, without a jump's point of view."""
    if node.parent is None:
        return ()
    group = node.parent
    parent = group.entry.node
    source = group.entry.source_on(min(group.types))
    narrow: tuple[PathStep, ...] = () if group.types >= parent.arriving else (OnType(frozenset(group.types)),)
    lists = (Each(),) * part.places.list_depth(group)
    return (*_place(part, parent), *narrow, Key(source), *lists)
