"""Merges the types of all subgraphs, and finds where they contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSetError, parse_field_set
from federation.composition.model import Field, InputValue, Kind, Type, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from federation.composition.subgraph import ReadSubgraph


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field of the supergraph: its type there, its arguments, and its declaration in each subgraph that has it."""

    name: str
    type: str
    arguments: Mapping[str, InputValue]
    declared: tuple[tuple[ReadSubgraph, Field], ...]


@dataclass(frozen=True, slots=True)
class MergedType:
    """A type of the supergraph: its parts, and its declaration in each subgraph that has it."""

    name: str
    kind: Kind
    declared: tuple[tuple[ReadSubgraph, Type], ...]
    fields: tuple[MergedField, ...] = ()
    inputs: tuple[InputValue, ...] = ()


@dataclass(slots=True)
class Merged:
    """The outcome: types in the order in which they are first declared, errors and hints."""

    types: list[MergedType] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    hints: list[Finding] = field(default_factory=list)


def merge(subgraphs: Sequence[ReadSubgraph]) -> Merged:
    """Merge the subgraphs' types; nothing is thrown, everything found is in the outcome."""
    merged = Merged()
    declared: dict[str, list[tuple[ReadSubgraph, Type]]] = {}
    for subgraph in subgraphs:
        for type_ in subgraph.types():
            declared.setdefault(type_.name, []).append((subgraph, type_))
    for name, places in declared.items():
        kinds = {type_.kind for _, type_ in places}
        if len(kinds) > 1:
            said = ", ".join(f"{type_.kind} in `{subgraph.name}`" for subgraph, type_ in places)
            merged.errors.append(_finding("TYPE_KIND_MISMATCH", f"type `{name}` is {said}", name, places))
            continue
        merged.types.append(_merged_type(name, tuple(places), merged))
    query = next((type_ for type_ in merged.types if type_.name == "Query"), None)
    if query is None or not query.fields:
        merged.errors.append(Finding("NO_QUERIES", "no subgraph has a query field"))
    return merged


def _merged_type(name: str, places: tuple[tuple[ReadSubgraph, Type], ...], merged: Merged) -> MergedType:
    kind = places[0][1].kind
    match kind:
        case Kind.OBJECT | Kind.INTERFACE:
            return MergedType(name, kind, places, fields=tuple(_fields(name, kind, places, merged)))
        case Kind.INPUT:
            return MergedType(name, kind, places, inputs=tuple(_inputs(name, places, merged)))
        case Kind.SCALAR | Kind.UNION | Kind.ENUM:
            return MergedType(name, kind, places)


def _fields(
    name: str, kind: Kind, places: tuple[tuple[ReadSubgraph, Type], ...], merged: Merged
) -> Iterator[MergedField]:
    found: dict[str, list[tuple[ReadSubgraph, Field]]] = {}
    for subgraph, type_ in places:
        for field_ in type_.fields.values():
            if not subgraph.is_machinery(field_.name):
                found.setdefault(field_.name, []).append((subgraph, field_))
    for field_name, declared in found.items():
        coordinate = f"{name}.{field_name}"
        if kind is Kind.OBJECT:
            _require_sharing(coordinate, name, declared, merged)
        type_text = _output_type(coordinate, declared, merged)
        arguments = _arguments(coordinate, declared, merged)
        yield MergedField(field_name, type_text, arguments, tuple(declared))


