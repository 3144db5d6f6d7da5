"""z3 as a second prover: the same invariants over unbounded ages, days and texts (policy section 8).

The encoding begins from the documents, not from compiled plans, so it is also an independent check of the compiler.
z3 is the optional extra `prove`; without it `crocevia policy prove` relies on exhaustion alone.

Every name is a value and a Boolean that says whether it is known; every condition is a pair of formulas, when it is
true and when it is false, and is unknown otherwise. Only the order of texts matters, so a text is an integer: the texts
that the policy writes keep their order, with room between them for all others. Days are such texts. The room makes more
situations than exist, so what z3 proves holds, and what it breaks is confirmed by exhaustion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, assert_never

from node.policy.conditions import (
    CONSENT,
    And,
    Compare,
    Comparison,
    Condition,
    Consent,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    Unknown,
    Value,
    ValueType,
)
from node.policy.matrix import conditions_of
from node.policy.vocabulary import BASIS, KIND, PURPOSE, TODAY
from node.policy.worlds import literals_in

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.documents import Grant, Prohibition, TypeDocument
    from node.policy.invariants import Invariant

_TIMEOUT_MS: Final = 10_000
_ROOM: Final = 1_000


def available() -> bool:
    """Say whether z3 is installed."""
    return find_spec("z3") is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What z3 says of an invariant: whether it holds, None if it could not say; a counterexample in words."""

    holds: bool | None
    counterexample: str | None


@dataclass(frozen=True, slots=True)
class _Truth:
    """When a condition is true and when it is false."""

    true: Any
    false: Any


@dataclass(frozen=True, slots=True)
class _Operand:
    """A value and when it is known."""

    value: Any
    known: Any
    text: bool = False


def prove_with_z3(bundle: Bundle, invariant: Invariant) -> Verdict:
    """Ask z3 for a situation that breaks an invariant."""
    return _Prover(bundle, bundle.types[invariant.type_name]).verdict(invariant)


