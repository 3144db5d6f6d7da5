"""Every stage as text for people: paths, fetches, the plan, and the plan as a Mermaid diagram.

These prints are what reviewers and tests read; each one shows one stage, so a wrong plan can be traced to the stage
where it first looks wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from graphql import parse, print_ast

from federation.planning import guards
from federation.planning.fieldsets import printed
from federation.planning.plan import Each, Key, OnType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from federation.planning.fetches import Branch, Request
    from federation.planning.goals import Goal
    from federation.planning.operation import Operation, SelectionTree
    from federation.planning.places import Places
    from federation.planning.plan import (
        Conditions,
        ContextSource,
        DeferredBlock,
        EntityInput,
        Fetch,
        OutputField,
        Path,
        Plan,
        Reference,
        RepresentationField,
    )
    from federation.planning.planner import Stages
    from federation.planning.tree import Option


def explain(plan: Plan) -> str:
    """Print a plan: its fetches in order, then what is read out under other names or not at all."""
    return "\n".join(_plan_lines(plan))


def mermaid(plan: Plan) -> str:
    """Print a plan as a Mermaid flow chart: one box per fetch, arrows for what waits for what."""
    return "\n".join(_mermaid_lines(plan))


def print_operation(operation: Operation) -> str:
    """Print the normalised operation: fields with the types that carry them."""
    return "\n".join([f"{operation.kind.value} on {operation.root}", *_tree_lines(operation.tree, 1)])


def print_paths(stages: Stages) -> str:
    """Print, for every goal, its options and the one that was chosen."""
    return "\n".join(
        line for part in stages.parts for line in _goals_lines(part.places, part.choice.picks, part.choice.cost)
    )


def print_fetches(stages: Stages) -> str:
    """Print the fetch graph after the passes: what each request enters, selects and waits for."""
    return "\n".join(line for request in stages.requests for line in _request_lines(request))


# Plan


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.kind.value}{' (best effort)' if plan.best_effort else ''}"
    for fetch in plan.fetches:
        yield from _indent(_fetch_lines(fetch))
    if plan.introspection is not None:
        yield from _indent(["introspection", *_indent([plan.introspection])])
    for block in plan.deferred:
        yield from _indent(_deferred_lines(block))
    notes = list(_renamed(plan.response, ()))
    if notes:
        yield from _indent(["read", *_indent(notes)])


def _fetch_lines(fetch: Fetch) -> Iterator[str]:
    after = f" after {', '.join(map(str, fetch.after))}" if fetch.after else ""
    yield f"fetch {fetch.id} from {fetch.member}{after}{_when(fetch.conditions)}"
    for entity in fetch.entities:
        yield from _indent(_entity_lines(entity))
    yield from _indent(print_ast(parse(fetch.operation)).splitlines())


def _entity_lines(entity: EntityInput) -> Iterator[str]:
    name = entity.typename or "each"
    sent = " else ".join(_reference(one) for one in entity.references)
    yield f"${entity.variable}: {name} {sent}{_when(entity.conditions)}"
    for path in entity.paths:
        yield f"  of {print_path(path)}"
    if entity.contexts is not None:
        for argument in entity.contexts.arguments:
            sources = " else ".join(_context_source(one) for one in argument.sources)
            yield f"${entity.contexts.numbered(argument.variable, 0)}: {sources}"


def _reference(one: Reference) -> str:
    return f"{{ {', '.join(map(_representation, one.fields))} }}{_on(one.on)}"


def _on(names: frozenset[str]) -> str:
    return f" on {'|'.join(sorted(names))}" if names else ""


def _representation(one: RepresentationField) -> str:
    text = one.name if one.name == one.source else f"{one.name}: {one.source}"
    if one.selections:
        text = f"{text} {{ {', '.join(_representation(inner) for inner in one.selections)} }}"
    return f"{text}{_on(one.on)}"


def _context_source(source: ContextSource) -> str:
    return f"{_representation(source.read)}, {source.up} above{_on(source.on)}"


def _deferred_lines(block: DeferredBlock) -> Iterator[str]:
    label = f" `{block.label}`" if block.label else ""
    waits = f" after {', '.join(map(str, block.fetches))}" if block.fetches else ""
    yield f"deferred{label} at {print_path(block.path) or 'the root'}{waits}{_when(block.conditions)}"
    yield from _indent(_output_lines(block.response))


def _output_lines(fields: Iterable[OutputField]) -> Iterator[str]:
    for one in fields:
        name = one.response_name if one.response_name == one.source else f"{one.response_name} from {one.source}"
        yield f"{name}{_on(one.on)}{_when(one.conditions)}"
        yield from _indent(_output_lines(one.selections))


def _renamed(fields: Iterable[OutputField], above: tuple[str, ...]) -> Iterator[str]:
    """Yield what a reader of the plan could not guess: other names, constants, and what is not asked."""
    for one in fields:
        path = (*above, one.response_name)
        on = _on(one.on)
        if one.typename_literal is not None:
            yield f"{'.'.join(path)}{on} is always {one.typename_literal}"
        elif one.denied:
            yield f"{'.'.join(path)}{on} is denied"
        elif one.source != one.response_name:
            yield f"{'.'.join(path)}{on} from {one.source}"
        if one.types:
            yield f"{'.'.join(path)}{on} only when {'|'.join(sorted(one.types))}"
        yield from _renamed(one.selections, path)


def _when(conditions: Conditions) -> str:
    if not conditions:
        return ""
    alternatives = (
        " and ".join(f"{'' if one.wanted else 'not '}${one.variable}" for one in alternative)
        for alternative in conditions
    )
    return f" if {' or '.join(alternatives)}"


def print_path(path: Path) -> str:
    """Print a path: keys joined by dots, `@` for each element of a list, types in brackets."""
    found: list[str] = []
    for step in path:
        match step:
            case Key(name):
                found.append(name)
            case Each():
                found.append("@")
            case OnType(names):
                found.append(f"[{'|'.join(sorted(names))}]")
            case _:
                assert_never(step)
    return ".".join(found)


def _mermaid_lines(plan: Plan) -> Iterator[str]:
    yield "flowchart TD"
    for fetch in plan.fetches:
        places = [print_path(path) for entity in fetch.entities for path in entity.paths]
        label = "<br/>".join([f"{fetch.id}: {fetch.member}", *(places or [fetch.kind.value]), *_condition(fetch)])
        yield f'  f{fetch.id}["{label.replace(chr(34), "&quot;")}"]'
    for fetch in plan.fetches:
        for number in fetch.after:
            yield f"  f{number} --> f{fetch.id}"


def _condition(fetch: Fetch) -> list[str]:
    return [_when(fetch.conditions).strip()] if fetch.conditions else []


# Earlier stages


def _tree_lines(tree: SelectionTree, depth: int) -> Iterator[str]:
    for asked in tree.fields:
        on = "" if asked.types >= tree.possible else f" on {'|'.join(sorted(asked.types))}"
        later = "".join(
            f" deferred{f' `{block.label}`' if block.label else ''}" for block in asked.wanted if block is not None
        )
        yield f"{'  ' * depth}{asked}{on}{_when(guards.to_conditions(asked.guard))}{later}"
        if asked.children is not None:
            yield from _tree_lines(asked.children, depth + 1)


def _goals_lines(places: Places, picks: Iterable[tuple[Goal, Option]], cost: int) -> Iterator[str]:
    for goal, chosen in picks:
        yield f"{goal.entry} on {goal.type_name}{_when(guards.to_conditions(goal.guard))}"
        for option in goal.options:
            mark = "→" if option is chosen else " "
            jumps = sorted(places.masks(option.mask), key=lambda jump: (jump.level, jump.number))
            yield f"  {mark} {'; '.join(str(jump) for jump in jumps)}"
    yield f"cost {cost}"


def _request_lines(request: Request) -> Iterator[str]:
    after = f" after {', '.join(map(str, sorted(request.after)))}" if request.after else ""
    yield f"request {request.number} to {request.subgraph}{after}{_when(guards.to_conditions(request.guard))}"
    for use in request.uses:
        others = (other.key for found in use.others.values() for other in found)
        keys = dict.fromkeys(f"{{ {printed(key)} }}" for key in (use.jump.key, *others) if key)
        by = f" by {' else '.join(keys)}" if keys else ""
        sent = " ".join(map(str, use.jump.inputs))
        needs = f" with {{ {sent} }}" if sent else ""
        needs += "".join(f" given {found}" for found in use.jump.contexts)
        yield f"  {use.jump.node} as {use.jump.known_as or '|'.join(sorted(use.types))}{by}{needs}"
        yield from _branch_lines(use.branch, 2)


def _branch_lines(branch: Branch, depth: int) -> Iterator[str]:
    for item in branch.items.values():
        on = "" if item.types >= branch.node.arriving else f" on {'|'.join(sorted(item.types))}"
        yield f"{'  ' * depth}{item.entry.source}{on}{_when(guards.to_conditions(item.guard))}"
        if item.below is not None:
            yield from _branch_lines(item.below, depth + 1)


def _indent(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)