def _require_sharing(
    coordinate: str, type_name: str, declared: list[tuple[ReadSubgraph, Field]], merged: Merged
) -> None:
    """A field that several subgraphs resolve is `@shareable` in all of them, or overridden; keys always are shared."""
    resolving = [
        (subgraph, field_)
        for subgraph, field_ in declared
        if not subgraph.has(field_.directives, "external") and not _overridden(subgraph, declared)
    ]
    if len(resolving) < 2:  # noqa: PLR2004  # one resolver shares with nobody
        return
    selfish = [subgraph for subgraph, field_ in resolving if not _shareable(subgraph, type_name, field_)]
    if selfish:
        names = ", ".join(f"`{subgraph.name}`" for subgraph, _ in resolving)
        selfish_names = ", ".join(f"`{subgraph.name}`" for subgraph in selfish)
        message = f"`{coordinate}` is resolved by {names} and is not @shareable in {selfish_names}"
        merged.errors.append(
            Finding("INVALID_FIELD_SHARING", message, tuple(subgraph.name for subgraph, _ in resolving), (coordinate,))
        )


def _overridden(subgraph: ReadSubgraph, declared: list[tuple[ReadSubgraph, Field]]) -> bool:
    return any(
        applied.text("from") == subgraph.name
        for other, field_ in declared
        for applied in other.applied(field_.directives, "override")
    )


def _shareable(subgraph: ReadSubgraph, type_name: str, field_: Field) -> bool:
    type_ = subgraph.model.types[type_name]
    if (
        subgraph.first_version
        or subgraph.has(field_.directives, "shareable")
        or subgraph.has(type_.directives, "shareable")
    ):
        return True
    for key in subgraph.applied(type_.directives, "key"):
        try:
            selected = parse_field_set(key.text("fields") or "")
        except FieldSetError:
            continue
        if any(getattr(one, "name", None) == field_.name for one in selected):
            return True
    return False


def _output_type(coordinate: str, declared: list[tuple[ReadSubgraph, Field]], merged: Merged) -> str:
    """Return the type that every subgraph's answer fits: where they differ in nullability, the nullable one."""
    texts = [field_.type for _, field_ in declared]
    shapes = {text.replace("!", "") for text in texts}
    if len(shapes) > 1:
        said = ", ".join(f"`{field_.type}` in `{subgraph.name}`" for subgraph, field_ in declared)
        names = tuple(subgraph.name for subgraph, _ in declared)
        merged.errors.append(Finding("FIELD_TYPE_MISMATCH", f"`{coordinate}` is {said}", names, (coordinate,)))
        return texts[0]
    return min(texts, key=lambda text: text.count("!"))


def _arguments(coordinate: str, declared: list[tuple[ReadSubgraph, Field]], merged: Merged) -> dict[str, InputValue]:
    """Keep the arguments that every subgraph understands (intersection)."""
    first = declared[0][1].arguments
    kept: dict[str, InputValue] = {}
    for name, argument in first.items():
        others = [field_.arguments.get(name) for _, field_ in declared]
        if any(other is None for other in others):
            merged.hints.append(
                Finding("INCONSISTENT_ARGUMENT_PRESENCE", f"`{coordinate}({name}:)` is not in every subgraph")
            )
            continue
        texts = [other.type for other in others if other is not None]
        if len({named(text) for text in texts}) > 1:
            names = tuple(subgraph.name for subgraph, _ in declared)
            place = f"{coordinate}({name}:)"
            merged.errors.append(
                Finding("FIELD_ARGUMENT_TYPE_MISMATCH", f"`{place}` has different types", names, (place,))
            )
        kept[name] = argument
    return kept


def _inputs(name: str, places: tuple[tuple[ReadSubgraph, Type], ...], merged: Merged) -> Iterator[InputValue]:
    """Keep the input fields that every subgraph understands (intersection)."""
    for field_name, value in places[0][1].inputs.items():
        if all(field_name in type_.inputs for _, type_ in places):
            yield value
        elif value.required:
            coordinate = f"{name}.{field_name}"
            message = f"input field `{coordinate}` is required and not in every subgraph"
            merged.errors.append(_finding("REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", message, coordinate, places))


def _finding(code: str, message: str, coordinate: str, places: Sequence[tuple[ReadSubgraph, Type]]) -> Finding:
    return Finding(code, message, tuple(subgraph.name for subgraph, _ in places), (coordinate,))
