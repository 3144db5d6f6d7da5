"""A reference executor of plans: interpretive, in one thread, as close to the meaning of a plan as can be written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLEnumType, OperationDefinitionNode, parse, print_ast

from federation.planning.plan import Each, Key, OnType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from graphql import GraphQLSchema

    from federation.planning.plan import (
        Conditions,
        ContextArgument,
        EntityInput,
        Fetch,
        OutputField,
        Path,
        Plan,
        RepresentationField,
        Selection,
    )

    Ask = Callable[[str, str, dict[str, Any]], dict[str, Any]]
    """(member, operation, variables) to the member's answer: `data` and perhaps `errors`."""


@dataclass(slots=True)
class Answer:
    """What a client would read, and how many requests it took."""

    data: dict[str, Any] | None
    errors: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    later: list[tuple[str | None, Any]] = field(default_factory=list)


class _NullError(Exception):
    """A null where the type allows none: the parent becomes null."""


def run_plan(plan: Plan, ask: Ask, variables: dict[str, Any], schema: GraphQLSchema) -> Answer:
    """Run a plan against members, and read the response out of the merged tree."""
    tree: dict[str, Any] = {}
    answer = Answer(None)
    for fetch in plan.fetches:
        if _holds(fetch.conditions, variables):
            _run(fetch, tree, ask, variables, answer)
    reader = _Reader(variables, schema, answer)
    try:
        answer.data = reader.fields(plan.response, tree)
    except _NullError:
        answer.data = None
    for block in plan.deferred:
        if _holds(block.conditions, variables):
            answer.later.extend(
                (block.label, reader.fields(block.response, found)) for found in _walk(tree, (tree,), block.path)
            )
    return answer


def _run(fetch: Fetch, tree: dict[str, Any], ask: Ask, variables: dict[str, Any], answer: Answer) -> None:
    values = {name: variables[name] for name in fetch.variables if name in variables}
    if not fetch.entities:
        answer.requests.append((fetch.member, fetch.operation))
        found = ask(fetch.member, fetch.operation, values)
        answer.errors.extend(str(error) for error in found.get("errors") or ())
        _merge(tree, _only(fetch.selections, found.get("data") or {}))
        return
    if any(entity.contexts is not None for entity in fetch.entities):
        _run_in_contexts(fetch, tree, ask, variables, answer)
        return
    targets: dict[str, list[dict[str, Any]]] = {}
    for entity in fetch.entities:
        wanted = _holds(entity.conditions, variables)
        pairs = list(_representations(entity, tree)) if wanted else []
        targets[entity.alias] = [target for target, _ in pairs]
        values[entity.variable] = [representation for _, representation in pairs]
    if not any(targets.values()):
        return
    answer.requests.append((fetch.member, fetch.operation))
    found = ask(fetch.member, fetch.operation, values)
    answer.errors.extend(str(error) for error in found.get("errors") or ())
    for entity in fetch.entities:
        entities = (found.get("data") or {}).get(entity.alias) or []
        for target, value in zip(targets[entity.alias], entities, strict=False):
            if value is not None:
                _merge(target, _only(entity.selections, value))


def _run_in_contexts(fetch: Fetch, tree: dict[str, Any], ask: Ask, variables: dict[str, Any], answer: Answer) -> None:
    """Ask about each entity on its own, with the values that the objects above it give."""
    for entity in fetch.entities:
        if not _holds(entity.conditions, variables):
            continue
        above = {id(value): objects for path in entity.paths for value, objects in _walk_above(tree, path, ())}
        for target, representation in _representations(entity, tree):
            values = {name: variables[name] for name in fetch.variables if name in variables}
            values[entity.variable] = [representation]
            given: dict[str, Any] = {}
            for argument in entity.contexts.arguments if entity.contexts is not None else ():
                assert entity.contexts is not None
                name = entity.contexts.numbered(argument.variable, 0)
                given[name] = _context_value(argument, above[id(target)])
                if argument.type.endswith("!") and given[name] is None:
                    break
            else:
                operation = _only_field(fetch.operation, entity.alias)
                answer.requests.append((fetch.member, operation))
                found = ask(fetch.member, operation, values | given)
                answer.errors.extend(str(error) for error in found.get("errors") or ())
                for value in (found.get("data") or {}).get(entity.alias) or []:
                    if value is not None:
                        _merge(target, _only(entity.selections, value))


def _only_field(operation: str, alias: str) -> str:
    """Return an operation with one of its root fields, and the variables of that."""
    document = parse(operation)
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    (kept,) = (
        print_ast(one)
        for one in definition.selection_set.selections
        if isinstance(one, FieldNode) and (one.alias or one.name).value == alias
    )
    definitions = (
        print_ast(one)
        for one in definition.variable_definitions or ()
        if re.search(rf"\${one.variable.name.value}\b", kept)
    )
    return f"query({' '.join(definitions)}) {{ {kept} }}"


def _context_value(argument: ContextArgument, above: tuple[dict[str, Any], ...]) -> Any:
    for source in argument.sources:
        holder = above[-source.up]
        if not source.on or holder.get("__typename") in source.on:
            return _leaf(_nested((source.read,), holder))
    return None


def _leaf(value: Any) -> Any:
    """Take what a selection of one leaf holds, whatever objects are around it."""
    if isinstance(value, list):
        return [_leaf(one) for one in value]
    if isinstance(value, dict):
        inner = [one for name, one in value.items() if name != "__typename"]
        return _leaf(inner[0]) if inner else None
    return value


