"""Generated code that finds the entities a fetch is about and writes their representations, each distinct one once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from federation.execution.codegen import PlanError, Source, attribute, writer_attribute
from federation.execution.fold import WantedEntities
from federation.execution.shape import TYPENAME, Position, Slot
from federation.planning.plan import Each, Key, OnType, Path, Reference, RepresentationField

_encode = msgspec.json.Encoder().encode


class Found:
    """The entities of one entity input.

    `objects` are all places in the merged tree, `numbers` the representation that each has in `index`, whose keys are
    the encoded representations (with the member that supplied the keys, in a keyed collection) in sending order;
    `ends` are the lengths of `objects` after each target, `given` encoded variables from contexts. `lost` says that
    objects were left out because what they would be asked with was lost.
    """

    __slots__ = ("encoded", "ends", "given", "index", "lost", "numbers", "objects")

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.index: dict[Any, int] = {}
        self.objects: list[Any] = []
        self.numbers: list[int] = []
        self.ends: list[int] = []
        self.given: list[bytes] = []
        self.encoded = b"[]"
        self.lost = False


Collect = Callable[[Any, dict[Any, int], list[Any], list[int]], None]
"""Walks from the merged root and fills a `Found`'s index, objects and numbers."""


def collector(root: Position, path: Path, entities: WantedEntities, members: Sequence[str] | None) -> Collect | None:
    """Return the function that collects one entity input's objects under one path, None when there can be none.

    An object is referred to by the first key that has no null in it, and passed over when there is none: a
    representation without its key asks nothing. With `members` (the member of every fetch, in the plan's order) the
    index tells apart who supplied the key.
    """
    source = Source()
    source.line(0, "def collect(o, index, objects, numbers):")
    end = _walk(source, root, path)
    usable = [] if end is None else [one for one in entities.references if _is_written(end.position, one)]
    if end is None or not usable:
        return None
    indent, variable = end.indent, end.variable
    word = "if"
    for reference in usable:
        source.line(indent, f"{word} {_usable(source, end, reference)}:")
        source.line(indent + 1, f"b = {_encoded(source, end, reference, entities.typename, members)}")
        word = "elif"
    source.line(indent, "else: continue")
    source.line(indent, "n = index.get(b)")
    source.line(indent, "if n is None: n = index[b] = len(index)")
    source.line(indent, f"objects.append({variable})")
    source.line(indent, "numbers.append(n)")
    collect: Collect = source.function("collect")
    return collect


@dataclass(frozen=True, slots=True)
class _End:
    """Where the loops of a walk stand: the position, the depth of the code, its variable, the possible typenames."""

    position: Position
    indent: int
    variable: str
    names: frozenset[str] | None


def _walk(source: Source, root: Position, path: Path) -> _End | None:
    """Write the loops down to the entities.

    Every step is a loop, over a list of one element for a single object, so that `continue` always means "not this".
    """
    if not path or not isinstance(path[0], Key):
        raise PlanError("the path of an entity fetch begins with a field; the root object is no entity")
    position, indent, variable = root, 1, "o"
    names: frozenset[str] | None = None
    for step in path:
        match step:
            case Key(name):
                child = position.child(name)
                if child is None:
                    return None
                inner = source.fresh("o")
                source.line(indent, f"for {inner} in ({variable}.{attribute(name)},):")
                source.line(indent + 1, f"if {inner} is None: continue")
                position, indent, variable, names = child, indent + 1, inner, None
            case Each():
                inner = source.fresh("o")
                source.line(indent, f"for {inner} in {variable}:")
                source.line(indent + 1, f"if {inner} is None: continue")
                indent, variable = indent + 1, inner
            case OnType(accepted):
                if TYPENAME not in position.slots:
                    return None
                names = accepted
                allowed = source.constant(accepted, "names")
                source.line(indent, f"if {variable}.{attribute(TYPENAME)} not in {allowed}: continue")
    return _End(position, indent, variable, names)


def _is_written(position: Position, reference: Reference) -> bool:
    """Say whether all of a key is asked for: a fetch that brings a part of it may have been left out of the plan."""
    return all(part.on or part.source in position.slots for part in reference.key)


def _usable(source: Source, end: _End, reference: Reference) -> str:
    """Return the condition under which an object is referred to in a way: its type has the key, which is whole."""
    tests: list[str] = []
    if reference.on:
        tests.append(f"{end.variable}.{attribute(TYPENAME)} in {source.constant(reference.on, 'names')}")
    for part in reference.key:
        slot = end.position.slots.get(part.source)
        if slot is None or part.on or slot.child is not None or slot.depth:
            whole = source.constant(partial(is_whole, end.position, (part,)), "whole")
            tests.append(f"{whole}({end.variable})")
        else:
            tests.append(f"{end.variable}.{slot.attribute} is not None")
    return " and ".join(tests) or "True"


