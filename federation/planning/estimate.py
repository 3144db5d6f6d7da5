"""How much an operation may return at most: what is too dear is refused before it costs a node anything.

An object counts one, in each fetch that asks for it and as often as the lists above it are long; a leaf counts nothing.
`@cost` says otherwise (field before type, and arguments that are given). How long a list is say, in this order, its
slicing arguments, their defaults, `@listSize(assumedSize:)`, and what is usual for its member. Slicing arguments are
those that `@listSize` names; without it `first` and `last`, which size the list itself or a connection's `edges` and
`nodes`. What a variable may skip is counted, and of several types that an object may have the dearest.

Source: the directives of the GraphQL Cost Directive Specification (IBM) as far as Apollo's cost v0.1 has them. Where
several slicing arguments are given the greatest counts, whatever `requireOneSlicingArgument` says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from graphql import FieldNode, InlineFragmentNode, IntValueNode, OperationDefinitionNode, VariableNode, parse

from federation.composition.model import Kind, named
from federation.contract.errors import QueryTooComplexError
from federation.planning.plan import Each, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from graphql import SelectionSetNode

    from federation.composition.model import Applied
    from federation.composition.supergraph import SuperField, Supergraph
    from federation.planning.plan import EntityInput, Fetch, Path, Plan

SLICING = ("first", "last")
CONNECTION = ("edges", "nodes")

Keys = tuple[str, ...]
"""Where something stands in the merged tree, without list positions."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long a list may be: the greatest that is said, else `otherwise`.

    Numbers are `said` by literals and defaults, or by variables: the name, and the argument's default if it has one.
    Those below 1 say nothing: many servers read them as no limit. `instead` are the sizes of lists that objects of
    other types have in the same place.
    """

    said: tuple[int | tuple[str, int | None], ...]
    otherwise: int
    instead: frozenset[Size] = frozenset()

    def of(self, variables: Mapping[str, Any]) -> int:
        """Return the length for some values of the variables, defaults filled in."""
        known = [each if isinstance(each, int) else variables.get(*each) for each in self.said]
        own = max((each for each in known if isinstance(each, int) and each > 0), default=self.otherwise)
        return max(0, own, *(each.of(variables) for each in self.instead))

    @property
    def varies(self) -> bool:
        """Whether variables say it."""
        return any(not isinstance(each, int) for each in self.said) or any(each.varies for each in self.instead)


ONCE: tuple[tuple[Size, ...], ...] = ((),)
"""The paths to what is there once."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What weighs so much, and with it what is below, wherever it stands: once for each way through the `paths`' lists.

    Of the `either` parts, one for each concrete type, only one is there.
    """

    paths: tuple[tuple[Size, ...], ...]
    weight: int
    below: tuple[Counted, ...] = ()
    either: tuple[tuple[Counted, ...], ...] = ()

    def most(self, variables: Mapping[str, Any]) -> int:
        """Return the cost for some values of the variables."""
        cost = self.weight + _sum(self.below, variables)
        if self.either:
            cost += max(_sum(each, variables) for each in self.either)
        return cost * sum(prod(size.of(variables) for size in path) for path in self.paths)

    @property
    def varies(self) -> bool:
        """Whether the cost depends on variables."""
        parts = (*self.below, *(part for each in self.either for part in each))
        return any(size.varies for path in self.paths for size in path) or any(part.varies for part in parts)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of one plan: `fixed`, or for the variables of each request."""

    fetches: tuple[Counted, ...]
    fixed: int | None

    @classmethod
    def of(cls, plan: Plan, supergraph: Supergraph, usual: Mapping[str, int], otherwise: int) -> Estimate:
        """Count what a plan asks for.

        Args:
            plan: from this supergraph.
            supergraph: what it says about costs.
            usual: by member, how long a list is of which nothing is said.
            otherwise: the same for other members.
        """
        lists: dict[Keys, tuple[Size, ...]] = {}
        counted = tuple(
            part
            for fetch in plan.fetches
            for part in _Reader(supergraph, fetch.member, usual.get(fetch.member, otherwise), lists).fetch(fetch)
        )
        return cls(counted, None if any(each.varies for each in counted) else _sum(counted, {}))

    def most(self, variables: Mapping[str, Any]) -> int:
        """Return the cost for some values of the variables, defaults filled in."""
        return _sum(self.fetches, variables) if self.fixed is None else self.fixed

    def require(self, most: int, variables: Mapping[str, Any]) -> None:
        """Refuse what may cost more.

        Raises:
            QueryTooComplexError: says how much it may be.
        """
        cost = self.most(variables)
        if cost > most:
            raise QueryTooComplexError(
                f"the answer may cost {cost}, which is above {most}: ask for fewer fields or shorter lists",
                limit="cost",
                cost=cost,
            )


def _sum(parts: Sequence[Counted], variables: Mapping[str, Any]) -> int:
    return sum(part.most(variables) for part in parts)


