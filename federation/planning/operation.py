"""Stage 1, normalise: an operation as a tree without fragments, whose fields say which concrete types carry them.

Every selection set is flattened: a field carries the concrete types it was selected for, its guard (what `@skip` and
`@include` leave open) and its children. Fields of one response name are merged per concrete type, so within one
selection set the entries of a response name never overlap, whatever fragments the client wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    is_abstract_type,
    print_ast,
)
from typing_extensions import override

from federation.planning import guards
from federation.planning.errors import PlanningError, UnanswerableError, UnknownOperationError
from federation.planning.guards import ALWAYS, NEVER, Guard
from federation.planning.plan import OperationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import ArgumentNode, DocumentNode, GraphQLSchema, SelectionSetNode, VariableDefinitionNode

TYPENAME = "__typename"
PRESENT = "_present"
"""Alias of a `__typename` that is asked only to see whether there is an object, where its value is no type of ours."""
INTROSPECTION = {"__schema": "__Schema!", "__type": "__Type"}
"""The fields that the API schema itself answers, with their types."""


@dataclass(frozen=True, slots=True)
class Block:
    """One `@defer` fragment of the operation; `number` tells blocks of the same label apart."""

    number: int
    label: str | None
    guard: Guard


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field as the client asked for it, on the concrete types that carry it.

    `wanted` holds the guard of the field per place of delivery: None is the initial response, else a deferred block.
    `type` is the printed type of the full schema. `children` is None for leaves. `reached` are the concrete types that
    the selections which ask for it reach, of which `types` are those answered alike.
    """

    response_name: str
    name: str
    arguments: tuple[ArgumentNode, ...]
    types: frozenset[str]
    reached: frozenset[str]
    parent: str
    type: str
    wanted: dict[Block | None, Guard]
    children: SelectionTree | None

    @property
    def is_meta(self) -> bool:
        """Tell whether the field is about the schema: no member resolves it as a field of its own."""
        return self.name == TYPENAME or self.name in INTROSPECTION

    @property
    def guard(self) -> Guard:
        """When the field is wanted at all, now or later."""
        return guards.any_of(self.wanted.values())

    @override
    def __str__(self) -> str:
        name = self.name if self.name == self.response_name else f"{self.response_name}: {self.name}"
        return f"{name}{printed_arguments(self.arguments)}"


@dataclass(frozen=True, slots=True, eq=False)
class SelectionTree:
    """The fields wanted of one object, which may be of any of `possible` concrete types.

    `spans` are the selections that were written once for several types: each must be answerable from one origin.
    `blocks` are the deferred blocks that begin here.
    """

    possible: frozenset[str]
    fields: tuple[Field, ...]
    spans: tuple[tuple[str, frozenset[str]], ...] = ()
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A normalised operation: `root` is the type name of its root; `variables` are the client's definitions."""

    kind: OperationKind
    name: str | None
    root: str
    tree: SelectionTree
    variables: dict[str, VariableDefinitionNode]
    introspection: str | None
    text: str = field(default="", repr=False)