def _encoded(
    source: Source, end: _End, reference: Reference, typename: str | None, members: Sequence[str] | None
) -> str:
    """Return the expression that encodes a representation, with who supplied its key where `members` are given."""
    encoded = f"{source.constant(_encode, 'encode')}({_representation(source, end, reference, typename)})"
    if members is None:
        return encoded
    return f"({_supplier(source, end.position, reference.key, end.variable, members)}, {encoded})"


def _representation(source: Source, end: _End, reference: Reference, typename: str | None) -> str:
    """Return the expression that builds a representation: a Struct of scalars, or a dictionary where it is nested."""
    position, parts, variable = end.position, reference.fields, end.variable
    name = _typename(typename, end)
    if any(part.on or part.selections for part in parts):
        nested = source.constant(_reader(position, parts), "nested")
        return f"{{{TYPENAME!r}: {name}, **{nested}({variable})}}"
    definition = [("typename", Any), *((attribute(part.name), Any) for part in parts)]
    rename = {"typename": TYPENAME, **{attribute(part.name): part.name for part in parts}}
    struct = source.constant(msgspec.defstruct("Representation", definition, rename=rename, gc=False), "Rep")
    values = (f"{variable}.{attribute(part.source)}" if part.source in position.slots else "None" for part in parts)
    return f"{struct}({', '.join((name, *values))})"


def _typename(constant: str | None, end: _End) -> str:
    if constant is not None:
        return repr(constant)
    if TYPENAME in end.position.slots:
        return f"{end.variable}.{attribute(TYPENAME)}"
    if end.names is not None and len(end.names) == 1:
        return repr(next(iter(end.names)))
    raise PlanError("an entity fetch needs the typename of its objects, and no fetch selects it")


def _reader(position: Position | None, parts: Sequence[RepresentationField]) -> Callable[[Any], dict[str, Any]]:
    """Return a function that reads representation fields of an object, at any depth of objects and lists.

    What no fetch has written reads as null.
    """
    slots = {} if position is None else position.slots
    typename_attribute = attribute(TYPENAME) if TYPENAME in slots else None
    readers: list[tuple[str, str | None, Callable[[Any], Any] | None, frozenset[str]]] = []
    for part in parts:
        slot = slots.get(part.source)
        read = _reader(slot.child, part.selections) if slot is not None and part.selections else None
        readers.append((part.name, None if slot is None else slot.attribute, read, part.on))

    def read_object(value: Any) -> dict[str, Any]:
        typename = None if typename_attribute is None else getattr(value, typename_attribute)
        return {
            name: None if source is None else _each(getattr(value, source), read)
            for name, source, read, on in readers
            if not on or typename in on
        }

    return read_object


def _each(value: Any, read: Callable[[Any], Any] | None) -> Any:
    if value is None or read is None:
        return value
    if isinstance(value, list):
        return [_each(item, read) for item in value]
    return read(value)


def is_whole(position: Position, parts: Sequence[RepresentationField], value: Any) -> bool:
    """Say whether an object has all parts of a key, with no null anywhere inside."""
    typename = getattr(value, attribute(TYPENAME), None)
    for part in parts:
        if part.on and typename not in part.on:
            continue
        slot = position.slots.get(part.source)
        if slot is None or not _is_there(slot, part, getattr(value, slot.attribute)):
            return False
    return True


def _is_there(slot: Slot, part: RepresentationField, value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_there(slot, part, item) for item in value)
    return value is not None and (slot.child is None or is_whole(slot.child, part.selections, value))


def _supplier(
    source: Source, position: Position, required: Iterable[RepresentationField], variable: str, members: Sequence[str]
) -> str:
    """Return the expression for the member whose fetch supplied the first key field of an object."""
    first = next((part for part in required if part.source in position.slots), None)
    if first is None:
        return source.constant("", "member")
    slot = position.slots[first.source]
    if not slot.contested:
        return source.constant(members[slot.writers[0]], "member")
    by_order = source.constant(tuple(members), "members")
    writer = f"{variable}.{writer_attribute(slot.key)}"
    return f"{by_order}[{variable}.FETCH if {writer} is None else {writer}]"


def variables_json(chosen: Iterable[bytes]) -> bytes:
    """Return a JSON object of members that are encoded already."""
    return b"{" + b",".join(chosen) + b"}"


def encoded_list(values: Iterable[bytes]) -> bytes:
    """Return a JSON array of values that are encoded already."""
    return b"[" + b",".join(values) + b"]"
