"""Generated code that finds the entities a fetch is about and writes their representations, each distinct one once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.execution.codegen import PlanError, Source, attribute, writer_attribute
from federation.execution.fold import WantedEntities
from federation.execution.shape import TYPENAME, Position
from federation.planning.plan import Each, Key, OnType, Path, RepresentationField

_encode = msgspec.json.Encoder().encode


class Found:
    """The entities of one entity input.

    `objects` are all places in the merged tree, `numbers` the representation that each has in `index`, whose keys are
    the encoded representations (with the member that supplied the keys, in a keyed collection) in sending order;
    `ends` are the lengths of `objects` after each target, `given` encoded variables from contexts.
    """

    __slots__ = ("encoded", "ends", "given", "index", "numbers", "objects")

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.index: dict[Any, int] = {}
        self.objects: list[Any] = []
        self.numbers: list[int] = []
        self.ends: list[int] = []
        self.given: list[bytes] = []
        self.encoded = b"[]"


Collect = Callable[[Any, dict[Any, int], list[Any], list[int]], None]
"""Walks from the merged root and fills a `Found`'s index, objects and numbers."""


def collector(root: Position, path: Path, entities: WantedEntities, members: Sequence[str] | None) -> Collect | None:
    """Return the function that collects one entity input's objects under one path, None when there can be none.

    An object with a null in a required field is passed over: a representation without its key asks nothing. With
    `members` (the member of every fetch, in the plan's order) the index tells apart who supplied the key.
    """
    source = Source()
    source.line(0, "def collect(o, index, objects, numbers):")
    end = _walk(source, root, path)
    required = [part for part in entities.fields if part.name in entities.required]
    if end is None or any(part.source not in end.position.slots for part in required):
        return None
    position, indent, variable = end.position, end.indent, end.variable
    for part in required:
        value = f"{variable}.{position.slots[part.source].attribute}"
        if part.selections:
            whole = source.constant(_whole(position, part), "whole")
            source.line(indent, f"if not {whole}({value}): continue")
        else:
            source.line(indent, f"if {value} is None: continue")
    encode = source.constant(_encode, "encode")
    source.line(indent, f"b = {encode}({_representation(source, position, entities, end.names, variable)})")
    if members is not None:
        source.line(indent, f"b = ({_supplier(source, position, required, variable, members)}, b)")
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


def _representation(
    source: Source, position: Position, entities: WantedEntities, names: frozenset[str] | None, variable: str
) -> str:
    """Return the expression that builds a representation: a Struct of scalars, or a dictionary where it is nested."""
    typename = _typename(entities, position, names, variable)
    if any(part.on or part.selections for part in entities.fields):
        nested = source.constant(_reader(position, entities.fields), "nested")
        return f"{{{TYPENAME!r}: {typename}, **{nested}({variable})}}"
    definition = [("typename", Any), *((attribute(part.name), Any) for part in entities.fields)]
    rename = {"typename": TYPENAME, **{attribute(part.name): part.name for part in entities.fields}}
    struct = source.constant(msgspec.defstruct("Representation", definition, rename=rename, gc=False), "Rep")
    values = (
        f"{variable}.{attribute(part.source)}" if part.source in position.slots else "None" for part in entities.fields
    )
    return f"{struct}({', '.join((typename, *values))})"


def _typename(entities: WantedEntities, position: Position, names: frozenset[str] | None, variable: str) -> str:
    if entities.typename is not None:
        return repr(entities.typename)
    if TYPENAME in position.slots:
        return f"{variable}.{attribute(TYPENAME)}"
    if names is not None and len(names) == 1:
        return repr(next(iter(names)))
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


def _whole(position: Position, part: RepresentationField) -> Callable[[Any], bool]:
    """Return the test that a key's composite field is complete: no null anywhere inside."""
    slot = position.slots[part.source]
    read = _reader(slot.child, part.selections)

    def is_whole(value: Any) -> bool:
        return value is not None and _complete(_each(value, read))

    return is_whole


def _complete(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_complete(inner) for inner in value.values())
    if isinstance(value, list):
        return all(_complete(inner) for inner in value)
    return value is not None


def _supplier(
    source: Source, position: Position, required: Iterable[RepresentationField], variable: str, members: Sequence[str]
) -> str:
    """Return the expression for the member whose fetch supplied the first key field of an object."""
    first = next(iter(required), None)
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
