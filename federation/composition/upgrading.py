"""Upgrades schemas of federation v1, so that the rules of v2 hold for them and say the same.

What v1 tolerated and never used is taken out (externals nobody needs, directives on interfaces), what v1 took for
granted is said (`@shareable` wherever another subgraph resolves a field too).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from graphql import BooleanValueNode, StringValueNode

from federation.composition.errors import CompositionError, Finding
from federation.composition.fieldset import FieldSet, FieldSetError, Fragment, parse_field_set, print_field_set
from federation.composition.model import BUILT_IN_SCALARS, ROOTS, Applied, Field, Kind, Type, named
from federation.composition.subgraph import Coordinate, ReadSubgraph, applied, external, has

_ROOT_TYPES = frozenset(root.capitalize() for root in ROOTS)
_SHAREABLE = Applied("shareable", {})
_NOT_RESOLVABLE = {"resolvable": BooleanValueNode(value=False)}
_FIELD_SETS = frozenset({"key", "requires", "provides"})


def upgrade(subgraphs: Sequence[ReadSubgraph]) -> list[ReadSubgraph]:
    """Return the subgraphs with those of federation v1 upgraded.

    Raises:
        CompositionError: nothing is left of a type that something refers to.
    """
    if not any(subgraph.first_version for subgraph in subgraphs):
        return list(subgraphs)
    plain = [_without_leftovers(subgraph) if subgraph.first_version else subgraph for subgraph in subgraphs]
    keyed = [_with_keys_of_owners(subgraph, plain) if subgraph.first_version else subgraph for subgraph in plain]
    used = [_without_unused_externals(subgraph) if subgraph.first_version else subgraph for subgraph in keyed]
    emptied = [finding for before, after in zip(keyed, used, strict=True) for finding in _emptied(before, after)]
    if emptied:
        raise CompositionError(emptied)
    known = _Resolvers(used)
    return [_with_shareable(subgraph, known) if subgraph.first_version else subgraph for subgraph in used]


def _with_types(subgraph: ReadSubgraph, types: Iterable[Type]) -> ReadSubgraph:
    return replace(subgraph, model=replace(subgraph.model, types={type_.name: type_ for type_ in types}))


def _with_fields(type_: Type, change: Callable[[Field], Field | None]) -> Type:
    changed = (change(item) for item in type_.fields.values())
    return replace(type_, fields={item.name: item for item in changed if item is not None})


def _without(directives: tuple[Applied, ...], *names: str) -> tuple[Applied, ...]:
    return tuple(item for item in directives if item.name not in names)


def _without_leftovers(subgraph: ReadSubgraph) -> ReadSubgraph:
    """Take out directives that v1 let stand and ignored; write lists of fields as one text."""
    joined = _with_types(subgraph, (_with_joined_field_sets(type_) for type_ in subgraph.types.values()))
    return _with_types(joined, (_plain(joined, type_) for type_ in joined.types.values()))


def _with_joined_field_sets(type_: Type) -> Type:
    def joined(directives: tuple[Applied, ...]) -> tuple[Applied, ...]:
        return tuple(_as_text(item) if item.name in _FIELD_SETS else item for item in directives)

    changed = _with_fields(type_, lambda item: replace(item, directives=joined(item.directives)))
    return replace(changed, directives=joined(type_.directives))


def _as_text(item: Applied) -> Applied:
    texts = item.texts("fields")
    if item.text("fields") is not None or not texts:
        return item
    return replace(item, arguments={**item.arguments, "fields": StringValueNode(value=" ".join(texts))})


def _plain(subgraph: ReadSubgraph, type_: Type) -> Type:
    if type_.kind is Kind.INTERFACE:
        unmarked = _with_fields(
            type_,
            lambda item: replace(item, directives=_without(item.directives, "external", "requires", "provides")),
        )
        return replace(unmarked, directives=_without(type_.directives, "key"))
    if type_.kind is not Kind.OBJECT:
        return type_
    changed = _with_fields(type_, lambda item: _with_active_field_sets(subgraph, type_, item))
    return replace(changed, directives=_without(type_.directives, "external"))


def _with_active_field_sets(subgraph: ReadSubgraph, type_: Type, declared: Field) -> Field:
    """Keep of `@requires` and `@provides` only what is external, since only that has a meaning."""
    kept: list[Applied] = []
    for item in declared.directives:
        if item.name == "provides" and not _composite(subgraph, declared.type):
            continue
        if item.name not in {"provides", "requires"} or (text := item.text("fields")) is None:
            kept.append(item)
            continue
        try:
            parsed = parse_field_set(text)
        except FieldSetError:
            kept.append(item)
            continue
        within = named(declared.type) if item.name == "provides" else type_.name
        active = _active(subgraph, within, parsed)
        if active == parsed:
            kept.append(item)
        elif active:
            kept.append(replace(item, arguments={"fields": StringValueNode(value=print_field_set(active))}))
    return replace(declared, directives=tuple(kept))


def _composite(subgraph: ReadSubgraph, type_text: str) -> bool:
    name = named(type_text)
    found = subgraph.types.get(name)
    return name not in BUILT_IN_SCALARS and (found is None or found.kind not in {Kind.SCALAR, Kind.ENUM})


def _active(subgraph: ReadSubgraph, type_name: str, selections: FieldSet) -> FieldSet:
    """Leave out what is selected though not external; what does not exist stays, to be complained about."""
    kept: list[object] = []
    type_ = subgraph.types.get(type_name)
    for item in selections:
        if isinstance(item, Fragment):
            inner = _active(subgraph, item.on or type_name, item.selections)
            kept += [replace(item, selections=inner)] if inner else []
        elif (
            type_ is None
            or (declared := type_.fields.get(item.name)) is None
            or _external_here(subgraph, type_, declared)
        ):
            kept.append(item)
        elif item.selections or _composite(subgraph, declared.type):
            inner = _active(subgraph, named(declared.type), item.selections)
            kept += [replace(item, selections=inner)] if inner or not item.selections else []
    return tuple(kept)  # type: ignore[arg-type]  # what was selected, or less of it


def _external_here(subgraph: ReadSubgraph, type_: Type, declared: Field) -> bool:
    if type_.kind is Kind.INTERFACE:
        names = subgraph.implementations.get(type_.name, ())
        return any((name, declared.name) in subgraph.external for name in names)
    return (type_.name, declared.name) in subgraph.external


def _with_keys_of_owners(subgraph: ReadSubgraph, subgraphs: Sequence[ReadSubgraph]) -> ReadSubgraph:
    """Give extensions without a key those keys of the type's owner whose fields they declare.

    Objects from there can be looked up elsewhere by them. They cannot be entered there: what a subgraph's `_entities`
    knows are types with a key of their own.
    """

    def keyed(type_: Type) -> Type:
        extends = not type_.defined or has(type_.directives, "extends")
        if type_.kind is not Kind.OBJECT or type_.name in _ROOT_TYPES or not extends or has(type_.directives, "key"):
            return type_
        keys = {
            key.text("fields"): replace(key, arguments={**key.arguments, **_NOT_RESOLVABLE}, extended=True)
            for other in subgraphs
            if other is not subgraph and (found := other.types.get(type_.name)) is not None
            for key in applied(found.directives, "key")
            if _declares(type_, key)
        }
        return replace(type_, directives=(*type_.directives, *keys.values()))

    return _with_types(subgraph, map(keyed, subgraph.types.values()))


def _declares(type_: Type, key: Applied) -> bool:
    try:
        selections = parse_field_set(key.text("fields") or "")
    except FieldSetError:
        return False
    return all(not isinstance(item, Fragment) and item.name in type_.fields for item in selections)


def _without_unused_externals(subgraph: ReadSubgraph) -> ReadSubgraph:
    """Take out external fields that nothing uses, and types of which nothing is left."""
    used = subgraph.key_fields | subgraph.required | subgraph.provided

    def kept(type_: Type) -> Type | None:
        asked = {name for interface in type_.interfaces for name in _fields_of(subgraph, interface)}

        def wanted(declared: Field) -> Field | None:
            coordinate = (type_.name, declared.name)
            if coordinate in subgraph.external and coordinate not in used and declared.name not in asked:
                return None
            if coordinate in subgraph.external:
                return replace(declared, directives=_without(declared.directives, "tag"))
            if external(declared):
                return replace(declared, directives=_without(declared.directives, "external"))
            return declared

        changed = _with_fields(type_, wanted)
        return changed if changed.fields or not type_.fields else None

    return _with_types(subgraph, (type_ for type_ in map(kept, subgraph.types.values()) if type_ is not None))


def _emptied(before: ReadSubgraph, after: ReadSubgraph) -> Iterator[Finding]:
    """Yield the types of which nothing but unused externals was there, and to which something refers."""
    gone = before.types.keys() - after.types.keys()
    referred = {named(declared.type) for _, declared in after.fields()}
    referred |= {member for type_ in after.types.values() for member in type_.members}
    for name in sorted(gone & referred):
        message = f"type `{name}` has only external fields, none of which a @key, @requires or @provides uses"
        yield before.finding("TYPE_WITH_ONLY_UNUSED_EXTERNAL", message, name)


def _fields_of(subgraph: ReadSubgraph, interface: str) -> Iterator[str]:
    found = subgraph.types.get(interface)
    yield from found.fields if found is not None else ()


class _Resolvers:
    """Which subgraphs know a type, and which resolve a field."""

    def __init__(self, subgraphs: Sequence[ReadSubgraph]) -> None:
        self.types: Mapping[str, set[str]] = defaultdict(set)
        self.fields: Mapping[Coordinate, set[str]] = defaultdict(set)
        for subgraph in subgraphs:
            for type_ in subgraph.types.values():
                self.types[type_.name].add(subgraph.name)
                for name in type_.fields:
                    if (type_.name, name) not in subgraph.external or (type_.name, name) in subgraph.provided:
                        self.fields[type_.name, name].add(subgraph.name)


def _with_shareable(subgraph: ReadSubgraph, known: _Resolvers) -> ReadSubgraph:
    """Mark what other subgraphs resolve too: whole value types, and the fields of entities and root types."""

    def marked(type_: Type) -> Type:
        if type_.kind is not Kind.OBJECT or type_.name == "Subscription":
            return type_
        if not has(type_.directives, "key") and type_.name not in _ROOT_TYPES:
            shared = known.types[type_.name] - {subgraph.name}
            return replace(type_, directives=(*type_.directives, _SHAREABLE)) if shared else type_
        return _with_fields(type_, lambda item: field(type_, item))

    def field(type_: Type, declared: Field) -> Field:
        coordinate = (type_.name, declared.name)
        if coordinate in subgraph.key_fields or not known.fields[coordinate] - {subgraph.name}:
            return declared
        return replace(declared, directives=(*declared.directives, _SHAREABLE))

    return _with_types(subgraph, map(marked, subgraph.types.values()))