def normalise(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> Operation:
    """Flatten one operation of a valid document.

    Raises:
        UnknownOperationError: there is no such operation, or several and no name was given.
        UnanswerableError: the order of a mutation's fields depends on a variable.
    """
    definition = _operation(document, operation_name)
    root = schema.get_root_type(definition.operation)
    if root is None:
        raise PlanningError(f"the schema has no root type for a {definition.operation.value}")
    walk = _Walk(
        schema, {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    )
    start = _Source(definition.selection_set, frozenset({root.name}), ALWAYS, None)
    tree = walk.tree((start,), frozenset({root.name}), root.name)
    if definition.operation is OperationType.MUTATION:
        _check_order(_Walk(schema, walk.fragments), start, root.name)
    variables = {node.variable.name.value: node for node in definition.variable_definitions or ()}
    return Operation(
        kind=OperationKind(definition.operation.value),
        name=definition.name.value if definition.name else None,
        root=root.name,
        tree=tree,
        variables=variables,
        introspection=_introspection(walk, definition),
    )


def _check_order(walk: _Walk, start: _Source, root: str) -> None:
    """Refuse a mutation one of whose fields stands at another place when a variable leaves out its first selection.

    Root fields run in the order in which they are first met (GraphQL section 6.3.2); a plan has one order.
    """
    first: dict[str, Guard] = {}
    last: str | None = None
    for wanted in walk.flatten(start, root, []):
        response = wanted.node.alias.value if wanted.node.alias else wanted.node.name.value
        known = first.setdefault(response, wanted.guard)
        either = guards.either(known, wanted.guard)
        if either != known and response != last:
            raise UnanswerableError(
                f"`{response}` is selected several times, and a variable decides which of them is the first to run:"
                " select it once, or under other names"
            )
        first[response], last = either, response


def printed_arguments(arguments: Iterable[ArgumentNode]) -> str:
    """Print arguments in a canonical order, so that equal argument sets print equally."""
    printed = sorted(print_ast(argument) for argument in arguments)
    return f"({', '.join(printed)})" if printed else ""


def possible_types(schema: GraphQLSchema, name: str) -> frozenset[str]:
    """Return the concrete types of a type; an interface nobody implements (an interface object alone) is its own."""
    named = schema.type_map.get(name)
    if named is None:
        return frozenset()
    if is_abstract_type(named):
        return frozenset(found.name for found in schema.get_possible_types(named)) or frozenset({name})
    return frozenset({name})


@dataclass(frozen=True, slots=True)
class _Source:
    """A selection set to flatten, for objects of `types`, wanted under `guard` in `block`."""

    selections: SelectionSetNode
    types: frozenset[str]
    guard: Guard
    block: Block | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One field node met while flattening."""

    node: FieldNode
    types: frozenset[str]
    parent: str
    guard: Guard
    block: Block | None


class _Walk:
    """Flattens selection sets; remembers fragments and the number of deferred blocks met."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.schema = schema
        self.fragments = fragments
        self.introspection: list[_Wanted] = []
        self._blocks = 0
        self._possible: dict[str, frozenset[str]] = {}

    def possible(self, name: str) -> frozenset[str]:
        found = self._possible.get(name)
        if found is None:
            found = self._possible[name] = possible_types(self.schema, name)
        return found

    def tree(self, sources: Iterable[_Source], possible: frozenset[str], parent: str) -> SelectionTree:
        """Merge the selection sets of one object into one tree."""
        named: dict[str, list[_Wanted]] = {}
        blocks: list[Block] = []
        spans: list[tuple[str, frozenset[str]]] = []
        for source in sources:
            for wanted in self.flatten(source, parent, blocks):
                name = wanted.node.name.value
                if name in INTROSPECTION:
                    self.introspection.append(wanted)
                response = wanted.node.alias.value if wanted.node.alias else name
                named.setdefault(response, []).append(wanted)
                if len(wanted.types) > 1 and name != TYPENAME:
                    spans.append((name, wanted.types))
        fields = tuple(found for response, wanted in named.items() for found in self._fields(response, wanted))
        return SelectionTree(possible, fields, tuple(spans), tuple(blocks))

    def flatten(self, source: _Source, parent: str, blocks: list[Block]) -> Iterator[_Wanted]:
        """Yield every field of a selection set and of the fragments in it, in the order of the document."""
        for node in source.selections.selections:
            guard = guards.both(source.guard, guards.of_directives(node.directives))
            if guard == NEVER:
                continue
            match node:
                case FieldNode():
                    yield _Wanted(node, source.types, parent, guard, source.block)
                case InlineFragmentNode():
                    condition = node.type_condition.name.value if node.type_condition else None
                    inner = self._narrow(source, node.selection_set, condition, guard)
                    yield from self._fragment(inner, node, condition or parent, blocks)
                case FragmentSpreadNode():
                    fragment = self.fragments[node.name.value]
                    condition = fragment.type_condition.name.value
                    inner = self._narrow(source, fragment.selection_set, condition, guard)
                    yield from self._fragment(inner, node, condition, blocks)
                case _:
                    raise PlanningError(f"unknown kind of selection `{node.kind}`")

    def _narrow(self, source: _Source, selections: SelectionSetNode, condition: str | None, guard: Guard) -> _Source:
        types = source.types if condition is None else source.types & self.possible(condition)
        return _Source(selections, types, guard, source.block)

    def _fragment(
        self, source: _Source, node: InlineFragmentNode | FragmentSpreadNode, parent: str, blocks: list[Block]
    ) -> Iterator[_Wanted]:
        """Flatten a fragment, twice when a variable decides whether it is deferred."""
        if not source.types:
            return
        later = _deferral(node)
        if later is None:
            yield from self.flatten(source, parent, blocks)
            return
        now, label = guards.both(source.guard, _negate(later[0])), later[1]
        if now != NEVER:
            yield from self.flatten(_Source(source.selections, source.types, now, source.block), parent, blocks)
        guard = guards.both(source.guard, later[0])
        if guard == NEVER:
            return
        block = Block(self._blocks, label, later[0])
        self._blocks += 1
        blocks.append(block)
        yield from self.flatten(_Source(source.selections, source.types, guard, block), parent, blocks)

    def _fields(self, response: str, found: list[_Wanted]) -> Iterator[Field]:
        """Group what was asked under one response name by concrete type: the groups do not overlap."""
        groups: dict[tuple[tuple[int, ...], str], set[str]] = {}
        for name in sorted(frozenset().union(*(wanted.types for wanted in found))):
            asked = tuple(index for index, wanted in enumerate(found) if name in wanted.types)
            type_text = self._type_of(name, found[asked[0]].node.name.value)
            if type_text is not None:
                groups.setdefault((asked, type_text), set()).add(name)
        for (asked, type_text), types in groups.items():
            yield self._field(response, [found[index] for index in asked], frozenset(types), type_text)

    def _field(self, response: str, found: list[_Wanted], types: frozenset[str], type_text: str) -> Field:
        first = found[0].node
        name = first.name.value
        wanted: dict[Block | None, Guard] = {}
        for one in found:
            wanted[one.block] = guards.either(wanted.get(one.block, NEVER), one.guard)
        return Field(
            response_name=response,
            name=name,
            arguments=tuple(first.arguments or ()),
            types=types,
            reached=frozenset().union(*(one.types for one in found)),
            parent=found[0].parent,
            type=type_text,
            wanted=wanted,
            children=self._children(found, types, type_text),
        )

    def _children(self, found: list[_Wanted], types: frozenset[str], type_text: str) -> SelectionTree | None:
        if all(one.node.selection_set is None for one in found) or found[0].node.name.value in INTROSPECTION:
            return None
        # INVARIANT: a child's guard is relative to its parent's. Where several selections of the parent differ in
        # their guards, each one's guard has to be repeated on the children it brings.
        shared = len({one.guard for one in found}) == 1
        named = type_text.strip("[]!")
        possible = frozenset().union(*(self.possible(self._named_type(name, found[0])) for name in types))
        sources = [
            _Source(one.node.selection_set, possible, ALWAYS if shared else one.guard, one.block)
            for one in found
            if one.node.selection_set is not None
        ]
        return self.tree(sources, possible, named)

    def _named_type(self, parent: str, wanted: _Wanted) -> str:
        return (self._type_of(parent, wanted.node.name.value) or "").strip("[]!")

    def _type_of(self, parent: str, name: str) -> str | None:
        """Print the type of a field, None when the concrete type has no such field."""
        if name == TYPENAME:
            return "String!"
        if name in INTROSPECTION:
            return INTROSPECTION[name]
        named = self.schema.type_map.get(parent)
        fields = getattr(named, "fields", {})
        return str(fields[name].type) if name in fields else None


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if name is None or (node.name is not None and node.name.value == name)]
    if name is None and len(chosen) > 1:
        raise UnknownOperationError("the document has several operations: name the one to run")
    if not chosen:
        raise UnknownOperationError(f"the document has no operation `{name}`" if name else "the document is empty")
    return chosen[0]


def _deferral(node: InlineFragmentNode | FragmentSpreadNode) -> tuple[Guard, str | None] | None:
    """Return when a fragment is deferred, and its label; None when it never is."""
    for directive in node.directives or ():
        if directive.name.value == "defer":
            values = {argument.name.value: argument.value for argument in directive.arguments or ()}
            guard = guards.of_value(values["if"], wanted=True) if "if" in values else ALWAYS
            label = values.get("label")
            return None if guard == NEVER else (guard, label.value if isinstance(label, StringValueNode) else None)
    return None


def _negate(guard: Guard) -> Guard:
    """Negate the guard of `@defer(if:)`, which has at most one condition."""
    if guard == ALWAYS:
        return NEVER
    ((condition,),) = guard
    return frozenset({frozenset({type(condition)(condition.variable, not condition.wanted)})})


def _introspection(walk: _Walk, definition: OperationDefinitionNode) -> str | None:
    """Print the introspection fields as an operation of their own."""
    if not walk.introspection:
        return None
    texts = [guarded(print_ast(found.node), found.guard) for found in walk.introspection]
    used = " ".join(texts)
    spread = _spread(walk.fragments, [found.node.selection_set for found in walk.introspection])
    fragments = [print_ast(walk.fragments[name]) for name in spread]
    names = [
        print_ast(node)
        for node in definition.variable_definitions or ()
        if f"${node.variable.name.value}" in used + " ".join(fragments)
    ]
    head = f"query({', '.join(names)}) " if names else ""
    return "\n".join([f"{head}{{ {used} }}", *fragments])


def _spread(fragments: dict[str, FragmentDefinitionNode], sets: list[SelectionSetNode | None]) -> list[str]:
    found: list[str] = []
    todo = [one for one in sets if one is not None]
    while todo:
        for node in todo.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                if node.name.value not in found:
                    found.append(node.name.value)
                    todo.append(fragments[node.name.value].selection_set)
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set is not None:
                todo.append(node.selection_set)
    return found


def guarded(text: str, guard: Guard) -> str:
    """Wrap a printed selection so that a server applies the guard."""
    alternatives = guards.to_conditions(guard)
    if not alternatives:
        return text
    wrapped = []
    for conditions in alternatives:
        inner = text
        for condition in reversed(conditions):
            directive = "include" if condition.wanted else "skip"
            inner = f"... @{directive}(if: ${condition.variable}) {{ {inner} }}"
        wrapped.append(inner)
    return " ".join(wrapped)
