"""Type documents: who may see which field of one GraphQL type, as frozen values (policy section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from node.policy.conditions import (
    ALIKE,
    FALSE,
    ROW,
    TRUE,
    Compare,
    Comparison,
    Condition,
    Literal,
    Name,
    ValueType,
)
from node.policy.findings import FindingCode, Place
from node.policy.forms import Form
from node.policy.messages import message
from node.policy.reader import (
    Reader,
    branch,
    day_of,
    entries,
    entry,
    items,
    leaf,
    leaves,
    number_of,
    text_of,
)
from node.policy.residuals import conjunction, negate
from node.policy.schemas import TYPE_DOCUMENT
from node.policy.shape import check_shape
from node.policy.yaml_tree import Leaf

if TYPE_CHECKING:
    from node.policy.condition_parser import Scope
    from node.policy.vocabulary import Category, Vocabulary
    from node.policy.yaml_tree import Tree

DEFAULT_MIN_CELL: Final = 5
DEFAULT_MIN_CELL_ART9: Final = 10


class Hides(StrEnum):
    """What a prohibition takes away."""

    FIELDS = "fields"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class GovernedField:
    """A field of the type: its category, and what else the document says about it."""

    name: str
    category: Category
    exact_lookup: bool
    computed_from: tuple[str, ...]  # the fields of the type that this one is computed from (R31)
    declassified: str | None  # the law by which a computed field may show more than its inputs (R31)
    place: Place


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day of validity, both included, in Europe/Rome (R7)."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Say whether a day lies in the window."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Alike:
    """`generalise_k`: a row is shown only if so many persons look alike in the fields `over`, as they are shown."""

    persons: int
    over: tuple[str, ...]

    def condition(self, name: str = ALIKE) -> Condition:
        """Return it as a condition on the row; how many persons are alike goes by `name`."""
        return Compare(Comparison.GE, Name(name, ValueType.INT), Literal(self.persons))


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Counts that a grant allows, grouped by fields, in cells of at least `min_cell`; and how many must look alike."""

    min_cell: int
    over: tuple[str, ...]
    epsilon: float | None = None
    alike: Alike | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may see which fields in which forms, for one purpose, under which law, for how long."""

    id: str
    kinds: tuple[str, ...]
    purpose: str
    basis: tuple[str, ...]
    basis9: tuple[str, ...]
    law: str
    rows: Condition
    consent: str | None
    see: Mapping[str, Form]
    aggregates: Aggregates | None
    valid: Window
    retain: str
    place: Place

    @property
    def alike(self) -> Alike | None:
        """How many persons must look alike where it shows a row, and in what; None if it does not ask."""
        return None if self.aggregates is None else self.aggregates.alike


@dataclass(frozen=True, slots=True)
class Prohibition:
    """What nobody sees, whatever the grants say, where `rows && when && !unless` is true or unknown."""

    id: str
    fields: tuple[str, ...]
    rows: Condition
    when: Condition
    unless: Condition
    law: str | None
    hides: Hides
    place: Place

    @property
    def denies_where(self) -> Condition:
        """Where it denies, unless this is false."""
        return conjunction([self.rows, self.when, negate(self.unless)])

    def takes(self, field: str) -> bool:
        """Say whether a field is among what it denies."""
        return self.hides is Hides.ROW or field in self.fields


@dataclass(frozen=True, slots=True)
class Combination:
    """Fields that one consumer may never know together of one citizen, over all its questions and purposes.

    `kinds` are those of the consumers that it is for; empty stands for all.
    """

    id: str
    fields: tuple[str, ...]
    kinds: tuple[str, ...]
    law: str | None
    place: Place

    def is_for(self, kind: str) -> bool:
        """Say whether it is for consumers of a kind."""
        return not self.kinds or kind in self.kinds


@dataclass(frozen=True, slots=True)
class TypeDocument:
    """The policy of one type."""

    name: str
    version: int
    owner: str
    attributes: Mapping[str, ValueType]
    fields: Mapping[str, GovernedField]
    grants: tuple[Grant, ...]
    prohibitions: tuple[Prohibition, ...]
    never_together: tuple[Combination, ...]
    place: Place

    @property
    def of_a_row(self) -> Mapping[str, ValueType]:
        """What may be said of a row in tests, questions and invariants: its attributes, and how many are alike."""
        return {**self.attributes, ALIKE.removeprefix(ROW): ValueType.INT}


def read_type_document(tree: Tree, vocabulary: Vocabulary, reader: Reader) -> TypeDocument | None:
    """Read a type document; whatever is wrong in it is reported.

    What is wrong is left out, so that suites and invariants can be checked against the rest in the same run; nothing is
    used of a bundle with an error. None if not even its fields can be read.
    """
    reader.findings.extend(check_shape(tree, TYPE_DOCUMENT))
    attributes = _attributes(tree, reader)
    scope = vocabulary.scope(attributes)
    fields = _fields(tree, vocabulary, reader)
    grants = _grants(tree, _Surroundings(vocabulary, scope, fields), reader)
    prohibitions = _prohibitions(tree, _Surroundings(vocabulary, scope, fields), reader)
    never_together = _combinations(tree, _Surroundings(vocabulary, scope, fields), reader)
    if not fields:
        return None
    return TypeDocument(
        name=text_of(leaf(tree, "policy")),
        version=number_of(leaf(tree, "version")),
        owner=text_of(leaf(tree, "owner")),
        attributes=attributes,
        fields=fields,
        grants=tuple(grant for grant in grants if grant is not None),
        prohibitions=tuple(prohibition for prohibition in prohibitions if prohibition is not None),
        never_together=never_together,
        place=tree.place,
    )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a rule may name."""

    vocabulary: Vocabulary
    scope: Scope
    fields: Mapping[str, GovernedField]


