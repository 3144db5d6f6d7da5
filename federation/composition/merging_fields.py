"""Merges the fields of object and interface types.

For every field: leave out who only mentions it, see who took it from whom, ask whether it may be resolved in several
places, find the type and the arguments that serve all, and say what each subgraph knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from federation.composition.context import ContextUse, context_uses
from federation.composition.merged import JoinField, Merged, MergedField, MergedInput, Places, listed
from federation.composition.merging_directives import merge_directives
from federation.composition.merging_types import Position, merge_defaults, merge_descriptions, merge_types
from federation.composition.model import Field, InputValue, Kind, Type, literal
from federation.composition.overriding import Declared, Overrides, find_overrides
from federation.composition.sensitivity import PRIVACY
from federation.composition.subgraph import ReadSubgraph, first

_HARMLESS = frozenset({"deprecated", "specifiedBy", PRIVACY})
"""Directives that may stand where a field is external: who reads a field may say that it is sensitive."""


def merge_fields(
    merged: Merged, name: str, kind: Kind, places: Places, serving: Sequence[tuple[ReadSubgraph, Type]] = ()
) -> dict[str, MergedField]:
    """Return all fields that some subgraph declares for a type.

    `serving` are the interface objects that resolve fields for the type without knowing it.
    """
    found: dict[str, list[Declared]] = {}
    for subgraph, type_ in places:
        for item in type_.fields.values():
            found.setdefault(item.name, []).append((subgraph, type_, item))
    fields = (_field(merged, f"{name}.{field}", kind, places, declared, serving) for field, declared in found.items())
    return {item.name: item for item in fields if item is not None}


def _field(
    merged: Merged,
    coordinate: str,
    kind: Kind,
    places: Places,
    declared: Sequence[Declared],
    serving: Sequence[tuple[ReadSubgraph, Type]],
) -> MergedField | None:
    name = declared[0][2].name
    served = [(subgraph, type_, item) for subgraph, type_ in serving if (item := type_.fields.get(name)) is not None]
    resolving = [place for place in declared if not _external(place)] or served
    if not resolving:
        subgraphs = [subgraph for subgraph, _, _ in declared]
        message = f"`{coordinate}` is @external wherever it is declared ({listed([item.name for item in subgraphs])})"
        merged.error("EXTERNAL_MISSING_ON_BASE", message, coordinate, subgraphs)
        return None
    overrides = find_overrides(merged, coordinate, declared)
    if kind is Kind.OBJECT or len(declared) > 1:
        _check_sharing(merged, coordinate, [*declared, *served], overrides)
    type_text = merge_types(
        merged,
        coordinate,
        [(subgraph, item.type) for subgraph, _, item in resolving],
        Position.OUTPUT,
        "FIELD_TYPE_MISMATCH",
    )
    filled = _filled(declared)
    arguments = merge_arguments(merged, coordinate, [(subgraph, item) for subgraph, _, item in resolving], filled)
    for place in declared:
        if _external(place):
            _check_external(merged, coordinate, place, type_text, resolving)
    return MergedField(
        name,
        type_text,
        arguments,
        merge_descriptions([item.description for _, _, item in declared]),
        merge_directives(merged, coordinate, [(subgraph, item.directives) for subgraph, _, item in declared]),
        tuple(_joins(declared, places, type_text, overrides, filled)),
        tuple(subgraph.enum for subgraph, _, _ in declared),
    )


def _external(place: Declared) -> bool:
    subgraph, type_, item = place
    return (type_.name, item.name) in subgraph.external


def _check_sharing(merged: Merged, coordinate: str, declared: Sequence[Declared], overrides: Overrides) -> None:
    """A field that several subgraphs resolve is `@shareable` in all of them; an event has one source."""
    if declared[0][1].name == "Subscription" and any(
        subgraph.shareable(type_, item) for subgraph, type_, item in declared
    ):
        message = f"`{coordinate}` cannot be @shareable: a subscription has one source"
        merged.error("INVALID_FIELD_SHARING", message, coordinate, [subgraph for subgraph, _, _ in declared])
        return
    if len(declared) == 1:
        return
    resolving = [place for place in declared if _resolves(place) and not overrides.taken(place[0].name)]
    selfish = [subgraph for subgraph, type_, item in resolving if not _shareable(subgraph, type_, item)]
    if selfish and len(resolving) > 1:
        subgraphs = [subgraph for subgraph, _, _ in resolving]
        where = "all of them" if len(selfish) == len(resolving) else listed([item.name for item in selfish])
        names = listed([item.name for item in subgraphs])
        message = f"`{coordinate}` is resolved by {names} and is not @shareable in {where}"
        merged.error("INVALID_FIELD_SHARING", message, coordinate, subgraphs)


def _resolves(place: Declared) -> bool:
    subgraph, type_, item = place
    if type_.kind is Kind.INTERFACE:
        return False
    return not _external(place) or (type_.name, item.name) in subgraph.provided


def _shareable(subgraph: ReadSubgraph, type_: Type, item: Field) -> bool:
    return subgraph.shareable(type_, item) or (type_.name, item.name) in subgraph.provided


def _check_external(
    merged: Merged, coordinate: str, place: Declared, type_text: str, resolving: Sequence[Declared]
) -> None:
    """What a subgraph says of a field that others resolve agrees with what they say."""
    subgraph, _, item = place
    for kept in item.directives:
        if kept.name in merged.kept and kept.name not in _HARMLESS:
            message = f"[{subgraph.name}] @{kept.name} cannot be on `{coordinate}`, which is external here"
            merged.error("MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", message, coordinate, [subgraph])
    # A narrower type is a promise that nobody keeps, unless some of those who resolve the field make it too.
    alike = len({other.type for _, _, other in resolving}) == 1
    if item.type != type_text and (alike or not merged.lattice.fits(item.type, type_text)):
        message = (
            f"`{coordinate}` is `{item.type}` in `{subgraph.name}`, where it is external, but `{type_text}` elsewhere"
        )
        merged.error("EXTERNAL_TYPE_MISMATCH", message, coordinate, [subgraph])
    expected = {name: argument for _, _, other in resolving for name, argument in other.arguments.items()}
    for argument in expected.values():
        where = f"{coordinate}({argument.name}:)"
        here = item.arguments.get(argument.name)
        if here is None:
            message = f"`{where}` is missing in `{subgraph.name}`, where the field is external"
            merged.error("EXTERNAL_ARGUMENT_MISSING", message, where, [subgraph])
        elif not merged.lattice.fits(argument.type, here.type):
            message = f"`{where}` is `{here.type}` in `{subgraph.name}`, where it is external, not `{argument.type}`"
            merged.error("EXTERNAL_ARGUMENT_TYPE_MISMATCH", message, where, [subgraph])
        elif _default(here) != _default(argument):
            message = f"`{where}` has another default in `{subgraph.name}`, where the field is external"
            merged.error("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", message, where, [subgraph])


def _default(value: InputValue) -> str | None:
    return literal(value.default) if value.default is not None else None


Filled = Mapping[tuple[str, str], ContextUse]


def _filled(declared: Sequence[Declared]) -> dict[tuple[str, str], ContextUse]:
    """Return the arguments of the field that come from a context, by subgraph and name."""
    found: dict[tuple[str, str], ContextUse] = {}
    for subgraph, type_, item in declared:
        if any(first(argument.directives, "fromContext") for argument in item.arguments.values()):
            for use in context_uses(subgraph):
                if use.type_.name == type_.name and use.field.name == item.name:
                    found[subgraph.name, use.argument.name] = use
    return found


def merge_arguments(
    merged: Merged, coordinate: str, declared: Sequence[tuple[ReadSubgraph, Field]], filled: Filled
) -> dict[str, MergedInput]:
    """Keep the arguments that every subgraph understands, and that no context fills."""
    names = dict.fromkeys(name for _, item in declared for name in item.arguments)
    kept: dict[str, MergedInput] = {}
    for name in names:
        where = f"{coordinate}({name}:)"
        values = [(subgraph, item.arguments[name]) for subgraph, item in declared if name in item.arguments]
        if any((subgraph.name, name) in filled for subgraph, _ in values):
            _check_filled(merged, where, name, declared, filled)
            continue
        if len(values) < len(declared):
            _check_missing(merged, where, values)
            continue
        kept[name] = MergedInput(
            name,
            merge_types(
                merged,
                where,
                [(subgraph, value.type) for subgraph, value in values],
                Position.INPUT,
                "FIELD_ARGUMENT_TYPE_MISMATCH",
            ),
            merge_defaults(merged, where, values, "FIELD_ARGUMENT_DEFAULT_MISMATCH"),
            merge_descriptions([value.description for _, value in values]),
            merge_directives(merged, where, [(subgraph, value.directives) for subgraph, value in values]),
        )
    return kept


def _check_missing(merged: Merged, where: str, values: Sequence[tuple[ReadSubgraph, InputValue]]) -> None:
    if any(value.required for _, value in values):
        message = f"`{where}` is required in some subgraphs, and others do not have it"
        subgraphs = [subgraph for subgraph, _ in values]
        merged.error("REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", message, where, subgraphs)
    else:
        message = f"`{where}` is not in every subgraph, and so not in the supergraph"
        merged.hint("INCONSISTENT_ARGUMENT_PRESENCE", message, where)


def _check_filled(
    merged: Merged, where: str, name: str, declared: Sequence[tuple[ReadSubgraph, Field]], filled: Filled
) -> None:
    """An argument that a context fills in one subgraph can be left out in the others."""
    for subgraph, item in declared:
        argument = item.arguments.get(name)
        if argument is None or (subgraph.name, name) in filled:
            continue
        if argument.required:
            message = f"`{where}` is filled from a context elsewhere, and so cannot be required in `{subgraph.name}`"
            merged.error("CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS", message, where, [subgraph])
        else:
            message = f"`{where}` is filled from a context elsewhere, and not in `{subgraph.name}`"
            merged.hint("CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS", message, where, [subgraph])


def _joins(
    declared: Sequence[Declared], places: Places, type_text: str, overrides: Overrides, filled: Filled
) -> Iterator[JoinField]:
    """Say what each subgraph knows of the field; nothing at all when all know the same of it."""
    joins = [
        _join(place, type_text, overrides, filled)
        for place in declared
        if place[0].name not in overrides.unused or place[0].name in overrides.labels
    ]
    if len(joins) < len(places) or not all(join.plain for join in joins):
        yield from joins


def _join(place: Declared, type_text: str, overrides: Overrides, filled: Filled) -> JoinField:
    subgraph, _, item = place
    override = first(item.directives, "override")
    return JoinField(
        subgraph.enum,
        item.type if item.type != type_text else None,
        _field_set(item, "requires"),
        _field_set(item, "provides"),
        _external(place),
        override.text("from") if override is not None else None,
        subgraph.name in overrides.used,
        overrides.labels.get(subgraph.name),
        tuple(
            (use.argument.name, use.argument.type, f"{subgraph.name}__{use.context}", use.selection)
            for name in item.arguments
            if (use := filled.get((subgraph.name, name))) is not None
        ),
    )


def _field_set(item: Field, directive: str) -> str | None:
    found = first(item.directives, directive)
    return found.text("fields") if found is not None else None