@dataclass(slots=True)
class _Reader:
    """Reads the operation of one fetch; `lists` are the sizes of all lists met so far, by where they stand."""

    supergraph: Supergraph
    member: str
    usual: int
    lists: dict[Keys, tuple[Size, ...]]

    def fetch(self, fetch: Fetch) -> Iterator[Counted]:
        (operation,) = parse(fetch.operation, no_location=True).definitions
        assert isinstance(operation, OperationDefinitionNode)  # the planner's own text
        if not fetch.entities:
            root = self.supergraph.roots[fetch.kind.value]
            below, either = self._selections(operation.selection_set, root, frozenset({()}), {})
            yield Counted(ONCE, 0, below, either)
            return
        inputs = {each.alias: each for each in fetch.entities}
        for node in _fields(operation.selection_set):
            entities = inputs[node.alias.value if node.alias else node.name.value]
            yield self._entities(node, entities)

    def _entities(self, node: FieldNode, entities: EntityInput) -> Counted:
        assert node.selection_set is not None  # `_entities` has one
        places = [self._along(path) for path in entities.paths]
        at = frozenset(keys for keys, _ in places)
        below, either = self._selections(node.selection_set, "", at, {})
        return Counted(tuple(sizes for _, sizes in places), 1, below, either)

    def _along(self, path: Path) -> tuple[Keys, tuple[Size, ...]]:
        """Return where a path leads, and the lists on the way."""
        keys: Keys = ()
        sizes: list[Size] = []
        inner = 0
        for step in path:
            if isinstance(step, Key):
                keys, inner = (*keys, step.name), 0
            elif isinstance(step, Each):
                known = self.lists.get(keys, ())
                sizes.append(known[inner] if inner < len(known) else Size((), self.usual))
                inner += 1
        return keys, tuple(sizes)

    def _selections(
        self, selections: SelectionSetNode, on: str, at: frozenset[Keys], sized: Mapping[str, Size]
    ) -> tuple[tuple[Counted, ...], tuple[tuple[Counted, ...], ...]]:
        """Return what is selected of every object, and of objects of each concrete type."""
        every: list[Counted] = []
        typed: dict[str, list[Counted]] = {}
        for node in selections.selections:
            if isinstance(node, FieldNode):
                every.extend(self._field(node, on, at, sized))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else on
                below, either = self._selections(node.selection_set, condition, at, sized)
                if condition == on:
                    every.append(Counted(ONCE, 0, below, either))
                    continue
                for concrete in self.supergraph.possible(condition, self.member) or (condition,):
                    typed.setdefault(concrete, []).append(Counted(ONCE, 0, below, either))
        return tuple(every), tuple(map(tuple, typed.values()))

    def _field(self, node: FieldNode, on: str, at: frozenset[Keys], sized: Mapping[str, Size]) -> Iterator[Counted]:
        type_ = self.supergraph.types.get(on)
        known = type_.fields.get(node.name.value) if type_ else None
        if known is None:
            return  # `__typename`
        key = node.alias.value if node.alias else node.name.value
        here = frozenset((*keys, key) for keys in at)
        size, inside = self._sizes(known, node)
        levels = known.type.count("[")
        outer = sized.get(known.name) or size
        sizes = (outer, *(Size((), self.usual) for _ in range(1, levels))) if levels else ()
        for keys in here:
            self.lists[keys] = _either(self.lists.get(keys, ()), sizes)
        below: tuple[Counted, ...] = ()
        either: tuple[tuple[Counted, ...], ...] = ()
        if node.selection_set is not None:
            below, either = self._selections(node.selection_set, named(known.type), here, inside)
        counted = Counted((sizes,), self._weight(known), below, either)
        given = {each.name.value for each in node.arguments or ()}
        extra = sum(_cost(each.directives, 0) for each in known.arguments.values() if each.name in given)
        yield Counted(ONCE, extra, (counted,)) if extra else counted

    def _sizes(self, known: SuperField, node: FieldNode) -> tuple[Size, Mapping[str, Size]]:
        """Return the length of a field's list, and those of lists below that its arguments size."""
        directive = next((each for each in known.directives if each.name == "listSize"), None)
        if directive is None:
            slicing = tuple(name for name in SLICING if name in known.arguments)
            size = Size(tuple(_said(known, node, slicing)), self.usual)
            return size, dict.fromkeys(CONNECTION, size) if slicing and "[" not in known.type else {}
        said = tuple(_said(known, node, directive.texts("slicingArguments")))
        size = Size(said, _number(directive, "assumedSize", self.usual))
        fields = directive.texts("sizedFields")
        return (Size((), self.usual), dict.fromkeys(fields, size)) if fields else (size, {})

    def _weight(self, known: SuperField) -> int:
        """Return what one object or leaf of a field costs; roots and scalars of the language are declared nowhere."""
        type_ = self.supergraph.types.get(named(known.type))
        composite = type_ is not None and type_.kind in {Kind.OBJECT, Kind.INTERFACE, Kind.UNION}
        return _cost(known.directives, _cost(type_.directives if type_ else (), int(composite)))


def _fields(selections: SelectionSetNode) -> Iterator[FieldNode]:
    """Yield the fields of a selection set, those in fragments too."""
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set)


def _either(some: tuple[Size, ...], others: tuple[Size, ...]) -> tuple[Size, ...]:
    """Return the sizes of lists, outermost first, where either these or those stand."""
    if not some:
        return others
    return tuple(
        one if one == other else replace(one, instead=one.instead | {other})
        for one, other in zip(some, others, strict=False)
    )


def _said(known: SuperField, node: FieldNode, slicing: Sequence[str]) -> Iterator[int | tuple[str, int | None]]:
    """Yield what a field's slicing arguments say about the length of its list."""
    given = {each.name.value: each.value for each in node.arguments or ()}
    for name in slicing:
        argument = known.arguments.get(name)
        default = argument.default if argument else None
        usual = int(default.value) if isinstance(default, IntValueNode) else None
        value = given.get(name)
        if isinstance(value, VariableNode):
            yield value.name.value, usual
        elif isinstance(value, IntValueNode):
            yield int(value.value)
        elif value is None and usual is not None:
            yield usual


def _cost(directives: Sequence[Applied], otherwise: int) -> int:
    found = next((each for each in directives if each.name == "cost"), None)
    return otherwise if found is None else _number(found, "weight", otherwise)


def _number(directive: Applied, argument: str, otherwise: int) -> int:
    value = directive.arguments.get(argument)
    return int(value.value) if isinstance(value, IntValueNode) else otherwise
