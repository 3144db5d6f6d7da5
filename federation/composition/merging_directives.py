"""Merges the directives that subgraphs apply to one element of the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from graphql import BooleanValueNode, IntValueNode, ListValueNode, StringValueNode, ValueNode

from federation.composition.merged import Merged
from federation.composition.model import Applied
from federation.composition.sensitivity import PRIVACY, strictest
from federation.composition.subgraph import ReadSubgraph

Sources = Sequence[tuple[ReadSubgraph, tuple[Applied, ...]]]


def merge_directives(merged: Merged, coordinate: str, sources: Sources) -> tuple[Applied, ...]:
    """Return what the supergraph keeps, under the names that directives have there.

    Repeatable directives are kept all, each once. Of others that differ, those with a rule of their own are put
    together by it, and of the rest the one used most stays.
    """
    found: dict[str, list[Applied]] = {}
    for subgraph, directives in sources:
        for item in directives:
            if item.name == "context":
                # Contexts of different subgraphs have nothing to do with each other, whatever they are called.
                text = StringValueNode(value=f"{subgraph.name}__{item.text('name')}")
                found.setdefault(item.name, []).append(Applied(item.name, {"name": text}))
            elif item.name in merged.kept and subgraph.name in merged.only_in.get(item.name, (subgraph.name,)):
                found.setdefault(item.name, []).append(item)
    if not found:
        return ()
    kept: list[Applied] = []
    for name, items in found.items():
        different = list({str(item): item for item in items}.values())
        definition = merged.directives.get(name)
        if len(different) > 1 and not (definition is not None and definition.repeatable):
            different = [_one(merged, coordinate, name, items)]
        kept += (Applied(merged.kept[name], item.arguments) for item in different)
    return tuple(kept)


def _one(merged: Merged, coordinate: str, name: str, items: Sequence[Applied]) -> Applied:
    strategy = _STRATEGIES.get(name)
    if strategy is not None:
        return Applied(name, strategy(items))
    merged.hint(
        "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        f"@{name} on `{coordinate}` has different arguments",
        coordinate,
    )
    most, _ = Counter(map(str, items)).most_common(1)[0]
    return next(item for item in items if str(item) == most)


def _all_alternatives(argument: str) -> Callable[[Sequence[Applied]], Mapping[str, ValueNode]]:
    """Ask for what every subgraph asks for: alternatives multiply, since each names what must hold together."""

    def strategy(items: Sequence[Applied]) -> Mapping[str, ValueNode]:
        combined: set[frozenset[str]] = {frozenset()}
        for item in items:
            own = [frozenset(group) for group in item.alternatives(argument)]
            combined = {left | right for left in combined for right in own}
        smallest = [group for group in combined if not any(other < group for other in combined)]
        groups = sorted(sorted(group) for group in smallest)
        return {argument: ListValueNode(values=tuple(_texts(group) for group in groups))}

    return strategy


def _texts(texts: Sequence[str]) -> ListValueNode:
    return ListValueNode(values=tuple(StringValueNode(value=text) for text in texts))


def _highest(items: Sequence[Applied], argument: str) -> dict[str, ValueNode]:
    values = [value for item in items if isinstance(value := item.arguments.get(argument), IntValueNode)]
    return {argument: max(values, key=lambda value: int(value.value))} if values else {}


def _list_size(items: Sequence[Applied]) -> Mapping[str, ValueNode]:
    arguments = _highest(items, "assumedSize")
    for argument in ("slicingArguments", "sizedFields"):
        texts = dict.fromkeys(text for item in items for text in item.texts(argument))
        if texts:
            arguments[argument] = _texts(tuple(texts))
    strict = all(item.flag("requireOneSlicingArgument", default=True) for item in items)
    arguments["requireOneSlicingArgument"] = BooleanValueNode(value=strict)
    return arguments


_STRATEGIES: dict[str, Callable[[Sequence[Applied]], Mapping[str, ValueNode]]] = {
    "requiresScopes": _all_alternatives("scopes"),
    "policy": _all_alternatives("policies"),
    "cost": lambda items: _highest(items, "weight"),
    "listSize": _list_size,
    PRIVACY: strictest,
}