def _walk_above(value: Any, path: Path, above: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield what a path leads to, with the objects on the way."""
    if not path:
        if isinstance(value, dict):
            yield value, above
        return
    match path[0]:
        case Key(name) if isinstance(value, dict):
            yield from _walk_above(value.get(name), path[1:], (*above, value))
        case Each() if isinstance(value, list):
            for one in value:
                yield from _walk_above(one, path[1:], above)
        case OnType(names) if isinstance(value, dict) and value.get("__typename") in names:
            yield from _walk_above(value, path[1:], above)


def _only(selections: Sequence[Selection], value: dict[str, Any]) -> dict[str, Any]:
    """Check that an answer holds what was described and nothing else."""
    below: dict[str, list[Selection]] = {}
    for selection in selections:
        below.setdefault(selection.key, []).extend(selection.selections)
    unknown = value.keys() - below.keys()
    assert not unknown, f"the plan does not describe {unknown}"

    def inner(key: str, one: Any) -> Any:
        if isinstance(one, list):
            return [inner(key, element) for element in one]
        return _only(below[key], one) if isinstance(one, dict) and below[key] else one

    return {key: inner(key, one) for key, one in value.items()}


def _merge(target: dict[str, Any], value: dict[str, Any]) -> None:
    for key, one in value.items():
        target[key] = _merged(target.get(key), one)


def _merged(before: Any, value: Any) -> Any:
    if isinstance(before, dict) and isinstance(value, dict):
        _merge(before, value)
        return before
    if isinstance(before, list) and isinstance(value, list):
        longer = max(len(before), len(value))
        return [
            _merged(before[index], value[index])
            if index < min(len(before), len(value))
            else (before if len(before) > index else value)[index]
            for index in range(longer)
        ]
    return before if value is None else value


def _representations(entity: EntityInput, tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    seen: set[int] = set()
    for path in entity.paths:
        for target in _walk(tree, (tree,), path):
            if id(target) in seen:
                continue
            seen.add(id(target))
            representation = _refer(entity, target)
            typename = entity.typename or target.get("__typename")
            if representation is not None and typename is not None:
                yield target, {"__typename": typename, **representation}


def _refer(entity: EntityInput, target: dict[str, Any]) -> dict[str, Any] | None:
    for one in entity.references:
        if not one.on or target.get("__typename") in one.on:
            key = _represent(one.key, target)
            if not any(_has_null(value) for value in key.values()):
                return _represent(one.fields, target)
    return None


def _represent(fields: Iterable[RepresentationField], target: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for one in fields:
        if not one.on or target.get("__typename") in one.on:
            found[one.name] = _nested(one.selections, target.get(one.source))
    return found


def _nested(fields: Sequence[RepresentationField], value: Any) -> Any:
    if isinstance(value, list):
        return [_nested(fields, one) for one in value]
    return _represent(fields, value) if fields and isinstance(value, dict) else value


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_null(one) for one in value)
    return value is None


def _walk(tree: dict[str, Any], start: Iterable[Any], path: Path) -> Iterator[dict[str, Any]]:
    del tree
    found = list(start)
    for step in path:
        match step:
            case Key(name):
                found = [one.get(name) for one in found if isinstance(one, dict)]
            case Each():
                found = [inner for one in found if isinstance(one, list) for inner in one]
            case OnType(names):
                found = [one for one in found if isinstance(one, dict) and one.get("__typename") in names]
    yield from (one for one in found if isinstance(one, dict))


def _holds(conditions: Conditions, variables: dict[str, Any]) -> bool:
    return not conditions or any(
        all(bool(variables.get(one.variable)) is one.wanted for one in alternative) for alternative in conditions
    )


class _Reader:
    """Reads the response out of the merged tree, with null propagation."""

    def __init__(self, variables: dict[str, Any], schema: GraphQLSchema, answer: Answer) -> None:
        self.variables = variables
        self.schema = schema
        self.answer = answer

    def fields(self, fields: Iterable[OutputField], target: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in fields:
            if one.on and target.get("__typename") not in one.on:
                continue
            if not _holds(one.conditions, self.variables):
                continue
            assert one.response_name not in found, f"two fields answer `{one.response_name}`"
            if one.typename_literal is not None:
                found[one.response_name] = one.typename_literal
                continue
            if one.denied:
                self.answer.errors.append(f"{one.coordinate} is denied")
            held = None if one.denied else target.get(one.source)  # a context may have had it read for others
            found[one.response_name] = self._value(one, one.type, held)
        return found

    def _value(self, one: OutputField, type_text: str, value: Any) -> Any:
        if type_text.endswith("!"):
            found = self._value(one, type_text[:-1], value)
            if found is None:
                raise _NullError
            return found
        if value is None:
            return None
        try:
            return self._nullable(one, type_text, value)
        except _NullError:
            return None

    def _nullable(self, one: OutputField, type_text: str, value: Any) -> Any:
        if type_text.startswith("["):
            assert isinstance(value, list)
            return [self._value(one, type_text[1:-1], element) for element in value]
        named = self.schema.type_map.get(type_text)
        if isinstance(named, GraphQLEnumType) and value not in named.values:
            self.answer.errors.append(f"`{value}` is no value of {type_text}")
            return None
        if isinstance(value, dict):
            if one.types and value.get("__typename") not in one.types:
                return None
            return self.fields(one.selections, value)
        return value
