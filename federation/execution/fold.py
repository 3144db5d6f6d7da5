"""Takes `@skip` and `@include` out of a plan, once the variables that decide them are known.

What remains has no conditions, so that everything compiled from it is straight-line code. A plan with n condition
variables has at most 2^n folded forms, made when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from federation.execution.types import TypeRef
from federation.planning.plan import (
    Condition,
    Conditions,
    Contexts,
    EntityInput,
    Fetch,
    Key,
    OperationKind,
    OutputField,
    Path,
    Plan,
    Reference,
    Selection,
)

Truth = Mapping[str, bool]


class _Conditional(Protocol):
    @property
    def conditions(self) -> Conditions: ...


C = TypeVar("C", bound=_Conditional)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field that a member is asked for. `selections` is None for a leaf and may be empty for an object."""

    key: str
    type: TypeRef
    selections: tuple[Wanted, ...] | None
    on: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of the client's response. `selections` is None for a leaf and may be empty for an object."""

    response_name: str
    source: str
    coordinate: str
    type: TypeRef
    selections: tuple[Shown, ...] | None
    on: frozenset[str]
    typename_literal: str | None
    types: frozenset[str]
    denied: bool


@dataclass(frozen=True, slots=True)
class WantedEntities:
    """One `_entities` field of a folded fetch; see `EntityInput`."""

    alias: str
    variable: str
    paths: tuple[Path, ...]
    references: tuple[Reference, ...]
    typename: str | None
    selections: tuple[Wanted, ...]
    contexts: Contexts | None


@dataclass(frozen=True, slots=True)
class FoldedFetch:
    """A fetch without conditions.

    `idle_variables` are the representation variables of entity inputs that were folded away: the operation text still
    declares them, so they are sent as empty lists. `idle_contexts` are those of folded inputs: nothing fills their
    arguments, so the text must lose them.
    """

    id: int
    member: str
    kind: OperationKind
    operation: str
    variables: tuple[str, ...]
    after: tuple[int, ...]
    selections: tuple[Wanted, ...]
    entities: tuple[WantedEntities, ...]
    idle_variables: tuple[str, ...]
    idle_contexts: tuple[Contexts, ...]


@dataclass(frozen=True, slots=True)
class FoldedBlock:
    """A `@defer` fragment that is delivered later."""

    label: str | None
    path: Path
    fetches: tuple[int, ...]
    response: tuple[Shown, ...]

    def leads_to(self, place: Path) -> bool:
        """Tell whether the fragment shows a place below its own, if only on objects of some types."""
        length = len(self.path)
        below = length < len(place) and place[:length] == self.path
        return below and _shows(self.response, place[length:], lambda _: True)


@dataclass(frozen=True, slots=True)
class FoldedPlan:
    """A plan for one truth assignment of its condition variables."""

    kind: OperationKind
    fetches: tuple[FoldedFetch, ...]
    response: tuple[Shown, ...]
    deferred: tuple[FoldedBlock, ...]


def whole_response(plan: FoldedPlan) -> tuple[Shown, ...]:
    """Return the response with all deferred fragments in it, by which errors are placed."""
    whole = plan.response
    for block in plan.deferred:
        whole = _graft(whole, block.path, block.response)
    return whole


def surely_shows(shown: Sequence[Shown], place: Path) -> bool:
    """Tell whether fields lead to a place, whatever types the objects on the way have."""
    return _shows(shown, place, lambda field: not field.on)


def _shows(shown: Sequence[Shown], place: Path, counts: Callable[[Shown], bool]) -> bool:
    keys = [step.name for step in place if isinstance(step, Key)]
    fields = list(shown)
    for key in keys:
        leading = [field for field in fields if field.source == key and counts(field)]
        if not leading:
            return False
        fields = [inner for field in leading for inner in field.selections or ()]
    return True


def _graft(shown: tuple[Shown, ...], path: Path, more: tuple[Shown, ...]) -> tuple[Shown, ...]:
    if not path:
        return shown + more
    step, rest = path[0], path[1:]
    if not isinstance(step, Key):
        return _graft(shown, rest, more)
    return tuple(
        replace(field, selections=_graft(field.selections or (), rest, more)) if field.source == step.name else field
        for field in shown
    )


def condition_variables(plan: Plan) -> tuple[str, ...]:
    """Return the names of all variables that any condition of the plan reads, sorted."""
    return tuple(sorted({condition.variable for condition in _conditions(plan)}))