def _attributes(tree: Tree, reader: Reader) -> dict[str, ValueType]:
    """Read the attributes. A mistyped type, which the schema reported, stands for the nearest right one.

    Nothing is used of such a document; but every condition that names the attribute would be reported as well.
    """
    for name, _, place in entries(entry(tree, "attributes")):
        if f"{ROW}{name}" == ALIKE:
            said = message(
                "`{name}` is the number of persons alike (`generalise_k`): give the attribute another name", name=ALIKE
            )
            reader.report(place, FindingCode.VALUE_INVALID, said)
    known = [str(type_) for type_ in ValueType]
    near = {
        name: get_close_matches(text_of(found), known, n=1, cutoff=0.4)
        for name, found, _ in entries(entry(tree, "attributes"))
        if isinstance(found, Leaf)
    }
    return {name: ValueType(words[0]) for name, words in near.items() if words}


def _fields(tree: Tree, vocabulary: Vocabulary, reader: Reader) -> dict[str, GovernedField]:
    fields: dict[str, GovernedField] = {}
    written = [name for name, _, _ in entries(entry(tree, "fields"))]
    for name, found, place in entries(entry(tree, "fields")):
        category = reader.declared(leaf(found, "category"), message("category"), vocabulary.categories)
        known = vocabulary.categories.get(category) or next(iter(vocabulary.categories.values()))
        declassified = branch(found, "declassified")
        if declassified is not None and entry(found, "computed_from") is None:
            said = message(
                "`declassified` needs `computed_from`: it lifts the limit by the fields that this one is computed from"
            )
            reader.report(declassified.place, FindingCode.KEY_MISSING, said)
        fields[name] = GovernedField(
            name=name,
            category=known,
            exact_lookup=leaf(found, "lookup") is not None,
            computed_from=reader.all_declared(entry(found, "computed_from"), message("field"), written),
            declassified=text_of(leaf(declassified, "law")) or None,
            place=place,
        )
    return fields


def _grants(tree: Tree, around: _Surroundings, reader: Reader) -> list[Grant | None]:
    seen: dict[str, Place] = {}
    grants: list[Grant | None] = []
    for found in items(entry(tree, "grants")):
        reader.unique(seen, leaf(found, "id"), message("grant"))
        seen.setdefault(text_of(leaf(found, "id")), found.place)
        grants.append(_grant(found, around, reader))
    return grants


def _grant(found: Tree, around: _Surroundings, reader: Reader) -> Grant | None:
    vocabulary = around.vocabulary
    kinds = reader.all_declared(entry(branch(found, "to"), "kind"), message("kind"), vocabulary.kinds)
    purpose = reader.declared(leaf(found, "purpose"), message("purpose"), vocabulary.purposes)
    ordinary = vocabulary.legal_bases.keys() - vocabulary.special_bases
    basis = reader.all_declared(entry(found, "basis"), message("legal basis of art. 6"), ordinary)
    basis9 = reader.all_declared(entry(found, "basis9"), message("legal basis of art. 9"), vocabulary.special_bases)
    consent = leaf(found, "consent")
    reader.declared(consent, message("purpose"), vocabulary.purposes)
    rows = reader.condition(entry(found, "rows"), around.scope)
    see = {name: form for name, form in _see(found, around, reader).items() if form is not None}
    valid = _window(found, reader)
    if valid is None:
        return None
    return Grant(
        id=text_of(leaf(found, "id")),
        kinds=kinds,
        purpose=purpose,
        basis=basis,
        basis9=basis9,
        law=text_of(leaf(found, "law")),
        rows=TRUE if rows is None else rows,
        consent=text_of(consent) or None,
        see=see,
        aggregates=_aggregates(found, around, reader),
        valid=valid,
        retain=text_of(leaf(found, "retain")),
        place=found.place,
    )