class _Prover:
    """The encoding of one type."""

    def __init__(self, bundle: Bundle, document: TypeDocument) -> None:
        import z3  # noqa: PLC0415  # an optional extra

        self._z3 = z3
        self._bundle = bundle
        self._document = document
        self._names: dict[str, _Operand] = {}
        self._texts = _numbered(_written_texts(bundle, document))
        self._consent_known = z3.Bool("consent known")

    def number(self, texts: Iterable[str]) -> None:
        """Let more texts take part; what was encoded before does not know them."""
        self._texts = _numbered({*self._texts, *texts})

    def verdict(self, invariant: Invariant) -> Verdict:
        z3 = self._z3
        self._texts = _numbered({*self._texts, *_texts_in(invariant.when)})
        self._names = {}
        solver = z3.Solver()
        solver.set("timeout", _TIMEOUT_MS)
        solver.add(*self._world())
        consent = self._consent(Consent("*"))
        when = self._truth(invariant.when, consent)
        solver.add(z3.Or(*(self._discloses(name, invariant) for name in invariant.fields)), z3.Not(when.false))
        answer = solver.check()
        if answer == z3.unsat:
            return Verdict(holds=True, counterexample=None)
        if answer == z3.sat:
            return Verdict(holds=False, counterexample=self._words(solver.model()))
        return Verdict(holds=None, counterexample=None)

    # --- conditions on given values ---

    @property
    def z3(self) -> Any:
        """The prover's own module."""
        return self._z3

    def texts_in(self, condition: Condition) -> set[str]:
        """Return the texts that a condition writes."""
        return _texts_in(condition)

    def truth_of(self, condition: Condition) -> _Truth:
        """Return a condition, with one consent for all purposes, as formulas."""
        return self._truth(condition, self._consent(Consent("*")))

    def given(self, names: Mapping[str, Value | None], consent: bool | None) -> list[tuple[Any, Any]]:  # noqa: FBT001  # a truth
        """Return what to put in the place of names: a value, or that it is not known."""
        z3 = self._z3
        pairs = [(z3.Bool("consent"), z3.BoolVal(consent is True))]
        pairs.append((self._consent_known, z3.BoolVal(consent is not None)))
        for dotted, found in self._names.items():
            value = names.get(dotted)
            pairs.append((found.known, z3.BoolVal(value is not None)))
            if value is not None:
                pairs.append((found.value, self._set(value) if isinstance(value, frozenset) else self._constant(value)))
        return pairs

    def follows(self, formula: Any) -> bool:
        """Say whether a formula without names holds; simplifying alone leaves some equalities of sets open."""
        z3 = self._z3
        simple = z3.simplify(formula)
        if z3.is_true(simple) or z3.is_false(simple):
            return bool(z3.is_true(simple))
        solver = z3.Solver()
        solver.add(z3.Not(simple))
        return bool(solver.check() == z3.unsat)

    def _set(self, members: frozenset[Any]) -> Any:
        z3 = self._z3
        collected = z3.EmptySet(z3.IntSort())
        for member in members:
            collected = z3.SetAdd(collected, self._constant(member))
        return collected

    # --- the situation ---

    def _world(self) -> list[Any]:
        """Say what every request has: a kind and a purpose of the vocabulary, bases of it, a day."""
        z3, vocabulary = self._z3, self._bundle.vocabulary
        kind, purpose, today = (self._name(Name(name, ValueType.STR)) for name in (KIND, PURPOSE, TODAY))
        basis = self._name(Name(BASIS, ValueType.SET_STR))
        return [
            kind.known,
            purpose.known,
            today.known,
            basis.known,
            z3.Or(*(kind.value == self._text(name) for name in vocabulary.kinds)),
            z3.Or(*(purpose.value == self._text(name) for name in vocabulary.purposes)),
        ]

    def _discloses(self, field: str, invariant: Invariant) -> Any:
        z3 = self._z3
        grants = [
            grant for grant in self._document.grants if field in grant.see and invariant.forbids(grant.see[field])
        ]
        shown = z3.Or(*(z3.And(self._applies(grant), self._reaches(grant, field)) for grant in grants))
        rules = [rule for rule in self._document.prohibitions if rule.takes(field)]
        return z3.And(shown, *(self._spares(rule) for rule in rules), *(self._in_a_crowd()))

    def _in_a_crowd(self) -> Iterator[Any]:
        """Yield that enough persons are alike for every live grant with `generalise_k`."""
        for grant in self._document.grants:
            if grant.alike is not None:
                enough = self._truth(grant.alike.condition(), self._consent(Consent("*")))
                yield self._z3.Implies(self._is_live(grant), enough.true)

    def _applies(self, grant: Grant) -> Any:
        consent = None if grant.consent is None else self._consent(Consent(grant.consent))
        rows = self._truth(grant.rows, consent or self._consent(Consent("*")))
        return self._z3.And(self._is_live(grant), rows.true, *([] if consent is None else [consent.true]))

    def _is_live(self, grant: Grant) -> Any:
        z3, vocabulary = self._z3, self._bundle.vocabulary
        kind, purpose, today = (self._name(Name(name, ValueType.STR)).value for name in (KIND, PURPOSE, TODAY))
        covered = [name for name in vocabulary.purposes if vocabulary.covers(grant.purpose, name)]
        return z3.And(
            z3.Or(*(kind == self._text(name) for name in grant.kinds)),
            z3.Or(*(purpose == self._text(name) for name in covered)),
            self._text(grant.valid.first.isoformat()) <= today,
            today <= self._text(grant.valid.last.isoformat()),
            self._holds_one_of(grant.basis),
        )

    def _reaches(self, grant: Grant, field: str) -> Any:
        special = self._document.fields[field].category.art9
        return self._holds_one_of(grant.basis9) if special else self._z3.BoolVal(val=True)

    def _holds_one_of(self, bases: tuple[str, ...]) -> Any:
        z3 = self._z3
        held = self._name(Name(BASIS, ValueType.SET_STR)).value
        return z3.Or(*(z3.IsMember(self._text(basis), held) for basis in bases))

    def _spares(self, rule: Prohibition) -> Any:
        """A prohibition spares only where `rows && when && !unless` is false."""
        consent = self._consent(Consent("*"))
        rows, when, unless = (self._truth(part, consent) for part in (rule.rows, rule.when, rule.unless))
        return self._z3.Or(rows.false, when.false, unless.true)

    # --- three-valued conditions ---

    def _truth(self, condition: Condition, consent: _Truth) -> _Truth:
        z3 = self._z3
        match condition:
            case Literal(bool(value)):
                return _Truth(z3.BoolVal(value), z3.BoolVal(not value))
            case Unknown():
                return _Truth(z3.BoolVal(val=False), z3.BoolVal(val=False))
            case Consent():
                return self._consent(condition)
            case Name(dotted) if dotted == CONSENT:
                return consent
            case Name():
                found = self._name(condition)
                return _Truth(z3.And(found.known, found.value), z3.And(found.known, z3.Not(found.value)))
            case Not(operand):
                inner = self._truth(operand, consent)
                return _Truth(inner.false, inner.true)
            case And(parts):
                truths = [self._truth(part, consent) for part in parts]
                return _Truth(z3.And(*(one.true for one in truths)), z3.Or(*(one.false for one in truths)))
            case Or(parts):
                truths = [self._truth(part, consent) for part in parts]
                return _Truth(z3.Or(*(one.true for one in truths)), z3.And(*(one.false for one in truths)))
            case Compare(operator, left, right):
                return self._known(_COMPARE[operator], left, right, consent)
            case In(element, collection):
                return self._known(z3.IsMember, element, collection, consent)
            case Meets(left, right):
                return self._known(self._meet, left, right, consent)
            case Literal() | SetLiteral():
                raise AssertionError("a literal of another type is no condition")
            case _:
                assert_never(condition)

    def _known(self, relate: Callable[[Any, Any], Any], left: Condition, right: Condition, consent: _Truth) -> _Truth:
        z3 = self._z3
        one, other = self._operand(left, consent), self._operand(right, consent)
        known, holds = z3.And(one.known, other.known), relate(one.value, other.value)
        return _Truth(z3.And(known, holds), z3.And(known, z3.Not(holds)))

    def _meet(self, left: Any, right: Any) -> Any:
        z3 = self._z3
        return z3.SetIntersect(left, right) != z3.EmptySet(left.sort().domain())

    def _operand(self, condition: Condition, consent: _Truth) -> _Operand:
        z3 = self._z3
        match condition:
            case Literal(value):
                return _Operand(self._constant(value), z3.BoolVal(val=True))
            case SetLiteral(members):
                collected = z3.EmptySet(self._constant(members[0].value).sort())
                for member in members:
                    collected = z3.SetAdd(collected, self._constant(member.value))
                return _Operand(collected, z3.BoolVal(val=True))
            case Name(dotted) if dotted != CONSENT:
                return self._name(condition)
            case _:
                truth = self._truth(condition, consent)
                return _Operand(truth.true, z3.Or(truth.true, truth.false))

    def _constant(self, value: bool | int | str) -> Any:  # noqa: FBT001  # a literal of the language
        z3 = self._z3
        if isinstance(value, bool):
            return z3.BoolVal(value)
        return z3.IntVal(value) if isinstance(value, int) else self._text(value)

    def _text(self, text: str) -> Any:
        return self._z3.IntVal(self._texts[text])

    def _name(self, name: Name) -> _Operand:
        z3 = self._z3
        if name.dotted not in self._names:
            sorts: Mapping[ValueType, Callable[[], Any]] = {
                ValueType.BOOL: z3.BoolSort,
                ValueType.INT: z3.IntSort,
                ValueType.STR: z3.IntSort,
                ValueType.SET_STR: lambda: z3.SetSort(z3.IntSort()),
            }
            value = z3.Const(name.dotted, sorts[name.type]())
            self._names[name.dotted] = _Operand(value, z3.Bool(f"{name.dotted} known"), text=name.type is ValueType.STR)
        return self._names[name.dotted]

    def _consent(self, _consent: Consent) -> _Truth:
        """Consent is one truth here, as in a test suite: given for whatever purpose, or for none, or not known."""
        z3 = self._z3
        given = z3.Bool("consent")
        return _Truth(z3.And(self._consent_known, given), z3.And(self._consent_known, z3.Not(given)))

    def _words(self, model: Any) -> str:
        """Say a model: texts that the policy writes by themselves, others by what they stand after."""
        z3 = self._z3
        parts = []
        for dotted, found in sorted(self._names.items()):
            value: Any = model.eval(found.value, model_completion=True)
            if not z3.is_true(model.eval(found.known, model_completion=True)):
                said = "null"
            elif dotted == BASIS:
                held = [
                    text for text in self._texts if z3.is_true(model.eval(z3.IsMember(self._text(text), found.value)))
                ]
                said = ", ".join(basis for basis in held if basis in self._bundle.vocabulary.legal_bases)
            elif z3.is_int_value(value) and found.text:
                said = self._said_text(value.as_long())
            else:
                said = str(value)
            parts.append(f"{dotted} = {said}")
        return "; ".join(parts)

    def _said_text(self, number: int) -> str:
        exact = [text for text, place in self._texts.items() if place == number]
        if exact:
            return f'"{exact[0]}"'
        before = [text for text, place in self._texts.items() if place < number]
        return f'a text after "{max(before)}"' if before else "another text"