def truth_of(names: Sequence[str], variables: Mapping[str, Any]) -> tuple[bool, ...]:
    """Return the values of the condition variables; `variables` holds defaults already."""
    return tuple(bool(variables.get(name)) for name in names)


def fold(plan: Plan, truth: Truth) -> FoldedPlan:
    """Return the plan as it is for one truth assignment."""
    return FoldedPlan(
        kind=plan.kind,
        fetches=_fetches(plan, truth),
        response=_shown(plan.response, truth),
        deferred=tuple(
            FoldedBlock(block.label, block.path, block.fetches, _shown(block.response, truth))
            for block in _holding(plan.deferred, truth)
        ),
    )


def _fetches(plan: Plan, truth: Truth) -> tuple[FoldedFetch, ...]:
    """Keep the fetches that hold; one that is left out hands its parents on to its dependants.

    Mutations run one after another (GraphQL section 6.2.2): a root fetch of a mutation waits for everything before it.
    """
    kept: list[FoldedFetch] = []
    stands_for: dict[int, tuple[int, ...]] = {}
    for fetch in plan.fetches:
        after = tuple(dict.fromkeys(step for parent in fetch.after for step in stands_for.get(parent, (parent,))))
        if fetch.kind is OperationKind.MUTATION:
            after = tuple(earlier.id for earlier in kept)
        if not _holds(fetch, truth) or (fetch.entities and not _holding(fetch.entities, truth)):
            stands_for[fetch.id] = after
            continue
        kept.append(_fetch(fetch, after, truth))
    return tuple(kept)


def _fetch(fetch: Fetch, after: tuple[int, ...], truth: Truth) -> FoldedFetch:
    idle = [entity for entity in fetch.entities if not _holds(entity, truth)]
    return FoldedFetch(
        id=fetch.id,
        member=fetch.member,
        kind=fetch.kind,
        operation=fetch.operation,
        variables=fetch.variables,
        after=after,
        selections=_wanted(fetch.selections, truth),
        entities=tuple(_entities(entity, truth) for entity in _holding(fetch.entities, truth)),
        idle_variables=tuple(one.variable for one in idle if one.contexts is None),
        idle_contexts=tuple(one.contexts for one in idle if one.contexts is not None),
    )


def _entities(entity: EntityInput, truth: Truth) -> WantedEntities:
    return WantedEntities(
        alias=entity.alias,
        variable=entity.variable,
        paths=entity.paths,
        references=entity.references,
        typename=entity.typename,
        selections=_wanted(entity.selections, truth),
        contexts=entity.contexts,
    )


def _wanted(selections: Sequence[Selection], truth: Truth) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(
            key=selection.key,
            type=TypeRef.parse(selection.type),
            selections=_wanted(selection.selections, truth) if selection.selections else None,
            on=selection.on,
        )
        for selection in _holding(selections, truth)
    )


def _shown(outputs: Sequence[OutputField], truth: Truth) -> tuple[Shown, ...]:
    return tuple(
        Shown(
            response_name=output.response_name,
            source=output.source,
            coordinate=output.coordinate,
            type=TypeRef.parse(output.type),
            selections=_shown(output.selections, truth) if output.selections else None,
            on=output.on,
            typename_literal=output.typename_literal,
            types=output.types,
            denied=output.denied,
        )
        for output in _holding(outputs, truth)
    )


def _holds(part: _Conditional, truth: Truth) -> bool:
    return not part.conditions or any(
        all(truth[condition.variable] == condition.wanted for condition in alternative)
        for alternative in part.conditions
    )


def _holding(parts: Sequence[C], truth: Truth) -> list[C]:
    return [part for part in parts if _holds(part, truth)]


def _conditions(plan: Plan) -> Iterator[Condition]:
    for fetch in plan.fetches:
        yield from _own(fetch)
        yield from _inner(fetch.selections)
        for entity in fetch.entities:
            yield from _own(entity)
            yield from _inner(entity.selections)
    yield from _inner(plan.response)
    for block in plan.deferred:
        yield from _own(block)
        yield from _inner(block.response)


def _inner(parts: Sequence[Selection] | Sequence[OutputField]) -> Iterator[Condition]:
    for part in parts:
        yield from _own(part)
        yield from _inner(part.selections)


def _own(part: _Conditional) -> Iterator[Condition]:
    for alternative in part.conditions:
        yield from alternative