def _see(found: Tree, around: _Surroundings, reader: Reader) -> dict[str, Form | None]:
    see: dict[str, Form | None] = {}
    for name, form, place in entries(entry(found, "see")):
        if name not in around.fields:
            reader.unknown(place, message("field"), name, around.fields)
        see[name] = reader.form(form)
    return see


def _window(found: Tree, reader: Reader) -> Window | None:
    window = branch(found, "valid")
    first, last = leaf(window, "from"), leaf(window, "until")
    first_day, last_day = day_of(first), day_of(last)
    if first is None or last is None or first_day is None or last_day is None:
        return None
    if first_day > last_day:
        said = message(
            "`from` {first_day} is after `until` {last_day}: the grant is never valid",
            first_day=first_day,
            last_day=last_day,
        )
        reader.report(first.place, FindingCode.WINDOW_REVERSED, said)
    return Window(first_day, last_day)


def _aggregates(found: Tree, around: _Surroundings, reader: Reader) -> Aggregates | None:
    aggregates = branch(found, "aggregates")
    if aggregates is None:
        return None
    over = reader.all_declared(entry(aggregates, "over"), message("field"), around.fields)
    art9 = any(around.fields[name].category.art9 for name in over if name in around.fields)
    epsilon = leaf(branch(aggregates, "noise"), "epsilon")
    return Aggregates(
        min_cell=number_of(leaf(aggregates, "min_cell")) or (DEFAULT_MIN_CELL_ART9 if art9 else DEFAULT_MIN_CELL),
        over=over,
        epsilon=float(str(epsilon.value)) if epsilon is not None and type(epsilon.value) in (int, float) else None,
        alike=_alike(aggregates, around, reader),
    )


def _alike(aggregates: Tree, around: _Surroundings, reader: Reader) -> Alike | None:
    generalised = branch(aggregates, "generalise_k")
    if generalised is None:
        return None
    over = reader.all_declared(entry(generalised, "quasi_identifiers"), message("field"), around.fields)
    return Alike(number_of(leaf(generalised, "k")), tuple(sorted(set(over))))


def _prohibitions(tree: Tree, around: _Surroundings, reader: Reader) -> list[Prohibition | None]:
    seen: dict[str, Place] = {}
    prohibitions: list[Prohibition | None] = []
    for found in items(entry(tree, "prohibitions")):
        reader.unique(seen, leaf(found, "id"), message("prohibition"))
        seen.setdefault(text_of(leaf(found, "id")), found.place)
        prohibitions.append(_prohibition(found, around, reader))
    return prohibitions


def _prohibition(found: Tree, around: _Surroundings, reader: Reader) -> Prohibition:
    rows, when, unless = (reader.condition(entry(found, key), around.scope) for key in ("rows", "when", "unless"))
    hides = Hides.ROW if leaf(found, "hide") is not None else Hides.FIELDS
    fields = reader.all_declared(entry(found, "fields"), message("field"), around.fields)
    if hides is Hides.FIELDS and not leaves(entry(found, "fields")):
        said = message("a prohibition names `fields`, unless it says `hide: row`")
        reader.report(found.place, FindingCode.KEY_MISSING, said)
    return Prohibition(
        id=text_of(leaf(found, "id")),
        fields=fields,
        rows=TRUE if rows is None else rows,
        when=TRUE if when is None else when,
        unless=FALSE if unless is None else unless,
        law=text_of(leaf(found, "law")) or None,
        hides=hides,
        place=found.place,
    )


def _combinations(tree: Tree, around: _Surroundings, reader: Reader) -> tuple[Combination, ...]:
    seen: dict[str, Place] = {}
    combinations: list[Combination] = []
    for found in items(entry(tree, "never_together")):
        reader.unique(seen, leaf(found, "id"), message("combination"))
        seen.setdefault(text_of(leaf(found, "id")), found.place)
        combinations.append(
            Combination(
                id=text_of(leaf(found, "id")),
                fields=tuple(
                    dict.fromkeys(reader.all_declared(entry(found, "fields"), message("field"), around.fields))
                ),
                kinds=reader.all_declared(entry(branch(found, "to"), "kind"), message("kind"), around.vocabulary.kinds),
                law=text_of(leaf(found, "law")) or None,
                place=found.place,
            )
        )
    return tuple(combinations)
