"""Stage 7, lower: requests become the plan's fetches, with their operations as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import print_ast

from federation.planning import guards
from federation.planning.fetches import paths
from federation.planning.operation import TYPENAME
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
    RepresentationField,
    Selection,
)
from federation.planning.render import Rendered, Renderer, unused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphql import VariableDefinitionNode

    from federation.planning.fetches import Part, Request, Use
    from federation.planning.operation import Block, Operation
    from federation.planning.plan import OutputField, Path, PathStep
    from federation.planning.tree import Entry, Input, Node


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
    found = [output for part in parts for output in outputs(part.search, part.root, None)]
    yield from sorted(found, key=lambda output: order[output.response_name])


# Fetches


def _fetch(operation: Operation, part: Part, request: Request, numbers: Mapping[int, int]) -> Fetch:
    outer = request.guard
    conditions = guards.to_conditions(outer)
    after = tuple(sorted(numbers[number] for number in request.after))
    renderer = Renderer(part.search.graph, request.subgraph)
    kind = operation.kind if request.is_root else OperationKind.QUERY
    selections: tuple[Selection, ...] = ()
    entities: tuple[EntityInput, ...] = ()
    if request.is_root:
        (use,) = request.uses
        rendered = renderer.selection([use.branch], operation.root, outer)
        selections, used, body = tuple(rendered.selections), rendered.variables, rendered.text()
    else:
        entities, used, body = _entities(operation, part, request, renderer)
    text, variables = _text(operation, kind, used, tuple(one.variable for one in entities), body)
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
    operation: Operation, kind: OperationKind, used: set[str], representations: tuple[str, ...], body: str
) -> tuple[str, tuple[str, ...]]:
    """Print a subgraph operation, with the definitions of the variables it uses."""
    variables = tuple(name for name in operation.variables if name in used)
    definitions = [_definition(operation.variables[name]) for name in variables]
    definitions += [f"${name}: [_Any!]!" for name in representations]
    head = f"{kind.value}({', '.join(definitions)})" if definitions else kind.value
    return f"{head} {{ {body} }}", variables


def _definition(node: VariableDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value is not None else ""
    return f"${node.variable.name.value}: {print_ast(node.type)}{default}"


# Entities


def _entities(
    operation: Operation, part: Part, request: Request, renderer: Renderer
) -> tuple[tuple[EntityInput, ...], set[str], str]:
    """Lower the entries by key of one request; entries that differ only in where the objects stand are joined."""
    outer = request.guard
    used: set[str] = set()
    # The text is part of what must be equal: a description of the answer does not know the arguments.
    joined: dict[tuple[EntityInput, str], list[Path]] = {}
    for use in request.uses:
        rendered = _entered(renderer, use)
        used |= rendered.variables
        entity = EntityInput(
            alias="",
            variable="",
            paths=(),
            fields=tuple(_representation(use.inputs, use.types)),
            required=frozenset(wanted.name for wanted in use.jump.key),
            typename=_typename(use),
            selections=tuple(rendered.selections),
            conditions=guards.to_conditions(guards.inside(use.guard, outer)),
        )
        found = joined.setdefault((entity, rendered.text()), [])
        found.extend(path for path in paths(part, use) if path not in found)
    single = len(joined) == 1
    aliases = ["_entities"] if single else [f"_e{index}" for index in range(len(joined))]
    wanted = ["representations"] if single else [f"r{index}" for index in range(len(joined))]
    variables = list(unused(wanted, operation.variables))
    entities: list[EntityInput] = []
    body: list[str] = []
    for alias, variable, ((entity, text), places) in zip(aliases, variables, joined.items(), strict=True):
        entities.append(
            EntityInput(
                alias,
                variable,
                tuple(places),
                entity.fields,
                entity.required,
                entity.typename,
                entity.selections,
                entity.conditions,
            )
        )
        head = "_entities" if alias == "_entities" else f"{alias}: _entities"
        body.append(f"{head}(representations: ${variable}) {{ {text} }}")
    return tuple(entities), used, " ".join(body)


def _entered(renderer: Renderer, use: Use) -> Rendered:
    """Render what is selected of the entities that a jump enters, as the type or types it enters them as."""
    statics = [use.jump.known_as] if use.jump.known_as is not None else sorted(use.types)
    result = Rendered()
    for static in statics:
        rendered = renderer.selection([use.branch], static, use.guard)
        result.texts.append(f"... on {static} {{ {rendered.text()} }}")
        result.variables |= rendered.variables
        if len(statics) > 1:
            rendered.selections = [_on(one, static) for one in rendered.selections]
        result.selections.extend(rendered.selections)
    return result


def _on(one: Selection, static: str) -> Selection:
    on = one.on or frozenset({static})
    return Selection(one.key, one.name, one.type, one.selections, on, one.conditions)


def _typename(use: Use) -> str | None:
    if use.jump.known_as is not None:
        return use.jump.known_as
    return next(iter(use.types)) if len(use.types) == 1 else None


def _representation(inputs: Iterable[Input], types: Iterable[str]) -> Iterator[RepresentationField]:
    """Say where each field of a representation is read; `on` only where not every object has it there."""
    whole = frozenset(types)
    for found in inputs:
        for source, names in _sources(found.entry, whole).items():
            yield RepresentationField(
                name=found.name,
                source=source,
                selections=tuple(_nested(found.children)),
                on=frozenset() if names >= whole else frozenset(names),
            )


def _nested(inputs: tuple[Input, ...]) -> Iterator[RepresentationField]:
    for found in inputs:
        arriving = found.entry.node.arriving
        for source, names in _sources(found.entry, found.on).items():
            yield RepresentationField(
                name=found.name,
                source=source,
                selections=tuple(_nested(found.children)),
                on=frozenset() if names >= arriving or found.name == TYPENAME else frozenset(names),
            )


def _sources(entry: Entry, types: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in sorted(types):
        found.setdefault(entry.source_on(name), set()).add(name)
    return found


# Deferred blocks


def _deferred(parts: list[Part], requests: list[Request], numbers: Mapping[int, int]) -> Iterator[DeferredBlock]:
    for part in parts:
        for node in part.search.nodes:
            for block in node.tree.blocks if node.tree is not None else ():
                yield DeferredBlock(
                    label=block.label,
                    path=_place(part, node),
                    fetches=_later(part, node, block, requests, numbers),
                    response=outputs(part.search, node, block),
                    conditions=guards.to_conditions(guards.both(node.guard, block.guard)),
                )


def _later(
    part: Part, node: Node, block: Block, requests: list[Request], numbers: Mapping[int, int]
) -> tuple[int, ...]:
    """Return the fetches that a block waits for beyond the initial ones."""
    mask = 0
    for goal, option in part.choice.picks:
        asked = goal.entry.asked
        inside = goal.block == block.number or (asked is not None and block in asked.wanted)
        if inside and _is_below(goal.entry.node, node):
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
    lists = (Each(),) * part.search.list_depth(group)
    return (*_place(part, parent), *narrow, Key(source), *lists)
