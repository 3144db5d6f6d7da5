"""Every operation that clients may ask can be answered.

The API schema is walked from its roots. At every type the walk knows at which *places* an object can be at hand: in
which subgraph, under which type there, and what that subgraph provides of it beyond what it always resolves. From a
place, keys lead to others; all that can be reached from one place together is its reach. A field is answered when some
subgraph in the reach of some place resolves it.

A walk goes on with the places where the field's value then is at hand. What was seen once (a type, with its reaches and
the context values that objects above give) is not looked at again, so that the work grows with the schema and not with
the paths through it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from federation.composition.errors import Finding
from federation.composition.fieldset import FieldSet, parse_field_set
from federation.composition.model import Kind, named
from federation.composition.moves import Given, Moves, Place, Reach
from federation.composition.paths import Path
from federation.composition.supergraph import Supergraph, SuperType

_ROOTS = ("query", "mutation", "subscription")
_LABELS_TRIED_TOGETHER = 4


@dataclass(frozen=True, slots=True)
class _State:
    """Where the walk is: a type of the API, the places of its value, the way there, and what objects above give."""

    type_name: str
    places: frozenset[Place]
    path: Path
    given: Given


def unsatisfied(supergraph: Supergraph) -> Iterator[Finding]:
    """Yield a finding for every field that some operation cannot get, with that operation and the reasons."""
    seen: set[str] = set()
    for active in _label_states(supergraph):
        for finding in _Walk(supergraph, active).findings():
            if finding.message not in seen:
                seen.add(finding.message)
                yield finding


def _label_states(supergraph: Supergraph) -> Iterator[frozenset[str]]:
    """Yield sets of active override labels: all combinations of a few, of many all and none and each alone."""
    labels = sorted(
        {
            here.override_label
            for type_ in supergraph.types.values()
            for declared in type_.fields.values()
            for here in declared.subgraphs.values()
            if here.override_label is not None
        }
    )
    if len(labels) <= _LABELS_TRIED_TOGETHER:
        for chosen in product((False, True), repeat=len(labels)):
            yield frozenset(label for label, on in zip(labels, chosen, strict=True) if on)
        return
    yield frozenset()
    yield frozenset(labels)
    yield from (frozenset({label}) for label in labels)


class _Walk:
    """One walk through the API schema, for one set of active override labels."""

    def __init__(self, supergraph: Supergraph, active: frozenset[str]) -> None:
        self.graph = Moves(supergraph, active)
        self.supergraph = supergraph
        self.visible = _visible_fields(supergraph)
        self.contexts = _context_uses(supergraph)
        self.seen: set[tuple[str, frozenset[Reach], Given]] = set()
        self.waiting: deque[_State] = deque()

    def findings(self) -> Iterator[Finding]:
        for root in _ROOTS:
            name = self.supergraph.roots.get(root)
            if name is None or name not in self.supergraph.types:
                continue
            places = frozenset(Place(subgraph, name) for subgraph in self.supergraph.types[name].subgraphs)
            self.waiting.append(_State(name, places, Path(root), frozenset()))
        while self.waiting:
            yield from self._visit(self.waiting.popleft())

    def _visit(self, state: _State) -> Iterator[Finding]:
        type_ = self.supergraph.types[state.type_name]
        if type_.kind is Kind.OBJECT:
            yield from self._object(state, type_)
            return
        for name in self.supergraph.possible(type_.name):
            if name not in self.visible:
                continue
            places = frozenset(place for each in state.places for place in self.graph.downcast(each, name))
            if places:
                self.waiting.append(_State(name, places, state.path.on(name), state.given))

    def _object(self, state: _State, type_: SuperType) -> Iterator[Finding]:
        reaches = {place: self.graph.reach(type_.name, place) for place in state.places}
        different = set(reaches.values())
        largest = frozenset(reach for reach in different if not any(reach < other for other in different))
        if (type_.name, largest, state.given) in self.seen:
            return
        self.seen.add((type_.name, largest, state.given))
        given = self._given(state.given, type_, largest)
        for name in self.visible.get(type_.name, ()):
            below = frozenset(
                child for reach in largest for child in self.graph.children(type_.name, reach, name, state.given)
            )
            path = state.path.field(type_.fields[name])
            if not below:
                yield self._finding(type_, name, path, reaches, state.given)
                continue
            target = self.supergraph.types.get(named(type_.fields[name].type))
            if target is not None and target.kind in {Kind.OBJECT, Kind.INTERFACE, Kind.UNION}:
                self.waiting.append(_State(target.name, below, path, given))

    def _given(self, above: Given, type_: SuperType, reaches: frozenset[Reach]) -> Given:
        """Return what objects below a type are given: by the type itself where it sets a context, else from above."""
        if not self.contexts:
            return above
        given = set(above)
        for (context, text), (setting, selection) in self.contexts.items():
            if type_.name in setting:
                given.discard((context, text))
                if all(self.graph.resolves(type_.name, reach, selection) for reach in reaches):
                    given.add((context, text))
        return frozenset(given)

    def _finding(
        self, type_: SuperType, name: str, path: Path, reaches: Mapping[Place, Reach], given: Given
    ) -> Finding:
        lines = ["no way to answer", path.operation(), "since"]
        for subgraph, here in type_.fields[name].subgraphs.items():
            lines += [
                f"- `{subgraph}` fills the argument `{one.name}` from context `{one.context}`,"
                f" of which no object above gives `{one.selection}`"
                for one in here.context_arguments
                if (one.context, one.selection) not in given
            ]
        for place in sorted(reaches, key=lambda each: each.subgraph):
            lines.append(f"- from `{place.subgraph}`:")
            lines += [f"  - {reason}" for reason in self.graph.reasons(type_, reaches[place], place, name)]
        subgraphs = tuple(sorted({place.subgraph for place in reaches}))
        return Finding("SATISFIABILITY_ERROR", "\n".join(lines), subgraphs, (f"{type_.name}.{name}",))


def _context_uses(supergraph: Supergraph) -> Mapping[tuple[str, str], tuple[frozenset[str], FieldSet]]:
    """Return every context value that some field reads: the object types that set the context, and what is selected."""
    setting: dict[str, set[str]] = {}
    for type_ in supergraph.types.values():
        for context in type_.contexts:
            objects = (type_.name,) if type_.kind is Kind.OBJECT else supergraph.possible(type_.name)
            setting.setdefault(context, set()).update(objects)
    return {
        (one.context, one.selection): (frozenset(setting.get(one.context, ())), parse_field_set(one.selection))
        for type_ in supergraph.types.values()
        for declared in type_.fields.values()
        for here in declared.subgraphs.values()
        for one in here.context_arguments
    }


def _visible_fields(supergraph: Supergraph) -> dict[str, tuple[str, ...]]:
    """Return the fields of each object type that clients may ask for."""
    hidden = {type_.name for type_ in supergraph.types.values() if type_.inaccessible}
    return {
        type_.name: tuple(
            declared.name
            for declared in type_.fields.values()
            if not declared.inaccessible and named(declared.type) not in hidden
        )
        for type_ in supergraph.types.values()
        if type_.kind is Kind.OBJECT and type_.name not in hidden
    }