class Truths:
    """The encoding of conditions on given values: what z3 takes them to mean, to be compared with the oracle."""

    def __init__(self, bundle: Bundle, document: TypeDocument, values: Iterable[Value | None]) -> None:
        """Number the texts of all values that will be asked about."""
        self._prover = _Prover(bundle, document)
        self._prover.number(text for value in values for text in _texts_of(value))

    def of(self, condition: Condition) -> Callable[[Mapping[str, Value | None], bool | None], bool | None]:
        """Return a condition as a function of values, by dotted name, and of consent."""
        prover, z3 = self._prover, self._prover.z3
        texts = prover.texts_in(condition)
        prover.number(texts)
        truth = prover.truth_of(condition)

        def asked(names: Mapping[str, Value | None], consent: bool | None) -> bool | None:  # noqa: FBT001  # a truth
            given = prover.given(names, consent)
            if prover.follows(z3.substitute(truth.true, *given)):
                return True
            return False if prover.follows(z3.substitute(truth.false, *given)) else None

        return asked


def _texts_of(value: Value | None) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return [member for member in value if isinstance(member, str)] if isinstance(value, frozenset) else ()


def _written_texts(bundle: Bundle, document: TypeDocument) -> set[str]:
    vocabulary = bundle.vocabulary
    days = {day.isoformat() for grant in document.grants for day in (grant.valid.first, grant.valid.last)}
    written = {text for condition in conditions_of(document) for text in _texts_in(condition)}
    return {*vocabulary.purposes, *vocabulary.kinds, *vocabulary.legal_bases, *days, *written, ""}


def _texts_in(condition: Condition) -> set[str]:
    return {literal.value for literal in literals_in(condition) if isinstance(literal.value, str)}


def _numbered(texts: Iterable[str]) -> dict[str, int]:
    return {text: position * _ROOM for position, text in enumerate(sorted(texts))}


_COMPARE: Mapping[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.EQ: lambda one, other: one == other,
    Comparison.NE: lambda one, other: one != other,
    Comparison.LT: lambda one, other: one < other,
    Comparison.LE: lambda one, other: one <= other,
    Comparison.GT: lambda one, other: other < one,
    Comparison.GE: lambda one, other: other <= one,
}
