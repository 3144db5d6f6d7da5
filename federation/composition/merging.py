"""Merges the types of all subgraphs, and notes where they contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from federation.composition.composing import compose_links
from federation.composition.executable import merge_executable_directives
from federation.composition.merged import (
    JoinField,
    Merged,
    MergedEnumValue,
    MergedField,
    MergedInput,
    MergedType,
    Places,
    listed,
)
from federation.composition.merging_directives import merge_directives
from federation.composition.merging_fields import merge_fields
from federation.composition.merging_types import Position, merge_defaults, merge_descriptions, merge_types
from federation.composition.model import InputValue, Kind, Type, named
from federation.composition.subgraph import ReadSubgraph, has
from federation.composition.subtyping import Lattice


def merge(subgraphs: Sequence[ReadSubgraph]) -> Merged:
    """Merge the subgraphs; nothing is thrown, everything found is in the outcome."""
    declared = _declared(subgraphs)
    merged = Merged(subgraphs, _lattice(declared))
    compose_links(merged)
    merge_executable_directives(merged)
    sound = {name: places for name, places in declared.items() if _one_kind(merged, name, places)}
    uses = _enum_uses(sound)
    interface_objects = _interface_objects(sound)
    for name, places in sound.items():
        _check_base(merged, name, places)
        kind = _kind(places)
        merged.types[name] = _Merger(merged, name, kind, places, uses, interface_objects).merged_type()
    _add_fields_of_interface_objects(merged)
    return merged


def _declared(subgraphs: Sequence[ReadSubgraph]) -> dict[str, Places]:
    found: dict[str, list[tuple[ReadSubgraph, Type]]] = {}
    for subgraph in subgraphs:
        for type_ in subgraph.types.values():
            found.setdefault(type_.name, []).append((subgraph, type_))
    return {name: tuple(places) for name, places in found.items()}


def _lattice(declared: dict[str, Places]) -> Lattice:
    below: dict[str, set[str]] = {}
    for name, places in declared.items():
        for _, type_ in places:
            if type_.kind is Kind.UNION:
                below.setdefault(name, set()).update(type_.members)
            for interface in type_.interfaces:
                below.setdefault(interface, set()).add(name)
    return Lattice({name: frozenset(members) for name, members in below.items()})


def _kind(places: Places) -> Kind:
    return next((type_.kind for _, type_ in places if not has(type_.directives, "interfaceObject")), places[0][1].kind)


def _one_kind(merged: Merged, name: str, places: Places) -> bool:
    """A type is of one kind everywhere; an interface object stands for an interface."""
    kinds = {type_.kind for _, type_ in places if not has(type_.directives, "interfaceObject")}
    stand_ins = [subgraph for subgraph, type_ in places if has(type_.directives, "interfaceObject")]
    if not kinds:
        message = f"`{name}` is an @interfaceObject wherever it is declared, and must be an interface somewhere"
        merged.error("INTERFACE_OBJECT_USAGE_ERROR", message, name, stand_ins)
        return False
    if len(kinds) == 1 and (not stand_ins or kinds == {Kind.INTERFACE}):
        return True
    said = ", ".join(
        f"{'InterfaceObject' if subgraph in stand_ins else type_.kind} in `{subgraph.name}`"
        for subgraph, type_ in places
    )
    message = f"type `{name}` has different kinds: {said}"
    merged.error("TYPE_KIND_MISMATCH", message, name, [subgraph for subgraph, _ in places])
    return False


def _check_base(merged: Merged, name: str, places: Places) -> None:
    """Somebody defines what others extend."""
    if name in {"Query", "Mutation", "Subscription"}:
        return
    defining = [subgraph.name for subgraph, type_ in places if type_.defined]
    alone = len(defining) == 1 and any(
        subgraph.name in defining and subgraph.first_version and has(type_.directives, "extends")
        for subgraph, type_ in places
    )
    if not defining or alone:
        subgraphs = [subgraph for subgraph, _ in places]
        message = f"`{name}` is only extended, in {listed([item.name for item in subgraphs])}, and defined nowhere"
        merged.error("EXTENSION_WITH_NO_BASE", message, name, subgraphs)


def _interface_objects(declared: dict[str, Places]) -> dict[str, Places]:
    """Return the interface objects by the interface that they stand for."""
    return {
        name: stand_ins
        for name, places in declared.items()
        if (stand_ins := tuple(place for place in places if has(place[1].directives, "interfaceObject")))
    }


def _enum_uses(declared: dict[str, Places]) -> dict[str, set[Position]]:
    """Say which types stand where values come in, and which where they go out."""
    found: dict[str, set[Position]] = {}
    for places in declared.values():
        for _, type_ in places:
            for item in type_.fields.values():
                found.setdefault(named(item.type), set()).add(Position.OUTPUT)
                for argument in item.arguments.values():
                    found.setdefault(named(argument.type), set()).add(Position.INPUT)
            for value in type_.inputs.values():
                found.setdefault(named(value.type), set()).add(Position.INPUT)
    return found


class _Merger:
    """Merges one type."""

    def __init__(
        self,
        merged: Merged,
        name: str,
        kind: Kind,
        places: Places,
        uses: dict[str, set[Position]],
        interface_objects: dict[str, Places],
    ) -> None:
        self.merged = merged
        self.name = name
        self.kind = kind
        self.places = places
        self.uses = uses
        self.interface_objects = interface_objects

    def merged_type(self) -> MergedType:
        bare = MergedType(
            self.name,
            self.kind,
            self.places,
            merge_descriptions([type_.description for _, type_ in self.places]),
            merge_directives(self.merged, self.name, [(subgraph, type_.directives) for subgraph, type_ in self.places]),
            tuple(dict.fromkeys(name for _, type_ in self.places for name in type_.interfaces)),
        )
        match self.kind:
            case Kind.OBJECT | Kind.INTERFACE:
                fields = merge_fields(self.merged, self.name, self.kind, self.places, self._serving(bare.interfaces))
                return replace(bare, fields=fields)
            case Kind.INPUT:
                return replace(bare, inputs=self._inputs())
            case Kind.UNION:
                return replace(bare, members=self._members())
            case Kind.ENUM:
                return replace(bare, values=self._values())
            case Kind.SCALAR:
                return bare

    def _serving(self, interfaces: Iterable[str]) -> Places:
        """Return the interface objects of the type's interfaces, in subgraphs that do not know the type."""
        if self.kind is not Kind.OBJECT or not self.interface_objects:
            return ()
        own = {subgraph.name for subgraph, _ in self.places}
        return tuple(
            place
            for interface in interfaces
            for place in self.interface_objects.get(interface, ())
            if place[0].name not in own
        )

    def _members(self) -> tuple[str, ...]:
        members = tuple(dict.fromkeys(name for _, type_ in self.places for name in type_.members))
        if any(len(type_.members) < len(members) for _, type_ in self.places):
            message = f"union `{self.name}` has other members in some subgraphs than in others"
            self.merged.hint("INCONSISTENT_UNION_MEMBER", message, self.name)
        return members

    def _inputs(self) -> dict[str, MergedInput]:
        """Keep the input fields that every subgraph understands (intersection)."""
        names = dict.fromkeys(name for _, type_ in self.places for name in type_.inputs)
        kept: dict[str, MergedInput] = {}
        for name in names:
            values = [(subgraph, type_.inputs[name]) for subgraph, type_ in self.places if name in type_.inputs]
            if len(values) == len(self.places):
                kept[name] = self._input(name, values)
            else:
                self._check_missing(f"{self.name}.{name}", values)
        if not kept:
            message = f"no field of input `{self.name}` is in every subgraph that has it"
            self._error("EMPTY_MERGED_INPUT_TYPE", message)
        return kept

    def _check_missing(self, coordinate: str, values: Sequence[tuple[ReadSubgraph, InputValue]]) -> None:
        if any(value.required for _, value in values):
            message = f"`{coordinate}` is required in some subgraphs, and others do not have it"
            self._error("REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", message)
        else:
            message = f"`{coordinate}` is not in every subgraph, and so not in the supergraph"
            self.merged.hint("INCONSISTENT_INPUT_OBJECT_FIELD", message, coordinate)

    def _input(self, name: str, values: Sequence[tuple[ReadSubgraph, InputValue]]) -> MergedInput:
        coordinate = f"{self.name}.{name}"
        types = [(subgraph, value.type) for subgraph, value in values]
        type_text = merge_types(self.merged, coordinate, types, Position.INPUT, "FIELD_TYPE_MISMATCH")
        joins = [
            JoinField(subgraph.enum, value.type if value.type != type_text else None) for subgraph, value in values
        ]
        return MergedInput(
            name,
            type_text,
            merge_defaults(self.merged, coordinate, values, "INPUT_FIELD_DEFAULT_MISMATCH"),
            merge_descriptions([value.description for _, value in values]),
            merge_directives(self.merged, coordinate, [(subgraph, value.directives) for subgraph, value in values]),
            () if all(join.plain for join in joins) else tuple(joins),
        )

    def _values(self) -> dict[str, MergedEnumValue]:
        """Merge the values by where the enum stands: coming in the common ones, going out all, both all alike."""
        used = self.uses.get(self.name, {Position.OUTPUT})
        names = dict.fromkeys(name for _, type_ in self.places for name in type_.values)
        kept: dict[str, MergedEnumValue] = {}
        for name in names:
            there = [(subgraph, type_.values[name]) for subgraph, type_ in self.places if name in type_.values]
            everywhere = len(there) == len(self.places)
            if not everywhere and Position.INPUT in used:
                hidden = any(has(value.directives, "inaccessible") for _, value in there)
                if Position.OUTPUT in used and not hidden:
                    message = (
                        f"enum `{self.name}` comes in and goes out, and so must be the same in"
                        f" every subgraph; `{name}` is only in {listed([subgraph.name for subgraph, _ in there])}"
                    )
                    self._error("ENUM_VALUE_MISMATCH", message)
                elif Position.OUTPUT not in used:
                    message = f"`{self.name}.{name}` is not in every subgraph, and so not in the supergraph"
                    self.merged.hint("INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", message, self.name)
                    continue
            elif not everywhere:
                message = f"`{self.name}.{name}` is not in every subgraph"
                self.merged.hint("INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", message, self.name)
            kept[name] = MergedEnumValue(
                name,
                tuple(subgraph.enum for subgraph, _ in there),
                merge_descriptions([value.description for _, value in there]),
                merge_directives(
                    self.merged, f"{self.name}.{name}", [(subgraph, value.directives) for subgraph, value in there]
                ),
            )
        if not kept:
            self._error("EMPTY_MERGED_ENUM_TYPE", f"no value of enum `{self.name}` is in every subgraph that has it")
        return kept

    def _error(self, code: str, message: str) -> None:
        self.merged.error(code, message, self.name, [subgraph for subgraph, _ in self.places])


def _add_fields_of_interface_objects(merged: Merged) -> None:
    """Give every implementation the fields that only interface objects resolve; nobody declares them there."""
    for interface in list(merged.types.values()):
        served = {
            name
            for subgraph in interface.interface_objects()
            for name in subgraph.types[interface.name].fields
            if name in interface.fields
        }
        if not served:
            continue
        for name in merged.lattice.below.get(interface.name, ()):
            type_ = merged.types.get(name)
            if type_ is not None:
                missing = {field: _inherited(interface.fields[field]) for field in served - type_.fields.keys()}
                if missing:
                    ordered = {field: missing[field] for field in interface.fields if field in missing}
                    merged.types[name] = replace(type_, fields={**type_.fields, **ordered})


def _inherited(declared: MergedField) -> MergedField:
    return replace(declared, joins=(JoinField(None),), graphs=())
